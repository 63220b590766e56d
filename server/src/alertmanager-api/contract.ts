/**
 * Alertmanager's API v2, spoken by Nines: what Prometheus, vmalert and others send becomes alerts here, and amtool and
 * dashboards read and silence them. The shapes are those of Alertmanager's own OpenAPI document, dates included.
 * Alerts that were received end at the instant their sender gave, or when it sends nothing more for `routing.resolve_timeout`.
 */
import type { MatchOp } from '@nines/base/matcher.ts';
import { z } from 'zod';

/** Received alerts that are open at one time; more is refused with 429, never dropped silently. */
export const MAX_RECEIVED = 250_000;
/** Bodies of `POST /api/v2/alerts`. */
export const MAX_POST_BYTES = 16 * 1024 * 1024;
/** Alerts in one request; Prometheus and vmalert send far fewer. */
export const MAX_POSTED = 20_000;
export const MAX_LABELS = 256;
/** Of one label's value or one annotation. */
export const MAX_TEXT_CHARS = 64 * 1024;

/** How received alerts are found: `GET /api/alerts?source=alertmanager`. */
export const RECEIVED_SOURCE = 'alertmanager';

const labelSet = z.record(z.string(), z.string());
/** RFC 3339; Go's zero time means that there is none. */
const dateTime = z.string();

export const postableAlerts = z
  .array(
    z.object({
      labels: labelSet,
      annotations: labelSet.optional(),
      startsAt: dateTime.optional(),
      endsAt: dateTime.optional(),
      generatorURL: z.string().max(8_192).optional(),
    }),
  )
  .max(MAX_POSTED);
export type PostableAlert = z.output<typeof postableAlerts>[number];

const wireMatcher = z.object({ name: z.string(), value: z.string(), isRegex: z.boolean(), isEqual: z.boolean().default(true) });
export type WireMatcher = z.output<typeof wireMatcher>;

export const postableSilence = z.object({
  id: z.string().optional(),
  matchers: z.array(wireMatcher).min(1).max(100),
  startsAt: dateTime,
  endsAt: dateTime,
  createdBy: z.string().max(4_000),
  comment: z.string().max(4_000),
  annotations: labelSet.optional(),
});

export const gettableSilence = z.object({
  id: z.string(),
  status: z.object({ state: z.enum(['expired', 'active', 'pending']) }),
  updatedAt: dateTime,
  annotations: labelSet,
  comment: z.string(),
  createdBy: z.string(),
  endsAt: dateTime,
  matchers: z.array(z.object({ isEqual: z.boolean(), isRegex: z.boolean(), name: z.string(), value: z.string() })),
  startsAt: dateTime,
});
export type GettableSilence = z.output<typeof gettableSilence>;

export const gettableAlert = z.object({
  annotations: labelSet,
  endsAt: dateTime,
  fingerprint: z.string(),
  receivers: z.array(z.object({ name: z.string() })),
  startsAt: dateTime,
  status: z.object({
    inhibitedBy: z.array(z.string()),
    mutedBy: z.array(z.string()),
    silencedBy: z.array(z.string()),
    state: z.enum(['unprocessed', 'active', 'suppressed']),
  }),
  updatedAt: dateTime,
  generatorURL: z.string(),
  labels: labelSet,
});
export type GettableAlert = z.output<typeof gettableAlert>;

export const alertGroup = z.object({
  alerts: z.array(gettableAlert),
  labels: labelSet,
  receiver: z.object({ name: z.string() }),
  routeLabels: labelSet,
});
export type AlertGroup = z.output<typeof alertGroup>;

export const alertmanagerStatus = z.object({
  cluster: z.object({ name: z.string(), peers: z.array(z.never()), status: z.enum(['ready', 'settling', 'disabled']) }),
  config: z.object({ original: z.string() }),
  uptime: dateTime,
  versionInfo: z.object({
    branch: z.string(),
    buildDate: z.string(),
    buildUser: z.string(),
    goVersion: z.string(),
    revision: z.string(),
    version: z.string(),
  }),
});

export const opOf = ({ isRegex, isEqual }: Pick<WireMatcher, 'isRegex' | 'isEqual'>): MatchOp =>
  isRegex ? (isEqual ? '=~' : '!~') : isEqual ? '=' : '!=';
