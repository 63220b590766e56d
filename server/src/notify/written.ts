/** The section `routing` in Alertmanager's own form, for clients that read it from the API (amtool). */
import { formatDuration } from '@nines/base/duration.ts';
import { matcher } from '@nines/base/matcher.ts';
import { formatMatcher } from '@nines/base/matcher-text.ts';
import { stringify } from 'yaml';
import type { ChannelsConfig, RouteConfig, RoutingConfig } from './config.ts';
import { DEFAULT_GROUP_BY, type Router, createRouter } from './route.ts';

/** The receiver that stands for `routing.default`. */
const DEFAULT_RECEIVER = 'default';

function writtenRouting(routing: RoutingConfig, receivers: readonly string[]): string {
  const { tree } = routing;
  const route = tree === undefined ? { receiver: DEFAULT_RECEIVER, group_by: DEFAULT_GROUP_BY, group_wait: '0s' } : routeOf(tree);
  const names = tree === undefined ? [DEFAULT_RECEIVER, ...receivers.filter((name) => name !== DEFAULT_RECEIVER)] : receivers;
  const global = { resolve_timeout: formatDuration(routing.resolve_timeout) };
  return stringify({ global, route, receivers: names.map((name) => ({ name })) });
}

function routeOf(config: RouteConfig): Record<string, unknown> {
  const legacy = [
    ...Object.entries(config.match).map(([name, value]) => matcher(name, '=', value)),
    ...Object.entries(config.match_re).map(([name, value]) => matcher(name, '=~', value)),
  ].flatMap((made) => (made.ok ? [made.value] : []));
  const matchers = [...legacy, ...config.matchers.flat()].map(formatMatcher);
  const written = {
    receiver: config.receiver,
    group_by: config.group_by,
    matchers: matchers.length === 0 ? undefined : matchers,
    continue: config.continue ? true : undefined,
    group_wait: lengthOf(config.group_wait),
    group_interval: lengthOf(config.group_interval),
    repeat_interval: lengthOf(config.repeat_interval),
    routes: config.routes.length === 0 ? undefined : config.routes.map(routeOf),
  };
  return Object.fromEntries(Object.entries(written).filter(([, value]) => value !== undefined));
}

const lengthOf = (lengthMs: number | undefined): string | undefined => (lengthMs === undefined ? undefined : formatDuration(lengthMs));

/** What routing is, for clients of Alertmanager's API. */
export function routingOf({ routing, channels }: { readonly routing: RoutingConfig; readonly channels: ChannelsConfig }): {
  readonly router: Router;
  readonly receivers: readonly string[];
  readonly written: string;
} {
  const receivers = channels.map(({ id }) => id);
  return { router: createRouter(routing), receivers, written: writtenRouting(routing, receivers) };
}
