import { AppError } from '@nines/base/errors.ts';
import { isFull } from '@nines/model/scope.ts';
import type { Scope } from '@nines/model/storage.ts';
import type { FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import type { Inside, Scoped, ScopedThings, Thing } from './contract.ts';
import { parentsIn, unnamed } from './explained.ts';

/** Fields that say whose an object is, wherever it stands in an answer: it is left out with its owner, or with any of several. */
const OWNERS: Readonly<Record<string, Thing>> = {
  service: 'service',
  services: 'service',
  check: 'check',
  sla: 'sla',
  slas: 'sla',
  pages: 'status_page',
  schedule: 'schedule',
};
/** Fields that only point at something else: they become null. */
const LINKS: Readonly<Record<string, Thing>> = { problem: 'problem', incident: 'incident' };
/** Lists of what else there is: ids outside are left out. */
const LISTS: Readonly<Record<string, Thing>> = {
  depends_on: 'service',
  dependents: 'service',
  explains: 'service',
  checks: 'check',
  alerts: 'alert',
};

type Fields = Readonly<Record<string, unknown>>;
type Asked = { readonly inside: Inside; readonly scope: Scope; readonly known: Map<string, Promise<boolean>> };

/**
 * Adds to a route of things what it needs for actors with a scope: what the request names and is outside is answered as if it did not
 * exist, and what is outside is taken out of the answer. Others pay one comparison.
 */
export function keepInside(route: RouteOptions, inside: Inside): void {
  const scoped = route.config?.scoped;
  if (scoped === undefined || !isOfThings(scoped)) return;
  const names = Object.entries(scoped.names ?? {}).flatMap(([part, fields]) =>
    Object.entries(fields).map(([field, thing]) => ({ part: part as 'params' | 'query' | 'body', field, thing })),
  );
  const examine = async (request: FastifyRequest): Promise<void> => {
    const asked: Asked = { inside, scope: request.actor.scope, known: new Map() };
    let named = false;
    for (const { part, field, thing } of names) {
      const value = (request[part] as Fields | undefined)?.[field];
      for (const id of [value].flat()) {
        if (typeof id !== 'string' || id === '') continue;
        if (!(await sees(asked, thing, id))) throw noSuch(thing, id);
        named ||= scoped.needs?.includes(field) === true;
      }
    }
    if (scoped.needs !== undefined && !named) throw needed(scoped.needs);
  };
  const prune = async (request: FastifyRequest, payload: unknown): Promise<unknown> => {
    const asked: Asked = { inside, scope: request.actor.scope, known: new Map() };
    const kept = await pruned(asked, payload, { thing: scoped.id, inItems: true });
    if (kept === GONE) throw new AppError('not_found', 'not_found', 'there is no such thing');
    return kept;
  };
  route.preHandler = [
    ...[route.preHandler ?? []].flat(),
    async (request: FastifyRequest) => {
      if (!isFull(request.actor.scope)) await examine(request);
    },
  ];
  route.preSerialization = [
    ...[route.preSerialization ?? []].flat(),
    async (request: FastifyRequest, reply: FastifyReply, payload: unknown) =>
      isFull(request.actor.scope) || reply.statusCode >= 400 ? payload : prune(request, payload),
  ];
}

/** Whether whoever asks sees all of the services that something is about; without any, what has no labels. */
export const seesServices = (request: Pick<FastifyRequest, 'sees'>, services: readonly string[]): boolean =>
  services.length === 0 ? request.sees({}) : services.every((service) => request.sees({ service }));

export const isOfThings = (scoped: Scoped): scoped is ScopedThings => typeof scoped === 'object' && !('free' in scoped);

const GONE = Symbol('outside');

/** `thing` is what the field `id` of this object names, or of the objects in its `items`. */
type Place = { readonly thing?: Thing | undefined; readonly inItems?: boolean; readonly key?: string };

async function pruned(asked: Asked, value: unknown, place: Place): Promise<unknown> {
  if (typeof value === 'string') return wordedWithin(asked, value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return prunedList(asked, value, place);
  const fields = value as Fields;
  if (!(await isInside(asked, fields, place.thing))) return GONE;
  const kept: Record<string, unknown> = {};
  for (const [key, inner] of Object.entries(fields)) {
    const link = LINKS[key];
    if (link !== undefined && typeof inner === 'string') {
      kept[key] = (await sees(asked, link, inner)) ? inner : null;
      continue;
    }
    const below = place.inItems === true && key === 'items' ? { thing: place.thing, key } : { key };
    const one = await pruned(asked, inner, below);
    kept[key] = one === GONE ? null : one;
  }
  return kept;
}

/** The sentence without the name of a service that is outside. */
async function wordedWithin(asked: Asked, text: string): Promise<string> {
  for (const parent of parentsIn(text)) if (!(await sees(asked, 'service', parent))) return unnamed(text);
  return text;
}

async function prunedList(asked: Asked, list: readonly unknown[], { thing, key = '' }: Place): Promise<readonly unknown[]> {
  const named = LISTS[key];
  const kept: unknown[] = [];
  for (const one of list) {
    if (typeof one === 'string' && named !== undefined && !(await sees(asked, named, one))) continue;
    const inner = await pruned(asked, one, { thing });
    if (inner !== GONE) kept.push(inner);
  }
  return kept;
}

async function isInside(asked: Asked, fields: Fields, thing: Thing | undefined): Promise<boolean> {
  const { id, labels } = fields;
  for (const [key, owner] of Object.entries(OWNERS)) {
    for (const value of [fields[key]].flat())
      if (typeof value === 'string' && value !== '' && !(await sees(asked, owner, value))) return false;
  }
  // Things that are known by their id are judged by more than the labels they show.
  if (thing !== undefined && typeof id === 'string') return sees(asked, thing, id);
  return !isLabels(labels) || asked.inside.labels(asked.scope, labels);
}

const isLabels = (value: unknown): value is Readonly<Record<string, string>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && Object.values(value).every((one) => typeof one === 'string');

function sees({ inside, scope, known }: Asked, thing: Thing, id: string): Promise<boolean> {
  const key = `${thing} ${id}`;
  const found = known.get(key) ?? inside.thing(scope, thing, id);
  known.set(key, found);
  return found;
}

const noSuch = (thing: Thing, id: string): AppError =>
  new AppError('not_found', `${thing}_not_found`, `there is no ${thing.replace('_', ' ')} "${id}"`);

const needed = (fields: readonly string[]): AppError =>
  new AppError('forbidden', 'outside_scope', `without ${fields.join(' or ')} this is about everything, which is outside your scope`, {
    field: fields[0] ?? '',
  });
