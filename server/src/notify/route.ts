/**
 * Routing: which channels hear of an alert, and in whose company. A tree follows Alertmanager to the letter (depth first,
 * the first matching child wins unless `continue`); without a tree every alert goes to the default channels.
 */
import { type Matcher, matcher } from '@nines/base/matcher.ts';
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '@nines/base/units.ts';
import { labelsFrom, labelPairs } from '@nines/model/labels.ts';
import type { RouteConfig, RoutingConfig } from './config.ts';

/** Alertmanager's defaults. Source: alertmanager dispatch.DefaultRouteOpts. */
const GROUP_WAIT_MS = 30 * SECOND_MS;
const GROUP_INTERVAL_MS = 5 * MINUTE_MS;
const REPEAT_INTERVAL_MS = 4 * HOUR_MS;

/** What a route says about its groups. Intervals are not inherited from the parent, everything else is. */
type Terms = {
  readonly receiver: string;
  /** 'all' is Alertmanager's `...`. */
  readonly groupBy: readonly string[] | 'all';
  readonly timings: Timings;
  readonly intervals: Intervals;
  /** The matchers from the root to here, as in Alertmanager's groupKey: `{}/{severity="page"}`. */
  readonly path: string;
  /** The escalation policy of its alerts. */
  readonly escalation?: string | undefined;
};
type Timings = { readonly groupWaitMs: number; readonly groupIntervalMs: number; readonly repeatIntervalMs: number };
/** Names of intervals in which the route rests, and in which alone it speaks. */
export type Intervals = { readonly mute: readonly string[]; readonly active: readonly string[] };

/** A route of the tree. */
export type Route = Terms & {
  /** The way from the root, by the positions of the routes on it: `0/2`; the root is ''. */
  readonly id: string;
  readonly matchers: readonly Matcher[];
  readonly continues: boolean;
  readonly children: readonly Route[];
};

/** A route that an alert takes, with the company it is told in. */
export type Match = Timings & {
  readonly route: string;
  readonly receiver: string;
  readonly channels: readonly string[];
  readonly groupKey: string;
  readonly groupLabels: Labels;
  readonly intervals: Intervals;
};

/** One message's company: alerts of one route with equal group labels, to one channel. */
export type Group = Timings & {
  /** Unique: channel and groupKey, with the receiver between them where it has another name. */
  readonly id: string;
  readonly groupKey: string;
  readonly receiver: string;
  readonly channel: string;
  readonly groupLabels: Labels;
  readonly intervals: Intervals;
};

type Labels = Readonly<Record<string, string>>;
export type Router = (labels: Labels) => readonly Group[];
export type Routes = {
  /** Absent while every alert goes to the default channels. */
  readonly root: Route | undefined;
  /** The routes that an alert with these labels takes, in the order of the tree. */
  readonly matching: (labels: Labels) => readonly Match[];
};

/** `routing.default` groups by these, waits for nothing and sends a resolve at once. */
export const DEFAULT_GROUP_BY = ['alertname', 'service'];
const DEFAULT_TIMINGS: Timings = { groupWaitMs: 0, groupIntervalMs: 0, repeatIntervalMs: REPEAT_INTERVAL_MS };
const ALWAYS: Intervals = { mute: [], active: [] };

/** Compiles the section `routing`, whose patterns were checked when it was read. */
export function createRoutes({ tree, default: defaults, receivers, rest = [] }: RoutingConfig): Routes {
  if (tree === undefined) {
    const terms = { groupBy: DEFAULT_GROUP_BY, timings: DEFAULT_TIMINGS, intervals: ALWAYS, path: '{}' };
    const matching = (labels: Labels) =>
      defaults.map((channel) => matchOf({ ...terms, id: '', receiver: channel, channels: [channel] }, labels));
    return { root: undefined, matching };
  }
  const timings = { groupWaitMs: GROUP_WAIT_MS, groupIntervalMs: GROUP_INTERVAL_MS, repeatIntervalMs: REPEAT_INTERVAL_MS };
  const root = compile(tree, { receiver: '', groupBy: [], timings, intervals: ALWAYS, path: '' }, '');
  const known = new Map(receivers.map(({ name, channels }) => [name, channels]));
  const channelsOf = ({ id, receiver }: Route): readonly string[] => {
    const own = known.get(receiver) ?? [receiver];
    return id === '' ? [...new Set([...own, ...rest])] : own;
  };
  const matching = (labels: Labels) => taken(root, labels).map((route) => matchOf({ ...route, channels: channelsOf(route) }, labels));
  return { root, matching };
}

/** What routing says of an alert to whoever escalates it. */
export type Routed = {
  /** The escalation policies that its routes name, in the order of the tree. */
  readonly policies: readonly string[];
  /** The channels of each route that takes it; a route may be there to tell nobody. */
  readonly channels: readonly (readonly string[])[];
};

export function createPolicyRouter(routing: RoutingConfig): (labels: Labels) => Routed {
  const { root, matching } = createRoutes(routing);
  return (labels) => ({
    policies: root === undefined ? [] : taken(root, labels).flatMap(({ escalation }) => escalation ?? []),
    channels: matching(labels).map(({ channels }) => channels),
  });
}

export function createRouter(routing: RoutingConfig): Router {
  const routes = createRoutes(routing);
  return (labels) => routes.matching(labels).flatMap(groupsOf);
}

function compile(config: RouteConfig, parent: Terms, id: string): Route {
  const matchers = matchersOf(config);
  const own = `{${matchers.map(({ name, op, value }) => `${name}${op}${JSON.stringify(value)}`).join(',')}}`;
  const terms: Terms = {
    receiver: config.receiver ?? parent.receiver,
    groupBy: config.group_by === undefined ? parent.groupBy : config.group_by.includes('...') ? 'all' : config.group_by,
    timings: {
      groupWaitMs: config.group_wait ?? parent.timings.groupWaitMs,
      groupIntervalMs: config.group_interval ?? parent.timings.groupIntervalMs,
      repeatIntervalMs: config.repeat_interval ?? parent.timings.repeatIntervalMs,
    },
    intervals: { mute: config.mute_time_intervals, active: config.active_time_intervals },
    path: parent.path === '' ? own : `${parent.path}/${own}`,
    escalation: config.escalation ?? parent.escalation,
  };
  const children = config.routes.map((child, index) => compile(child, terms, id === '' ? String(index) : `${id}/${index}`));
  return { ...terms, id, matchers, continues: config.continue, children };
}

/** All ways of writing matchers in one sorted list, as Alertmanager prints them. */
const matchersOf = (config: RouteConfig): readonly Matcher[] =>
  [...oldMatchers(config.match, config.match_re), ...config.matchers.flat()].sort((a, b) =>
    a.name < b.name ? -1 : a.name > b.name ? 1 : 0,
  );

/** Matchers in the forms of older versions: equal values, and patterns. */
export const oldMatchers = (equal: Labels, patterns: Labels): readonly Matcher[] =>
  [
    ...Object.entries(equal).map(([name, value]) => matcher(name, '=', value)),
    ...Object.entries(patterns).map(([name, value]) => matcher(name, '=~', value)),
  ].flatMap((made) => (made.ok ? [made.value] : []));

function taken(route: Route, labels: Labels): readonly Route[] {
  if (!route.matchers.every(({ name, matches }) => matches(labels[name] ?? ''))) return [];
  const found: Route[] = [];
  for (const child of route.children) {
    const below = taken(child, labels);
    found.push(...below);
    if (below.length > 0 && !child.continues) break;
  }
  return found.length > 0 ? found : [route];
}

type Taken = Terms & { readonly id: string; readonly channels: readonly string[] };

function matchOf({ id, receiver, channels, groupBy, timings, intervals, path }: Taken, labels: Labels): Match {
  const names = groupBy === 'all' ? Object.keys(labels) : groupBy.filter((name) => labels[name] !== undefined);
  const sorted = labelsFrom(names.map((name) => [name, labels[name] ?? ''] as const));
  const printed = [...labelPairs(sorted)].map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(', ');
  const groupLabels = Object.fromEntries(labelPairs(sorted));
  return { route: id, receiver, channels, groupKey: `${path}:{${printed}}`, groupLabels, intervals, ...timings };
}

/** One group for each channel of the receiver. */
export const groupsOf = ({ route: _route, channels, ...company }: Match): readonly Group[] =>
  channels.map((channel) => {
    const { receiver, groupKey } = company;
    return { ...company, channel, id: receiver === channel ? `${channel} ${groupKey}` : `${channel} ${receiver} ${groupKey}` };
  });
