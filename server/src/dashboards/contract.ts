/**
 * Dashboards: documents that say what is shown and where. They come from files, which win, are shipped with the product, or are made by
 * people; each change is a revision that can be seen, compared and restored. A dashboard holds no figures: panels ask for them when they
 * are drawn, with the rights of the reader.
 */
import { z } from 'zod';
import { dashboardSpec } from './model.ts';

/** Error codes of this domain. */
export const DASHBOARD_CODES = {
  notFound: 'dashboard_not_found',
  exists: 'dashboard_exists',
  /** Declared in a file or shipped: change it there, or save a copy. */
  ownedElsewhere: 'dashboard_owned_elsewhere',
  revisionNotFound: 'dashboard_revision_not_found',
  tooMany: 'too_many_dashboards',
  /** What was sent is no dashboard that Grafana knows. */
  notImportable: 'dashboard_not_importable',
  /** A later server wrote it. */
  newer: 'dashboard_schema_newer',
} as const;

export const DASHBOARD_ORIGINS = ['shipped', 'file', 'ui'] as const;

/** Whoever may change it; `reason` says why not, in a sentence. */
const editable = z.object({ allowed: z.boolean(), reason: z.string() });

/** One line of `GET /api/dashboards`. */
export const dashboardSummary = z.object({
  id: z.string(),
  title: z.string(),
  description: z.string(),
  tags: z.array(z.string()),
  folder: z.string(),
  panels: z.int(),
  origin: z.enum(DASHBOARD_ORIGINS),
  /** `dashboards/shop.yml:1` for those of files. */
  place: z.string(),
  revision: z.int(),
  changed_at_ms: z.number().nullable(),
  changed_by: z.string().nullable(),
});
export type DashboardSummary = z.output<typeof dashboardSummary>;

/** One that is kept and cannot be shown: a later server wrote it, or what is kept is damaged. It is left as it is. */
export const unreadableDashboard = z.object({ id: z.string(), title: z.string(), why: z.string() });
export type UnreadableDashboard = z.output<typeof unreadableDashboard>;

/** `GET /api/dashboards/:id`. */
export const dashboardView = dashboardSummary.omit({ panels: true }).extend({ spec: dashboardSpec, editable });
export type DashboardView = z.output<typeof dashboardView>;

/** One line of `GET /api/dashboards/:id/history`, newest first. */
export const revisionView = z.object({
  revision: z.int(),
  at_ms: z.number(),
  by: z.string(),
  /** What the author said, or what was done: made, changed, restored from 3. */
  note: z.string(),
});
export type RevisionView = z.output<typeof revisionView>;

/** What a person was changing when they left. `base_revision` is the one that they began with; 0: the dashboard was not made yet. */
export const draftView = z.object({ base_revision: z.int(), at_ms: z.number(), spec: dashboardSpec });
export type DraftView = z.output<typeof draftView>;

/** A difference in words, for people: `panel cpu: unit percent instead of number`. */
export const differenceView = z.object({
  path: z.string(),
  kind: z.enum(['added', 'removed', 'changed']),
  before: z.string(),
  after: z.string(),
});
export type DifferenceView = z.output<typeof differenceView>;

/** What an import could not bring along. */
export const lossView = z.object({
  /** Title or number of the panel; empty for the dashboard itself. */
  panel: z.string(),
  what: z.string(),
  why: z.string(),
});
export type LossView = z.output<typeof lossView>;

/** `POST /api/dashboards/import`: the dashboard as it is or would be here, and what could not be brought along. */
export const importView = z.object({
  dashboard: dashboardSpec,
  /** How it was written: Grafana's Classic schema, V1 (Classic in a resource) or V2. */
  schema: z.enum(['classic', 'v1', 'v2']),
  panels: z.object({ found: z.int(), converted: z.int() }),
  losses: z.array(lossView),
  /** False for a dry run. */
  saved: z.boolean(),
});
export type ImportView = z.output<typeof importView>;
