/**
 * Insights: what the numbers of this installation say by themselves, ranked, in sentences, each with its evidence, its doubt and what to
 * do next. A finding is examined again every hour: while it holds it is the same one, brought up to date; when it is gone it ends.
 * They are for reading: no insight raises an alert, changes a state or sends anything.
 */
import { z } from 'zod';
import { plainText } from '../platform/config/fields.ts';

/** Error codes of this domain. */
export const INSIGHT_CODES = { notFound: 'insight_not_found', muteNotFound: 'mute_not_found', badMute: 'bad_mute' } as const;

export const INSIGHT_KINDS = ['performance_trend', 'capacity', 'anomaly', 'seasonality', 'correlation', 'prediction'] as const;
export type InsightKind = (typeof INSIGHT_KINDS)[number];

export const VERDICTS = ['useful', 'wrong'] as const;
export type Verdict = (typeof VERDICTS)[number];

/** What a mute hides: this finding, everything about its subject, or every insight of its kind. */
export const MUTED_THINGS = ['finding', 'subject', 'kind'] as const;
export type MutedThing = (typeof MUTED_THINGS)[number];

const point = z
  .tuple([z.number(), z.number().nullable()])
  .meta({ description: '[at_ms, value], Unix milliseconds; null where there is no value' });

export const evidenceView = z.object({
  from_at_ms: z.number(),
  to_at_ms: z.number(),
  step_ms: z.number(),
  /** At most 400. */
  points: z.array(point),
  /** The trend, the forecast, or the other side of a relation on the scale of the first. */
  line: z.array(z.tuple([z.number(), z.number()])).optional(),
  /** [at_ms, lower, upper]: what is usual, or where the forecast lies at 95 %. */
  band: z.array(z.tuple([z.number(), z.number(), z.number()])).optional(),
  episodes: z.array(z.object({ from_at_ms: z.number(), to_at_ms: z.number(), score: z.number(), reason: z.string() })).optional(),
  limit: z.number().optional(),
});
export type EvidenceView = z.output<typeof evidenceView>;

/** The shape of `GET /api/insights` items. */
export const insightView = z.object({
  id: z.string(),
  kind: z.enum(INSIGHT_KINDS),
  /** One sentence with figures and units. */
  sentence: z.string(),
  /** `href` is an address inside the product. */
  subject: z.object({ name: z.string(), href: z.string().nullable() }),
  /** PromQL that selects what was examined. */
  expr: z.string(),
  unit: z.string(),
  /** The stretch of time that the finding is about. */
  from_at_ms: z.number(),
  to_at_ms: z.number(),
  found_at_ms: z.number(),
  /** When it was last found to hold. */
  seen_at_ms: z.number(),
  ended_at_ms: z.number().nullable(),
  /** 0 to 1, for ordering; no probability. */
  score: z.number(),
  /** `value` is 0 to 1; `method` says what found it, with its error control. */
  confidence: z.object({ value: z.number(), words: z.string(), method: z.string() }),
  figures: z.array(z.object({ label: z.string(), value: z.number(), unit: z.string() })),
  evidence: evidenceView,
  next: z.object({ text: z.string(), href: z.string().nullable() }),
  /** In the year 9999 when it is muted for good. */
  muted_until_ms: z.number().nullable(),
  /** What whoever asks has said of it. */
  feedback: z.enum(VERDICTS).nullable(),
});
export type InsightView = z.output<typeof insightView>;

export const muteView = z.object({
  id: z.string(),
  what: z.enum(MUTED_THINGS),
  kind: z.enum(INSIGHT_KINDS).nullable(),
  subject: z.string().nullable(),
  /** In words: who muted what, or that it was called wrong too often. */
  reason: z.string(),
  made_at_ms: z.number(),
  /** In the year 9999 when it is for good. */
  until_ms: z.number(),
});
export type MuteView = z.output<typeof muteView>;

/** How many things were not told, by reason; the reasons are words for programs. */
const reasons = z.record(z.string(), z.number());
export const statusView = z.object({
  state: z.enum(['waiting', 'running']),
  next_at_ms: z.number().nullable(),
  last: z
    .object({
      started_at_ms: z.number(),
      ended_at_ms: z.number(),
      expressions: z.number(),
      series: z.number(),
      /** Hypotheses that were tested together. */
      tests: z.number(),
      found: z.number(),
      opened: z.number(),
      ended: z.number(),
      /** Series, tests and findings that led to nothing, by why. */
      refused: reasons,
      /** Expressions that a later run examines: the time of this one was over. */
      left: z.number(),
    })
    .nullable(),
});
export type StatusView = z.output<typeof statusView>;

export const MAX_PAGE = 200;
export const listQuery = z.object({
  /** `open` leaves out what is muted. */
  status: z.enum(['open', 'all']).default('open'),
  kind: z.enum(INSIGHT_KINDS).optional(),
  limit: z.coerce.number().int().min(1).max(MAX_PAGE).default(50),
  cursor: z.string().optional(),
});
export type ListQuery = z.output<typeof listQuery>;
/** Open ones by rank; all of them newest first. */
export const listView = z.object({ items: z.array(insightView), next: z.string().nullable() });

export const feedbackBody = z.strictObject({ verdict: z.enum(VERDICTS).nullable(), note: plainText.max(2_000).optional() });
export const muteBody = z.strictObject({
  for: z.string().max(20).meta({ description: 'a length of time such as 7d, or forever' }),
  what: z.enum(MUTED_THINGS),
});
export type FeedbackBody = z.output<typeof feedbackBody>;
export type MuteBody = z.output<typeof muteBody>;
