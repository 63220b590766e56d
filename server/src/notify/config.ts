import { compileRegex } from '@nines/base/regex.ts';
import type { Matcher } from '@nines/base/matcher.ts';
import { parseMatchers } from '@nines/base/matcher-text.ts';
import type { Ms } from '@nines/base/units.ts';
import { z } from 'zod';
import { duration, uniqueIds } from '../platform/config/fields.ts';
import { KINDS } from './kinds.ts';

type ChannelSchema = (typeof KINDS)[keyof typeof KINDS]['schema'];

/** The section `channels`. */
export const channelsConfig = z
  .array(z.discriminatedUnion('kind', Object.values(KINDS).map((kind) => kind.schema) as [ChannelSchema, ...ChannelSchema[]]))
  .default([])
  .superRefine(uniqueIds('channel'))
  .superRefine((channels, context) => {
    channels.forEach((channel, index) => {
      if (channel.failover === undefined) return;
      const complain = (message: string): void => context.addIssue({ code: 'custom', message, path: [index, 'failover'] });
      // Along the chain: it must lead to channels that exist and never come back.
      const passed = new Set([channel.id]);
      for (let at: string | undefined = channel.failover; at !== undefined; at = channels.find(({ id }) => id === at)?.failover) {
        if (!channels.some(({ id }) => id === at)) return complain(`no channel has the id "${at}"`);
        if (passed.has(at)) return complain(`the failover comes back to "${at}"`);
        passed.add(at);
      }
    });
  });
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
  readonly routes: readonly RouteConfig[];
};

const positive = duration({ minMs: 1 });
const route: z.ZodType<RouteConfig, unknown> = z.lazy(() =>
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
    routes: z.array(route).default([]),
  }),
);

/** The section `routing`. */
export const routingConfig = z
  .strictObject({
    /** Channels of every alert that no tree routes. Grouped by alert name and service, sent without wait. */
    default: z.array(z.string()).default([]),
    tree: route.optional(),
    /** After how long without a word a received alert whose sender gave no end is over. */
    resolve_timeout: positive.prefault('5m'),
  })
  .prefault({})
  .superRefine((routing, context) => {
    const { tree } = routing;
    if (tree === undefined) return;
    if (tree.receiver === undefined) context.addIssue({ code: 'custom', message: 'the root route names no receiver', path: ['tree'] });
    if (tree.matchers.length > 0 || Object.keys(tree.match).length > 0 || Object.keys(tree.match_re).length > 0) {
      context.addIssue({ code: 'custom', message: 'the root route matches everything and takes no matchers', path: ['tree'] });
    }
  });
export type RoutingConfig = z.infer<typeof routingConfig>;

/** Channels that routing names and nobody declared, each with its path in the configuration. */
export function unknownReceivers(channels: ChannelsConfig, routing: RoutingConfig): readonly { path: (string | number)[]; name: string }[] {
  const known = new Set(channels.map((channel) => channel.id));
  const found: { path: (string | number)[]; name: string }[] = [];
  routing.default.forEach((name, index) => {
    if (!known.has(name)) found.push({ path: ['routing', 'default', index], name });
  });
  const walk = (node: RouteConfig, path: (string | number)[]): void => {
    if (node.receiver !== undefined && !known.has(node.receiver)) found.push({ path: [...path, 'receiver'], name: node.receiver });
    node.routes.forEach((child, index) => walk(child, [...path, 'routes', index]));
  };
  if (routing.tree !== undefined) walk(routing.tree, ['routing', 'tree']);
  return found;
}
