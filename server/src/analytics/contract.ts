/**
 * Analytics answers questions about numbers: trend, forecast, anomalies, seasons, relations, capacity, drift. The statistics are in
 * `packages/maths/src/stats`; here stand what may be asked, the words and limits of the answers, and the threads that find them.
 * Of watched series it keeps episodes and forecasts; it decides nothing about a service.
 */
import { METHODS } from '@nines/maths/stats/detectors.ts';
import { MAX_HORIZON } from '@nines/maths/stats/forecast.ts';
import { MAX_DEGREE } from '@nines/maths/stats/regression.ts';
import { z } from 'zod';

/** Points of one series, values of one column, and cells of one comparison. */
export const MAX_POINTS = 50_000;
export const MAX_CELLS = 400_000;
export const MAX_FEATURES = 500;
export const MAX_SERIES = 20;
export const MAX_LAG = 500;
/** Bodies with that many numbers, as long as JSON makes them. */
export const MAX_BODY_BYTES = 16 * 1024 * 1024;
/** Series that one query computes on. */
export const MAX_QUERY_SERIES = 50;

const value = z.number().nullable().meta({ description: 'null where there is no value' });
const points = z
  .array(z.tuple([z.number(), value]))
  .max(MAX_POINTS)
  .meta({ description: '[at_ms, value], Unix milliseconds' });
const numbers = z.array(z.number()).max(MAX_POINTS);
const level = z.number().gt(0.5).lt(1).default(0.95);
const method = z.enum(METHODS).default('seasonal');
const sensitivity = z.number().gt(0).lt(1).default(0.95);
const cell = z.union([z.number(), z.string(), z.boolean(), z.null()]);
const columns = z.record(z.string(), z.array(cell).max(MAX_CELLS));

export const regressionBody = z.strictObject({
  x: z
    .union([numbers, z.array(z.array(z.number()).max(50)).max(MAX_POINTS)])
    .meta({ description: 'one number per point, or one row of numbers per point' }),
  y: numbers,
  degree: z.number().int().min(1).max(MAX_DEGREE).default(1),
  level,
});
export const forecastBody = z.strictObject({ points, horizon: z.number().int().min(1).max(MAX_HORIZON).default(24), level });
export const anomaliesBody = z.strictObject({
  points,
  method,
  sensitivity,
  seed: z.number().int().default(1),
  unit: z.string().max(40).optional().meta({ description: 'of the values, such as seconds or bytes: reasons are told in it' }),
});
export const driftBody = z.strictObject({
  reference: columns,
  current: columns,
  importance: z.record(z.string(), z.number().min(0).max(1e9)).default({}),
  critical: z.array(z.string()).default([]),
});
export const seasonalityBody = z.strictObject({ points });
export const correlationBody = z.strictObject({
  series: z.record(z.string(), points).optional().meta({ description: 'two or more series by name; every pair is compared' }),
  x: z.union([numbers, points]).optional(),
  y: z.union([numbers, points]).optional(),
  max_lag: z.number().int().min(0).max(MAX_LAG).default(0),
});
export const capacityBody = z.strictObject({ points, limit: z.number(), side: z.enum(['above', 'below']).optional(), level });

export type RegressionBody = z.output<typeof regressionBody>;
export type ForecastBody = z.output<typeof forecastBody>;
export type AnomaliesBody = z.output<typeof anomaliesBody>;
export type DriftBody = z.output<typeof driftBody>;
export type SeasonalityBody = z.output<typeof seasonalityBody>;
export type CorrelationBody = z.output<typeof correlationBody>;
export type CapacityBody = z.output<typeof capacityBody>;

export const regressionView = z.object({
  coefficients: z.array(z.number()),
  standard_errors: z.array(z.number()),
  p_values: z.array(z.number()),
  half_widths: z.array(z.number()),
  level: z.number(),
  r2: z.number(),
  adjusted_r2: z.number(),
  residual_sd: z.number(),
  f: z.object({ statistic: z.number(), p: z.number() }),
  condition: z.number(),
  n: z.number(),
  dof: z.number(),
});

const seasonView = z.object({ name: z.string(), length: z.number(), strength: z.number() });
const foretold = z.object({ at_ms: z.number(), value: z.number(), lower: z.number(), upper: z.number() });
export const forecastView = z.object({
  points: z.array(foretold),
  level: z.number(),
  method: z.string(),
  season: z.number(),
  seasons: z.array(seasonView),
  backtest: z.object({
    mase: z.number(),
    naive_mase: z.number(),
    smape: z.number(),
    mape: z.number().nullable(),
    wape: z.number().nullable(),
    coverage: z.number(),
    origins: z.number(),
    beat_naive: z.number().meta({ description: 'tries that erred less than the seasonal naive forecast did' }),
    horizon: z.number(),
    latest: z.array(foretold).meta({ description: 'what it said from the last try on, beside which stand the newest values' }),
  }),
  notes: z.array(z.string()),
});

const episodeView = z.object({ from_at_ms: z.number(), to_at_ms: z.number(), score: z.number(), reason: z.string() });
export const anomaliesView = z.object({
  scores: z.array(z.number()),
  episodes: z.array(episodeView),
  method: z.enum(METHODS),
  sensitivity: z.number(),
  notes: z.array(z.string()),
});

export const driftView = z.object({
  drifted: z.boolean(),
  share: z.number(),
  features: z.record(
    z.string(),
    z.object({
      state: z.enum(['stable', 'drifted', 'insufficient']),
      kind: z.enum(['numeric', 'categorical']),
      p: z.number(),
      effect: z.number(),
      reason: z.string(),
      rows: z.object({ reference: z.number(), current: z.number() }),
      tests: z.object({
        ks: z.object({ statistic: z.number(), p: z.number(), method: z.enum(['exact', 'asymptotic']) }).optional(),
        psi: z.object({ value: z.number(), p: z.number(), bins: z.number() }).optional(),
        wasserstein: z.object({ value: z.number(), normalised: z.number() }).optional(),
        jensen_shannon: z.object({ distance: z.number(), base: z.literal(2), bins: z.number() }).optional(),
        chi_square: z.object({ statistic: z.number(), p: z.number(), dof: z.number(), cramer_v: z.number() }).optional(),
        missing: z.object({ reference: z.number(), current: z.number(), p: z.number() }).optional(),
      }),
    }),
  ),
});

export const seasonalityView = z.object({
  seasons: z.array(seasonView.extend({ length_ms: z.number(), foretold: z.number(), present: z.boolean(), profile: z.array(z.number()) })),
  points: z.array(z.object({ at_ms: z.number(), value: z.number(), trend: z.number(), season: z.number(), remainder: z.number() })),
  changes: z
    .array(z.object({ at_ms: z.number(), before: z.number(), after: z.number() }))
    .meta({ description: 'where the level changed, seasons taken out; at_ms is the first point of the new level' }),
  notes: z.array(z.string()),
});

export const correlationView = z.object({
  pairs: z.array(
    z.object({
      x: z.string(),
      y: z.string(),
      pearson: z.number(),
      spearman: z.number(),
      lag: z.number(),
      lag_ms: z.number().nullable(),
      effective: z.number(),
      n: z.number(),
      p: z.number(),
      significant: z.boolean(),
    }),
  ),
  refused: z.array(z.object({ x: z.string(), y: z.string(), reason: z.string(), message: z.string() })),
  notes: z.array(z.string()),
});

export const trendView = z.object({
  per_day: z.number(),
  lower: z.number(),
  upper: z.number(),
  level: z.number(),
  p: z.number(),
  direction: z.enum(['rising', 'falling', 'none']),
  now: z.number().meta({ description: 'where the line stands at the last point, seasons taken out' }),
  n: z.number(),
});
export const capacityView = z.object({
  state: z.enum(['approaching', 'reached', 'no_trend', 'too_far']),
  days: z.object({ expected: z.number(), earliest: z.number(), latest: z.number().nullable() }).nullable(),
  reached_at_ms: z.number().nullable(),
  reason: z.string(),
  trend: trendView,
  leak: z.object({ leaking: z.boolean(), per_day: z.number(), p: z.number(), reason: z.string() }).nullable(),
  notes: z.array(z.string()),
});

export type { WatchSpec } from './config.ts';

/** One resource or watched series, and when it is used up. */
export const capacityRowView = z.object({
  name: z.string().meta({ description: 'for people: disk /var of db1' }),
  expr: z.string(),
  labels: z.record(z.string(), z.string()),
  unit: z.string(),
  value: z.number().nullable(),
  limit: z.number().nullable().meta({ description: 'null of what has none: its growth is shown all the same' }),
  side: z.enum(['above', 'below']),
  state: z.enum(['grows', 'steady', 'shrinks', 'unclear', 'refused']),
  per_day: z.number().nullable(),
  days: z.number().nullable().meta({ description: 'until the limit; 0 when it is crossed, null when nothing tells that it will be' }),
  days_lower: z.number().nullable(),
  days_upper: z.number().nullable().meta({ description: 'null when it may never be reached' }),
  confidence: z.object({ value: z.number().meta({ description: '0..1: 1 - p of the slope' }), words: z.string() }).nullable(),
  method: z.string(),
  leak: z
    .object({
      state: z.enum(['leaks', 'none', 'refused']),
      since_at_ms: z.number().nullable(),
      p: z.number().nullable(),
      reason: z.string(),
    })
    .nullable(),
  right_size: z
    .object({
      advice: z.enum(['enough', 'too_small', 'too_big']),
      p95: z.number(),
      peak: z.number(),
      suggested: z.number(),
      saves: z.number(),
      reason: z.string(),
    })
    .nullable(),
  reason: z.string(),
  points: z.array(z.tuple([z.number(), z.number()])).meta({ description: 'what it was found from, thinned, for a small picture' }),
});
export type CapacityRow = z.output<typeof capacityRowView>;
export const capacityTableView = z.object({
  items: z.array(capacityRowView).meta({ description: 'the most urgent first' }),
  generated_at_ms: z.number(),
  window_ms: z.number(),
  notes: z.array(z.string()),
});
export type CapacityTable = z.output<typeof capacityTableView>;

/** Unusual values of one watched series. */
export const episodeOfWatchView = z.object({
  id: z.string(),
  name: z.string().meta({ description: 'of the watch' }),
  labels: z.record(z.string(), z.string()),
  from_at_ms: z.number(),
  to_at_ms: z.number().meta({ description: 'of the last unusual value so far' }),
  peak_at_ms: z.number(),
  score: z.number(),
  reason: z.string(),
  open: z.boolean().meta({ description: 'whether it goes on: no 60 usual values have come since' }),
});
export type EpisodeView = z.output<typeof episodeOfWatchView>;
const MAX_EPISODES_SHOWN = 1_000;
const instant = z.coerce.number().int().min(0).optional();
export const episodesQuery = z.object({
  name: z.string().max(100).optional(),
  from: instant.meta({ description: 'Unix milliseconds; seven days before `to` without it' }),
  to: instant.meta({ description: 'Unix milliseconds; now without it' }),
  limit: z.coerce.number().int().min(1).max(MAX_EPISODES_SHOWN).default(200),
});
export type EpisodesQuery = z.output<typeof episodesQuery>;

export const watchView = z.object({
  name: z.string(),
  expr: z.string(),
  unit: z.string(),
  limit: z.number().nullable(),
  side: z.enum(['above', 'below']),
  anomalies: z.object({ method: z.enum(METHODS), sensitivity: z.number(), series: z.number(), learning: z.boolean() }).nullable(),
  forecasts: z.array(
    z.object({
      labels: z.record(z.string(), z.string()),
      horizon_ms: z.number(),
      made_at_ms: z.number(),
      method: z.string().nullable(),
      mase: z.number().nullable(),
      naive_mase: z.number().nullable(),
      coverage: z.number().nullable(),
      points: z.array(z.array(z.number())).meta({ description: '[at_ms, value, lower, upper]' }),
      refused: z.string().nullable().meta({ description: 'why there is none' }),
    }),
  ),
});
export type WatchView = z.output<typeof watchView>;

const factor = z.number().gt(0).max(1_000);
export const loadBody = z.strictObject({
  points: z
    .array(z.tuple([z.number(), z.number()]))
    .max(MAX_POINTS)
    .meta({ description: '[concurrency, throughput per second], in the order of time' }),
  what_if: z.strictObject({ factor: factor.default(2) }).prefault({}),
  level,
});
export const loadImportBody = z.strictObject({
  text: z.string().meta({ description: 'summaries of k6 (JSON), its CSV, or a JTL of JMeter as CSV' }),
  what_if: z.strictObject({ factor: factor.default(2) }).prefault({}),
  level,
});
export const loadQuery = z.object({
  throughput: z.string().min(1).max(4_096).meta({ description: 'PromQL of one series: requests per second' }),
  concurrency: z.string().min(1).max(4_096).meta({ description: 'PromQL of one series: requests, users or connections under way' }),
  window: z.string().default('24h'),
  factor: z.coerce.number().gt(0).max(1_000).default(2),
});
export type LoadQuery = z.output<typeof loadQuery>;

const parameter = z.object({ value: z.number(), standard_error: z.number() });
const interval = z.object({ value: z.number(), lower: z.number(), upper: z.number() });
export const loadView = z.object({
  parameters: z.object({
    gamma: parameter.meta({ description: 'throughput of one' }),
    alpha: parameter.meta({ description: 'share of the work that waits for the rest' }),
    beta: parameter.meta({ description: 'cost of each pair keeping in step' }),
  }),
  r2: z.number(),
  scatter: z.number().meta({ description: 'distance of single measurements from the law, as a share' }),
  n: z.number(),
  peak: z
    .object({
      concurrency: z.number(),
      throughput: z.number(),
      seen: z.boolean().meta({ description: 'whether load that high was measured' }),
    })
    .nullable(),
  range: z.object({ least: z.number(), most: z.number() }),
  what_if: z.object({
    factor: z.number(),
    state: z.enum(['served', 'extrapolated', 'beyond_peak', 'too_far']),
    now: z.object({ concurrency: z.number(), throughput: z.number(), latency: z.number() }),
    target_throughput: z.number(),
    concurrency: z.number().nullable(),
    throughput: interval.nullable(),
    latency: interval.nullable().meta({ description: 'seconds that each request stays, by Little’s law' }),
    reason: z.string(),
  }),
  curve: z.array(z.object({ concurrency: z.number(), throughput: z.number(), lower: z.number(), upper: z.number(), latency: z.number() })),
  points: z.array(z.tuple([z.number(), z.number()])),
  notes: z.array(z.string()),
});
export type LoadView = z.output<typeof loadView>;
export const loadImportView = loadView.extend({ source: z.string(), errors: z.number() });

/** Why a part of an answer is missing. */
const refusedView = z.object({ reason: z.string(), message: z.string() });

/** Stable codes of the refusals of load tests. */
export const LOAD_TEST_CODES = {
  notAllowed: 'load_test_not_allowed',
  unfit: 'load_test_unfit',
  running: 'load_test_running',
  none: 'load_test_not_found',
} as const;
const MAX_STEPS = 30;
const LEAST_SECONDS = 2;
const concurrency = z.number().int().min(1).max(1_000);
export const loadTestBody = z.strictObject({
  check: z.string().min(1).max(200),
  steps: z.array(concurrency).min(1).max(MAX_STEPS).meta({ description: 'how many ask at the same time, step by step' }),
  seconds: z.number().int().min(LEAST_SECONDS).max(600).meta({ description: 'of each step' }),
});
export type LoadTestBody = z.output<typeof loadTestBody>;
export const loadTestQuery = z.object({ check: z.string().max(200).optional() });
const counts = z.record(z.string(), z.number());
const loadTestStepView = z.object({
  concurrency: z.number().meta({ description: 'how many asked at the same time' }),
  seconds: z.number(),
  requests: z.number(),
  errors: z.number().meta({ description: 'without an answer, or with a status that the check does not expect' }),
  throughput: z.number().meta({ description: 'good answers a second' }),
  under_way: z
    .number()
    .meta({ description: 'requests under way, on average: fewer than asked at the same time when max_rps held them back' }),
  latency: z
    .object({ mean: z.number(), median: z.number(), p95: z.number(), max: z.number() })
    .nullable()
    .meta({ description: 'seconds, of good answers' }),
  statuses: counts,
  failures: counts.meta({ description: 'timeout, connection, too_large, refused_address' }),
  held_back: z.number().meta({ description: 'requests that waited for max_rps' }),
});
export type LoadTestStep = z.output<typeof loadTestStepView>;
export const loadTestView = z.object({
  id: z.string(),
  check: z.string(),
  service: z.string(),
  state: z.enum(['running', 'done', 'stopped', 'aborted']).meta({ description: 'stopped: by what it saw; aborted: by people' }),
  reason: z.string().nullable(),
  by: z.string(),
  asked: loadTestBody.pick({ steps: true, seconds: true }),
  started_at_ms: z.number(),
  ended_at_ms: z.number().nullable(),
  requests: z.number(),
  steps: z.array(loadTestStepView),
  points: z
    .array(z.tuple([z.number(), z.number()]))
    .meta({ description: '[concurrency, throughput per second], as POST /api/analytics/load takes' }),
  load: z.union([loadView, refusedView]).nullable().meta({ description: 'what it says of twice the load; null until it has ended' }),
});
export type LoadTestView = z.output<typeof loadTestView>;
export const loadTestsView = z.object({
  running: loadTestView.nullable(),
  items: z.array(loadTestView).meta({ description: 'the latest of each check, newest first' }),
});
export const queryParams = z.object({
  pattern: z
    .string()
    .min(1)
    .max(4_096)
    .meta({ description: 'a metric or dotted name, a glob over them such as system.*, or a PromQL expression' }),
  window: z.string().default('24h').meta({ description: 'how far back, such as 24h or 7d' }),
  step: z.string().optional().meta({ description: 'distance of the points; chosen by the window without it' }),
  anomalies: z.enum(['true', 'false']).default('false'),
  forecast: z.string().optional().meta({ description: 'how far ahead, such as 7d' }),
  level: z.coerce.number().gt(0.5).lt(1).default(0.95).meta({ description: 'of the interval of forecasts' }),
  counter: z
    .enum(['auto', 'rate', 'raw'])
    .default('auto')
    .meta({ description: 'auto: what is a counter by its type or name is read as its rate; rate: every metric is; raw: none' }),
  method,
  sensitivity: z.coerce.number().gt(0).lt(1).default(0.95),
});
export const queryView = z.object({
  pattern: z.string(),
  from_at_ms: z.number(),
  to_at_ms: z.number(),
  step_ms: z.number(),
  series: z.array(
    z.object({
      name: z.string(),
      expr: z.string(),
      labels: z.record(z.string(), z.string()),
      points: z.array(z.tuple([z.number(), z.number()])),
      summary: z.object({
        count: z.number(),
        missing: z.number(),
        min: z.number(),
        max: z.number(),
        mean: z.number(),
        median: z.number(),
        p95: z.number(),
        last: z.number(),
      }),
      trend: z.union([trendView, refusedView]),
      anomalies: z.union([anomaliesView, refusedView]).optional(),
      forecast: z.union([forecastView, refusedView]).optional(),
    }),
  ),
  notes: z.array(z.string()),
});
export type QueryParams = z.output<typeof queryParams>;
export type QueryView = z.output<typeof queryView>;
