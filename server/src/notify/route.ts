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

type Node = {
  readonly receiver: string;
  /** 'all' is Alertmanager's `...`. */
  readonly groupBy: readonly string[] | 'all';
  readonly matchers: readonly Matcher[];
  readonly continues: boolean;
  readonly timings: Timings;
  /** The matchers from the root to here, as in Alertmanager's groupKey: `{}/{severity="page"}`. */
  readonly path: string;
  readonly children: readonly Node[];
};
type Timings = { readonly groupWaitMs: number; readonly groupIntervalMs: number; readonly repeatIntervalMs: number };

/** One message's company: alerts of one route with equal group labels, to one channel. */
export type Group = Timings & {
  /** Unique: channel and groupKey. */
  readonly id: string;
  readonly groupKey: string;
  readonly channel: string;
  readonly groupLabels: Readonly<Record<string, string>>;
};

export type Router = (labels: Readonly<Record<string, string>>) => readonly Group[];

/** `routing.default` groups by these, waits for nothing and sends a resolve at once. */
export const DEFAULT_GROUP_BY = ['alertname', 'service'];
const DEFAULT_TIMINGS: Timings = { groupWaitMs: 0, groupIntervalMs: 0, repeatIntervalMs: REPEAT_INTERVAL_MS };

/** Compiles the section `routing`, whose patterns were checked when it was read. */
export function createRouter(routing: RoutingConfig): Router {
  const { tree } = routing;
  if (tree === undefined) {
    const node = { groupBy: DEFAULT_GROUP_BY, timings: DEFAULT_TIMINGS, path: '{}' };
    return (labels) => routing.default.map((channel) => groupOf({ ...node, receiver: channel }, labels));
  }
  const root = compile(tree, {
    receiver: '',
    groupBy: [],
    timings: { groupWaitMs: GROUP_WAIT_MS, groupIntervalMs: GROUP_INTERVAL_MS, repeatIntervalMs: REPEAT_INTERVAL_MS },
    path: '',
  });
  return (labels) => matching(root, labels).map((node) => groupOf(node, labels));
}

type Inherited = Pick<Node, 'receiver' | 'groupBy' | 'timings' | 'path'>;

function compile(config: RouteConfig, parent: Inherited): Node {
  const matchers = matchersOf(config);
  const own = `{${matchers.map(({ name, op, value }) => `${name}${op}${JSON.stringify(value)}`).join(',')}}`;
  const inherited: Inherited = {
    receiver: config.receiver ?? parent.receiver,
    groupBy: config.group_by === undefined ? parent.groupBy : config.group_by.includes('...') ? 'all' : config.group_by,
    timings: {
      groupWaitMs: config.group_wait ?? parent.timings.groupWaitMs,
      groupIntervalMs: config.group_interval ?? parent.timings.groupIntervalMs,
      repeatIntervalMs: config.repeat_interval ?? parent.timings.repeatIntervalMs,
    },
    path: parent.path === '' ? own : `${parent.path}/${own}`,
  };
  return { ...inherited, matchers, continues: config.continue, children: config.routes.map((child) => compile(child, inherited)) };
}

/** All ways of writing matchers in one sorted list, as Alertmanager prints them. */
function matchersOf(config: RouteConfig): readonly Matcher[] {
  const written = [
    ...Object.entries(config.match).map(([name, value]) => matcher(name, '=', value)),
    ...Object.entries(config.match_re).map(([name, value]) => matcher(name, '=~', value)),
  ].flatMap((made) => (made.ok ? [made.value] : []));
  return [...written, ...config.matchers.flat()].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

function matching(node: Node, labels: Readonly<Record<string, string>>): readonly Node[] {
  if (!node.matchers.every(({ name, matches }) => matches(labels[name] ?? ''))) return [];
  const found: Node[] = [];
  for (const child of node.children) {
    const below = matching(child, labels);
    found.push(...below);
    if (below.length > 0 && !child.continues) break;
  }
  return found.length > 0 ? found : [node];
}

function groupOf(node: Inherited, labels: Readonly<Record<string, string>>): Group {
  const names = node.groupBy === 'all' ? Object.keys(labels) : node.groupBy.filter((name) => labels[name] !== undefined);
  const sorted = labelsFrom(names.map((name) => [name, labels[name] ?? ''] as const));
  const printed = [...labelPairs(sorted)].map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(', ');
  const groupKey = `${node.path}:{${printed}}`;
  return {
    id: `${node.receiver} ${groupKey}`,
    groupKey,
    channel: node.receiver,
    groupLabels: Object.fromEntries(labelPairs(sorted)),
    ...node.timings,
  };
}
