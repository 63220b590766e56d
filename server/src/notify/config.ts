import { compileRegex } from '@nines/base/regex.ts';
import type { Matcher } from '@nines/base/matcher.ts';
import { parseMatchers } from '@nines/base/matcher-text.ts';
import type { Ms } from '@nines/base/units.ts';
import { z } from 'zod';
import { duration, uniqueIds } from '../platform/config/fields.ts';
import { KINDS } from './kinds.ts';
import { namedIntervals } from './time-interval.ts';

type ChannelSchema = (typeof KINDS)[keyof typeof KINDS]['schema'];

/** One channel. */
export const channelConfig = z.discriminatedUnion(
  'kind',
  Object.values(KINDS).map((kind) => kind.schema) as [ChannelSchema, ...ChannelSchema[]],
);

/** The section `channels`. */
export const channelsConfig = z
  .array(channelConfig)
  .default([])
  .superRefine(uniqueIds('channel'))
  .superRefine((channels, context) => {
    channels.forEach((channel, index) => {
      const message = failoverFault(channel, channels);
      if (message !== undefined) context.addIssue({ code: 'custom', message, path: [index, 'failover'] });
    });
  });

type FailsOver = { readonly id: string; readonly failover?: string | undefined };
/** What is wrong with the chain that begins at this channel: it must lead to channels that exist and never come back. */
export function failoverFault(channel: FailsOver, channels: readonly FailsOver[]): string | undefined {
  const passed = new Set([channel.id]);
  for (let at = channel.failover; at !== undefined; at = channels.find(({ id }) => id === at)?.failover) {
    if (!channels.some(({ id }) => id === at)) return `no channel has the id "${at}"`;
    if (passed.has(at)) return `the failover comes back to "${at}"`;
    passed.add(at);
  }
  return undefined;
}
export type ChannelsConfig = z.infer<typeof channelsConfig>;
export type ChannelConfig = ChannelsConfig[number];

const matcherText = z.string().transform((text, context): readonly Matcher[] => {
  const parsed = parseMatchers(text);
  if (parsed.ok) return parsed.value;
  context.addIssue({ code: 'custom', message: parsed.error });
  return z.NEVER;
});
const pattern = z.string().superRefine((text, context) => {
  const compiled = compileRegex(text);
  if (!compiled.ok) context.addIssue({ code: 'custom', message: compiled.error });
});

/** Alertmanager's route as written; what a parent sets and a child leaves out is inherited (see route.ts). */
export type RouteConfig = {
  readonly receiver?: string | undefined;
  readonly group_by?: readonly string[] | undefined;
  readonly continue: boolean;
  readonly matchers: readonly (readonly Matcher[])[];
  readonly match: Readonly<Record<string, string>>;
  readonly match_re: Readonly<Record<string, string>>;
  readonly group_wait?: Ms | undefined;
  readonly group_interval?: Ms | undefined;
  readonly repeat_interval?: Ms | undefined;
  /** The escalation policy of the alerts that come here; `none` for none. Inherited. */
  readonly escalation?: string | undefined;
  /** Names of intervals in which the route rests, and in which alone it speaks. Not inherited. */
  readonly mute_time_intervals: readonly string[];
  readonly active_time_intervals: readonly string[];
  readonly routes: readonly RouteConfig[];
};

const positive = duration({ minMs: 1 });
export const route: z.ZodType<RouteConfig, unknown> = z.lazy(() =>
  z.strictObject({
    receiver: z.string().optional(),
    group_by: z.array(z.string()).optional(),
    continue: z.boolean().default(false),
    matchers: z.array(matcherText).default([]),
    match: z.record(z.string(), z.string()).default({}),
    match_re: z.record(z.string(), pattern).default({}),
    group_wait: duration().optional(),
    group_interval: positive.optional(),
    repeat_interval: positive.optional(),
    escalation: z.string().min(1).max(100).optional(),
    mute_time_intervals: z.array(z.string()).default([]),
    active_time_intervals: z.array(z.string()).default([]),
    routes: z.array(route).default([]),
  }),
);

/** What no root route may say. */
export function faultsOfRoot(root: RouteConfig): readonly string[] {
  const { receiver: name, matchers: own, match, match_re: patterned } = root;
  return [
    ...(name === undefined ? ['the root route names no receiver'] : []),
    ...(['mute_time_intervals', 'active_time_intervals'] as const).flatMap((key) =>
      root[key].length > 0 ? [`the root route takes no ${key}`] : [],
    ),
    ...(own.length > 0 || Object.keys(match).length > 0 || Object.keys(patterned).length > 0
      ? ['the root route matches everything and takes no matchers']
      : []),
  ];
}

const matchers = z.array(matcherText).default([]);
const equals = z.record(z.string(), z.string()).default({});
const patterns = z.record(z.string(), pattern).default({});
/** Alertmanager's inhibition rule, with the forms of its older versions. */
export const inhibitRule = z.strictObject({
  source_match: equals,
  source_match_re: patterns,
  source_matchers: matchers,
  target_match: equals,
  target_match_re: patterns,
  target_matchers: matchers,
  equal: z.array(z.string()).default([]),
});
export type InhibitRuleConfig = z.output<typeof inhibitRule>;

/** A name that routes may use for several channels. */
const receiver = z.strictObject({ name: z.string().min(1), channels: z.array(z.string()) });

/** The section `routing`. */
export const routingConfig = z
  .strictObject({
    /** Channels of every alert that no tree routes. Grouped by alert name and service, sent without wait. */
    default: z.array(z.string()).default([]),
    tree: route.optional(),
    /** An `alertmanager.yml` in place of a tree: its routes, receivers, inhibition and time intervals. Relative to this file. */
    alertmanager_file: z.string().min(1).optional(),
    receivers: z.array(receiver).default([]),
    /** What is kept from people while something else fires. */
    inhibit_rules: z.array(inhibitRule).default([]),
    /** Named intervals for routes; `mute_time_intervals` is their older name. */
    time_intervals: z.array(namedIntervals).default([]),
    mute_time_intervals: z.array(namedIntervals).default([]),
    /** After how long without a word a received alert whose sender gave no end is over. */
    resolve_timeout: positive.prefault('5m'),
  })
  .prefault({})
  .superRefine((routing, context) => {
    const { tree } = routing;
    if (tree === undefined) return;
    if (routing.alertmanager_file !== undefined)
      context.addIssue({ code: 'custom', message: 'the tree comes from alertmanager_file; write one of the two', path: ['tree'] });
    for (const message of faultsOfRoot(tree)) context.addIssue({ code: 'custom', message, path: ['tree'] });
  });
export type RoutingConfig = z.infer<typeof routingConfig> & {
  /** Channels that were made here for alerts that no other route takes: beside the receiver of the root. Never in the file. */
  readonly rest?: readonly string[];
};

/** The file's routing with channels that were made here for whatever no other route takes. */
export const withRest = (routing: RoutingConfig, rest: readonly string[]): RoutingConfig =>
  routing.tree === undefined ? { ...routing, default: [...new Set([...routing.default, ...rest])] } : { ...routing, rest };

/** Named intervals under both of their keys. */
export const intervalsOf = ({ time_intervals: named, mute_time_intervals: older }: RoutingConfig): RoutingConfig['time_intervals'] => [
  ...named,
  ...older,
];

type Fault = { readonly path: (string | number)[]; readonly message: string };

/** The escalation policies that routes name, each with its path in the configuration. */
export function policiesOfRoutes({
  tree,
}: RoutingConfig): readonly { readonly path: readonly (string | number)[]; readonly policy: string }[] {
  const walk = (node: RouteConfig, path: readonly (string | number)[]): ReturnType<typeof policiesOfRoutes> => [
    ...(node.escalation === undefined ? [] : [{ path: [...path, 'escalation'], policy: node.escalation }]),
    ...node.routes.flatMap((child, index) => walk(child, [...path, 'routes', index])),
  ];
  return tree === undefined ? [] : walk(tree, ['routing', 'tree']);
}

/** Names that routing uses and nobody declared, or that stand for two things, each with its path in the configuration. */
export function unknownToRouting(channels: readonly { readonly id: string }[], routing: RoutingConfig): readonly Fault[] {
  const known = new Set(channels.map(({ id }) => id));
  const receivers = new Set(routing.receivers.map(({ name }) => name));
  const intervals = new Set(intervalsOf(routing).map(({ name }) => name));
  const channel = (path: (string | number)[], name: string): readonly Fault[] =>
    known.has(name) ? [] : [{ path, message: `there is no channel "${name}"` }];
  const walk = (node: RouteConfig, path: (string | number)[]): readonly Fault[] => [
    ...(node.receiver === undefined || receivers.has(node.receiver) ? [] : channel([...path, 'receiver'], node.receiver)),
    ...(['mute_time_intervals', 'active_time_intervals'] as const).flatMap((key) =>
      node[key].flatMap((name, index) =>
        intervals.has(name) ? [] : [{ path: [...path, key, index], message: `there is no time interval "${name}"` }],
      ),
    ),
    ...node.routes.flatMap((child, index) => walk(child, [...path, 'routes', index])),
  ];
  return [
    ...routing.default.flatMap((name, index) => channel(['routing', 'default', index], name)),
    ...routing.receivers.flatMap(({ channels: names }, r) =>
      names.flatMap((name, index) => channel(['routing', 'receivers', r, 'channels', index], name)),
    ),
    ...repeated(routing.receivers, ['routing', 'receivers']),
    ...repeated(routing.time_intervals, ['routing', 'time_intervals']),
    ...repeated(routing.mute_time_intervals, ['routing', 'mute_time_intervals'], routing.time_intervals),
    ...(routing.tree === undefined ? [] : walk(routing.tree, ['routing', 'tree'])),
  ];
}

type Named = readonly { readonly name: string }[];
function repeated(items: Named, path: readonly string[], before: Named = []): readonly Fault[] {
  const seen = new Set(before.map(({ name }) => name));
  return items.flatMap(({ name }, index) => {
    if (!seen.has(name)) {
      seen.add(name);
      return [];
    }
    return [{ path: [...path, index, 'name'], message: `the name "${name}" is used twice` }];
  });
}
