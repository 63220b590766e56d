import { ok } from '@nines/base/result.ts';
import { normalQuantile, normalTwoSided, tHalfWidth, tTwoSided } from './distributions.ts';
import { type Numbers, ascending, at, notFinite } from './numbers.ts';
import { type Answer, refuse } from './refusal.ts';

/** Makes the median absolute deviation an estimate of a normal's standard deviation: 1 / Φ⁻¹(3/4). */
export const MAD_TO_SD = 1.482602218505602;

/** The quantile of sorted values by linear interpolation (type 7, as NumPy and R have it); NaN of nothing. */
export function quantileOf(sorted: Numbers, share: number): number {
  if (sorted.length === 0) return Number.NaN;
  const position = (sorted.length - 1) * Math.min(1, Math.max(0, share));
  const below = Math.floor(position);
  const low = at(sorted, below);
  return below + 1 < sorted.length ? low + (at(sorted, below + 1) - low) * (position - below) : low;
}

export const medianOf = (values: Numbers): number => quantileOf(ascending(values), 0.5);

/** Median absolute deviation from `centre`, scaled to a standard deviation. */
export function madOf(values: Numbers, centre: number = medianOf(values)): number {
  return MAD_TO_SD * medianOf(Float64Array.from(values, (value) => Math.abs(value - centre)));
}

/**
 * A deviation that outliers cannot move: MAD, or half the distance of the 16 % quantiles where more than half of the values are equal,
 * or zero where nearly all are.
 */
export function robustScale(values: Numbers): number {
  const mad = madOf(values);
  if (mad > 0) return mad;
  const sorted = ascending(values);
  const spread = (quantileOf(sorted, 0.9) - quantileOf(sorted, 0.1)) / (2 * normalQuantile(0.9));
  return Number.isFinite(spread) ? spread : 0;
}

export type RobustLine = {
  /** Units of y per unit of x. */
  readonly slope: number;
  readonly intercept: number;
  /** Of the slope, at `level`. */
  readonly lower: number;
  readonly upper: number;
  readonly level: number;
  /** Of the hypothesis that y does not depend on x: Kendall's test with its correction for ties. */
  readonly p: number;
  readonly n: number;
};

/** Pairs of points that are looked at, about; above that every pair of an even spread of the points. */
const MAX_POINTS = 1_500;

/**
 * Theil–Sen: the median of the slopes of all pairs of points; up to 29 % of the points may be wrong. The interval is Sen's, from the
 * variance of Kendall's S. Where values follow each other, `effective` says how many independent points they are worth: the deviation
 * grows with the root of what is lost, and is judged by Student's t with two degrees less.
 * At least four points. Source: Sen 1968.
 */
export function theilSen(
  x: Numbers,
  y: Numbers,
  options: { readonly level?: number; readonly effective?: number } = {},
): Answer<RobustLine> {
  const { level = 0.95, effective } = options;
  if (x.length !== y.length) return refuse('lengths_differ', `x has ${x.length} values and y has ${y.length}`);
  if (x.length < 4) return refuse('too_few_points', `a robust slope needs at least 4 points, there are ${x.length}`);
  if (notFinite(x) >= 0 || notFinite(y) >= 0) return refuse('not_finite', 'a value is not a finite number of at most 1e100 in size');
  const stride = Math.ceil(x.length / MAX_POINTS);
  const [xs, ys] = [x, y].map((column) =>
    Float64Array.from({ length: Math.ceil(x.length / stride) }, (_, i) => at(column, i * stride)),
  ) as [Float64Array, Float64Array];
  const { slopes, score } = slopesOf(xs, ys);
  if (slopes.length === 0) return refuse('x_does_not_vary', 'all x are the same: no slope can be told from them');
  const slope = quantileOf(slopes, 0.5);
  const deviation = Math.sqrt(kendallVariance(ys)) * Math.sqrt(x.length / (effective ?? x.length));
  const dof = effective === undefined ? undefined : Math.max(1, effective - 2);
  const reach = (dof === undefined ? normalQuantile(0.5 + level / 2) : tHalfWidth(1 - level, dof)) * deviation;
  const edge = (rank: number): number => at(slopes, Math.min(slopes.length - 1, Math.max(0, Math.round(rank))));
  const z = deviation > 0 ? Math.max(0, Math.abs(score) - 1) / deviation : 0;
  return ok({
    slope,
    intercept: medianOf(Float64Array.from(x, (value, i) => at(y, i) - slope * value)),
    lower: edge((slopes.length - reach) / 2 - 1),
    upper: edge((slopes.length + reach) / 2),
    level,
    p: deviation > 0 ? (dof === undefined ? normalTwoSided(z) : tTwoSided(z, dof)) : 1,
    n: x.length,
  });
}

/** Sorted slopes of all pairs with different x, and Kendall's S. */
function slopesOf(x: Float64Array, y: Float64Array): { readonly slopes: Float64Array; readonly score: number } {
  const slopes = new Float64Array((x.length * (x.length - 1)) / 2);
  let [count, score] = [0, 0];
  for (let i = 0; i < x.length; i++)
    for (let j = i + 1; j < x.length; j++) {
      const run = at(x, j) - at(x, i);
      if (run === 0) continue;
      const slope = (at(y, j) - at(y, i)) / run;
      slopes[count++] = slope;
      score += Math.sign(slope);
    }
  return { slopes: slopes.subarray(0, count).sort(), score };
}

function kendallVariance(y: Numbers): number {
  const n = y.length;
  const ties = new Map<number, number>();
  for (let i = 0; i < n; i++) ties.set(at(y, i), (ties.get(at(y, i)) ?? 0) + 1);
  let tied = 0;
  for (const t of ties.values()) tied += t * (t - 1) * (2 * t + 5);
  return (n * (n - 1) * (2 * n + 5) - tied) / 18;
}
