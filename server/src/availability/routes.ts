import type { Clock } from '@nines/base/clock.ts';
import { AppError } from '@nines/base/errors.ts';
import { type EpochMs, plus } from '@nines/base/units.ts';
import type { Evidence, Span } from '@nines/maths/slo/types.ts';
import { z } from 'zod';
import type { Http, ScopedThings } from '../platform/http/contract.ts';
import { instant } from '../platform/http/fields.ts';
import {
  type Downtime,
  downtimeEdit,
  downtimeMerge,
  downtimeRevisionView,
  downtimeSplit,
  downtimeToWire,
  type DowntimeView,
  downtimeView,
} from './contract.ts';
import { importRoutes } from './imports/import-routes.ts';
import type { Imports } from './imports/service.ts';
import { downtimeNotFound } from './desk.ts';
import type { Availability } from './service.ts';

/** Judged by the service that each names. */
const DOWNTIMES: ScopedThings = { names: { params: { id: 'downtime' } } };

type Deps = {
  readonly availability: Availability;
  readonly imports: Imports;
  readonly clock: Pick<Clock, 'now'>;
  /** Called before the person is answered. */
  readonly onPastChanged: (service: string, span: Span) => Promise<void>;
  /** What was done about a service meanwhile; it stands beside what was seen and is no part of the ledger. */
  readonly recovery: { evidence(service: string, fromMs: EpochMs, toMs: EpochMs): Promise<readonly Evidence[]> };
};

const byId = z.object({ id: z.string() });

/** Downtimes: listed, and edited by people. They open and close by themselves. */
export function availabilityRoutes(http: Http, deps: Deps): void {
  readRoutes(http, deps);
  editRoutes(http, deps);
  structureRoutes(http, deps);
  importRoutes(http, deps);
}

/** One downtime whole: what was seen, and what was done about it. */
async function withRecovery({ recovery, clock }: Deps, downtime: Downtime): Promise<Downtime> {
  const done = await recovery.evidence(downtime.service, downtime.fromAtMs, downtime.toAtMs ?? plus(clock.now(), 1));
  return { ...downtime, evidence: [...downtime.evidence, ...done] };
}

function readRoutes(http: Http, deps: Deps): void {
  const { availability } = deps;
  const query = z.object({
    service: z.string().optional(),
    from: instant.optional(),
    to: instant.optional(),
    known_at: instant.optional(),
  });
  http.get(
    '/api/downtime',
    {
      config: { permission: 'read', scoped: DOWNTIMES },
      schema: {
        summary: 'Downtimes that overlap [from, to), newest first; known_at answers from what was known then',
        tags: ['downtime'],
        querystring: query,
        response: { 200: z.object({ items: z.array(downtimeView) }) },
      },
    },
    async (request) => {
      const { service, from, to, known_at: knownAtMs } = request.query;
      if (knownAtMs !== undefined) {
        if (service === undefined || from === undefined || to === undefined) {
          throw new AppError('bad_input', 'range_invalid', 'known_at is asked of one service within from and to', { field: 'known_at' });
        }
        const known = await availability.downtimes({ service, fromMs: from, toMs: to, knownAtMs });
        return { items: known.map(downtimeToWire) };
      }
      const list = await availability.downtimes({
        ...(service === undefined ? {} : { service }),
        ...(from === undefined ? {} : { fromMs: from }),
        ...(to === undefined ? {} : { toMs: to }),
      });
      return { items: list.map(downtimeToWire) };
    },
  );
  http.get(
    '/api/downtime/:id',
    {
      config: { permission: 'read', scoped: DOWNTIMES },
      schema: { summary: 'One downtime', tags: ['downtime'], params: byId, response: { 200: downtimeView } },
    },
    async (request) => {
      const found = await availability.desk.get(request.params.id);
      if (found === undefined) throw downtimeNotFound(request.params.id);
      return downtimeToWire(await withRecovery(deps, found));
    },
  );
  http.get(
    '/api/downtime/:id/revisions',
    {
      config: { permission: 'read', scoped: DOWNTIMES },
      schema: {
        summary: 'What people said of a downtime, the original first',
        tags: ['downtime'],
        params: byId,
        response: { 200: z.object({ items: z.array(downtimeRevisionView) }) },
      },
    },
    async (request) => ({ items: [...(await availability.desk.revisions(request.params.id))] }),
  );
}

/** What a person changed, told of and answered. */
async function changed({ clock, onPastChanged }: Deps, downtime: Downtime): Promise<DowntimeView> {
  const { service, fromAtMs, toAtMs } = downtime;
  await onPastChanged(service, { fromMs: fromAtMs, toMs: toAtMs ?? clock.now() });
  return downtimeToWire(downtime);
}

function editRoutes(http: Http, deps: Deps): void {
  const { desk } = deps.availability;
  http.patch(
    '/api/downtime/:id',
    {
      config: { permission: 'operate', scoped: DOWNTIMES },
      schema: {
        summary: 'Give a downtime its reason or a note; the version before is kept',
        tags: ['downtime'],
        params: byId,
        body: downtimeEdit,
        response: { 200: downtimeView },
      },
    },
    async ({ params, body, actor }) => changed(deps, await desk.edit({ id: params.id, said: body, by: actor.name })),
  );
  http.post(
    '/api/downtime/:id/undo',
    {
      config: { permission: 'operate', scoped: DOWNTIMES },
      schema: {
        summary: 'Take the last edit back: a new revision that says what the one before said',
        tags: ['downtime'],
        params: byId,
        response: { 200: downtimeView },
      },
    },
    async ({ params, actor }) => changed(deps, await desk.undo(params.id, actor.name)),
  );
}

function structureRoutes(http: Http, deps: Deps): void {
  const { desk } = deps.availability;
  const config = { permission: 'operate' as const };
  http.post(
    '/api/downtime/:id/split',
    {
      config: { ...config, scoped: DOWNTIMES },
      schema: {
        summary: 'Split a downtime in two at an instant; the ledger stays as it is, outages are counted anew',
        tags: ['downtime'],
        params: byId,
        body: downtimeSplit,
        response: { 200: downtimeView },
      },
    },
    async ({ params, body, actor }) => changed(deps, await desk.split({ id: params.id, said: body, by: actor.name })),
  );
  http.post(
    '/api/downtime/:id/merge',
    {
      config: { ...config, scoped: DOWNTIMES },
      schema: {
        summary: 'Merge a downtime with the one before or after it; the earlier one stays',
        tags: ['downtime'],
        params: byId,
        body: downtimeMerge,
        response: { 200: downtimeView },
      },
    },
    async ({ params, body, actor }) => changed(deps, await desk.merge({ id: params.id, said: body, by: actor.name })),
  );
}
