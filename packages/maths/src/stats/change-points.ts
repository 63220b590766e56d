import { type Numbers, at, meanOf } from './numbers.ts';
import { madOf, medianOf, robustScale } from './robust.ts';
import { autocorrelations } from './season.ts';

export type ChangePoint = {
  /** The first value of the new level. */
  readonly index: number;
  readonly before: number;
  readonly after: number;
};

/** Values between two changes, at least. */
const MIN_SEGMENT = 5;
/** Values looked at; longer series are for the caller to thin. */
export const MAX_CHANGE_VALUES = 5_000;

/**
 * Where the mean of a series changed: the segments with the least squared distance from their means, each further one having to
 * save more than chance would (PELT; penalty 3 ln n deviations², more where neighbours are alike). Single values far from those around
 * them are drawn near: they are no level. Seasons should be taken out before.
 * Finite values, at most `MAX_CHANGE_VALUES`. Source: Killick, Fearnhead & Eckley 2012.
 */
export function changePoints(measured: Numbers): readonly ChangePoint[] {
  const n = measured.length;
  if (n < 2 * MIN_SEGMENT) return [];
  const { values, noise } = withoutSpikes(measured);
  const penalty = penaltyOf(values, noise);
  if (!(penalty > 0)) return exactChanges(values);
  const [sums, squares] = [new Float64Array(n + 1), new Float64Array(n + 1)];
  const origin = at(values, 0);
  for (let i = 0; i < n; i++) {
    const own = at(values, i) - origin;
    sums[i + 1] = at(sums, i) + own;
    squares[i + 1] = at(squares, i) + own * own;
  }
  const cost = (from: number, to: number): number =>
    at(squares, to) - at(squares, from) - (at(sums, to) - at(sums, from)) ** 2 / (to - from);
  const least = new Float64Array(n + 1).fill(Number.POSITIVE_INFINITY);
  const previous = new Int32Array(n + 1);
  least[0] = -penalty;
  let candidates = [0];
  for (let to = MIN_SEGMENT; to <= n; to++) {
    let [best, from] = [Number.POSITIVE_INFINITY, 0];
    const totals = candidates.map((start) => at(least, start) + cost(start, to));
    totals.forEach((total, k) => {
      if (total + penalty < best) [best, from] = [total + penalty, candidates[k] ?? 0];
    });
    least[to] = best;
    previous[to] = from;
    candidates = candidates.filter((_, k) => (totals[k] ?? 0) <= best);
    if (to - MIN_SEGMENT + 1 >= MIN_SEGMENT) candidates.push(to - MIN_SEGMENT + 1);
  }
  const edges: number[] = [n];
  for (let to = n; to > 0; to = at(previous, to)) edges.unshift(at(previous, to));
  const mean = (from: number, to: number): number => origin + (at(sums, to) - at(sums, from)) / (to - from);
  return edges.slice(1, -1).map((index, k) => ({ index, before: mean(edges[k] ?? 0, index), after: mean(index, edges[k + 2] ?? n) }));
}

/** Values to both sides whose median is the level around a value, and distances from it that a value keeps. */
const REACH = MIN_SEGMENT;
const FAR = 3;

/** Values at most `FAR` deviations from the level around them, and how far they usually are from it. */
function withoutSpikes(values: Numbers): { readonly values: Float64Array; readonly noise: number } {
  const own = Float64Array.from(values);
  const levels = own.map((_, i) => medianOf(own.subarray(Math.max(0, i - REACH), i + REACH + 1)));
  const most = FAR * robustScale(own.map((value, i) => value - at(levels, i)));
  const near = own.map((value, i) => Math.min(at(levels, i) + most, Math.max(at(levels, i) - most, value)));
  return { values: near, noise: Math.sqrt(meanOf(near.map((value, i) => (value - at(levels, i)) ** 2))) };
}

/** Noise is measured on the steps, which a change of level hardly moves, or around the near level, and widened for what follows itself. */
function penaltyOf(values: Numbers, around: number): number {
  const steps = Float64Array.from({ length: values.length - 1 }, (_, i) => at(values, i + 1) - at(values, i));
  const noise = Math.max(around, madOf(steps) / Math.SQRT2);
  const kept = Math.min(0.95, Math.max(0, 1 + 2 * at(autocorrelations(steps, 2), 1)));
  const deviation = noise / Math.sqrt(Math.max(0.05, 1 - kept));
  return 3 * Math.log(values.length) * deviation ** 2 * ((1 + kept) / (1 - kept));
}

/** Without noise every lasting step is a change. */
function exactChanges(values: Numbers): ChangePoint[] {
  const changes: ChangePoint[] = [];
  for (let i = 1; i < values.length; i++)
    if (at(values, i) !== at(values, i - 1)) changes.push({ index: i, before: at(values, i - 1), after: at(values, i) });
  return changes.length <= values.length / MIN_SEGMENT ? changes : [];
}
