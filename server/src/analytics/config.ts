import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, ms } from '@nines/base/units.ts';
import { DEFAULT_SENSITIVITY } from '@nines/maths/stats/anomaly.ts';
import { METHODS } from '@nines/maths/stats/detectors.ts';
import { typeOf } from '@nines/promql/check.ts';
import { parseExpr } from '@nines/promql/parse.ts';
import { unitOf } from '@nines/model/unit-of.ts';
import { z } from 'zod';
import { duration, plainText } from '../platform/config/fields.ts';

/** Expressions that are watched, at most. */
const MAX_WATCHES = 200;
const MAX_HORIZONS = 4;

const anomalies = z
  .union([
    z.literal(false),
    z.strictObject({
      method: z.enum(METHODS).default('seasonal'),
      /** Score from which a value is unusual, above 0 and below 1. */
      sensitivity: z.number().gt(0).lt(1).default(DEFAULT_SENSITIVITY),
    }),
  ])
  .prefault({});

const horizon = duration({ minMs: MINUTE_MS, maxMs: 366 * DAY_MS });
const forecast = z
  .union([
    z.literal(false),
    z.strictObject({
      /** How far ahead, one or several: each is a series of its own. */
      horizon: z.union([horizon.transform((one) => [one]), z.array(horizon).min(1).max(MAX_HORIZONS)]).prefault('7d'),
      /** How often it is made anew. */
      every: duration({ minMs: 5 * MINUTE_MS, maxMs: 7 * DAY_MS }).default(ms(HOUR_MS)),
    }),
  ])
  .prefault({});

const written = z.strictObject({
  /** What people call it, and the label `name` of what is stored of it. */
  name: plainText.min(1).max(100),
  /** PromQL. A plain selector is looked at as its samples arrive, anything else at `interval`. */
  expr: z
    .string()
    .min(1)
    .max(4_096)
    .superRefine((expr, context) => {
      const parsed = parseExpr(expr);
      const type = parsed.ok ? typeOf(parsed.value) : undefined;
      if (!parsed.ok) context.addIssue({ code: 'custom', message: parsed.error.message });
      else if (type !== 'vector' && type !== 'scalar')
        context.addIssue({ code: 'custom', message: `gives a ${type}, write what gives a value at every instant` });
    }),
  /** `percent`, `ratio`, `bytes`, `bytes_per_second`, `seconds`, `celsius`, `count`, or any other word; else what the name of the metric says. */
  unit: plainText.max(20).optional(),
  /** What it must not cross. */
  limit: z.number().optional(),
  /** On which side of `limit` it must not be. */
  side: z.enum(['above', 'below']).default('above'),
  /** Of expressions that are no plain selector. */
  interval: duration({ minMs: SECOND_MS, maxMs: HOUR_MS }).default(ms(MINUTE_MS)),
  anomalies,
  forecast,
});
const watch = written.transform((one) => ({ ...one, unit: one.unit ?? unitOf(one.expr) ?? 'count' }));
export type WatchSpec = z.output<typeof watch>;

/** Which checks may be load-tested, and how hard; nothing is, without. */
const loadTest = z.strictObject({
  /** Ids of checks of kind http that send GET or HEAD. */
  checks: z.array(z.string().min(1).max(200)).min(1).max(MAX_WATCHES),
  /** Requests that may begin in a second. */
  max_rps: z.number().gt(0).max(500).default(50),
  /** Of all steps of a test together. */
  max_seconds: z.number().int().min(2).max(600).default(120),
  /** Requests under way at the same time. */
  max_concurrency: z.number().int().min(1).max(200).default(20),
  /** Share of the last requests that may fail before the test stops. */
  max_errors: z.number().min(0).max(0.5).default(0.1),
  /** Half of the last requests may take longer before it stops. */
  max_latency: duration({ minMs: 1, maxMs: MINUTE_MS }).default(ms(2 * SECOND_MS)),
});
export type LoadTestConfig = z.output<typeof loadTest>;

/** The section `analytics`. */
export const analyticsConfig = z
  .strictObject({
    watch: z
      .array(watch)
      .max(MAX_WATCHES)
      .default([])
      .superRefine((watches, context) => {
        const seen = new Set<string>();
        watches.forEach(({ name }, index) => {
          if (seen.has(name)) context.addIssue({ code: 'custom', message: `the name "${name}" is used twice`, path: [index, 'name'] });
          seen.add(name);
        });
      }),
    load_test: loadTest.optional(),
  })
  .prefault({});
export type AnalyticsConfig = z.output<typeof analyticsConfig>;
