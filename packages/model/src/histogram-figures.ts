import { type Bucket, type Buckets, type Histogram, bucketOf, bucketsOf, hasCustomBuckets } from './histogram.ts';

/**
 * What can be read out of a native histogram: quantiles, fractions, deviation, and the part below or above a value. Inside an
 * exponential bucket observations are taken to lie evenly on a logarithmic scale, elsewhere on a linear one. Source:
 * Prometheus' native histogram specification and its `histogram_quantile`, `histogram_fraction` and trim operators.
 */

/** Observations that are NaN are counted, but are in no bucket; the sum tells that there are some. */
const hasNanObservations = (h: Histogram): boolean => Number.isNaN(h.sum);

const isCentral = ({ lower, upper }: Bucket): boolean => lower <= 0 && upper >= 0;

/** The zero bucket of a histogram with observations on one side only is taken to lie on that side. */
function biased(h: Histogram, bucket: Bucket): Bucket {
  if (hasCustomBuckets(h) || !isCentral(bucket)) return bucket;
  const below = h.negative.counts.length > 0;
  const above = h.positive.counts.length > 0;
  if (above && !below) return { ...bucket, lower: 0 };
  if (below && !above) return { ...bucket, upper: 0 };
  return bucket;
}

/** Where `value`, inside the bucket, stands between its bounds: 0 at the lower, 1 at the upper. */
function shareBelow(h: Histogram, bucket: Bucket, value: number): number {
  const { lower, upper } = bucket;
  if (hasCustomBuckets(h) || isCentral(bucket)) {
    if (lower === Number.NEGATIVE_INFINITY) return 1;
    return upper === Number.POSITIVE_INFINITY ? 0 : (value - lower) / (upper - lower);
  }
  const [from, to, at] = [Math.log2(Math.abs(lower)), Math.log2(Math.abs(upper)), Math.log2(Math.abs(value))];
  return value > 0 ? (at - from) / (to - from) : 1 - (at - to) / (from - to);
}

function valueAt(h: Histogram, bucket: Bucket, share: number): number {
  const { lower, upper } = bucket;
  if (hasCustomBuckets(h) || isCentral(bucket)) return lower + (upper - lower) * share;
  const [from, to] = [Math.log2(Math.abs(lower)), Math.log2(Math.abs(upper))];
  return lower > 0 ? 2 ** (from + (to - from) * share) : -(2 ** (to + (from - to) * (1 - share)));
}

/** `nan`: the value is NaN because of NaN observations; `skewed`: they make it higher than it would be without them. */
export type QuantileFigure = { readonly value: number; readonly nanObservations: 'none' | 'nan' | 'skewed' };

/** The value below which the share `q` of all observations lies. NaN for an empty histogram; ∓Inf for `q` outside [0, 1]. */
export function histogramQuantile(q: number, h: Histogram): QuantileFigure {
  const plain = (value: number): QuantileFigure => ({ value, nanObservations: 'none' });
  if (Number.isNaN(q)) return plain(Number.NaN);
  if (q < 0) return plain(Number.NEGATIVE_INFINITY);
  if (q > 1) return plain(Number.POSITIVE_INFINITY);
  if (h.count === 0) return plain(Number.NaN);
  const forward = hasNanObservations(h) || q < 0.5;
  const found = rankedBucket(h, forward ? q * h.count : (1 - q) * h.count, forward);
  if (found === undefined) return { value: Number.NaN, nanObservations: hasNanObservations(h) ? 'nan' : 'none' };
  const nanObservations = hasNanObservations(h) ? (found.reached ? 'skewed' : 'nan') : 'none';
  if (nanObservations === 'nan') return { value: Number.NaN, nanObservations };
  const bucket = biased(h, found.bucket);
  if (!found.reached) return plain(forward ? bucket.upper : bucket.lower);
  if (hasCustomBuckets(h) && bucket.lower === Number.NEGATIVE_INFINITY) {
    if (bucket.upper <= 0) return { value: bucket.upper, nanObservations };
    return { value: valueAt(h, { ...bucket, lower: 0 }, found.share), nanObservations };
  }
  if (bucket.upper === Number.POSITIVE_INFINITY) return { value: bucket.lower, nanObservations };
  return { value: valueAt(h, bucket, found.share), nanObservations };
}

type Ranked = { readonly bucket: Bucket; readonly share: number; readonly reached: boolean };

/** The bucket in which the rank falls, counted from the low end or from the high one, and where in it. */
function rankedBucket(h: Histogram, rank: number, forward: boolean): Ranked | undefined {
  const buckets = [...bucketsOf(h)];
  if (!forward) buckets.reverse();
  let count = 0;
  for (const bucket of buckets) {
    count += bucket.count;
    if (count < rank) continue;
    const total = Math.min(count, h.count);
    const within = forward ? rank - (total - bucket.count) : total - rank;
    return { bucket, share: within / bucket.count, reached: true };
  }
  const last = buckets.at(-1);
  return last === undefined ? undefined : { bucket: last, share: 1, reached: false };
}

/** The share of all observations in `(lower, upper]`. NaN for an empty histogram; NaN observations are in no range. */
export function histogramFraction(lower: number, upper: number, h: Histogram): number {
  if (h.count === 0 || Number.isNaN(lower) || Number.isNaN(upper)) return Number.NaN;
  if (lower >= upper) return 0;
  return (countBelow(h, upper) - countBelow(h, lower)) / h.count;
}

/** Observations below `value`. What the bucket with the bound +Inf holds is never below a finite value. */
function countBelow(h: Histogram, value: number): number {
  let rank = 0;
  for (const populated of bucketsOf(h)) {
    const bucket = biased(h, populated);
    if (bucket.lower >= value) return rank;
    if (bucket.upper > value) return rank + bucket.count * shareBelow(h, bucket, value);
    rank += bucket.count;
  }
  return hasNanObservations(h) ? rank : h.count;
}

/** The population variance of the observations, each taken to be at the middle of its bucket. */
export function histogramVariance(h: Histogram): number {
  const mean = h.sum / h.count;
  let squares = 0;
  for (const bucket of bucketsOf(h)) {
    const distance = middleOf(h, bucket) - mean;
    squares += bucket.count * distance * distance;
  }
  return squares / h.count;
}

/** The arithmetic middle of a custom or zero bucket, the geometric one of an exponential bucket. */
function middleOf(h: Histogram, { lower, upper, count }: Bucket): number {
  if (hasCustomBuckets(h)) return (lower + upper) / 2;
  if (isCentral({ lower, upper, count })) return 0;
  const middle = Math.sqrt(lower * upper);
  return upper < 0 ? -middle : middle;
}

type Side = 'below' | 'above';

/**
 * The observations below (or above) a value; a bucket that the value cuts is divided as a fraction would divide it. When
 * anything is cut off, the sum is estimated anew from the middles of what is left; custom buckets with an open end are all
 * or nothing.
 */
export function trimmed(h: Histogram, value: number, side: Side): Histogram {
  if (value === (side === 'below' ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY)) return h;
  const left = { count: 0, sum: 0, isWhole: true };
  const keep = (bucket: Bucket): number => {
    const { share, middle } = hasCustomBuckets(h) ? keptOfCustom(bucket, { value, side }) : keptOf(h, bucket, { value, side });
    if (share < 1) left.isWhole = false;
    if (share === 0) return 0;
    const count = bucket.count * share;
    left.count += count;
    left.sum += count * middle;
    return count;
  };
  const positive = kept(h.positive, (index, i) => keep(bucketOf(h, index, h.positive.counts[i] ?? 0)));
  const zeroCount = h.zeroCount === 0 ? 0 : keep({ lower: -h.zeroThreshold, upper: h.zeroThreshold, count: h.zeroCount });
  const negative = kept(h.negative, (index, i) => {
    const { lower, upper, count } = bucketOf(h, index, h.negative.counts[i] ?? 0);
    return keep({ lower: -upper, upper: -lower, count });
  });
  if (left.isWhole) return h;
  return { ...h, count: left.count, sum: left.sum, zeroCount, positive, negative };
}

type Cut = { readonly value: number; readonly side: Side };
/** How much of a bucket stays, and the middle of that. */
type Share = { readonly share: number; readonly middle: number };

const NOTHING: Share = { share: 0, middle: 0 };

function kept({ indexes }: Buckets, count: (index: number, i: number) => number): Buckets {
  const left = indexes.map(count);
  return { indexes: indexes.filter((_, i) => left[i] !== 0), counts: left.filter((each) => each !== 0) };
}

function keptOf(h: Histogram, bucket: Bucket, { value, side }: Cut): Share {
  const whole = biased(h, bucket);
  const central = isCentral(whole);
  const middle = (lower: number, upper: number): number => {
    if (central) return (lower + upper) / 2;
    const geometric = Math.sqrt(lower * upper);
    return upper < 0 || lower < 0 ? -geometric : geometric;
  };
  const { lower, upper } = whole;
  if (side === 'below') {
    if (value >= upper) return { share: 1, middle: middle(lower, upper) };
    if (value <= lower) return NOTHING;
    return { share: shareBelow(h, whole, value), middle: middle(lower, value) };
  }
  if (value <= lower) return { share: 1, middle: middle(lower, upper) };
  if (value >= upper) return NOTHING;
  return { share: 1 - shareBelow(h, whole, value), middle: middle(value, upper) };
}

/** The lowest bucket starts at 0 when its bound is positive and is otherwise all or nothing, as is the one up to +Inf. */
function keptOfCustom({ lower, upper }: Bucket, { value, side }: Cut): Share {
  const all = (middle: number): Share => ({ share: 1, middle });
  const isLowest = lower === Number.NEGATIVE_INFINITY;
  const isHighest = upper === Number.POSITIVE_INFINITY;
  if (side === 'below') {
    if (isHighest || value === Number.NEGATIVE_INFINITY) return NOTHING;
    if (isLowest && upper <= 0) return all(Math.min(upper, value));
    const from = isLowest ? 0 : lower;
    if (value >= upper) return all((from + upper) / 2);
    return value <= from ? NOTHING : { share: (value - from) / (upper - from), middle: (from + value) / 2 };
  }
  if (value === Number.POSITIVE_INFINITY || (isLowest && (upper <= 0 || value < 0 || isHighest))) return NOTHING;
  if (isHighest) return all(Math.max(lower, value));
  const from = isLowest ? 0 : lower;
  if (value <= from) return all((from + upper) / 2);
  return value >= upper ? NOTHING : { share: (upper - value) / (upper - from), middle: (value + upper) / 2 };
}
