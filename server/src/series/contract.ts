/**
 * Series answers which series there are, holds them to their limits and removes them for good on an administrator's word.
 * The store counts and judges; here stand the settings, the words, and the record of who removed what.
 * Never removes by itself (retention is the store's upkeep) and never all series unless that was said explicitly.
 */
import { REFUSAL_MEMORY_MS, limitsConfig } from './limits.ts';
import { z } from 'zod';

export { REFUSAL_MEMORY_MS, limitsConfig };

const limitView = z.object({
  /** As in the configuration: `series_per_metric`. */
  name: z.string(),
  setting: z.string(),
  /** Null when there is none. */
  limit: z.number().nullable(),
  /** What stands against it now: for limits per metric that of the largest one, null for limits of labels. */
  used: z.number().nullable(),
  /** Samples refused by it since the server started. */
  refused_samples: z.number(),
});
export type LimitView = z.output<typeof limitView>;

const metricView = z.object({
  name: z.string(),
  series: z.number(),
  /** In this minute of the clock and in the last sixty. */
  new_in_minute: z.number(),
  new_in_hour: z.number(),
  refused_samples: z.number(),
});
export type MetricView = z.output<typeof metricView>;

/** `GET /api/cardinality`. */
export const cardinalityView = z.object({
  series: z.number(),
  new_in_minute: z.number(),
  new_in_hour: z.number(),
  limits: z.array(limitView),
  last_refusal: z.object({ at_ms: z.number(), setting: z.string(), metric: z.string(), detail: z.string() }).nullable(),
  /** The largest first. */
  metrics: z.array(metricView),
});
export type CardinalityView = z.output<typeof cardinalityView>;

/** What a deletion removed, or would remove. */
export const deletionView = z.object({
  dry_run: z.boolean(),
  series: z.number(),
  samples: z.number(),
  /** False when counting stopped early: then there are at least so many. */
  complete: z.boolean(),
  from_ms: z.number().nullable(),
  to_ms: z.number().nullable(),
});
export type DeletionView = z.output<typeof deletionView>;
