/** The section `routing` in Alertmanager's own form, for clients that read it from the API (amtool). */
import { formatDuration } from '@nines/base/duration.ts';
import { formatMatcher } from '@nines/base/matcher-text.ts';
import { stringify } from 'yaml';
import { type ChannelsConfig, type InhibitRuleConfig, type RouteConfig, type RoutingConfig, intervalsOf } from './config.ts';
import { DEFAULT_GROUP_BY, type Routes, createRoutes, oldMatchers } from './route.ts';
import { writtenInterval } from './time-interval.ts';

/** The receiver that stands for `routing.default`. */
const DEFAULT_RECEIVER = 'default';

function writtenRouting(routing: RoutingConfig, receivers: readonly string[]): string {
  const { tree } = routing;
  const route = tree === undefined ? { receiver: DEFAULT_RECEIVER, group_by: DEFAULT_GROUP_BY, group_wait: '0s' } : routeOf(tree);
  const names = tree === undefined ? [DEFAULT_RECEIVER, ...receivers.filter((name) => name !== DEFAULT_RECEIVER)] : receivers;
  const intervals = intervalsOf(routing).map(({ name, time_intervals: spans }) => ({ name, time_intervals: spans.map(writtenInterval) }));
  return stringify({
    global: { resolve_timeout: formatDuration(routing.resolve_timeout) },
    route,
    ...(routing.inhibit_rules.length === 0 ? {} : { inhibit_rules: routing.inhibit_rules.map(ruleOf) }),
    ...(intervals.length === 0 ? {} : { time_intervals: intervals }),
    receivers: names.map((name) => ({ name })),
  });
}

function routeOf(config: RouteConfig): Record<string, unknown> {
  const matchers = matchersFrom(config.matchers, config.match, config.match_re);
  const written = {
    receiver: config.receiver,
    group_by: config.group_by,
    matchers,
    continue: config.continue ? true : undefined,
    group_wait: lengthOf(config.group_wait),
    group_interval: lengthOf(config.group_interval),
    repeat_interval: lengthOf(config.repeat_interval),
    mute_time_intervals: config.mute_time_intervals.length === 0 ? undefined : config.mute_time_intervals,
    active_time_intervals: config.active_time_intervals.length === 0 ? undefined : config.active_time_intervals,
    routes: config.routes.length === 0 ? undefined : config.routes.map(routeOf),
  };
  return Object.fromEntries(Object.entries(written).filter(([, value]) => value !== undefined));
}

/** All forms of matchers in the newest one; absent when there are none. */
function matchersFrom(
  written: RouteConfig['matchers'],
  equal: RouteConfig['match'],
  patterns: RouteConfig['match_re'],
): readonly string[] | undefined {
  const all = [...oldMatchers(equal, patterns), ...written.flat()];
  return all.length === 0 ? undefined : all.map(formatMatcher);
}

const ruleOf = (rule: InhibitRuleConfig) => ({
  source_matchers: matchersFrom(rule.source_matchers, rule.source_match, rule.source_match_re) ?? [],
  target_matchers: matchersFrom(rule.target_matchers, rule.target_match, rule.target_match_re) ?? [],
  equal: rule.equal,
});

const lengthOf = (lengthMs: number | undefined): string | undefined => (lengthMs === undefined ? undefined : formatDuration(lengthMs));

/** What routing is, for clients of Alertmanager's API. */
export function routingOf({ routing, channels }: { readonly routing: RoutingConfig; readonly channels: ChannelsConfig }): {
  readonly routes: Routes;
  readonly receivers: readonly string[];
  readonly written: string;
} {
  const receivers = receiversOf(routing, channels);
  return { routes: createRoutes(routing), receivers, written: writtenRouting(routing, receivers) };
}

/** Receivers, and the channels that stand for themselves: those that a route names, and those that no receiver has. */
export function receiversOf({ receivers, tree }: RoutingConfig, channels: ChannelsConfig): readonly string[] {
  const grouped = new Set(receivers.flatMap((receiver) => receiver.channels));
  const used = new Set(tree === undefined ? [] : receiversIn(tree));
  const alone = channels.map(({ id }) => id).filter((id) => used.has(id) || !grouped.has(id));
  return [...new Set([...receivers.map(({ name }) => name), ...alone])];
}

const receiversIn = ({ receiver, routes }: RouteConfig): readonly string[] => [
  ...(receiver === undefined ? [] : [receiver]),
  ...routes.flatMap(receiversIn),
];
