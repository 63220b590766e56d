import { ok } from '@nines/base/result.ts';
import { tTwoSided } from './distributions.ts';
import { adjustedForDiscovery } from './multiple-tests.ts';
import { type Numbers, at, meanOf, notFinite, ranksOf } from './numbers.ts';
import { type Answer, refuse } from './refusal.ts';
import { autocorrelations, deseasoned, freeShare } from './season.ts';

/** Pearson's correlation; 0 when one side does not vary. Equal lengths. */
export function pearson(x: Numbers, y: Numbers): number {
  const [meanX, meanY] = [meanOf(x), meanOf(y)];
  let [xx, yy, xy] = [0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    const [a, b] = [at(x, i) - meanX, at(y, i) - meanY];
    xx += a * a;
    yy += b * b;
    xy += a * b;
  }
  return xx > 0 && yy > 0 ? Math.max(-1, Math.min(1, xy / Math.sqrt(xx) / Math.sqrt(yy))) : 0;
}

/** Spearman's rank correlation: of any rising relation, and not moved by outliers. */
export const spearman = (x: Numbers, y: Numbers): number => pearson(ranksOf(x), ranksOf(y));

export type Correlation = {
  readonly pearson: number;
  readonly spearman: number;
  /** Steps by which y follows x; negative when it comes before. The one with the strongest rank correlation. */
  readonly lag: number;
  /** Independent observations that the pairs are worth: n (1 - r1 r2) / (1 + r1 r2) with the autocorrelations of both, less what seasons took. */
  readonly effective: number;
  readonly n: number;
  /** Of the rank correlation, corrected for the lags that were tried; of several pairs also for those. */
  readonly p: number;
};

/** Pairs of values that are needed at the least. */
export const MIN_PAIRS = 20;

export type CorrelationOptions = {
  /** Lags tried, in steps to both sides. */
  readonly maxLag?: number;
  /** Seasons to take out, in steps. */
  readonly periods?: readonly number[];
};

/**
 * How two series of equal length and step move together, once their seasons are taken out and on their changes from step to step: two
 * daily cycles or two rising lines are not related for that alone.
 */
export function correlate(x: Numbers, y: Numbers, { maxLag = 0, periods = [] }: CorrelationOptions = {}): Answer<Correlation> {
  if (x.length !== y.length) return refuse('lengths_differ', `x has ${x.length} values and y has ${y.length}`);
  if (notFinite(x) >= 0 || notFinite(y) >= 0) return refuse('not_finite', 'a value is not a finite number of at most 1e100 in size');
  const needed = MIN_PAIRS + 1 + maxLag;
  if (x.length < needed) return refuse('too_few_points', `${needed} values of both are needed, there are ${x.length}`);
  const usable = periods.filter((period) => x.length >= 2 * period);
  const free = freeShare(x.length, usable);
  const [a, b] = [changesOf(x, usable), changesOf(y, usable)];
  if (a.every((value) => Math.abs(value) < 1e-300) || b.every((value) => Math.abs(value) < 1e-300))
    return refuse('does_not_vary', 'one of the series does not change beyond its season: nothing can move with it');
  const tried = Array.from({ length: 2 * maxLag + 1 }, (_, k) => atLag(a, b, k - maxLag, free));
  const best = tried.reduce((one, other) => (Math.abs(other.spearman) > Math.abs(one.spearman) + 1e-12 ? other : one));
  return ok({ ...best, p: Math.min(1, best.p * tried.length) });
}

/** Several pairs at once: their p-values are adjusted for how many there are (Benjamini–Hochberg). */
export function adjustedPairs(pairs: readonly Correlation[]): Correlation[] {
  const adjusted = adjustedForDiscovery(pairs.map(({ p }) => p));
  return pairs.map((pair, i) => ({ ...pair, p: adjusted[i] ?? 1 }));
}

function changesOf(values: Numbers, periods: readonly number[]): Float64Array {
  const { rest } = deseasoned(values, periods, Number.POSITIVE_INFINITY);
  return Float64Array.from({ length: rest.length - 1 }, (_, i) => at(rest, i + 1) - at(rest, i));
}

function atLag(a: Float64Array, b: Float64Array, lag: number, free: number): Correlation {
  const n = a.length - Math.abs(lag);
  const [x, y] = [a.subarray(Math.max(0, -lag), Math.max(0, -lag) + n), b.subarray(Math.max(0, lag), Math.max(0, lag) + n)];
  const both = at(autocorrelations(x, 2), 1) * at(autocorrelations(y, 2), 1);
  const effective = Math.min(n, Math.max(3, (free * n * (1 - both)) / (1 + both)));
  const rank = spearman(x, y);
  const t = rank * Math.sqrt((effective - 2) / Math.max(1e-15, 1 - rank * rank));
  return { pearson: pearson(x, y), spearman: rank, lag, effective, n, p: tTwoSided(t, effective - 2) };
}
