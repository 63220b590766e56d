/** An `alertmanager.yml` as written. Source: prometheus.io/docs/alerting/latest/configuration. */
import { z } from 'zod';
import { duration } from '../../platform/config/fields.ts';
import { inhibitRule, route } from '../config.ts';
import { namedIntervals } from '../time-interval.ts';

/** What one entry of a receiver says; each kind reads the keys that it knows, and reports the others. */
const entry = z.record(z.string(), z.unknown());
export type WrittenEntry = z.output<typeof entry>;

/** Kinds of receivers that become channels. */
export const TAKEN_KINDS = [
  'webhook_configs',
  'email_configs',
  'slack_configs',
  'pagerduty_configs',
  'opsgenie_configs',
  'telegram_configs',
  'discord_configs',
  'msteams_configs',
  'msteamsv2_configs',
] as const;
export type TakenKind = (typeof TAKEN_KINDS)[number];
/** Kinds for which there is no channel. */
export const OTHER_KINDS = [
  'pushover_configs',
  'victorops_configs',
  'wechat_configs',
  'sns_configs',
  'webex_configs',
  'rocketchat_configs',
  'jira_configs',
  'incidentio_configs',
  'mattermost_configs',
] as const;

const entries = z.array(entry).default([]);
const kinds = Object.fromEntries([...TAKEN_KINDS, ...OTHER_KINDS].map((kind) => [kind, entries])) as Record<
  TakenKind | (typeof OTHER_KINDS)[number],
  typeof entries
>;
const receiver = z.strictObject({ name: z.string().min(1), ...kinds });

const file = z.strictObject({
  global: z.looseObject({ resolve_timeout: duration({ minMs: 1 }).prefault('5m') }).prefault({}),
  route,
  receivers: z.array(receiver).min(1),
  inhibit_rules: z.array(inhibitRule).default([]),
  time_intervals: z.array(namedIntervals).default([]),
  mute_time_intervals: z.array(namedIntervals).default([]),
  templates: z.array(z.string()).default([]),
  tracing: entry.optional(),
});
export type WrittenFile = z.output<typeof file>;

/** Keys without a value are as good as absent, as in Alertmanager. */
export const alertmanagerFile = z.preprocess(withoutNulls, file);

export function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).flatMap(([key, inner]) => (inner === null ? [] : [[key, withoutNulls(inner)]])));
}
