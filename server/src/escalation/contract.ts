/**
 * Escalation: who is told next while nobody takes an alert, and who else must know of it. A policy is a ladder of levels, each due so long
 * after the alert began; the ladder stands in the database with an absolute deadline, so a restart changes nothing. It stops with the
 * acknowledgement, waits while something keeps the alert from people, and goes on afterwards. A level that reaches nobody is passed at once.
 * Stakeholder routes tell others than the on-call, in words of their own. The auditor alarms when an open alert has no next step; heartbeats
 * say that the way out is well, and watchdogs alarm when others fall silent. Must never decide whether an alert fires.
 */
import { formatDuration } from '@nines/base/duration.ts';
import type { Matcher } from '@nines/base/matcher.ts';
import { parseMatchers } from '@nines/base/matcher-text.ts';
import { DAY_MS, MINUTE_MS, SECOND_MS } from '@nines/base/units.ts';
import { z } from 'zod';
import { SEVERITIES, type Severity } from '../alerting/contract.ts';
import { templateFault } from '../notify/contract.ts';
import { duration, httpUrl, plainText, secret, slug, uniqueIds } from '../platform/config/fields.ts';
import { type HoursSpec, hoursSchema } from '../platform/config/hours.ts';

export const ESCALATION_CODES = {
  notFound: 'escalation_policy_not_found',
  exists: 'escalation_policy_exists',
  ownedByFile: 'escalation_policy_owned_by_file',
  shipped: 'escalation_policy_shipped',
  used: 'escalation_policy_used',
  changed: 'revision_conflict',
  invalid: 'escalation_policy_invalid',
} as const;

/** Bounds of one installation. */
const MAX_POLICIES = 500;
const MAX_LEVELS = 20;
const MAX_TARGETS = 50;
const MAX_STAKEHOLDERS = 100;
const MAX_WATCHDOGS = 100;
const MAX_REPEATS = 1_000;
/** A level later than this is no escalation. */
const MAX_AFTER_MS = 30 * DAY_MS;

/** The policy of alerts that none is to climb for. */
export const NO_POLICY = 'none';
/** In the order of urgency; each stands in for the next when that has nobody to tell. */
export const SHIPPED_IDS = ['default', 'critical', 'emergency'] as const;

/** Whom a level tells. `channels` is every channel there is. */
export type Target =
  | { readonly kind: 'channel'; readonly channel: string; readonly to?: string | undefined }
  | { readonly kind: 'person'; readonly person: string }
  | { readonly kind: 'schedule'; readonly schedule: string }
  | { readonly kind: 'channels' };

const writtenTarget = z.strictObject({
  channel: slug.optional(),
  /** Whom the channel is to reach in place of its own recipients. */
  to: z.string().min(1).max(500).optional(),
  person: slug.optional(),
  schedule: slug.optional(),
  all: z.literal('channels').optional(),
});
export type WrittenTarget = z.input<typeof writtenTarget>;

const target = writtenTarget.transform(({ channel, to, person, schedule, all }, context): Target => {
  const refuse = (message: string, field: string): never => {
    context.addIssue({ code: 'custom', message, path: [field] });
    return z.NEVER;
  };
  const named = Object.entries({ channel, person, schedule, all }).filter(([, value]) => value !== undefined);
  if (named.length !== 1) return refuse('a target is one of channel, person, schedule, or all: channels', named[1]?.[0] ?? 'channel');
  if (to !== undefined && channel === undefined) return refuse('`to` is an address of a channel; people have contacts', 'to');
  if (channel !== undefined) return to === undefined ? { kind: 'channel', channel } : { kind: 'channel', channel, to };
  if (person !== undefined) return { kind: 'person', person };
  return schedule === undefined ? { kind: 'channels' } : { kind: 'schedule', schedule };
});
const targets = z.array(target).min(1, 'a level tells somebody').max(MAX_TARGETS);

/** A target as a person writes it. */
export function writtenTargetOf(one: Target): WrittenTarget {
  if (one.kind === 'channels') return { all: 'channels' };
  if (one.kind === 'person') return { person: one.person };
  if (one.kind === 'schedule') return { schedule: one.schedule };
  return one.to === undefined ? { channel: one.channel } : { channel: one.channel, to: one.to };
}

export type LevelSpec = { readonly after: number; readonly targets: readonly Target[] };
/** A policy; lengths in milliseconds. */
export type PolicySpec = {
  readonly id: string;
  readonly name: string;
  readonly levels: readonly LevelSpec[];
  /** How often the ladder is climbed again, and how long after its last level. */
  readonly repeat: { readonly times: number; readonly every: number };
  /** When this policy is the right one; absent: always. */
  readonly hours?: HoursSpec | undefined;
  /** Outside of its hours: levels wait for them, or another policy takes the alert. */
  readonly outside?: 'wait' | { readonly policy: string } | undefined;
};

const level = z.strictObject({ after: duration({ maxMs: MAX_AFTER_MS }), targets });
const DEFAULT_REPEAT_MS = 60 * MINUTE_MS;

/** A policy, as written in the file or sent to the API. */
export const policySchema = z
  .strictObject({
    id: slug.refine((id) => id !== NO_POLICY, `"${NO_POLICY}" means that no policy applies`),
    name: plainText.min(1).max(200).optional(),
    levels: z.array(level).min(1, 'a policy has a level').max(MAX_LEVELS),
    repeat: z
      .strictObject({
        times: z.int().min(0).max(MAX_REPEATS).default(0),
        every: duration({ minMs: MINUTE_MS, maxMs: MAX_AFTER_MS }).optional(),
      })
      .prefault({}),
    hours: hoursSchema.optional(),
    outside: z.union([z.literal('wait'), z.strictObject({ policy: slug })]).optional(),
  })
  .superRefine(({ levels, hours, outside, id }, context) => {
    const complain = (message: string, path: (string | number)[]): void => context.addIssue({ code: 'custom', message, path });
    levels.forEach(({ after }, index) => {
      if (after < (levels[index - 1]?.after ?? 0)) complain('a level is due no earlier than the one before it', ['levels', index, 'after']);
    });
    if (hours === undefined && outside !== undefined) complain('`outside` is about `hours`: write both', ['outside']);
    if (hours !== undefined && outside === undefined)
      complain('what happens outside of the hours? Write `outside: wait` or a policy', ['hours']);
    if (typeof outside === 'object' && outside.policy === id) complain('a policy cannot stand in for itself', ['outside', 'policy']);
  })
  .transform(
    ({ name, repeat, ...spec }): PolicySpec => ({
      ...spec,
      name: name ?? spec.id,
      repeat: { times: repeat.times, every: repeat.every ?? DEFAULT_REPEAT_MS },
    }),
  );
export type WrittenPolicy = z.input<typeof policySchema>;

/** A policy as a person writes it. */
export const writtenPolicyOf = ({ id, name, levels, repeat, hours, outside }: PolicySpec): WrittenPolicy => ({
  id,
  name,
  levels: levels.map(({ after, targets: told }) => ({ after: formatDuration(after), targets: told.map(writtenTargetOf) })),
  repeat: { times: repeat.times, every: formatDuration(repeat.every) },
  ...(hours === undefined ? {} : { hours: hours as z.input<typeof hoursSchema> }),
  ...(outside === undefined ? {} : { outside }),
});

/** Who wants to know of an alert beside those who work on it. */
export const AUDIENCES = ['executive', 'technical', 'operations', 'business'] as const;
export type Audience = (typeof AUDIENCES)[number];

/** What each audience hears of unless its route says otherwise: from which severity, and how long after the alert began. */
const HEARS: Readonly<Record<Audience, { readonly from: Severity; readonly afterMs: number }>> = {
  technical: { from: 'warning', afterMs: 0 },
  operations: { from: 'critical', afterMs: 0 },
  executive: { from: 'critical', afterMs: 15 * MINUTE_MS },
  business: { from: 'critical', afterMs: 15 * MINUTE_MS },
};

export type StakeholderSpec = {
  readonly id: string;
  readonly audience: Audience;
  readonly severities: readonly Severity[];
  readonly matchers: readonly Matcher[];
  readonly after: number;
  readonly targets: readonly Target[];
  /** Go templates in place of the audience's own words. */
  readonly title?: string | undefined;
  readonly text?: string | undefined;
};

const matcherText = z.string().transform((text, context): readonly Matcher[] => {
  const parsed = parseMatchers(text);
  if (parsed.ok) return parsed.value;
  context.addIssue({ code: 'custom', message: parsed.error });
  return z.NEVER;
});
const matchers = z.array(matcherText).transform((all) => all.flat());

const template = (maxChars: number) =>
  z
    .string()
    .max(maxChars)
    .superRefine((text, context) => {
      const fault = templateFault(text);
      if (fault !== undefined) context.addIssue({ code: 'custom', message: fault });
    });

const stakeholder = z
  .strictObject({
    id: slug.optional(),
    audience: z.enum(AUDIENCES),
    severities: z.array(z.enum(SEVERITIES)).min(1).optional(),
    matchers: matchers.prefault([]),
    after: duration({ maxMs: MAX_AFTER_MS }).optional(),
    targets,
    title: template(1_000).optional(),
    text: template(20_000).optional(),
  })
  .transform(({ id, audience, severities, after, ...rest }): StakeholderSpec => {
    const hears = HEARS[audience];
    return {
      ...rest,
      id: id ?? audience,
      audience,
      severities: severities ?? SEVERITIES.slice(SEVERITIES.indexOf(hears.from)),
      after: after ?? hears.afterMs,
    };
  });

const policyName = slug.prefault(NO_POLICY);

const heartbeat = z
  .strictObject({
    every: duration({ minMs: 10 * SECOND_MS, maxMs: DAY_MS }).prefault('1m'),
    /** Asked each time; a service that expects it alarms when it stays out. It often carries a token. */
    url: secret.refine((url) => httpUrl.safeParse(url.reveal()).success, 'write an http:// or https:// address').optional(),
    channel: slug.optional(),
    to: z.string().min(1).max(500).optional(),
  })
  .refine(({ url, channel }) => (url === undefined) !== (channel === undefined), 'a heartbeat goes to a url or to a channel, one of them');
export type HeartbeatSpec = z.output<typeof heartbeat>;

const watchdog = z.strictObject({
  id: slug,
  /** Which alerts are expected to fire for ever. */
  matchers: z
    .array(matcherText)
    .min(1, 'which alerts are expected?')
    .transform((all) => all.flat()),
  /** How long nothing may be heard of them. */
  within: duration({ minMs: 10 * SECOND_MS, maxMs: 30 * DAY_MS }).prefault('5m'),
  severity: z.enum(SEVERITIES).default('critical'),
});
export type WatchdogSpec = z.output<typeof watchdog>;

/** The section `escalation`. */
export const escalationConfig = z
  .strictObject({
    /** Whom the shipped policies tell, level by level; with fewer than four the last ones stand for the rest. */
    contacts: z.array(targets).max(4).default([]),
    policies: z.array(policySchema).max(MAX_POLICIES).superRefine(uniqueIds('policy')).default([]),
    /** Which policy takes alerts that no route names one for. */
    severities: z
      .strictObject({
        info: policyName,
        warning: slug.prefault('default'),
        critical: slug.prefault('critical'),
        emergency: slug.prefault('emergency'),
      })
      .prefault({}),
    stakeholders: z.array(stakeholder).max(MAX_STAKEHOLDERS).superRefine(uniqueIds('stakeholder route')).default([]),
    heartbeats: z.array(heartbeat).max(20).default([]),
    watchdogs: z.array(watchdog).max(MAX_WATCHDOGS).superRefine(uniqueIds('watchdog')).default([]),
  })
  .prefault({});
export type EscalationConfig = z.output<typeof escalationConfig>;

export type Problem = { readonly path: readonly (string | number)[]; readonly message: string };
/** What targets and routes may name. */
export type EscalationKnown = {
  /** What is wrong with a way to reach somebody. */
  readonly contactFault: (contact: { readonly channel: string; readonly to?: string | undefined }) => string | undefined;
  /** Absent: not judged, because they may be made elsewhere. */
  readonly people?: ReadonlySet<string>;
  readonly schedules?: ReadonlySet<string>;
};

/** Targets and policies that nobody declared. Paths are within the section `escalation`. */
export function unknownToEscalation(config: EscalationConfig, known: EscalationKnown): readonly Problem[] {
  const policies = new Set<string>([...SHIPPED_IDS, NO_POLICY, ...config.policies.map(({ id }) => id)]);
  const at = (path: readonly (string | number)[], all: readonly Target[]): readonly Problem[] =>
    all.flatMap((one, index) =>
      unknownTarget(one, known).map(({ path: inner, message }) => ({ path: [...path, index, ...inner], message })),
    );
  return [
    ...config.contacts.flatMap((all, index) => at(['contacts', index], all)),
    ...config.policies.flatMap((policy, index) => [
      ...policy.levels.flatMap((one, rung) => at(['policies', index, 'levels', rung, 'targets'], one.targets)),
      ...(typeof policy.outside === 'object' && !policies.has(policy.outside.policy)
        ? [{ path: ['policies', index, 'outside', 'policy'], message: `no escalation policy has the id "${policy.outside.policy}"` }]
        : []),
    ]),
    ...config.stakeholders.flatMap((one, index) => at(['stakeholders', index, 'targets'], one.targets)),
    ...Object.entries(config.severities).flatMap(([severity, id]) =>
      policies.has(id) ? [] : [{ path: ['severities', severity], message: `no escalation policy has the id "${id}"` }],
    ),
    ...config.heartbeats.flatMap(({ channel, to }, index) =>
      channel === undefined
        ? []
        : unknownTarget({ kind: 'channel', channel, to }, known).map(({ path, message }) => ({
            path: ['heartbeats', index, ...path],
            message,
          })),
    ),
  ];
}

/** What is wrong with a target. */
export function unknownTarget(one: Target, { contactFault, people, schedules }: EscalationKnown): readonly Problem[] {
  if (one.kind === 'person')
    return people?.has(one.person) !== false ? [] : [{ path: ['person'], message: `there is no person "${one.person}"` }];
  if (one.kind === 'schedule')
    return schedules?.has(one.schedule) !== false ? [] : [{ path: ['schedule'], message: `there is no schedule "${one.schedule}"` }];
  if (one.kind === 'channels') return [];
  const message = contactFault(one);
  return message === undefined ? [] : [{ path: ['channel'], message }];
}

const reached = z.object({
  channel: z.string(),
  to: z.string().nullable(),
  /** In words: `Anne by sms`. */
  who: z.string(),
});
const levelView = z.object({
  after_ms: z.number(),
  targets: z.array(z.record(z.string(), z.string())),
  /** Who would be told now. */
  reaches: z.array(reached),
  /** What stands in the way of a target: a gap in a schedule, a person without a contact. */
  notes: z.array(z.string()),
});
/** The shape of `GET /api/escalation/policies` items. */
export const policyView = z.object({
  id: z.string(),
  name: z.string(),
  /** `shipped`, `ui`, or the place in the configuration file. */
  origin: z.string(),
  /** 0 where nobody edits it here. */
  revision: z.number(),
  levels: z.array(levelView),
  repeat: z.object({ times: z.number(), every_ms: z.number() }),
  hours: z.unknown().nullable(),
  outside: z.union([z.literal('wait'), z.object({ policy: z.string() })]).nullable(),
  /** Severities that lead here. */
  severities: z.array(z.string()),
  /** Whether it has anybody to tell; a shipped one has when `contacts` are configured. */
  applies: z.boolean(),
});
export type PolicyView = z.infer<typeof policyView>;

export const stakeholderView = z.object({
  id: z.string(),
  audience: z.enum(AUDIENCES),
  severities: z.array(z.string()),
  matchers: z.array(z.string()),
  after_ms: z.number(),
  targets: z.array(z.record(z.string(), z.string())),
  reaches: z.array(reached),
  notes: z.array(z.string()),
});
export type StakeholderView = z.infer<typeof stakeholderView>;

export const LADDER_STATUSES = ['climbing', 'paused', 'exhausted', 'ended'] as const;
/** The shape of `GET /api/alerts/{id}/escalation`. */
export const standingView = z.object({
  alert_id: z.string(),
  ladders: z.array(
    z.object({
      /** `policy`, or `stakeholder:` and its id. */
      ladder: z.string(),
      policy: z.string(),
      name: z.string(),
      status: z.enum(LADDER_STATUSES),
      why: z.string(),
      /** The level that is told next, from 1; null when none is. */
      next_level: z.number().nullable(),
      levels: z.number(),
      round: z.number(),
      next_at_ms: z.number().nullable(),
      told_at_ms: z.number().nullable(),
      told: z.array(reached),
      /** What escalating by hand would do now: the level, from 1, and whom it would tell. Null where that is not possible. */
      by_hand: z.object({ level: z.number(), reaches: z.array(reached) }).nullable(),
      started_at_ms: z.number(),
    }),
  ),
});
export type StandingView = z.infer<typeof standingView>;

export const signalView = z.object({
  heartbeats: z.array(z.object({ to: z.string(), every_ms: z.number(), sent_at_ms: z.number().nullable(), error: z.string().nullable() })),
  watchdogs: z.array(
    z.object({ id: z.string(), matchers: z.string(), within_ms: z.number(), heard_at_ms: z.number().nullable(), silent: z.boolean() }),
  ),
  audit: z.object({
    at_ms: z.number().nullable(),
    without_next_step: z.array(z.object({ id: z.string(), alertname: z.string(), since_ms: z.number(), why: z.string() })),
  }),
});
export type SignalView = z.infer<typeof signalView>;

/** How a person is reached; the shape is that of the domain of people and schedules. */
export type Reachable = {
  readonly id: string;
  readonly name: string;
  readonly contacts: readonly { readonly channel: string; readonly to?: string | undefined }[];
};
/** Who people are and who is on call, as far as escalation asks. */
export interface Directory {
  person(id: string): Reachable | undefined;
  hasSchedule(id: string): boolean;
  whoAt(scheduleId: string, atMs: number): { readonly people: readonly Reachable[]; readonly reason: string };
}
