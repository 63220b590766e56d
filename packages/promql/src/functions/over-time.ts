import type { Samples } from '../windows.ts';
import { type Kernel, perWindow } from './kernel.ts';
import { Sum } from './kahan.ts';
import { quantileOf } from './quantile.ts';
import { adaptive, slidingExtreme, slidingSum, slidingVariance } from './sliding.ts';

/** The `*_over_time` functions and their kin: statistics of the samples in each window. */

const scratch = new Sum();

function sum({ values }: Samples, lo: number, hi: number): number {
  scratch.reset();
  for (let i = lo; i < hi; i++) scratch.add(values[i] as number);
  return scratch.total;
}

export const sumOverTime = adaptive(perWindow(1, sum), slidingSum(false, sum));

/** The plain mean, or a running one once the sum no longer fits a float. */
function average({ values }: Samples, lo: number, hi: number): number {
  const total = scratch;
  total.reset();
  for (let i = lo; i < hi; i++) {
    const { sum, compensation } = total;
    total.add(values[i] as number);
    if (i > lo && isInfinite(total.sum)) return runningMean(values, { at: i, hi, count: i - lo, sum, compensation });
  }
  const count = hi - lo;
  return total.sum / count + total.compensation / count;
}

export const avgOverTime = adaptive(perWindow(1, average), slidingSum(true, average));

const isInfinite = (value: number): boolean => value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY;

type Mean = { readonly at: number; readonly hi: number; readonly count: number; readonly sum: number; readonly compensation: number };

function runningMean(values: Float64Array, { at, hi, count, sum, compensation }: Mean): number {
  const mean = new Sum();
  let n = count;
  mean.sum = sum / n;
  mean.compensation = compensation / n;
  for (let i = at; i < hi; i++) {
    n++;
    const weight = (n - 1) / n;
    mean.sum *= weight;
    mean.compensation *= weight;
    mean.add((values[i] as number) / n);
  }
  return mean.total;
}

export const countOverTime = perWindow(1, (_samples, lo, hi) => hi - lo);
export const presentOverTime = perWindow(1, () => 1);
export const lastOverTime = perWindow(1, ({ values }, _lo, hi) => values[hi - 1] as number);
export const firstOverTime = perWindow(1, ({ values }, lo) => values[lo] as number);
export const timeOfFirst = perWindow(1, ({ times }, lo) => (times[lo] as number) / 1000);
export const timeOfLast = perWindow(1, ({ times }, _lo, hi) => (times[hi - 1] as number) / 1000);

/** The index of the greatest (or least) sample, NaN only when there is nothing else; the last of equals when `late`. */
function extreme(values: Float64Array, { lo, hi, greatest, late }: { lo: number; hi: number; greatest: boolean; late: boolean }): number {
  let at = lo;
  for (let i = lo + 1; i < hi; i++) {
    const best = values[at] as number;
    const value = values[i] as number;
    const better = greatest ? value > best : value < best;
    if (better || best !== best || (late && value === best)) at = i;
  }
  return at;
}

export const timeOfMax = perWindow(
  1,
  ({ times, values }, lo, hi) => (times[extreme(values, { lo, hi, greatest: true, late: true })] as number) / 1000,
);
export const timeOfMin = perWindow(
  1,
  ({ times, values }, lo, hi) => (times[extreme(values, { lo, hi, greatest: false, late: true })] as number) / 1000,
);

function greatest({ values }: Samples, lo: number, hi: number): number {
  let best = values[lo] as number;
  for (let i = lo + 1; i < hi; i++) {
    const value = values[i] as number;
    if (value > best || best !== best) best = value;
  }
  return best;
}

export const maxOverTime = adaptive(perWindow(1, greatest), slidingExtreme(true));

function least({ values }: Samples, lo: number, hi: number): number {
  let best = values[lo] as number;
  for (let i = lo + 1; i < hi; i++) {
    const value = values[i] as number;
    if (value < best || best !== best) best = value;
  }
  return best;
}

export const minOverTime = adaptive(perWindow(1, least), slidingExtreme(false));

/** Population variance by Welford's method with compensated sums. */
function variance(values: Float64Array, lo: number, hi: number): number {
  const mean = new Sum();
  const squares = new Sum();
  let count = 0;
  for (let i = lo; i < hi; i++) {
    const value = values[i] as number;
    count++;
    const delta = value - mean.total;
    mean.add(delta / count);
    squares.add(delta * (value - mean.total));
  }
  return squares.total / count;
}

export const stdvarOverTime = adaptive(
  perWindow(1, ({ values }, lo, hi) => variance(values, lo, hi)),
  slidingVariance(false),
);
export const stddevOverTime = adaptive(
  perWindow(1, ({ values }, lo, hi) => Math.sqrt(variance(values, lo, hi))),
  slidingVariance(true),
);

export const quantileOverTime = (quantiles: Float64Array): Kernel =>
  perWindow(1, ({ values }, lo, hi, step) => quantileOf(quantiles[step] as number, values.slice(lo, hi)));

/** The median distance from the median. */
export const madOverTime = perWindow(1, ({ values }, lo, hi) => {
  const window = values.slice(lo, hi);
  if (window.some((value) => value !== value)) return Number.NaN;
  const median = quantileOf(0.5, window);
  return quantileOf(
    0.5,
    window.map((value) => Math.abs(value - median)),
  );
});

export const changes = perWindow(1, ({ values }, lo, hi) => {
  let count = 0;
  for (let i = lo + 1; i < hi; i++) {
    const before = values[i - 1] as number;
    const value = values[i] as number;
    if (value !== before && (value === value || before === before)) count++;
  }
  return count;
});

export const resets = perWindow(1, ({ values }, lo, hi) => {
  let count = 0;
  for (let i = lo + 1; i < hi; i++) if ((values[i] as number) < (values[i - 1] as number)) count++;
  return count;
});
