import { chiSquareUpper } from './distributions.ts';
import { type Numbers, ascending, at, sumOf } from './numbers.ts';

/** Distances between two distributions; each says its unit. */

/**
 * The first Wasserstein distance, in the unit of the values: how far mass must move on average. Weights, when given, are as long as
 * the values, not negative, and need not sum to one.
 */
export function wasserstein(first: Weighted, second: Weighted): number {
  const [a, b] = [weighed(first), weighed(second)];
  let [i, j, shareA, shareB, sum] = [0, 0, 0, 0, 0];
  let last = Math.min(a.values[0] ?? 0, b.values[0] ?? 0);
  while (i < a.values.length || j < b.values.length) {
    const value = Math.min(a.values[i] ?? Number.POSITIVE_INFINITY, b.values[j] ?? Number.POSITIVE_INFINITY);
    sum += Math.abs(shareA - shareB) * (value - last);
    for (; a.values[i] === value; i++) shareA += a.shares[i] ?? 0;
    for (; b.values[j] === value; j++) shareB += b.shares[j] ?? 0;
    last = value;
  }
  return sum;
}

export type Weighted = { readonly values: Numbers; readonly weights?: Numbers };

function weighed({ values, weights }: Weighted): { readonly values: readonly number[]; readonly shares: readonly number[] } {
  const total = weights === undefined ? values.length : sumOf(weights);
  const pairs = Array.from(values, (value, i) => ({ value, share: (weights === undefined ? 1 : at(weights, i)) / total }));
  pairs.sort((one, other) => one.value - other.value);
  return { values: pairs.map(({ value }) => value), shares: pairs.map(({ share }) => share) };
}

/**
 * Jensen–Shannon distance (the square root of the divergence) of two vectors of counts or shares over the same bins. With base 2 it
 * lies in 0..1, with base e in 0..√ln 2.
 */
export function jensenShannon(first: Numbers, second: Numbers, base: number): number {
  const [totalA, totalB] = [sumOf(first), sumOf(second)];
  let divergence = 0;
  for (let i = 0; i < first.length; i++) {
    const [p, q] = [at(first, i) / totalA, at(second, i) / totalB];
    const middle = (p + q) / 2;
    if (p > 0) divergence += (p * Math.log(p / middle)) / 2;
    if (q > 0) divergence += (q * Math.log(q / middle)) / 2;
  }
  return Math.sqrt(Math.max(0, divergence) / Math.log(base));
}

/** Hellinger distance of two vectors of counts or shares, 0..1. */
export function hellinger(first: Numbers, second: Numbers): number {
  const [totalA, totalB] = [sumOf(first), sumOf(second)];
  let sum = 0;
  for (let i = 0; i < first.length; i++) sum += (Math.sqrt(at(first, i) / totalA) - Math.sqrt(at(second, i) / totalB)) ** 2;
  return Math.sqrt(sum / 2);
}

/** What an empty bin counts as, so that its logarithm exists. Source: the fill that Evidently uses. */
const EMPTY_SHARE = 1e-4;

/** Population stability index, Σ (r - c) ln(r / c), of counts or shares over the same bins; empty bins count as 1e-4. */
export function populationStability(reference: Numbers, current: Numbers): number {
  const [r, c] = [filled(reference), filled(current)];
  let sum = 0;
  for (let i = 0; i < r.length; i++) sum += (at(r, i) - at(c, i)) * Math.log(at(r, i) / at(c, i));
  return sum;
}

function filled(counts: Numbers): Float64Array {
  const total = sumOf(counts);
  const shares = Float64Array.from(counts, (count) => count / total);
  const least = shares.reduce((low, share) => (share > 0 ? Math.min(low, share) : low), 1);
  const fill = least <= EMPTY_SHARE ? least / 1e6 : EMPTY_SHARE;
  return shares.map((share) => (share === 0 ? fill : share));
}

/**
 * P(PSI >= value) when nothing has changed: PSI is then about (1/n + 1/m) χ² with one degree of freedom less than bins. Assumes bins
 * that are not nearly empty. Source: Yurdakul 2018.
 */
export function stabilityP(value: number, sizes: { readonly n: number; readonly m: number; readonly bins: number }): number {
  const { n, m, bins } = sizes;
  return bins < 2 ? 1 : chiSquareUpper(value / (1 / n + 1 / m), bins - 1);
}

/** Inner edges of bins that hold equal shares of `reference`; equal edges are one. At most `bins` - 1. */
export function quantileEdges(reference: Numbers, bins: number): number[] {
  const sorted = ascending(reference);
  const edges = new Set<number>();
  for (let k = 1; k < bins; k++) {
    const position = ((sorted.length - 1) * k) / bins;
    const below = Math.floor(position);
    const low = at(sorted, below);
    const edge = low + (at(sorted, Math.min(below + 1, sorted.length - 1)) - low) * (position - below);
    if (edge > at(sorted, 0)) edges.add(edge);
  }
  return [...edges];
}

/** Inner edges of equally wide bins over both samples, as many as Sturges' rule says for their joint size. Source: NumPy's `sturges`. */
export function sturgesEdges(first: Numbers, second: Numbers): number[] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const values of [first, second])
    for (let i = 0; i < values.length; i++) [low, high] = [Math.min(low, at(values, i)), Math.max(high, at(values, i))];
  if (!(high > low)) return [];
  const bins = Math.ceil(Math.log2(first.length + second.length) + 1);
  return Array.from({ length: bins - 1 }, (_, k) => low + ((high - low) * (k + 1)) / bins);
}

/** How many values lie in each bin; a value on an edge belongs to the bin above it. `edges` ascend; one bin more than edges. */
export function countInBins(values: Numbers, edges: readonly number[]): Float64Array {
  const counts = new Float64Array(edges.length + 1);
  for (let i = 0; i < values.length; i++) {
    let [low, high] = [0, edges.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((edges[middle] ?? 0) <= at(values, i)) low = middle + 1;
      else high = middle;
    }
    counts[low] = at(counts, low) + 1;
  }
  return counts;
}
