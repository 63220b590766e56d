import { ok } from '@nines/base/result.ts';
import { goodnessOfFit } from './contingency.ts';
import { normalCdf, normalTwoSided, tHalfWidth, tTwoSided } from './distributions.ts';
import { type Numbers, at, meanOf, sumOf, varianceOf } from './numbers.ts';
import { type Answer, refuse } from './refusal.ts';

/** What is known of one arm of an experiment. */
export type Arm = { readonly n: number; readonly mean: number; readonly sd: number };

export type Comparison = {
  /** In the unit of the means, or a share of the first mean. */
  readonly difference: number;
  readonly standardError: number;
  readonly lower: number;
  readonly upper: number;
  readonly p: number;
  readonly dof: number;
  readonly level: number;
};

/** Welch's t-test: second mean minus first. Assumes independent observations; the variances may differ. */
export function welch(first: Arm, second: Arm, level = 0.95): Answer<Comparison> {
  const faulty = faultOf(first, second);
  if (faulty !== undefined) return faulty;
  const standardError = Math.hypot(errorOfMean(first), errorOfMean(second));
  return compared(second.mean - first.mean, standardError, { dof: welchDof(first, second), level });
}

/** Student's t-test: second mean minus first. Assumes independent observations with one variance; `welch` does not need the latter. */
export function student(first: Arm, second: Arm, level = 0.95): Answer<Comparison> {
  const faulty = faultOf(first, second);
  if (faulty !== undefined) return faulty;
  const dof = first.n + second.n - 2;
  const pooled = Math.hypot(first.sd * Math.sqrt((first.n - 1) / dof), second.sd * Math.sqrt((second.n - 1) / dof));
  return compared(second.mean - first.mean, pooled * Math.sqrt(1 / first.n + 1 / second.n), { dof, level });
}

/** What an arm of single observations is. */
export const armOf = (values: Numbers): Arm => ({ n: values.length, mean: meanOf(values), sd: Math.sqrt(varianceOf(values)) });

/** The relative lift of the second mean over the first, its error by the delta method. Source: GrowthBook's frequentist engine. */
export function relativeLift(first: Arm, second: Arm, level = 0.95): Answer<Comparison> {
  const faulty = faultOf(first, second);
  if (faulty !== undefined) return faulty;
  if (first.mean === 0) return refuse('no_base', 'the first mean is zero: nothing can be relative to it');
  const base = Math.abs(first.mean);
  const standardError = Math.hypot(errorOfMean(second) / base, (errorOfMean(first) / base) * (second.mean / base));
  return compared((second.mean - first.mean) / base, standardError, { dof: welchDof(first, second), level });
}

/** The chance that the second mean is larger, from a flat prior on the logarithm of their ratio. Means above zero. */
export function chanceToWin(first: Arm, second: Arm): Answer<number> {
  const faulty = faultOf(first, second);
  if (faulty !== undefined) return faulty;
  if (!(first.mean > 0 && second.mean > 0)) return refuse('no_base', 'both means must be above zero');
  const deviation = Math.hypot(errorOfMean(first) / first.mean, errorOfMean(second) / second.mean);
  const chance = normalCdf((Math.log(second.mean) - Math.log(first.mean)) / deviation);
  return Number.isFinite(chance) ? ok(chance) : UNTOLD;
}

/** Two shares, `hits` of `n` each, with the pooled variance: z of second minus first and its two-sided p. */
export function twoProportions(
  first: { readonly hits: number; readonly n: number },
  second: { readonly hits: number; readonly n: number },
): { readonly z: number; readonly p: number } {
  const pooled = (first.hits + second.hits) / (first.n + second.n);
  const variance = pooled * (1 - pooled) * (1 / first.n + 1 / second.n);
  const z = variance > 0 ? (second.hits / second.n - first.hits / first.n) / Math.sqrt(variance) : 0;
  return { z, p: normalTwoSided(z) };
}

/** Below this the arms were not filled as planned, and no comparison of them can be believed. */
export const RATIO_MISMATCH_P = 0.001;

/** Whether the arms were filled as planned (sample ratio mismatch). `weights` need not sum to one. */
export function sampleRatio(
  counts: Numbers,
  weights: Numbers,
): { readonly statistic: number; readonly p: number; readonly mismatch: boolean } {
  const total = sumOf(counts);
  const planned = Float64Array.from({ length: counts.length }, (_, i) => (at(weights, i) * total) / sumOf(weights));
  const { statistic, p } = goodnessOfFit(counts, planned);
  return { statistic, p, mismatch: p < RATIO_MISMATCH_P };
}

/** The number of observations at which the sequential interval is narrowest, when nothing else is said; show it beside the result. */
export const SEQUENTIAL_TUNING = 5_000;

/**
 * Half-width of an asymptotic confidence sequence for a mean: valid at every look, however often one looks. `sd` of one observation.
 * Source: Waudby-Smith et al., arXiv 2103.06476, eq. 9; the tuning as in GrowthBook.
 */
export function sequentialHalfWidth(sd: number, n: number, options: { readonly alpha: number; readonly tunedFor?: number }): number {
  const { alpha, tunedFor = SEQUENTIAL_TUNING } = options;
  const twice = -2 * Math.log(alpha);
  const square = (twice + Math.log(twice + 1)) / tunedFor;
  return sd * Math.sqrt(((2 * (n * square + 1)) / (n * n * square)) * Math.log(Math.sqrt(n * square + 1) / alpha));
}

function faultOf(first: Arm, second: Arm) {
  for (const { n, mean, sd } of [first, second]) {
    if (!(n >= 2)) return refuse('too_few_points', 'each arm needs at least two observations');
    if (!Number.isFinite(mean) || !Number.isFinite(sd) || sd < 0) return refuse('not_finite', 'means and deviations must be finite');
  }
  if (first.sd === 0 && second.sd === 0) return refuse('no_variance', 'neither arm varies: the error of the difference is unknown');
  return undefined;
}

const errorOfMean = ({ n, sd }: Arm): number => sd / Math.sqrt(n);

/** From the share that each arm has in the variance, so that no square of it overflows. */
function welchDof(first: Arm, second: Arm): number {
  const [one, other] = [errorOfMean(first), errorOfMean(second)];
  const share = one === 0 ? 0 : 1 / (1 + (other / one) ** 2);
  return 1 / (share ** 2 / (first.n - 1) + (1 - share) ** 2 / (second.n - 1));
}

const UNTOLD = refuse('out_of_range', 'the deviations are so small or so large beside the means that no figure can be told from them');

function compared(
  difference: number,
  standardError: number,
  { dof, level }: { readonly dof: number; readonly level: number },
): Answer<Comparison> {
  const half = tHalfWidth(1 - level, dof) * standardError;
  const p = tTwoSided(difference / standardError, dof);
  const [lower, upper] = [difference - half, difference + half];
  const figures = [difference, standardError, lower, upper, p, dof];
  return standardError > 0 && figures.every(Number.isFinite) ? ok({ difference, standardError, lower, upper, p, dof, level }) : UNTOLD;
}
