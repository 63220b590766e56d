import type { Clock } from '@nines/base/clock.ts';
import { z } from 'zod';
import type { Http } from '../platform/http/contract.ts';
import { instantMs } from '../platform/http/fields.ts';
import type { ChannelsConfig, RoutingConfig } from './config.ts';
import { explainRoutes } from './explain.ts';
import { createRoutes } from './route.ts';
import { routingTestView, routingView, viewOfRouting } from './routing-view.ts';
import type { NotifyService } from './service.ts';

type Deps = {
  readonly notify: Pick<NotifyService, 'held'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly config: () => { readonly routing: RoutingConfig; readonly channels: ChannelsConfig };
};

const MAX_LABELS = 256;
const text = z.string().max(64 * 1024);
const asked = z.strictObject({
  labels: z.record(text, text).refine((labels) => Object.keys(labels).length <= MAX_LABELS, `more than ${MAX_LABELS} labels`),
  /** Now when absent. */
  at_ms: instantMs.optional(),
});
const tags = ['notifications'];
const config = { permission: 'read' as const };

/** Where alerts go, and where one would. */
export function routingRoutes(http: Http, { notify, clock, config: current }: Deps): void {
  http.get(
    '/api/routing',
    { config, schema: { summary: 'Routes, receivers, inhibition rules and time intervals', tags, response: { 200: routingView } } },
    async () => viewOfRouting(current(), clock.now()),
  );
  http.post(
    '/api/routing/test',
    {
      config,
      schema: {
        summary: 'Where an alert with these labels would go, why, and what would keep it from people',
        tags,
        body: asked,
        response: { 200: routingTestView },
      },
    },
    async ({ body }) => {
      const held = notify.held(body.at_ms ?? clock.now());
      const labels = Object.fromEntries(Object.entries(body.labels).filter(([, value]) => value !== ''));
      const { root, matching } = createRoutes(current().routing);
      const [silence, inhibition] = [held.silenced(labels), held.inhibited(labels)];
      return {
        steps: root === undefined ? [] : [...explainRoutes(root, labels)],
        matches: matching(labels).map(({ route, receiver, channels, groupKey, groupLabels, intervals, ...timings }) => ({
          route,
          receiver,
          channels: [...channels],
          group_key: groupKey,
          group_labels: { ...groupLabels },
          group_wait_ms: timings.groupWaitMs,
          group_interval_ms: timings.groupIntervalMs,
          repeat_interval_ms: timings.repeatIntervalMs,
          resting: held.resting(intervals)?.cause ?? null,
        })),
        held: [
          ...(silence === undefined ? [] : [{ kind: 'silence' as const, cause: silence.cause, until_ms: silence.untilMs }]),
          ...(inhibition === undefined ? [] : [{ kind: 'inhibition' as const, cause: inhibition.cause, until_ms: inhibition.untilMs }]),
        ],
      };
    },
  );
}
