import { AppError } from '@nines/base/errors.ts';
import { DAY_MS, epochMs } from '@nines/base/units.ts';
import { z } from 'zod';
import type { Clock } from '@nines/base/clock.ts';
import type { Http, ScopedThings } from '../platform/http/contract.ts';
import { instant } from '../platform/http/fields.ts';
import { MAINTENANCE_CODES, maintenanceSchema, maintenanceView, occurrenceToWire, occurrenceView } from './contract.ts';
import type { MaintenanceService } from './service.ts';

const WINDOWS: ScopedThings = { names: { params: { id: 'maintenance' } }, id: 'maintenance' };
const WRITTEN_WINDOWS: ScopedThings = { names: { params: { id: 'maintenance' }, body: { services: 'service' } }, id: 'maintenance' };

/** Longest window of one answer, and what is asked about when nobody says it. */
const MAX_RANGE_MS = 400 * DAY_MS;
const DEFAULT_RANGE_MS = 30 * DAY_MS;

type Deps = { readonly maintenance: MaintenanceService; readonly clock: Pick<Clock, 'now'> };

/** Maintenance windows: announced, changed and ended by people; their occurrences as they are and as they were known. */
export function maintenanceRoutes(http: Http, deps: Deps): void {
  readRoutes(http, deps);
  writeRoutes(http, deps);
}

const byId = z.object({ id: z.string() });

function readRoutes(http: Http, { maintenance, clock }: Deps): void {
  const config = { permission: 'read' as const };
  const tags = ['maintenance'];
  http.get(
    '/api/maintenance',
    {
      config: { ...config, scoped: WINDOWS },
      schema: { summary: 'Maintenance windows in force', tags, response: { 200: z.object({ items: z.array(maintenanceView) }) } },
    },
    () => Promise.resolve({ items: [...maintenance.list()] }),
  );
  http.get(
    '/api/maintenance/:id',
    {
      config: { ...config, scoped: WINDOWS },
      schema: { summary: 'One maintenance window', tags, params: byId, response: { 200: maintenanceView } },
    },
    (request) => Promise.resolve(maintenance.get(request.params.id)),
  );
  http.get(
    '/api/maintenance-occurrences',
    {
      config: { ...config, scoped: {} },
      schema: {
        summary: 'When maintenance is or was within [from, to); known_at answers from what had been announced then',
        tags,
        querystring: z.object({
          service: z.string().optional(),
          from: instant.optional(),
          to: instant.optional(),
          known_at: instant.optional(),
        }),
        response: { 200: z.object({ items: z.array(occurrenceView) }) },
      },
    },
    (request) => {
      const { service, from, to, known_at: knownAtMs } = request.query;
      const fromMs = from ?? clock.now();
      const toMs = to ?? epochMs(fromMs + DEFAULT_RANGE_MS);
      if (fromMs >= toMs || toMs - fromMs > MAX_RANGE_MS) {
        throw new AppError('bad_input', MAINTENANCE_CODES.invalid, 'from must be before to, by at most 400 days', { field: 'from' });
      }
      const known = knownAtMs === undefined ? {} : { knownAtMs };
      const found = maintenance.occurrences({ ...(service === undefined ? {} : { service }), fromMs, toMs, ...known });
      return Promise.resolve({ items: found.map(occurrenceToWire) });
    },
  );
}

function writeRoutes(http: Http, { maintenance }: Deps): void {
  const config = { permission: 'operate' as const };
  const tags = ['maintenance'];
  http.post(
    '/api/maintenance',
    { config: { ...config, scoped: WRITTEN_WINDOWS }, schema: { summary: 'Announce maintenance', tags, body: maintenanceSchema } },
    async (request, reply) => reply.code(201).send(await maintenance.create(request.body)),
  );
  http.put(
    '/api/maintenance/:id',
    {
      config: { ...config, scoped: WRITTEN_WINDOWS },
      schema: { summary: 'Change a maintenance window; another schedule is announced anew', tags, params: byId, body: maintenanceSchema },
    },
    (request) => maintenance.update(request.params.id, request.body),
  );
  http.post(
    '/api/maintenance/:id/corrections',
    {
      config: { ...config, scoped: { names: { params: { id: 'maintenance' } } } },
      schema: {
        summary: 'Say afterwards that nobody worked within [from, to): that time counts again, and issued statements are restated',
        tags,
        params: byId,
        body: z.object({ from: instant, to: instant, note: z.string().min(1).max(2_000) }),
        response: { 201: z.object({ items: z.array(occurrenceView) }) },
      },
    },
    async (request, reply) => {
      const { from, to, note } = request.body;
      const changed = await maintenance.correct(request.params.id, { fromMs: from, toMs: to, note, by: request.actor.name });
      return reply.code(201).send({ items: changed.map(occurrenceToWire) });
    },
  );
  http.delete(
    '/api/maintenance/:id',
    { config: { ...config, scoped: WINDOWS }, schema: { summary: 'End a maintenance window now; what it was stays', tags, params: byId } },
    async (request, reply) => {
      await maintenance.remove(request.params.id);
      return reply.code(204).send();
    },
  );
}
