import { AppError } from '@nines/base/errors.ts';
import type { Clock } from '@nines/base/clock.ts';
import { type EpochMs, epochMs } from '@nines/base/units.ts';
import type { Span } from '@nines/maths/slo/types.ts';
import { isFull } from '@nines/model/scope.ts';
import type { Scope } from '@nines/model/storage.ts';
import { z } from 'zod';
import type { Http, ScopedThings } from '../platform/http/contract.ts';
import { instant } from '../platform/http/fields.ts';
import { slaDeclaration } from './config.ts';
import { SLA_CODES } from './contract.ts';
import type { SlaContracts } from './contracts.ts';
import { openSloText } from './definitions/openslo-export.ts';
import type { SlaService } from './service.ts';
import type { SlaSpec } from './spec.ts';

const SLAS: ScopedThings = { names: { params: { id: 'sla' } }, id: 'sla' };
const WRITTEN_SLAS: ScopedThings = { names: { params: { id: 'sla' }, body: { service: 'service' } }, id: 'sla' };

const byId = z.object({ id: z.string() });
const byIds = z.object({ id: z.union([z.string(), z.array(z.string())]).optional() });
const period = z.object({ from: instant.optional(), to: instant.optional() });

export type SlaRouteDeps = {
  readonly slas: SlaService;
  readonly contracts: SlaContracts;
  readonly clock: Clock;
};

/** SLAs: status, violations; creating, changing and ending those that are not declared in the configuration file. */
export function slaRoutes(http: Http, deps: SlaRouteDeps): void {
  readRoutes(http, deps);
  writeRoutes(http, deps);
}

function readRoutes(http: Http, { slas, clock }: SlaRouteDeps): void {
  const read = { config: { permission: 'read' as const } };
  http.get(
    '/api/slas',
    { config: { ...read.config, scoped: SLAS }, schema: { summary: 'Every SLA with its status, budget and burn rates', tags: ['slas'] } },
    async () => ({
      items: await slas.list(clock.now()),
    }),
  );
  http.get(
    '/api/slas/:id',
    { config: { ...read.config, scoped: SLAS }, schema: { summary: 'One SLA', tags: ['slas'], params: byId } },
    async (request) => {
      const view = await slas.get(request.params.id, clock.now());
      if (view === undefined) throw new AppError('not_found', SLA_CODES.notFound, `there is no SLA "${request.params.id}"`);
      return view;
    },
  );
  http.get(
    '/api/openslo',
    {
      config: { ...read.config, scoped: { names: { query: { id: 'sla' } }, needs: ['id'] } },
      schema: { summary: 'SLAs as OpenSLO v1, all of them or those of `id`', tags: ['slas'], querystring: byIds },
    },
    async (request, reply) => reply.type('application/yaml; charset=utf-8').send(openSloText(slas.specs([request.query.id ?? []].flat()))),
  );
  http.get(
    '/api/slas/:id/violations',
    {
      config: { ...read.config, scoped: { names: { params: { id: 'sla' } } } },
      schema: { summary: 'Violations of an SLA, newest first', tags: ['slas'], params: byId, querystring: period },
    },
    async (request) => ({ items: await slas.violations(request.params.id, periodOf(request.query, everything(clock.now()))) }),
  );
}

function writeRoutes(http: Http, { slas, contracts, clock }: SlaRouteDeps): void {
  const write = { config: { permission: 'operate' as const } };
  http.post(
    '/api/slas',
    { config: { ...write.config, scoped: WRITTEN_SLAS }, schema: { summary: 'Make an SLA', tags: ['slas'], body: slaDeclaration } },
    async (request, reply) => {
      requireNoExpressions(request.actor.scope, request.body);
      await contracts.create(request.body);
      return reply.code(201).send(await slas.get(request.body.id, clock.now()));
    },
  );
  http.put(
    '/api/slas/:id',
    {
      config: { ...write.config, scoped: WRITTEN_SLAS },
      schema: { summary: 'Give an SLA other terms from now on', tags: ['slas'], params: byId, body: slaDeclaration },
    },
    async (request) => {
      requireNoExpressions(request.actor.scope, request.body);
      await contracts.update(request.params.id, request.body);
      return slas.get(request.params.id, clock.now());
    },
  );
  http.delete(
    '/api/slas/:id',
    { config: { ...write.config, scoped: SLAS }, schema: { summary: 'End an SLA; its history stays', tags: ['slas'], params: byId } },
    async (request, reply) => {
      await contracts.remove(request.params.id);
      return reply.code(204).send();
    },
  );
}

/** An indicator over samples would tell somebody with a scope of series that they do not see. */
function requireNoExpressions(scope: Scope, { indicator }: SlaSpec): void {
  if (isFull(scope) || indicator.kind === 'availability') return;
  throw new AppError('forbidden', 'outside_scope', 'an SLA over samples may be made only by those who see everything', {
    field: 'indicator',
  });
}

/** All violations, those that open in this millisecond included. */
const everything = (nowMs: EpochMs): Span => ({ fromMs: epochMs(0), toMs: epochMs(nowMs + 1) });

/** `[from, to)` of a request; what is missing comes from `fallback`, an end without a start keeps the fallback's length. */
function periodOf({ from, to }: z.output<typeof period>, fallback: Span): Span {
  const toMs = to ?? fallback.toMs;
  return { fromMs: from ?? epochMs(toMs - (fallback.toMs - fallback.fromMs)), toMs };
}
