/**
 * What users tell by themselves under the names of docs/metrics.md ("Told by you"): a business, its customers, what they use, what is turned
 * away, what is automated, and models in operation. Made of the instant alone, so that two runs tell the same.
 */
type Labels = Readonly<Record<string, string>>;
export type ToldSeries = { readonly metric: Labels; readonly at: (atMs: number) => number };

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** More by day: 0.25 to 1. */
const busy = (atMs: number): number => 0.25 + 0.75 * Math.max(0, Math.sin((((atMs / HOUR_MS) % 24) / 24) * Math.PI)) ** 2;
/** Between -1 and 1, another for each seed. */
const wave = (atMs: number, seed: number): number => Math.sin(atMs / (DAY_MS / (2 + (seed % 5))) + seed * 1.7);

/** A counter that goes on by `perSecond`, a little more or less by the day. */
const counter =
  (perSecond: number, seed: number): ToldSeries['at'] =>
  (atMs) =>
    perSecond * ((atMs - START_MS) / 1_000 + (DAY_MS / 1_000 / 10) * wave(atMs, seed));
/** Counters began here: before all that is told. */
const START_MS = Date.UTC(2026, 0, 1);

const named = (name: string, at: ToldSeries['at'], labels: Labels = {}): ToldSeries => ({
  metric: { __name__: name, job: 'told', ...labels },
  at,
});

const FEATURES = ['search', 'wish list', 'reviews', 'gift cards'] as const;
const BOUNDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5] as const;

function business(): readonly ToldSeries[] {
  return [
    named('business_revenue_total', counter(0.82, 1)),
    named('business_costs_total', counter(0.61, 2)),
    named('business_customers', (atMs) => Math.round(18_400 + (atMs - START_MS) / HOUR_MS / 2)),
    named('business_customers_won_total', counter(0.0009, 3)),
    named('business_customers_lost_total', counter(0.0003, 4)),
    named('business_satisfaction_ratio', (atMs) => 0.91 + 0.02 * wave(atMs, 5)),
    named('business_market_share_ratio', (atMs) => 0.137 + 0.002 * wave(atMs, 6)),
    named('automation_runs_total', counter(0.011, 7), { automation: 'restocking', outcome: 'success' }),
    named('automation_runs_total', counter(0.0002, 8), { automation: 'restocking', outcome: 'failure' }),
    named('security_threats_blocked_total', counter(0.02, 9), { by: 'filter' }),
  ];
}

function engagement(): readonly ToldSeries[] {
  return [
    named('engagement_page_views_total', counter(42, 10)),
    named('engagement_sessions', (atMs) => Math.round(3_100 * busy(atMs))),
    ...FEATURES.map((feature, i) => named('engagement_feature_uses_total', counter(2.4 / (i + 1), 11 + i), { feature })),
  ];
}

function models(): readonly ToldSeries[] {
  return (['ranking', 'fraud'] as const).flatMap((model, i) => {
    const answers = counter(9 / (i + 1), 20 + i);
    const bucket = (le: string, share: number): ToldSeries =>
      named('model_inference_duration_seconds_bucket', (atMs) => share * answers(atMs), { model, le });
    return [
      named('model_accuracy_ratio', (atMs) => 0.93 - 0.03 * i + 0.01 * wave(atMs, 22 + i), { model }),
      ...(['price', 'country'] as const).map((feature, f) =>
        named('model_drift_score', (atMs) => 0.11 + 0.05 * i + 0.03 * f + 0.02 * wave(atMs, 24 + f), { model, feature }),
      ),
      named('model_inference_duration_seconds_count', answers, { model }),
      named('model_inference_duration_seconds_sum', (atMs) => 0.04 * answers(atMs), { model }),
      ...BOUNDS.map((bound) => bucket(String(bound), 1 - Math.exp(-bound / 0.04))),
      bucket('+Inf', 1),
      named('model_training_runs_total', counter(2 / 86_400, 26 + i), { model, outcome: 'success' }),
      named('model_training_runs_total', counter(0.1 / 86_400, 28 + i), { model, outcome: 'failure' }),
      named('model_last_trained_timestamp_seconds', (atMs) => Math.floor(atMs / DAY_MS) * 86_400 - 86_400 * (3 + 9 * i), { model }),
    ];
  });
}

/** What applications count of their answers. */
export function applicationSeries(job: string): readonly ToldSeries[] {
  const all = counter(12, 30);
  const of = (name: string, at: ToldSeries['at'], labels: Labels = {}): ToldSeries => ({ metric: { __name__: name, job, ...labels }, at });
  return [
    of('active_users', (atMs) => Math.round(900 * busy(atMs))),
    of('http_requests_total', (atMs) => 0.99 * all(atMs), { code: '200' }),
    of('http_requests_total', (atMs) => 0.01 * all(atMs), { code: '503' }),
    of('http_request_duration_seconds_count', all),
    of('http_request_duration_seconds_sum', (atMs) => 0.08 * all(atMs)),
  ];
}

/** Without those of applications, which tell of themselves. */
export const TOLD_SERIES: readonly ToldSeries[] = [...business(), ...engagement(), ...models()];

/** Lines as VictoriaMetrics exports them, at these instants (Unix ms, ascending). */
export const toldLines = (timestamps: readonly number[], series: readonly ToldSeries[] = TOLD_SERIES): string =>
  series.map(({ metric, at }) => JSON.stringify({ metric, values: timestamps.map(at), timestamps })).join('\n');
