import { AppError } from '@nines/base/errors.ts';
import { isFull } from '@nines/model/scope.ts';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Gate, Http, Inside } from '../platform/http/contract.ts';
import {
  type DeclarationView,
  OBJECT_CODES,
  OBJECT_KINDS,
  type ObjectKind,
  type ObjectRef,
  READ_BY,
  declarationView,
  usedByView,
} from './contract.ts';
import { type Naming, usedBy } from './evaluate.ts';

const query = z.object({ kind: z.enum(OBJECT_KINDS), id: z.string().min(1).max(500) });
const tags = ['objects'];

export type ObjectRouteDeps = {
  /** What every object names now. */
  readonly naming: () => Promise<Naming>;
  /** Other words by which series and alerts name an object. */
  readonly namesOf: (of: ObjectRef) => readonly string[];
  /** Undefined for what no configuration holds, and for what is not there. */
  readonly declarationOf: (of: ObjectRef) => Promise<DeclarationView | undefined>;
  readonly gate: Pick<Gate, 'allows'>;
  readonly inside: Inside;
};

/** How an object stands in the configuration, and what names it; each object is shown to those who may read it where it lives. */
export function objectRoutes(http: Http, deps: ObjectRouteDeps): void {
  http.get(
    '/api/used-by',
    {
      config: { permission: 'read', scoped: 'handler' },
      schema: { summary: 'What names an object, by kind and name', tags, querystring: query, response: { 200: usedByView } },
    },
    async (request) => {
      await requireReadable(deps, request, request.query);
      const found = usedBy(await deps.naming(), request.query, deps.namesOf(request.query));
      const seen = await Promise.all(found.map((one) => sees(deps, request, one)));
      return { items: found.filter((_, index) => seen[index]).map((one) => ({ ...one, how: [...one.how] })) };
    },
  );
  http.get(
    '/api/declaration',
    {
      config: { permission: 'read', scoped: 'handler' },
      schema: {
        summary: 'One object as the configuration holds it, as YAML, secrets redacted',
        tags,
        querystring: query,
        response: { 200: declarationView },
      },
    },
    async (request) => {
      await requireReadable(deps, request, request.query);
      const found = await deps.declarationOf(request.query);
      if (found === undefined) throw notFound(request.query);
      return found;
    },
  );
}

const notFound = ({ kind, id }: ObjectRef): AppError =>
  new AppError('not_found', OBJECT_CODES.notFound, `there is no object "${id}" of the kind ${kind} that a configuration holds`);

/** Refuses as the object's own routes would: 403 for who may read none of its kind, 404 for one outside of the scope. */
async function requireReadable(deps: ObjectRouteDeps, request: FastifyRequest, of: ObjectRef): Promise<void> {
  const { area } = READ_BY[of.kind];
  if (!mayRead(deps, request, of.kind)) {
    throw new AppError('forbidden', 'not_permitted', `the role ${request.actor.role} may not read ${area}`, { details: { area } });
  }
  if (!(await sees(deps, request, of))) throw notFound(of);
}

const mayRead = ({ gate }: ObjectRouteDeps, { actor }: FastifyRequest, kind: ObjectKind): boolean =>
  gate.allows(actor, kind === 'tokens' || kind === 'people' ? 'administer' : 'read', READ_BY[kind].area);

async function sees(deps: ObjectRouteDeps, request: FastifyRequest, { kind, id }: ObjectRef): Promise<boolean> {
  if (!mayRead(deps, request, kind)) return false;
  const { scope } = request.actor;
  if (isFull(scope)) return true;
  const { thing, free } = READ_BY[kind];
  return free === true || (thing !== undefined && deps.inside.thing(scope, thing, id));
}
