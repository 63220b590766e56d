import { MINUTE_MS } from '@nines/base/units.ts';
import { type Labels, METRIC_NAME, labelValue } from '@nines/model/labels.ts';
import { LIMIT_NAMES, type LimitName, type LimitRefusal, type SeriesLimits, judgeNewSeries } from './limits.ts';
import type { SeriesIndex } from './series-index.ts';

/** Minutes that new series are remembered for. */
export const REMEMBERED_MINUTES = 60;
/** Metrics whose new series are counted one by one in a minute; those of further ones only count for the store. */
const MAX_METRICS_PER_MINUTE = 2_000;
/** Metrics whose refusals are counted one by one. */
const MAX_REFUSED_METRICS = 1_000;

type Minute = { number: number; total: number; readonly byMetric: Map<string, number> };
export type NewSeries = { readonly inMinute: number; readonly inHour: number };

/** How many series came in each of the last sixty minutes of the clock, and for which metrics. */
export class NewSeriesBook {
  readonly #minutes: Minute[] = Array.from({ length: REMEMBERED_MINUTES }, () => ({ number: -1, total: 0, byMetric: new Map() }));

  /** All that ever came. */
  total = 0;

  take(metric: string, nowMs: number): void {
    this.total++;
    const number = Math.floor(nowMs / MINUTE_MS);
    const minute = this.#minutes[number % REMEMBERED_MINUTES];
    if (minute === undefined) return;
    if (minute.number !== number) {
      minute.number = number;
      minute.total = 0;
      minute.byMetric.clear();
    }
    minute.total++;
    const known = minute.byMetric.get(metric);
    if (known !== undefined || minute.byMetric.size < MAX_METRICS_PER_MINUTE) minute.byMetric.set(metric, (known ?? 0) + 1);
  }

  inMinute(nowMs: number): number {
    return this.#minute(nowMs)?.total ?? 0;
  }

  ofMetricInMinute(metric: string, nowMs: number): number {
    return this.#minute(nowMs)?.byMetric.get(metric) ?? 0;
  }

  inHour(nowMs: number): number {
    return this.#hour(nowMs).reduce((sum, { total }) => sum + total, 0);
  }

  ofMetric(metric: string, nowMs: number): NewSeries {
    const inHour = this.#hour(nowMs).reduce((sum, { byMetric }) => sum + (byMetric.get(metric) ?? 0), 0);
    return { inMinute: this.ofMetricInMinute(metric, nowMs), inHour };
  }

  #minute(nowMs: number): Minute | undefined {
    const number = Math.floor(nowMs / MINUTE_MS);
    const minute = this.#minutes[number % REMEMBERED_MINUTES];
    return minute?.number === number ? minute : undefined;
  }

  #hour(nowMs: number): readonly Minute[] {
    const number = Math.floor(nowMs / MINUTE_MS);
    return this.#minutes.filter((minute) => minute.number > number - REMEMBERED_MINUTES && minute.number <= number);
  }
}

export type Refusals = {
  /** Samples refused since the store was opened, by the limit that refused them. */
  readonly samples: Readonly<Record<LimitName, number>>;
  readonly last: { readonly atMs: number; readonly refusal: LimitRefusal } | undefined;
};

/** Stands before new series: judges each, counts those that came in and those that did not. */
export class SeriesGate {
  readonly #index: SeriesIndex;
  readonly #limits: () => SeriesLimits;
  readonly #refused = Object.fromEntries(LIMIT_NAMES.map((name) => [name, 0])) as Record<LimitName, number>;
  readonly #refusedByMetric = new Map<string, number>();
  readonly added = new NewSeriesBook();
  #last: Refusals['last'];

  constructor(index: SeriesIndex, limits: () => SeriesLimits) {
    this.#index = index;
    this.#limits = limits;
  }

  get limits(): SeriesLimits {
    return this.#limits();
  }

  get refusals(): Refusals {
    return { samples: { ...this.#refused }, last: this.#last };
  }

  refusedOf(metric: string): number {
    return this.#refusedByMetric.get(metric) ?? 0;
  }

  /** Lets a series in that the index does not hold, and then counts it as new; or says why not, for so many `samples`. */
  admit(labels: Labels, samples: number, nowMs: number): LimitRefusal | undefined {
    const metric = labelValue(labels, METRIC_NAME);
    const use = {
      series: this.#index.size,
      seriesOfMetric: this.#index.count(METRIC_NAME, metric),
      newInMinute: this.added.inMinute(nowMs),
      newOfMetricInMinute: this.added.ofMetricInMinute(metric, nowMs),
    };
    const refusal = judgeNewSeries(labels, use, this.#limits());
    if (refusal === undefined) this.added.take(metric, nowMs);
    else this.#count(refusal, samples, nowMs);
    return refusal;
  }

  /** The same for a series of a backfill: someone brings it on purpose, so the limits on new series per minute do not hold for it. */
  admitOld(labels: Labels, samples: number, nowMs: number): LimitRefusal | undefined {
    const seriesOfMetric = this.#index.count(METRIC_NAME, labelValue(labels, METRIC_NAME));
    const use = { series: this.#index.size, seriesOfMetric, newInMinute: 0, newOfMetricInMinute: 0 };
    const refusal = judgeNewSeries(labels, use, this.#limits());
    if (refusal !== undefined) this.#count(refusal, samples, nowMs);
    return refusal;
  }

  #count(refusal: LimitRefusal, samples: number, nowMs: number): void {
    this.#refused[refusal.limit] += samples;
    this.#last = { atMs: nowMs, refusal };
    const known = this.#refusedByMetric.get(refusal.metric);
    if (known !== undefined || this.#refusedByMetric.size < MAX_REFUSED_METRICS)
      this.#refusedByMetric.set(refusal.metric, (known ?? 0) + samples);
  }
}
