import type { Clock } from '@nines/base/clock.ts';
import { isFull } from '@nines/model/scope.ts';
import { z } from 'zod';
import type { Http } from '../platform/http/contract.ts';
import { pageOf, parseCursor } from '../platform/http/cursor.ts';
import { NOTIFICATION_STATUSES, notificationView } from './contract.ts';
import type { NotifyService } from './service.ts';
import { testAnswer, timed } from './test-answer.ts';
import { listWithin } from './within.ts';

const MAX_PAGE = 1_000;
const DEFAULT_PAGE = 100;
const byId = z.object({ id: z.string() });
const listQuery = z.object({
  status: z.enum(NOTIFICATION_STATUSES).optional(),
  channel: z.string().optional(),
  alert: z.string().optional(),
  cursor: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(MAX_PAGE).default(DEFAULT_PAGE),
});
const page = z.object({ items: z.array(notificationView), next: z.string().nullable() });
type Labels = Readonly<Record<string, string>>;

export type NotifyRouteDeps = {
  readonly notify: NotifyService;
  readonly clock: Clock;
  /** Labels of alerts, with the services that they are about, by id. */
  readonly labelsOf: (alerts: readonly string[]) => Promise<ReadonlyMap<string, Labels>>;
};

/** The test of a channel, and what was sent, suppressed or given up. */
export function notifyRoutes(http: Http, { notify, clock, labelsOf }: NotifyRouteDeps): void {
  http.post(
    '/api/channels/:id/test',
    {
      config: { permission: 'operate' },
      schema: {
        summary: 'Send a test message and say what the channel said',
        tags: ['notifications'],
        params: byId,
        response: { 200: testAnswer },
      },
    },
    (request) => timed(clock, (signal) => notify.test(request.params.id, request.actor.name, signal)),
  );
  http.get(
    '/api/notifications',
    {
      config: { permission: 'read', scoped: 'handler' },
      schema: {
        summary: 'What was sent, suppressed or given up, newest first',
        tags: ['notifications'],
        querystring: listQuery,
        response: { 200: page },
      },
    },
    async (request) => {
      const { status, channel, alert, cursor, limit } = request.query;
      const filter = { status, channel, alertId: alert, after: parseCursor(cursor), limit: limit + 1 };
      const found = isFull(request.actor.scope)
        ? await notify.list(filter)
        : await listWithin(filter, {
            list: (asked) => notify.list(asked),
            seen: async (alerts) => new Set([...(await labelsOf(alerts))].flatMap(([id, labels]) => (request.sees(labels) ? [id] : []))),
          });
      const { items, next } = pageOf(found, limit, ({ created_at_ms, id }) => ({ atMs: created_at_ms, id }));
      return { items: [...items], next };
    },
  );
  http.post(
    '/api/notifications/:id/retry',
    { config: { permission: 'operate' }, schema: { summary: 'Send a dead letter again', tags: ['notifications'], params: byId } },
    async (request, reply) => {
      await notify.retry(request.params.id);
      return reply.code(202).send({ id: request.params.id, status: 'queued' });
    },
  );
}
