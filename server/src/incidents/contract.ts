/**
 * Incidents: people's work on a problem, from the first alert to the last action item. They open by editable rules or by hand, have a
 * state, a severity and a category (each with why), roles, links, and an append-only time line in which every change has its
 * actor and cause. Never changes an alert, a problem or the ledger; tells stakeholders only what the rules name a channel for.
 */
import { parseInstant } from '@nines/base/instant.ts';
import type { EpochMs } from '@nines/base/units.ts';
import { z } from 'zod';
import { SEVERITIES } from '../alerting/contract.ts';
import { plainText } from '../platform/config/fields.ts';

export type { RulesPreview } from './preview.ts';
export type { IncidentRules } from './rules.ts';

export const INCIDENT_CODES = {
  notFound: 'incident_not_found',
  invalid: 'incident_invalid',
  refused: 'incident_change_refused',
  changed: 'revision_conflict',
} as const;

export const INCIDENT_STATES = ['open', 'acknowledged', 'investigating', 'mitigated', 'resolved', 'closed'] as const;
export type IncidentState = (typeof INCIDENT_STATES)[number];
export const CATEGORIES = ['infrastructure', 'application', 'data', 'model', 'security', 'business', 'third_party'] as const;
export type Category = (typeof CATEGORIES)[number];
export const INCIDENT_ROLES = ['commander', 'communications', 'scribe'] as const;
export type IncidentRole = (typeof INCIDENT_ROLES)[number];
export const AUDIENCES = ['technical', 'operations', 'business', 'executive'] as const;
export type Audience = (typeof AUDIENCES)[number];
export const LINK_KINDS = ['problem', 'alert', 'service', 'sla', 'change'] as const;
export type LinkKind = (typeof LINK_KINDS)[number];

const MAX_TEXT_CHARS = 10_000;
const MAX_TITLE_CHARS = 300;
const MAX_POST_MORTEM_CHARS = 200_000;
const MAX_LINKS_GIVEN = 100;

const instant = z.union([z.string(), z.number().transform(String)]).transform((text, context): EpochMs => {
  const parsed = parseInstant(text);
  if (parsed.ok) return parsed.value;
  context.addIssue({ code: 'custom', message: parsed.error });
  return z.NEVER;
});
const title = plainText.min(1).max(MAX_TITLE_CHARS);
const text = plainText.max(MAX_TEXT_CHARS);
const name = plainText.max(200);
const rolesSchema = z.partialRecord(z.enum(INCIDENT_ROLES), name.nullable());

/** The body of `POST /api/incidents`. What is left out is decided by the rules. */
export const newIncident = z.strictObject({
  title,
  summary: text.default(''),
  severity: z.enum(SEVERITIES).optional(),
  category: z.enum(CATEGORIES).optional(),
  services: z.array(name.min(1)).max(MAX_LINKS_GIVEN).default([]),
  alerts: z.array(name.min(1)).max(MAX_LINKS_GIVEN).default([]),
  /** When the trouble began; now when absent. */
  started_at: instant.optional(),
});
export type NewIncident = z.output<typeof newIncident>;

/** The body of `PATCH /api/incidents/{id}`. */
export const incidentEdit = z.strictObject({
  revision: z.number().int(),
  title: title.optional(),
  summary: text.optional(),
  severity: z.enum(SEVERITIES).optional(),
  category: z.enum(CATEGORIES).optional(),
  roles: rolesSchema.optional(),
  started_at: instant.optional(),
});
export type IncidentEdit = z.output<typeof incidentEdit>;

export const stateChange = z.strictObject({
  state: z.enum(INCIDENT_STATES),
  comment: text.default(''),
  revision: z.number().int().optional(),
});
export const newComment = z.strictObject({ text: text.min(1) });
export const newLink = z.strictObject({ kind: z.enum(['alert', 'service', 'sla', 'change']), ref: name.min(1), text: text.default('') });
export const newAction = z.strictObject({ text: text.min(1), owner: name.default(''), due_at: instant.nullable().default(null) });
export const actionEdit = z.strictObject({
  revision: z.number().int(),
  text: text.min(1).optional(),
  owner: name.optional(),
  due_at: instant.nullable().optional(),
  done: z.boolean().optional(),
});
export const postMortemEdit = z.strictObject({ markdown: plainText.max(MAX_POST_MORTEM_CHARS), revision: z.number().int() });

/** The shape of `GET /api/incidents` items. */
export const incidentView = z.object({
  id: z.string(),
  number: z.number(),
  title: z.string(),
  summary: z.string(),
  state: z.enum(INCIDENT_STATES),
  severity: z.enum(SEVERITIES),
  severity_why: z.string(),
  category: z.enum(CATEGORIES),
  category_why: z.string(),
  roles: z.object({ commander: z.string().nullable(), communications: z.string().nullable(), scribe: z.string().nullable() }),
  team: z.string(),
  opened_by: z.string(),
  /** When the trouble began. */
  started_at_ms: z.number(),
  opened_at_ms: z.number(),
  acknowledged_at_ms: z.number().nullable(),
  mitigated_at_ms: z.number().nullable(),
  resolved_at_ms: z.number().nullable(),
  closed_at_ms: z.number().nullable(),
  resolves_at_ms: z.number().nullable(),
  merged_into: z.string().nullable(),
  services: z.array(z.string()),
  revision: z.number(),
});
export type IncidentView = z.infer<typeof incidentView>;

export const entryView = z.object({
  id: z.string(),
  at_ms: z.number(),
  kind: z.string(),
  text: z.string(),
  actor: z.string(),
  data: z.record(z.string(), z.unknown()),
});
export type EntryView = z.infer<typeof entryView>;

export const linkView = z.object({ kind: z.enum(LINK_KINDS), ref: z.string(), text: z.string(), at_ms: z.number(), added_by: z.string() });
export type LinkView = z.infer<typeof linkView>;

export const actionView = z.object({
  id: z.string(),
  text: z.string(),
  owner: z.string(),
  due_at_ms: z.number().nullable(),
  done_at_ms: z.number().nullable(),
  created_by: z.string(),
  created_at_ms: z.number(),
  revision: z.number(),
});
export type ActionView = z.infer<typeof actionView>;

/** An alert of an incident, by its problems or linked by hand. */
export const incidentAlertView = z.object({
  alert: z.string(),
  alertname: z.string(),
  severity: z.string(),
  service: z.string().nullable(),
  joined_at_ms: z.number(),
  ended_at_ms: z.number().nullable(),
  because: z.string(),
});
export type IncidentAlertView = z.infer<typeof incidentAlertView>;

/** The lengths of an incident in milliseconds; null while they are not known. */
export const figuresView = z.object({
  /** From the beginning of the trouble to the incident. */
  detect_ms: z.number().nullable(),
  /** From the incident to its acknowledgement. */
  acknowledge_ms: z.number().nullable(),
  /** From the beginning of the trouble to its end. */
  resolve_ms: z.number().nullable(),
  /** By service, what the ledger says of that time. */
  downtime: z.array(z.object({ service: z.string(), down_ms: z.number(), degraded_ms: z.number(), unknown_ms: z.number() })),
});
export type FiguresView = z.infer<typeof figuresView>;

/** The shape of `GET /api/incidents/{id}`. */
export const incidentDetail = incidentView.extend({
  /** What it may become next. */
  next_states: z.array(z.enum(INCIDENT_STATES)),
  timeline: z.array(entryView),
  links: z.array(linkView),
  alerts: z.array(incidentAlertView),
  /** Probable causes of its problems. */
  causes: z.array(z.object({ subject: z.string(), reasons: z.array(z.string()) })),
  actions: z.array(actionView),
  figures: figuresView,
  /** Who was told, and who will be when. */
  escalation: z.array(
    z.object({
      step: z.string(),
      audience: z.enum(AUDIENCES),
      channel: z.string(),
      at_ms: z.number(),
      state: z.enum(['told', 'due', 'failed']),
    }),
  ),
});
export type IncidentDetail = z.infer<typeof incidentDetail>;

/** The shape of `GET /api/incidents/{id}/post-mortem`. `saved_at_ms` is null for a draft that nobody saved. */
export const postMortemView = z.object({
  markdown: z.string(),
  author: z.string(),
  saved_at_ms: z.number().nullable(),
  revision: z.number(),
});
export type PostMortemView = z.infer<typeof postMortemView>;

export const statisticsView = z.object({
  from_at_ms: z.number(),
  to_at_ms: z.number(),
  by: z.enum(['service', 'category', 'team', 'severity']),
  items: z.array(
    z.object({
      key: z.string(),
      incidents: z.number(),
      open: z.number(),
      mttd_ms: z.number().nullable(),
      mtta_ms: z.number().nullable(),
      mttr_ms: z.number().nullable(),
    }),
  ),
});
export type StatisticsView = z.infer<typeof statisticsView>;
