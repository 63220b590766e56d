/** How routing is shown: the shapes of `GET /api/routing` and `POST /api/routing/test`. */
import { formatMatcher } from '@nines/base/matcher-text.ts';
import { z } from 'zod';
import { type ChannelsConfig, type RoutingConfig, intervalsOf } from './config.ts';
import { describeChannel } from './channels.ts';
import { ROUTE_OUTCOMES } from './explain.ts';
import { Inhibitor } from './inhibit.ts';
import { type Route, createRoutes } from './route.ts';
import { isWithin, writtenInterval } from './time-interval.ts';
import { receiversOf } from './written.ts';

const routeView = z.object({
  /** The way from the root, by positions: `0/2`; the root is ''. */
  id: z.string(),
  depth: z.number(),
  matchers: z.array(z.string()),
  receiver: z.string(),
  continues: z.boolean(),
  /** `["..."]` is every label. */
  group_by: z.array(z.string()),
  group_wait_ms: z.number(),
  group_interval_ms: z.number(),
  repeat_interval_ms: z.number(),
  mute_time_intervals: z.array(z.string()),
  active_time_intervals: z.array(z.string()),
});
export type RouteView = z.infer<typeof routeView>;

const channelView = z.object({ id: z.string(), kind: z.string(), target: z.string() });

export const routingView = z.object({
  /** In the order of the tree; empty while every alert goes to the default channels. */
  routes: z.array(routeView),
  /** Without a tree where every alert goes; with one what was made here for alerts that only the root takes, beside its receiver. */
  default_channels: z.array(z.string()),
  /** The file that brought routes and receivers. */
  alertmanager_file: z.string().nullable(),
  receivers: z.array(z.object({ name: z.string(), channels: z.array(channelView) })),
  inhibit_rules: z.array(z.string()),
  time_intervals: z.array(z.object({ name: z.string(), begun: z.boolean(), spans: z.array(z.record(z.string(), z.unknown())) })),
});
export type RoutingView = z.infer<typeof routingView>;

export const MUTING_KINDS = ['silence', 'inhibition', 'time_interval'] as const;
export const routingTestView = z.object({
  /** What came of every route, in the order of the tree. */
  steps: z.array(z.object({ route: z.string(), outcome: z.enum(ROUTE_OUTCOMES), reason: z.string() })),
  matches: z.array(
    z.object({
      route: z.string(),
      receiver: z.string(),
      channels: z.array(z.string()),
      group_key: z.string(),
      group_labels: z.record(z.string(), z.string()),
      group_wait_ms: z.number(),
      group_interval_ms: z.number(),
      repeat_interval_ms: z.number(),
      /** Why this route keeps quiet at the instant that was asked for. */
      resting: z.string().nullable(),
    }),
  ),
  /** What keeps the alert from everybody. */
  held: z.array(z.object({ kind: z.enum(MUTING_KINDS), cause: z.string(), until_ms: z.number().nullable() })),
});
export type RoutingTestView = z.infer<typeof routingTestView>;

/** What routing is at an instant. */
export function viewOfRouting(
  { routing, channels }: { readonly routing: RoutingConfig; readonly channels: ChannelsConfig },
  nowMs: number,
): RoutingView {
  const { root } = createRoutes(routing);
  const described = channels.map(describeChannel);
  const named = new Map(routing.receivers.map((receiver) => [receiver.name, receiver.channels]));
  return {
    routes: root === undefined ? [] : flat(root, 0),
    default_channels: [...(root === undefined ? routing.default : (routing.rest ?? []))],
    alertmanager_file: routing.alertmanager_file ?? null,
    receivers: receiversOf(routing, channels).map((name) => {
      const ids = named.get(name) ?? [name];
      return { name, channels: described.filter(({ id }) => ids.includes(id)) };
    }),
    inhibit_rules: [...Inhibitor.written(routing.inhibit_rules)],
    time_intervals: intervalsOf(routing).map(({ name, time_intervals: spans }) => ({
      name,
      begun: isWithin(spans, nowMs),
      spans: spans.map(writtenInterval),
    })),
  };
}

function flat(route: Route, depth: number): RouteView[] {
  const { id, matchers, receiver, continues, groupBy, timings, intervals } = route;
  const own: RouteView = {
    id,
    depth,
    matchers: matchers.map(formatMatcher),
    receiver,
    continues,
    group_by: groupBy === 'all' ? ['...'] : [...groupBy],
    group_wait_ms: timings.groupWaitMs,
    group_interval_ms: timings.groupIntervalMs,
    repeat_interval_ms: timings.repeatIntervalMs,
    mute_time_intervals: [...intervals.mute],
    active_time_intervals: [...intervals.active],
  };
  return [own, ...route.children.flatMap((child) => flat(child, depth + 1))];
}
