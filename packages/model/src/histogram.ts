/**
 * Native histograms: counts of observations in buckets that are either exponential (schemas -4 to 8: bucket `i` holds
 * `(b(i - 1), b(i)]` with `b(i) = 2 ** (i / 2 ** schema)`, mirrored for negative values, and a zero bucket around 0) or custom
 * (schema -53: bucket `i` reaches up to `bounds[i]`, the last one to +Inf). Source: Prometheus' native histogram
 * specification. Counts are floats: rates and differences have fractions and signs. All values are immutable.
 */

export const CUSTOM_BUCKETS = -53;
export const MIN_SCHEMA = -4;
export const MAX_SCHEMA = 8;

/** What is known about a counter reset between this sample and the one before; a gauge is no counter at all. */
export type ResetHint = 'unknown' | 'reset' | 'not_reset' | 'gauge';

/** Indexes ascending, as long as `counts`. A bucket that is not listed is empty; an empty one is not listed. */
export type Buckets = { readonly indexes: readonly number[]; readonly counts: readonly number[] };

export type Histogram = {
  readonly schema: number;
  readonly count: number;
  readonly sum: number;
  readonly zeroCount: number;
  /** The zero bucket holds `[-zeroThreshold, zeroThreshold]`. */
  readonly zeroThreshold: number;
  readonly positive: Buckets;
  readonly negative: Buckets;
  /** Upper bounds of custom buckets, ascending, +Inf left out; empty for exponential ones. */
  readonly bounds: readonly number[];
  readonly hint: ResetHint;
};

/** A populated bucket with its bounds: `(lower, upper]` above zero, `[lower, upper)` below, closed around zero. */
export type Bucket = { readonly lower: number; readonly upper: number; readonly count: number };

export const NO_BUCKETS: Buckets = { indexes: [], counts: [] };

export const EMPTY_HISTOGRAM: Histogram = {
  schema: 0,
  count: 0,
  sum: 0,
  zeroCount: 0,
  zeroThreshold: 0,
  positive: NO_BUCKETS,
  negative: NO_BUCKETS,
  bounds: [],
  hint: 'unknown',
};

export const hasCustomBuckets = (h: Histogram): boolean => h.schema === CUSTOM_BUCKETS;

export const isKnownSchema = (schema: number): boolean =>
  schema === CUSTOM_BUCKETS || (Number.isInteger(schema) && schema >= MIN_SCHEMA && schema <= MAX_SCHEMA);

/** Buckets from counts that stand side by side from index `offset` on. */
export function bucketsFrom(counts: readonly number[], offset = 0): Buckets {
  const indexes: number[] = [];
  const kept: number[] = [];
  counts.forEach((count, i) => {
    if (count === 0) return;
    indexes.push(offset + i);
    kept.push(count);
  });
  return { indexes, counts: kept };
}

/** The upper bound of exponential bucket `index`. The bucket that would end above the largest double ends there. */
export function exponentialBound(schema: number, index: number): number {
  const perPower = 2 ** schema;
  const power = Math.floor(index / perPower);
  const rest = index - power * perPower;
  const bound = 2 ** power * 2 ** (rest / perPower);
  return bound === Number.POSITIVE_INFINITY && index <= 1024 * perPower ? Number.MAX_VALUE : bound;
}

function customBound(bounds: readonly number[], index: number): number {
  if (index < 0) return Number.NEGATIVE_INFINITY;
  return bounds[index] ?? Number.POSITIVE_INFINITY;
}

/** Populated buckets from the lowest to the highest value. */
export function* bucketsOf(h: Histogram): Generator<Bucket> {
  const { negative, positive } = h;
  for (let i = negative.indexes.length - 1; i >= 0; i--) {
    const { lower, upper, count } = bucketOf(h, negative.indexes[i] ?? 0, negative.counts[i] ?? 0);
    yield { lower: -upper, upper: -lower, count };
  }
  if (h.zeroCount !== 0) yield { lower: -h.zeroThreshold, upper: h.zeroThreshold, count: h.zeroCount };
  for (let i = 0; i < positive.indexes.length; i++) yield bucketOf(h, positive.indexes[i] ?? 0, positive.counts[i] ?? 0);
}

/** Which ends of a bucket belong to it. */
export function inclusiveEnds(h: Histogram, { lower, upper }: Bucket): { readonly lower: boolean; readonly upper: boolean } {
  if (hasCustomBuckets(h) || lower > 0) return { lower: false, upper: true };
  return { lower: true, upper: upper >= 0 };
}

/** Bucket `index` of the positive side. */
export function bucketOf(h: Histogram, index: number, count: number): Bucket {
  if (hasCustomBuckets(h)) return { lower: customBound(h.bounds, index - 1), upper: customBound(h.bounds, index), count };
  return { lower: exponentialBound(h.schema, index - 1), upper: exponentialBound(h.schema, index), count };
}

/** Every count and the sum times `factor`. A negative factor makes a gauge of it. */
export function scaled(h: Histogram, factor: number): Histogram {
  const times = ({ indexes, counts }: Buckets): Buckets =>
    withoutEmpty(
      indexes,
      counts.map((count) => count * factor),
    );
  return {
    ...h,
    count: h.count * factor,
    sum: h.sum * factor,
    zeroCount: h.zeroCount * factor,
    positive: times(h.positive),
    negative: times(h.negative),
    hint: factor < 0 ? 'gauge' : h.hint,
  };
}

/** Every count and the sum divided. Zero leaves no buckets, since an infinity in each of them says nothing. */
export function divided(h: Histogram, divisor: number): Histogram {
  const over = ({ indexes, counts }: Buckets): Buckets =>
    withoutEmpty(
      indexes,
      counts.map((count) => count / divisor),
    );
  return {
    ...h,
    count: h.count / divisor,
    sum: h.sum / divisor,
    zeroCount: h.zeroCount / divisor,
    positive: divisor === 0 ? NO_BUCKETS : over(h.positive),
    negative: divisor === 0 ? NO_BUCKETS : over(h.negative),
    hint: divisor < 0 ? 'gauge' : h.hint,
  };
}

function withoutEmpty(indexes: readonly number[], counts: readonly number[]): Buckets {
  if (!counts.includes(0)) return { indexes, counts };
  return { indexes: indexes.filter((_, i) => counts[i] !== 0), counts: counts.filter((count) => count !== 0) };
}

/** The same observations in the coarser buckets of a lower schema. */
export function atSchema(h: Histogram, schema: number): Histogram {
  if (schema >= h.schema || hasCustomBuckets(h)) return h;
  const factor = 2 ** (h.schema - schema);
  // -0 + 0 is 0.
  const coarser = (buckets: Buckets): Buckets => regrouped(buckets, (index) => Math.ceil(index / factor) + 0);
  return { ...h, schema, positive: coarser(h.positive), negative: coarser(h.negative) };
}

/** `to` never falls as the index rises. */
function regrouped({ indexes, counts }: Buckets, to: (index: number) => number): Buckets {
  const grouped: number[] = [];
  const sums: number[] = [];
  indexes.forEach((index, i) => {
    const target = to(index);
    if (grouped.at(-1) === target) sums[sums.length - 1] = (sums.at(-1) ?? 0) + (counts[i] ?? 0);
    else {
      grouped.push(target);
      sums.push(counts[i] ?? 0);
    }
  });
  return withoutEmpty(grouped, sums);
}

/** The same observations in custom buckets with fewer bounds, which all are bounds of `h` too. */
function atBounds(h: Histogram, bounds: readonly number[]): Histogram {
  if (sameNumbers(h.bounds, bounds)) return h;
  let next = 0;
  const target = (index: number): number => {
    const upper = customBound(h.bounds, index);
    while (next < bounds.length && (bounds[next] ?? 0) < upper) next++;
    return next;
  };
  return { ...h, bounds, positive: regrouped(h.positive, target) };
}

export const sameNumbers = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((value, i) => value === b[i]);

/** The zero bucket widened to at least `threshold`, and further where that would cut a populated bucket. */
function withZeroThreshold(h: Histogram, threshold: number): Histogram {
  let reach = threshold;
  const cutBy = ({ indexes }: Buckets): number | undefined => {
    const straddling = indexes.find((index) => exponentialBound(h.schema, index - 1) < reach && exponentialBound(h.schema, index) > reach);
    return straddling === undefined ? undefined : exponentialBound(h.schema, straddling);
  };
  for (;;) {
    const further = cutBy(h.positive) ?? cutBy(h.negative);
    if (further === undefined) break;
    reach = further;
  }
  let { zeroCount } = h;
  const outside = ({ indexes, counts }: Buckets): Buckets => {
    const from = indexes.findIndex((index) => exponentialBound(h.schema, index - 1) >= reach);
    const cut = from < 0 ? indexes.length : from;
    for (let i = 0; i < cut; i++) zeroCount += counts[i] ?? 0;
    return { indexes: indexes.slice(cut), counts: counts.slice(cut) };
  };
  const positive = outside(h.positive);
  const negative = outside(h.negative);
  return { ...h, zeroThreshold: reach, zeroCount, positive, negative };
}

/**
 * Both histograms in buckets that both can have: the lower schema and the wider zero bucket, or the custom bounds they
 * share. Undefined when one is exponential and the other custom.
 */
export function aligned(a: Histogram, b: Histogram): readonly [Histogram, Histogram] | undefined {
  if (hasCustomBuckets(a) !== hasCustomBuckets(b)) return undefined;
  if (hasCustomBuckets(a)) {
    if (sameNumbers(a.bounds, b.bounds)) return [a, b];
    const others = new Set(b.bounds);
    const bounds = a.bounds.filter((bound) => others.has(bound));
    return [atBounds(a, bounds), atBounds(b, bounds)];
  }
  let left = a;
  let right = b;
  while (left.zeroThreshold !== right.zeroThreshold) {
    if (left.zeroThreshold < right.zeroThreshold) left = withZeroThreshold(left, right.zeroThreshold);
    else right = withZeroThreshold(right, left.zeroThreshold);
  }
  const schema = Math.min(a.schema, b.schema);
  return [atSchema(left, schema), atSchema(right, schema)];
}

export const haveSameBounds = (a: Histogram, b: Histogram): boolean => sameNumbers(a.bounds, b.bounds);

/** What two samples' hints say about their sum, and whether they contradict each other. */
export function joinedHint(a: ResetHint, b: ResetHint): { readonly hint: ResetHint; readonly collides: boolean } {
  if (a === b) return { hint: a, collides: false };
  if (a === 'gauge' || b === 'gauge') return { hint: 'gauge', collides: false };
  return { hint: 'unknown', collides: a !== 'unknown' && b !== 'unknown' };
}

/** Observations of both. Undefined when one is exponential and the other custom. */
export function added(a: Histogram, b: Histogram): Histogram | undefined {
  return combined(a, b, { sign: 1, hint: joinedHint(a.hint, b.hint).hint });
}

/** Observations of `a` without those of `b`; a gauge. Undefined when one is exponential and the other custom. */
export function subtracted(a: Histogram, b: Histogram): Histogram | undefined {
  return combined(a, b, { sign: -1, hint: 'gauge' });
}

type Combination = { readonly sign: 1 | -1; readonly hint: ResetHint };

function combined(a: Histogram, b: Histogram, { sign, hint }: Combination): Histogram | undefined {
  const pair = aligned(a, b);
  if (pair === undefined) return undefined;
  const [left, right] = pair;
  return {
    schema: left.schema,
    count: left.count + sign * right.count,
    sum: left.sum + sign * right.sum,
    zeroCount: left.zeroCount + sign * right.zeroCount,
    zeroThreshold: left.zeroThreshold,
    positive: merged(left.positive, right.positive, sign),
    negative: merged(left.negative, right.negative, sign),
    bounds: left.bounds,
    hint,
  };
}

function merged(a: Buckets, b: Buckets, sign: 1 | -1): Buckets {
  const indexes: number[] = [];
  const counts: number[] = [];
  let i = 0;
  let j = 0;
  while (i < a.indexes.length || j < b.indexes.length) {
    const left = a.indexes[i] ?? Number.POSITIVE_INFINITY;
    const right = b.indexes[j] ?? Number.POSITIVE_INFINITY;
    let count = 0;
    if (left <= right) count += a.counts[i++] ?? 0;
    if (right <= left) count += sign * (b.counts[j++] ?? 0);
    if (count === 0) continue;
    indexes.push(Math.min(left, right));
    counts.push(count);
  }
  return { indexes, counts };
}

/**
 * Whether a counter was reset between two successive samples: a count fell somewhere, or the later one has finer buckets or
 * a narrower zero bucket, which no running counter gets. Says nothing of gauges: ask their hint first.
 */
export function wasReset(later: Histogram, earlier: Histogram): boolean {
  if (later.hint === 'reset') return true;
  if (later.hint === 'not_reset') return false;
  if (later.count < earlier.count) return true;
  if (hasCustomBuckets(later) !== hasCustomBuckets(earlier)) return true;
  if (hasCustomBuckets(later)) return customWasReset(later, earlier);
  if (later.schema > earlier.schema || later.zeroThreshold < earlier.zeroThreshold) return true;
  const widened = withZeroThreshold(earlier, later.zeroThreshold);
  if (widened.zeroThreshold !== later.zeroThreshold || later.zeroCount < widened.zeroCount) return true;
  const before = atSchema(widened, later.schema);
  return anyFell(later.positive, before.positive) || anyFell(later.negative, before.negative);
}

function customWasReset(later: Histogram, earlier: Histogram): boolean {
  const pair = aligned(later, earlier);
  return pair === undefined || anyFell(pair[0].positive, pair[1].positive);
}

function anyFell(later: Buckets, earlier: Buckets): boolean {
  let i = 0;
  return earlier.indexes.some((index, j) => {
    while (i < later.indexes.length && (later.indexes[i] ?? 0) < index) i++;
    const now = later.indexes[i] === index ? (later.counts[i] ?? 0) : 0;
    return now < (earlier.counts[j] ?? 0);
  });
}

/**
 * The histograms of a series, where it has one, with what each says about the sample before: a counter that goes on says so; one
 * after a reset, after a number, after a gauge or without anything before it says nothing.
 */
export function withHints(samples: readonly (Histogram | undefined)[]): readonly (Histogram | undefined)[] {
  let before: Histogram | undefined;
  return samples.map((sample) => {
    const last = before;
    before = sample;
    if (sample === undefined || sample.hint === 'gauge') return sample;
    const continues =
      last !== undefined && last.hint !== 'gauge' && sample.hint !== 'reset' && !wasReset({ ...sample, hint: 'unknown' }, last);
    const hint = continues ? 'not_reset' : 'unknown';
    return sample.hint === hint ? sample : { ...sample, hint };
  });
}

/** Whether both say the same: all figures and buckets; NaN equals NaN, hints do not count. */
export function sameHistogram(a: Histogram, b: Histogram): boolean {
  return (
    a.schema === b.schema &&
    sameNumber(a.count, b.count) &&
    sameNumber(a.sum, b.sum) &&
    sameNumber(a.zeroCount, b.zeroCount) &&
    a.zeroThreshold === b.zeroThreshold &&
    sameNumbers(a.bounds, b.bounds) &&
    sameBuckets(a.positive, b.positive) &&
    sameBuckets(a.negative, b.negative)
  );
}

const sameBuckets = (a: Buckets, b: Buckets): boolean =>
  sameNumbers(a.indexes, b.indexes) && a.counts.length === b.counts.length && a.counts.every((count, i) => sameNumber(count, b.counts[i]));

const sameNumber = (a: number, b: number | undefined): boolean => a === b || (Number.isNaN(a) && Number.isNaN(b));
