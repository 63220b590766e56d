import type { Clock } from '@nines/base/clock.ts';
import { AppError } from '@nines/base/errors.ts';
import { DAY_MS } from '@nines/base/units.ts';
import { z } from 'zod';
import type { Http } from '../platform/http/contract.ts';
import { instant } from '../platform/http/fields.ts';
import { pastAnswer, snapshotSchema, statisticsAnswer } from './history-wire.ts';
import type { AlertHistory } from './history.ts';
import type { AlertingService } from './service.ts';
import type { Snapshots } from './snapshots.ts';

/** Days that a strip of earlier alerts covers, and the days that statistics look back. */
const MAX_DAYS = 90;
const DEFAULT_STATISTICS_MS = 7 * DAY_MS;
const MAX_STATISTICS_MS = 400 * DAY_MS;

type Deps = {
  readonly alerting: Pick<AlertingService, 'get'>;
  readonly history: AlertHistory;
  readonly snapshots: Pick<Snapshots, 'find'>;
  readonly clock: Pick<Clock, 'now'>;
};

const config = { permission: 'read' as const };
const tags = ['alerts'];
const params = z.object({ id: z.string() });

/** What was seen when an alert fired, when it fired before, and what alerts cost and are worth. */
export function alertHistoryRoutes(http: Http, deps: Deps): void {
  ofOneAlert(http, deps);
  statistics(http, deps);
}

function ofOneAlert(http: Http, { alerting, history, snapshots, clock }: Deps): void {
  http.get(
    '/api/alerts/:id/snapshot',
    {
      config,
      schema: {
        summary: 'What was to be seen when the alert fired',
        tags,
        params,
        response: { 200: z.object({ snapshot: snapshotSchema.nullable() }) },
      },
    },
    async (request) => {
      const { alert } = await alerting.get(request.params.id);
      return { snapshot: (await snapshots.find(alert.id)) ?? null };
    },
  );
  http.get(
    '/api/alerts/:id/history',
    {
      config: { ...config, scoped: { names: { params: { id: 'alert' } }, id: 'alert' } },
      schema: {
        summary: 'When the same problem fired, this alert included',
        tags,
        params,
        querystring: z.object({ days: z.coerce.number().int().min(1).max(MAX_DAYS).default(30) }),
        response: { 200: pastAnswer },
      },
    },
    async (request) => {
      const { alert } = await alerting.get(request.params.id);
      const { days } = request.query;
      const toMs = clock.now();
      const items = (await history.past(alert, days)).map(({ id, startsAtMs, endsAtMs, severity, acknowledgedAtMs }) => ({
        id,
        from_at_ms: startsAtMs,
        to_at_ms: endsAtMs,
        severity,
        acknowledged_at_ms: acknowledgedAtMs,
      }));
      return { from_at_ms: toMs - days * DAY_MS, to_at_ms: toMs, items };
    },
  );
}

function statistics(http: Http, { history, clock }: Deps): void {
  http.get(
    '/api/alerts/statistics',
    {
      config: { ...config, scoped: { names: { query: { service: 'service' } }, needs: ['service'] } },
      schema: {
        summary: 'How many alerts fired, how long people took, and which rules make noise',
        tags,
        querystring: z.object({ from: instant.optional(), to: instant.optional(), service: z.string().optional() }),
        response: { 200: statisticsAnswer },
      },
    },
    async (request) => {
      const { from, to, service } = request.query;
      const toMs = to ?? clock.now();
      const fromMs = from ?? toMs - DEFAULT_STATISTICS_MS;
      if (fromMs >= toMs) throw new AppError('bad_input', 'bad_range', 'from must lie before to', { field: 'from' });
      if (toMs - fromMs > MAX_STATISTICS_MS)
        throw new AppError('bad_input', 'range_too_long', `statistics look at ${MAX_STATISTICS_MS / DAY_MS} days at most`, {
          field: 'from',
        });
      return (await history.statistics({ fromMs, toMs, service })) as z.input<typeof statisticsAnswer>;
    },
  );
}
