import type { Labels } from '@nines/model/labels.ts';
import { bitsOf, isStale, setStale } from '@nines/model/stale.ts';
import type { Rolled, SeriesColumns, Statistic } from '@nines/model/storage.ts';
import { Columns } from '../codec/columns.ts';
import { histogramsOf } from '../series-reader.ts';
import { type BucketColumn, type Buckets, newBuckets, pushNumber } from './buckets.ts';

/** Puts the entries of one series together for a reader: buckets first, then samples as they came. Made for series that have buckets. */

type Shape = {
  /** What stands in `values`. */
  readonly value: BucketColumn;
  /** What is read besides. `count` stands at the times of last samples, by which buckets are cut. */
  readonly more: readonly BucketColumn[];
};
const SHAPES: Readonly<Record<Statistic, Shape>> = {
  newest: { value: 'last', more: ['ended'] },
  first: { value: 'first', more: ['last'] },
  last: { value: 'last', more: [] },
  min: { value: 'min', more: [] },
  max: { value: 'max', more: [] },
  sum: { value: 'sum', more: [] },
  count: { value: 'count', more: [] },
  avg: { value: 'sum', more: ['count'] },
  increase: { value: 'last', more: ['first', 'count', 'lost'] },
  other: { value: 'last', more: [] },
};

/** The columns of a rollup page that a statistic needs. */
export const columnsFor = (statistic: Statistic): readonly BucketColumn[] => [SHAPES[statistic].value, ...SHAPES[statistic].more];

export class RolledSeries {
  readonly #statistic: Statistic;
  readonly #columns: readonly BucketColumn[];
  readonly #out: Buckets = newBuckets();
  #resolutionMs = 0;
  #exact = true;
  /** The last instant that is told. */
  untilMs = Number.NEGATIVE_INFINITY;

  constructor(statistic: Statistic) {
    this.#statistic = statistic;
    this.#columns = columnsFor(statistic);
  }

  get hasBuckets(): boolean {
    return this.#resolutionMs > 0;
  }

  clear(): void {
    for (const name of this.#columns) this.#out[name].clear();
    this.#resolutionMs = 0;
    this.#exact = true;
    this.untilMs = Number.NEGATIVE_INFINITY;
  }

  /** Adds the buckets whose last sample lies in `(afterMs, untilMs]` and behind what is told already. */
  addBuckets(
    buckets: Buckets,
    bounds: { readonly afterMs: number; readonly untilMs: number; readonly resolutionMs: number; readonly exact: boolean },
  ): void {
    const timed = buckets[this.#statistic === 'first' ? 'last' : (this.#columns[0] ?? 'last')];
    const from = timed.lowerBound(Math.max(bounds.afterMs, this.untilMs) + 1);
    const to = timed.lowerBound(bounds.untilMs + 1);
    if (from >= to) return;
    this.#resolutionMs = Math.max(this.#resolutionMs, bounds.resolutionMs);
    this.#exact &&= bounds.exact;
    this.untilMs = timed.times[to - 1] ?? 0;
    if (this.#statistic === 'newest') this.#addNewest(buckets, from, to);
    else for (const name of this.#columns) this.#out[name].append(buckets[name], from, to);
  }

  /** Last samples, each followed by the staleness marker that ended its bucket. */
  #addNewest({ last, ended }: Buckets, from: number, to: number): void {
    const out = this.#out.last;
    for (let i = from; i < to; i++) {
      out.append(last, i, i + 1);
      const distance = ended.values[i] ?? 0;
      if (distance === 0) continue;
      this.untilMs = (last.times[i] ?? 0) + distance;
      pushNumber(out, this.untilMs, 0);
      setStale(out.values, out.length - 1);
    }
  }

  /** Adds the samples behind what is told already, each as a bucket of its own. */
  addSamples(samples: Columns): void {
    const { times, bits } = samples;
    const from = samples.lowerBound(this.untilMs + 1);
    if (this.#statistic === 'newest') return this.#out.last.append(samples, from, samples.length);
    for (let i = from; i < samples.length; i++) {
      if (isStale(bits, i)) continue;
      for (const name of this.#columns) {
        const column = this.#out[name];
        const at = times[i] ?? 0;
        if (name === 'count') pushNumber(column, at, 1);
        else if (name === 'lost') pushNumber(column, at, 0);
        else column.push(at, bits[2 * i] ?? 0, bits[2 * i + 1] ?? 0);
      }
    }
  }

  /** Own copies of what was added. */
  finish(labels: Labels): SeriesColumns {
    const main = this.#out[SHAPES[this.#statistic].value];
    const series = copyOf(labels, main);
    const rolled: Rolled = { resolutionMs: this.#resolutionMs, exact: this.#exact };
    if (this.#statistic === 'avg') return { ...series, rolled: { ...rolled, counts: valuesOf(this.#out.count) } };
    if (this.#statistic !== 'increase') return { ...series, rolled };
    const { first, count, lost } = this.#out;
    return {
      ...series,
      rolled: {
        ...rolled,
        counts: valuesOf(count),
        firstTimes: first.times.slice(0, first.length),
        firsts: valuesOf(first),
        lost: valuesOf(lost),
      },
    };
  }
}

/** A series of samples as they came. */
export function copyOf(labels: Labels, columns: Columns): SeriesColumns {
  const series = { labels, times: columns.times.slice(0, columns.length), values: valuesOf(columns) };
  return columns.histograms === undefined ? series : { ...series, histograms: histogramsOf(series.times, columns.histograms) };
}

/** Copied by their bits, so that a NaN keeps its payload. */
function valuesOf({ bits, length }: Columns): Float64Array {
  const values = new Float64Array(length);
  bitsOf(values).set(bits.subarray(0, 2 * length));
  return values;
}
