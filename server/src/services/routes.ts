import { AppError } from '@nines/base/errors.ts';
import { DAY_MS, type EpochMs } from '@nines/base/units.ts';
import { z } from 'zod';
import type { Actor, Http, ScopedThings } from '../platform/http/contract.ts';
import { instant } from '../platform/http/fields.ts';
import {
  reliabilityView,
  SERVICE_CODES,
  type ServiceEntry,
  serviceDetailView,
  serviceSchema,
  serviceView,
  timelineView as timelineShape,
} from './contract.ts';
import type { Maker, Services } from './service.ts';
import { requireInside } from './write-scope.ts';
import { reliabilityFor } from './reliability.ts';
import { detailView, listView, type TimelineQuery, timelineView, type ViewDeps } from './views.ts';

/** A service that is asked for by id, listed, or declared. */
const SERVICES: ScopedThings = { names: { params: { id: 'service' } }, id: 'service' };

const byId = z.object({ id: z.string() });
const timelineQuery = z.object({ from: instant.optional(), to: instant.optional(), known_at: instant.optional() });
/** Longest window of one answer: a leap year and a month, the longest that any contract looks at. */
const MAX_WINDOW_MS = 400 * DAY_MS;

/** The catalogue with the states of what is in it. */
export function serviceRoutes(http: Http, deps: ViewDeps): void {
  readRoutes(http, deps);
  timelineRoute(http, deps);
  writeRoutes(http, deps);
}

function found(services: Services, id: string): ServiceEntry {
  const entry = services.get(id);
  if (entry === undefined) throw new AppError('not_found', SERVICE_CODES.notFound, `there is no service "${id}"`);
  return entry;
}

function readRoutes(http: Http, deps: ViewDeps): void {
  const config = { permission: 'read' as const };
  http.get(
    '/api/services',
    {
      config: { ...config, scoped: SERVICES },
      schema: {
        summary: 'Every service with its state',
        tags: ['services'],
        /** `checks=without`: each is left without its checks, of which there may be very many; `check_count` says how many. */
        querystring: z.object({ checks: z.enum(['with', 'without']).default('with') }),
        response: { 200: z.object({ items: z.array(serviceView) }) },
      },
    },
    async (request) => ({ items: [...(await listView(deps, request.query.checks))] }),
  );
  http.get(
    '/api/services/:id',
    {
      config: { ...config, scoped: SERVICES },
      schema: {
        summary: 'One service: state, uptime, checks, downtimes',
        tags: ['services'],
        params: byId,
        response: { 200: serviceDetailView },
      },
    },
    async (request) => detailView(deps, found(deps.services, request.params.id)),
  );
}

function timelineRoute(http: Http, deps: ViewDeps): void {
  http.get(
    '/api/services/:id/timeline',
    {
      config: { permission: 'read', scoped: SERVICES },
      schema: {
        summary: 'The exact states of a service within [from, to); known_at answers from what was known then',
        tags: ['services'],
        params: byId,
        querystring: timelineQuery,
        response: { 200: timelineShape },
      },
    },
    async (request) => {
      return timelineView(deps, await windowAsked(deps, request));
    },
  );
  http.get(
    '/api/services/:id/reliability',
    {
      config: { permission: 'read', scoped: SERVICES },
      schema: {
        summary: 'Outages of a service within [from, to): how many, how long, how soon known, taken up and repaired',
        tags: ['services'],
        params: byId,
        querystring: timelineQuery,
        response: { 200: reliabilityView },
      },
    },
    async (request) => reliabilityFor(deps, await windowAsked(deps, request)),
  );
}

/** The last day unless it is said. A service that left keeps its history. */
async function windowAsked(
  deps: ViewDeps,
  { params: { id }, query }: { readonly params: { readonly id: string }; readonly query: z.output<typeof timelineQuery> },
): Promise<TimelineQuery> {
  if ((await deps.ledger.monitoredSinceMs(id)) === null) found(deps.services, id);
  const toMs = query.to ?? deps.clock.now();
  const fromMs = query.from ?? ((toMs - DAY_MS) as EpochMs);
  if (fromMs >= toMs) throw new AppError('bad_input', SERVICE_CODES.invalid, 'from must be before to', { field: 'from' });
  if (toMs - fromMs > MAX_WINDOW_MS) {
    throw new AppError('bad_input', SERVICE_CODES.invalid, 'a window is at most 400 days', { field: 'from' });
  }
  return { service: id, fromMs, toMs, ...(query.known_at === undefined ? {} : { knownAtMs: query.known_at }) };
}

const makerOf = ({ role }: Actor): Maker => (role === 'administrator' ? 'administrator' : 'operator');

function writeRoutes(http: Http, deps: ViewDeps): void {
  const config = { permission: 'operate' as const };
  const { services } = deps;
  http.post(
    '/api/services',
    { config: { ...config, scoped: SERVICES }, schema: { summary: 'Make a service', tags: ['services'], body: serviceSchema } },
    async (request, reply) => {
      requireInside(request.actor.scope, request.body, services);
      const entry = await services.create(request.body, makerOf(request.actor));
      return reply.code(201).send(await detailView(deps, entry));
    },
  );
  http.put(
    '/api/services/:id',
    {
      config: { ...config, scoped: SERVICES },
      schema: { summary: 'Replace the declaration of a service', tags: ['services'], params: byId, body: serviceSchema },
    },
    async (request) => {
      requireInside(request.actor.scope, request.body, services);
      return detailView(deps, await services.update(request.params.id, request.body, makerOf(request.actor)));
    },
  );
  for (const [action, paused] of [
    ['pause', true],
    ['resume', false],
  ] as const) {
    http.post(
      `/api/checks/:id/${action}`,
      {
        config: { ...config, scoped: { names: { params: { id: 'check' } } } },
        schema: {
          summary: paused ? 'Stop a check from asking; its time is unknown until it goes on' : 'Let a paused check go on',
          tags: ['checks'],
          params: byId,
          response: { 200: z.object({ id: z.string(), paused: z.boolean() }) },
        },
      },
      async (request) => {
        const { id } = request.params;
        await services.setPaused(id, paused);
        return { id, paused };
      },
    );
  }
  http.delete(
    '/api/services/:id',
    {
      config: { ...config, scoped: SERVICES },
      schema: { summary: 'Retire a service; its history stays', tags: ['services'], params: byId },
    },
    async (request, reply) => {
      await services.remove(request.params.id);
      return reply.code(204).send();
    },
  );
}
