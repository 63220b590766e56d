import { isStale } from '@nines/model/stale.ts';
import type { SelectRange } from '@nines/model/storage.ts';
import { Columns } from '../codec/columns.ts';
import type { Resolution } from '../contract.ts';

/**
 * What a series did per bucket of five minutes or an hour, exact enough that functions over windows of whole buckets give what
 * they give over the samples. Drawn in docs/format/pages.md. Everything here is pure.
 */
export type BucketColumn = 'first' | 'last' | 'min' | 'max' | 'sum' | 'count' | 'lost' | 'ended';
/** In the order of a rollup page. */
export const BUCKET_COLUMNS: readonly BucketColumn[] = ['first', 'last', 'min', 'max', 'sum', 'count', 'lost', 'ended'];

/** All of the same length; `first` stands at the times of first samples, the others at those of last samples. */
export type Buckets = Readonly<Record<BucketColumn, Columns>>;

export function newBuckets(capacity = 16): Buckets {
  const column = (): Columns => new Columns(capacity);
  return {
    first: column(),
    last: column(),
    min: column(),
    max: column(),
    sum: column(),
    count: column(),
    lost: column(),
    ended: column(),
  };
}

/** The columns that follow the first on a page. */
export const furtherOf = (buckets: Buckets): readonly Columns[] => BUCKET_COLUMNS.slice(1).map((name) => buckets[name]);

/** The end of the bucket that an instant lies in: `(end - resolution, end]`. */
export const bucketEnd = (atMs: number, resolutionMs: number): number => Math.ceil(atMs / resolutionMs) * resolutionMs;

/** Rolls samples up, ascending, staleness markers included. */
export function rollUpSamples(samples: Columns, resolutionMs: Resolution, out: Buckets): void {
  for (const name of BUCKET_COLUMNS) out[name].clear();
  for (let from = 0; from < samples.length; ) {
    const end = bucketEnd(samples.times[from] ?? 0, resolutionMs);
    let to = from + 1;
    while (to < samples.length && (samples.times[to] ?? 0) <= end) to++;
    addBucket(samples, from, to, out);
    from = to;
  }
}

/** Hot: one pass over a bucket's samples. */
function addBucket({ times, values, bits }: Columns, from: number, to: number, out: Buckets): void {
  let first = -1;
  let last = -1;
  let count = 0;
  let least = Number.NaN;
  let greatest = Number.NaN;
  let sum = 0;
  let error = 0;
  let lost = 0;
  for (let i = from; i < to; i++) {
    const value = values[i] as number;
    if (value !== value && isStale(bits, i)) continue;
    if (first < 0) first = i;
    else if (value < (values[last] as number)) lost += values[last] as number;
    if (least !== least || value < least) least = value;
    if (greatest !== greatest || value > greatest) greatest = value;
    const next = sum + value;
    // As the engine's sums: an infinite one has nothing to make up for.
    if (next === Number.POSITIVE_INFINITY || next === Number.NEGATIVE_INFINITY) error = 0;
    else error += Math.abs(sum) >= Math.abs(value) ? sum - next + value : value - next + sum;
    sum = next;
    last = i;
    count++;
  }
  if (count === 0) return;
  const at = times[last] as number;
  out.first.push(times[first] as number, bits[2 * first] as number, bits[2 * first + 1] as number);
  out.last.push(at, bits[2 * last] as number, bits[2 * last + 1] as number);
  pushNumber(out.min, at, least);
  pushNumber(out.max, at, greatest);
  pushNumber(out.sum, at, sum + error);
  pushNumber(out.count, at, count);
  pushNumber(out.lost, at, lost);
  pushNumber(out.ended, at, last === to - 1 ? 0 : (times[to - 1] as number) - at);
}

export function pushNumber(columns: Columns, time: number, value: number): void {
  columns.ensure(1);
  columns.times[columns.length] = time;
  columns.values[columns.length] = value;
  columns.length++;
}

/**
 * The buckets of `known` and `fresh` together: of two for the same time the one with more samples, `fresh` when equal. Samples
 * may have expired since `known` was made; samples that came late make `fresh` the greater.
 */
export function mergeBuckets(known: Buckets, fresh: Buckets, resolutionMs: Resolution): Buckets {
  if (known.count.length === 0) return fresh;
  const merged = newBuckets(fresh.count.length);
  let i = 0;
  let j = 0;
  while (i < known.count.length || j < fresh.count.length) {
    const a = i < known.count.length ? bucketEnd(known.count.times[i] ?? 0, resolutionMs) : Number.POSITIVE_INFINITY;
    const b = j < fresh.count.length ? bucketEnd(fresh.count.times[j] ?? 0, resolutionMs) : Number.POSITIVE_INFINITY;
    const fromKnown = a < b || (a === b && (known.count.values[i] ?? 0) > (fresh.count.values[j] ?? 0));
    if (fromKnown) appendBucket(merged, known, i);
    else appendBucket(merged, fresh, j);
    if (a <= b) i++;
    if (b <= a) j++;
  }
  return merged;
}

const appendBucket = (into: Buckets, from: Buckets, index: number): void => {
  for (const name of BUCKET_COLUMNS) into[name].append(from[name], index, index + 1);
};

/** Takes out the buckets that have any instant in `[fromMs, toMs]` and returns how many. */
export function cutBuckets(buckets: Buckets, resolutionMs: Resolution, { fromMs, toMs }: SelectRange): number {
  const { count } = buckets;
  const from = count.lowerBound(bucketEnd(fromMs, resolutionMs) - resolutionMs + 1);
  const to = count.lowerBound(bucketEnd(toMs, resolutionMs) + 1);
  for (const name of BUCKET_COLUMNS) buckets[name].cut(from, to);
  return to - from;
}
