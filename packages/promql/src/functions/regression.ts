import { PromqlFailure } from '../promql-error.ts';
import type { Samples } from '../windows.ts';
import { Sum } from './kahan.ts';
import { type Kernel, perWindow } from './kernel.ts';
import { formatShort } from '../value.ts';

/** Lines and trends through the samples of a window. */

type Line = { readonly slope: number; readonly intercept: number };

/** Least squares with compensated sums; the intercept is the line's value at `originMs`. A constant series has slope 0 exactly. */
function fitLine({ times, values }: Samples, { lo, hi, originMs }: { lo: number; hi: number; originMs: number }): Line {
  const first = values[lo] as number;
  let constant = true;
  const sumX = new Sum();
  const sumY = new Sum();
  const sumXY = new Sum();
  const sumX2 = new Sum();
  for (let i = lo; i < hi; i++) {
    const y = values[i] as number;
    if (y !== first) constant = false;
    const x = ((times[i] as number) - originMs) / 1000;
    sumX.add(x);
    sumY.add(y);
    sumXY.add(x * y);
    sumX2.add(x * x);
  }
  if (constant) return Number.isFinite(first) ? { slope: 0, intercept: first } : { slope: Number.NaN, intercept: Number.NaN };
  const n = hi - lo;
  const covariance = sumXY.total - (sumX.total * sumY.total) / n;
  const variance = sumX2.total - (sumX.total * sumX.total) / n;
  const slope = covariance / variance;
  return { slope, intercept: sumY.total / n - (slope * sumX.total) / n };
}

/** Change per second of the line through the window. */
export const deriv = perWindow(2, (samples, lo, hi) => fitLine(samples, { lo, hi, originMs: samples.times[lo] as number }).slope);

/** Where the line through the window will be `ahead` seconds after each evaluation instant. */
export const predictLinear = (evaluatedAt: Float64Array, ahead: Float64Array): Kernel =>
  perWindow(2, (samples, lo, hi, step) => {
    const { slope, intercept } = fitLine(samples, { lo, hi, originMs: evaluatedAt[step] as number });
    return slope * (ahead[step] as number) + intercept;
  });

/** Holt's linear smoothing; both factors lie strictly between 0 and 1. */
export function doubleExponentialSmoothing(smoothing: Float64Array, trend: Float64Array): Kernel {
  return perWindow(2, ({ values }, lo, hi, step) => {
    const level = factor(smoothing[step] as number, 'smoothing', 'sf');
    const slope = factor(trend[step] as number, 'trend', 'tf');
    let before = 0;
    let current = values[lo] as number;
    let direction = (values[lo + 1] as number) - current;
    for (let i = lo + 1; i < hi; i++) {
      const scaled = level * (values[i] as number);
      if (i > lo + 1) direction = slope * (current - before) + (1 - slope) * direction;
      before = current;
      current = scaled + (1 - level) * (current + direction);
    }
    return current;
  });
}

function factor(value: number, name: string, short: string): number {
  if (value > 0 && value < 1) return value;
  throw new PromqlFailure('execution', `invalid ${name} factor. Expected: 0 < ${short} < 1, got: ${formatShort(value)}`);
}
