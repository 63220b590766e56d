/** What the API says of alerts of the past: snapshots, earlier alerts, statistics. */
import { z } from 'zod';

const excerptSchema = z.object({
  /** What the figure is, in words or as a metric. */
  name: z.string(),
  /** The query behind it. */
  expr: z.string(),
  labels: z.record(z.string(), z.string()),
  from_at_ms: z.number(),
  step_ms: z.number(),
  /** One value each step; null where there was none. */
  values: z.array(z.number().nullable()),
});
export type Excerpt = z.output<typeof excerptSchema>;

const changeSchema = z.object({ at_ms: z.number(), kind: z.string(), text: z.string() });
export type Change = z.output<typeof changeSchema>;

const processSchema = z.object({ pid: z.number(), name: z.string(), cpu_ratio: z.number(), rss_bytes: z.number() });

export const snapshotSchema = z.object({
  taken_at_ms: z.number(),
  /** What the rule reads, where that is known. */
  series: z.array(excerptSchema),
  threshold: z.object({ op: z.string(), value: z.number() }).nullable(),
  /** Other figures of the same service, host or contract. */
  related: z.array(excerptSchema),
  /** What was changed in the hour before, newest first. */
  changes: z.array(changeSchema),
  /** Busiest processes of this machine, where the alert is about it. */
  processes: z.array(processSchema),
  runbook: z.string().nullable(),
});
export type SnapshotWire = z.output<typeof snapshotSchema>;

const counts = z.object({ info: z.number(), warning: z.number(), critical: z.number(), emergency: z.number() });
const lengthMs = z.number().nullable();
const ruleSchema = z.object({
  rule: z.string(),
  alertname: z.string(),
  fired: z.number(),
  per_week: z.number(),
  short_lived: z.number(),
  came_back: z.number(),
  acted_upon: z.number(),
  relevance: z.number(),
  median_length_ms: lengthMs,
  mtta_ms: lengthMs,
  mttr_ms: lengthMs,
  suggestions: z.array(z.object({ kind: z.string(), text: z.string(), spared: z.number() })),
});
export const statisticsAnswer = z.object({
  from_at_ms: z.number(),
  to_at_ms: z.number(),
  /** False when there were more alerts than are counted; then the latest are. */
  complete: z.boolean(),
  fired: z.number(),
  acted_upon: z.number(),
  relevance: z.number().nullable(),
  relevance_target: z.number(),
  mtta_ms: lengthMs,
  mttr_ms: lengthMs,
  by_severity: counts,
  by_source: z.array(z.object({ source: z.string(), fired: z.number() })),
  by_service: z.array(z.object({ service: z.string(), fired: z.number() })),
  step_ms: z.number(),
  by_time: z.array(counts.extend({ at_ms: z.number() })),
  rules: z.array(ruleSchema),
});
export type AlertStatisticsWire = z.output<typeof statisticsAnswer>;

export const pastAnswer = z.object({
  from_at_ms: z.number(),
  to_at_ms: z.number(),
  items: z.array(
    z.object({
      id: z.string(),
      from_at_ms: z.number(),
      to_at_ms: z.number().nullable(),
      severity: z.enum(['info', 'warning', 'critical', 'emergency']),
      acknowledged_at_ms: z.number().nullable(),
    }),
  ),
});
export type AlertPastWire = z.output<typeof pastAnswer>;
