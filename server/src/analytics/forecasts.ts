import type { Clock } from '@nines/base/clock.ts';
import { AppError, messageOf } from '@nines/base/errors.ts';
import type { Logger } from '@nines/base/logger.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '@nines/base/units.ts';
import { parseExpr } from '@nines/promql/parse.ts';
import { unwrap } from '@nines/promql/ast.ts';
import { LARGEST } from '@nines/maths/stats/numbers.ts';
import { METRIC_NAME, labelsOf, labelsToRecord, withLabels } from '@nines/model/labels.ts';
import type { Kysely } from 'kysely';
import type { Ingest, SampleQuery, SelfMetrics } from '../collect/contract.ts';
import type { Database } from '../platform/db/schema.ts';
import type { WatchSpec } from './contract.ts';
import type { AskAnalytics } from './start.ts';
import { type StoredForecast, dropForecast, loadForecasts, replaceForecasts } from './store.ts';
import { FORECAST, storedLabels } from './stored-names.ts';

/** Series of one watch that are forecast. */
const MAX_SERIES = 100;
/** Steps that a forecast has at most, and those of the past it is made from. */
const MOST_STEPS = 168;
const PAST_STEPS = 1_500;
const STEPS_MS = [5 * MINUTE_MS, 15 * MINUTE_MS, HOUR_MS, 6 * HOUR_MS, DAY_MS, 3 * DAY_MS];
const LEVEL = 0.95;
/** How often what is forecast for `horizon` from now is stored. */
const WRITE_EVERY_MS = MINUTE_MS;
/** After a failure it is tried again no sooner. */
const RETRY_MS = 5 * MINUTE_MS;

export type ForecastsDeps = {
  readonly ask: AskAnalytics;
  readonly samples: SampleQuery;
  readonly ingest: Ingest;
  readonly isCounter: (metric: string) => boolean;
  readonly sql: Kysely<Database>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: SelfMetrics;
};

type Job = { readonly spec: WatchSpec; readonly horizonMs: number; readonly everyMs: number };
const keyOf = (watch: string, horizonMs: number): string => `${watch}\u0000${horizonMs}`;

/**
 * Forecasts of watched series: made in threads at their interval, kept in the state database, and stored as series every minute: a
 * sample of `forecast{horizon="7d"}` at an instant is what was said at that instant of seven days later.
 */
export class Forecasts {
  readonly #deps: ForecastsDeps;
  readonly #kept = new Map<string, readonly StoredForecast[]>();
  readonly #notBefore = new Map<string, number>();
  readonly #made;
  #jobs: readonly Job[] = [];
  #writtenMs = Number.NEGATIVE_INFINITY;

  constructor(deps: ForecastsDeps) {
    this.#deps = deps;
    this.#made = deps.metrics.counter('nines_analytics_forecasts_total', 'Forecasts of watched series, by outcome.');
  }

  async load(): Promise<void> {
    for (const one of await loadForecasts(this.#deps.sql)) {
      const key = keyOf(one.watch, one.horizonMs);
      this.#kept.set(key, [...(this.#kept.get(key) ?? []), one]);
    }
  }

  async configure(watches: readonly WatchSpec[]): Promise<void> {
    this.#jobs = watches.flatMap((spec) => {
      const { forecast } = spec;
      return forecast === false ? [] : forecast.horizon.map((horizonMs): Job => ({ spec, horizonMs, everyMs: forecast.every }));
    });
    const wanted = new Set(this.#jobs.map(({ spec, horizonMs }) => keyOf(spec.name, horizonMs)));
    for (const [key, [one]] of this.#kept) {
      if (wanted.has(key)) continue;
      this.#kept.delete(key);
      if (one !== undefined) await dropForecast(this.#deps.sql, one);
    }
  }

  /** Those of a watch, by horizon and series. */
  of(name: string): readonly StoredForecast[] {
    return this.#jobs.filter(({ spec }) => spec.name === name).flatMap(({ horizonMs }) => this.#kept.get(keyOf(name, horizonMs)) ?? []);
  }

  async step(nowMs: number): Promise<void> {
    for (const job of this.#jobs) if (this.#isDue(job, nowMs)) await this.#make(job, nowMs);
    if (nowMs - this.#writtenMs >= WRITE_EVERY_MS) await this.#write(nowMs);
  }

  #isDue({ spec, horizonMs, everyMs }: Job, nowMs: number): boolean {
    const key = keyOf(spec.name, horizonMs);
    const [last] = this.#kept.get(key) ?? [];
    return nowMs >= (this.#notBefore.get(key) ?? 0) && (last === undefined || nowMs - last.madeAtMs >= everyMs);
  }

  async #make(job: Job, nowMs: number): Promise<void> {
    const { spec, horizonMs } = job;
    const key = keyOf(spec.name, horizonMs);
    this.#notBefore.set(key, nowMs + RETRY_MS);
    try {
      const made = await this.#forecast(job, nowMs);
      await replaceForecasts(this.#deps.sql, { watch: spec.name, horizonMs }, made);
      this.#kept.set(key, made);
      this.#writtenMs = Number.NEGATIVE_INFINITY;
    } catch (thrown) {
      this.#deps.logger.warn('a forecast was not made', { watch: spec.name, error: messageOf(thrown) });
    }
  }

  async #forecast({ spec, horizonMs }: Job, nowMs: number): Promise<readonly StoredForecast[]> {
    const stepMs = STEPS_MS.find((step) => horizonMs / step <= MOST_STEPS) ?? Math.ceil(horizonMs / MOST_STEPS);
    const toMs = Math.floor(nowMs / stepMs) * stepMs;
    const span = { fromMs: toMs - PAST_STEPS * stepMs, toMs, stepMs };
    const found = await this.#deps.samples.range(this.#exprOf(spec.expr, stepMs), span, { wholeSteps: true });
    const made: StoredForecast[] = [];
    for (const { labels, times, values } of found.slice(0, MAX_SERIES)) {
      const own = labelsToRecord(withLabels(labels, { [METRIC_NAME]: '' }));
      const points = Array.from(times, (atMs, i): [number, number] => [atMs, values[i] ?? Number.NaN]).filter(
        ([, value]) => Math.abs(value) <= LARGEST,
      );
      const horizon = Math.ceil(horizonMs / stepMs) + 1;
      made.push({ watch: spec.name, horizonMs, labels: own, madeAtMs: nowMs, body: await this.#bodyOf(points, horizon) });
    }
    return made;
  }

  async #bodyOf(points: [number, number][], horizon: number): Promise<StoredForecast['body']> {
    try {
      const told = await this.#deps.ask('forecast', { points, horizon, level: LEVEL });
      this.#made.add(1, { outcome: 'made' });
      const { mase, naive_mase: naiveMase, coverage } = told.backtest;
      const curve = told.points.map(({ at_ms: atMs, value, lower, upper }) => [atMs, value, lower, upper] as const);
      return { kind: 'made', points: curve, method: told.method, mase, naiveMase, coverage };
    } catch (thrown) {
      if (!(thrown instanceof AppError) || thrown.code !== 'unprocessable') throw thrown;
      this.#made.add(1, { outcome: 'refused' });
      return { kind: 'refused', reason: thrown.message };
    }
  }

  /** Of a counter, its rate. */
  #exprOf(expr: string, stepMs: number): string {
    const parsed = parseExpr(expr);
    const root = parsed.ok ? unwrap(parsed.value) : undefined;
    const isCounted = root?.kind === 'selector' && root.name !== undefined && this.#deps.isCounter(root.name);
    return isCounted && root.offset === undefined && root.at === undefined ? `rate(${expr.trim()}[${2 * stepMs}ms])` : expr;
  }

  async #write(nowMs: number): Promise<void> {
    this.#writtenMs = nowMs;
    const samples = this.#jobs.flatMap(({ spec, horizonMs }) =>
      (this.#kept.get(keyOf(spec.name, horizonMs)) ?? []).flatMap(({ labels, body }) => {
        const told = body.kind === 'made' ? toldAt(body.points, nowMs + horizonMs) : undefined;
        const stored = (metric: string, value: number) => ({
          labels: storedLabels(metric, labelsOf(labels), { name: spec.name, horizonMs }),
          atMs: nowMs,
          value,
        });
        return told === undefined
          ? []
          : [stored(FORECAST.value, told.value), stored(FORECAST.lower, told.lower), stored(FORECAST.upper, told.upper)];
      }),
    );
    if (samples.length > 0) await this.#deps.ingest.appendSamples(samples);
  }
}

/**
 * What a forecast says of an instant, in a straight line between its points. Beyond its end, where a forecast that is not made anew comes
 * to, and long before its beginning it says nothing of it: the last point serves for one step more.
 */
export function toldAt(
  points: readonly (readonly [atMs: number, value: number, lower: number, upper: number])[],
  atMs: number,
): { readonly value: number; readonly lower: number; readonly upper: number } | undefined {
  const after = points.findIndex(([pointMs]) => pointMs >= atMs);
  const stepMs = (points[1]?.[0] ?? 0) - (points[0]?.[0] ?? 0);
  const last = points.at(-1);
  if (after < 0 && (last === undefined || atMs - last[0] > Math.max(stepMs, HOUR_MS))) return undefined;
  const [right, left] = after < 0 ? [last, last] : [points[after], points[after - 1] ?? points[after]];
  if (right === undefined || left === undefined) return undefined;
  const share = right[0] === left[0] ? 0 : (atMs - left[0]) / (right[0] - left[0]);
  const between = (k: 1 | 2 | 3): number => left[k] + (right[k] - left[k]) * share;
  return { value: between(1), lower: between(2), upper: between(3) };
}
