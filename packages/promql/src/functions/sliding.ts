import type { Samples, Windows } from '../windows.ts';
import type { Kernel } from './kernel.ts';

/**
 * Statistics of sliding windows in constant time per step, for windows that overlap a lot. Nothing is ever subtracted, so
 * nothing is lost: a window is split at a pivot; left of it every suffix is known, right of it a running value grows with the
 * window. When the window has left the pivot behind, its right end becomes the new pivot. Each sample is touched twice.
 */

/** Sliding pays once the windows together hold this many times the samples; measured on windows of 2 to 240 samples. */
const OVERLAP = 6;

/** The kernel that fits: one window after the other, or sliding. */
export function adaptive(plain: Kernel, sliding: Kernel): Kernel {
  return (samples, windows, out, has) =>
    (overlapOf(windows) > samples.values.length * OVERLAP ? sliding : plain)(samples, windows, out, has);
}

function overlapOf({ count, lo, hi }: Windows): number {
  let total = 0;
  for (let i = 0; i < count; i++) total += (hi[i] as number) - (lo[i] as number);
  return total;
}

/** Reused between series: kernels run to their end undisturbed. */
let scratchA = new Float64Array(1024);
let scratchB = new Float64Array(1024);

function reserve(length: number): void {
  if (scratchA.length >= length) return;
  scratchA = new Float64Array(length * 2);
  scratchB = new Float64Array(length * 2);
}

export function slidingExtreme(greatest: boolean): Kernel {
  return ({ values }, { count, lo, hi }, out, has) => {
    reserve(values.length);
    const suffix = scratchA;
    let pivot = 0;
    let behind = 0;
    let running = Number.NaN;
    let present = 0;
    for (let i = 0; i < count; i++) {
      const from = lo[i] as number;
      const to = hi[i] as number;
      has[i] = 0;
      if (to === from) continue;
      if (from >= pivot) {
        let best = Number.NaN;
        for (let k = to - 1; k >= from; k--) {
          const value = values[k] as number;
          if (best !== best || (greatest ? value > best : value < best)) best = value;
          suffix[k] = best;
        }
        pivot = to;
        running = Number.NaN;
        behind = to;
      }
      for (; behind < to; behind++) {
        const value = values[behind] as number;
        if (running !== running || (greatest ? value > running : value < running)) running = value;
      }
      const left = suffix[from] as number;
      out[i] = left !== left || (greatest ? running > left : running < left) ? running : left;
      has[i] = 1;
      present++;
    }
    return present;
  };
}

/** Compensated sums, divided by the count for averages; `exact` does windows whose sum overflows. */
export function slidingSum(average: boolean, exact: (samples: Samples, lo: number, hi: number) => number): Kernel {
  return (samples, { count, lo, hi }, out, has) => {
    const { values } = samples;
    reserve(values.length);
    const sums = scratchA;
    const errors = scratchB;
    let pivot = 0;
    let behind = 0;
    let sum = 0;
    let error = 0;
    let present = 0;
    for (let i = 0; i < count; i++) {
      const from = lo[i] as number;
      const to = hi[i] as number;
      has[i] = 0;
      if (to === from) continue;
      if (from >= pivot) {
        fillSums(values, from, to);
        pivot = to;
        behind = to;
        sum = 0;
        error = 0;
      }
      for (; behind < to; behind++) {
        const value = values[behind] as number;
        const next = sum + value;
        error += Math.abs(sum) >= Math.abs(value) ? sum - next + value : value - next + sum;
        sum = next;
      }
      const left = sums[from] as number;
      const total = left + sum;
      const rounding = Math.abs(left) >= Math.abs(sum) ? left - total + sum : sum - total + left;
      const compensation = rounding + error + (errors[from] as number);
      if (total - total !== 0) out[i] = exact(samples, from, to);
      else if (average) out[i] = total / (to - from) + compensation / (to - from);
      else out[i] = total + compensation;
      has[i] = 1;
      present++;
    }
    return present;
  };
}

function fillSums(values: Float64Array, from: number, to: number): void {
  let sum = 0;
  let error = 0;
  for (let k = to - 1; k >= from; k--) {
    const value = values[k] as number;
    const next = sum + value;
    error += Math.abs(sum) >= Math.abs(value) ? sum - next + value : value - next + sum;
    sum = next;
    scratchA[k] = sum;
    scratchB[k] = error;
  }
}

/** Population variance, or its root: means and squared distances of both parts, joined as Chan, Golub and LeVeque (1979) do. */
export function slidingVariance(root: boolean): Kernel {
  return ({ values }, { count, lo, hi }, out, has) => {
    reserve(values.length);
    const means = scratchA;
    const squares = scratchB;
    let pivot = 0;
    let behind = 0;
    let mean = 0;
    let square = 0;
    let present = 0;
    for (let i = 0; i < count; i++) {
      const from = lo[i] as number;
      const to = hi[i] as number;
      has[i] = 0;
      if (to === from) continue;
      if (from >= pivot) {
        fillMoments(values, from, to);
        pivot = to;
        behind = to;
        mean = 0;
        square = 0;
      }
      for (; behind < to; behind++) {
        const value = values[behind] as number;
        const delta = value - mean;
        mean += delta / (behind - pivot + 1);
        square += delta * (value - mean);
      }
      const left = pivot - from;
      const right = to - pivot;
      const apart = right === 0 ? 0 : (means[from] as number) - mean;
      const total = (squares[from] as number) + square + (apart * apart * left * right) / (left + right);
      const variance = total / (left + right);
      out[i] = root ? Math.sqrt(variance) : variance;
      has[i] = 1;
      present++;
    }
    return present;
  };
}

function fillMoments(values: Float64Array, from: number, to: number): void {
  let mean = 0;
  let square = 0;
  for (let k = to - 1; k >= from; k--) {
    const value = values[k] as number;
    const delta = value - mean;
    mean += delta / (to - k);
    square += delta * (value - mean);
    scratchA[k] = mean;
    scratchB[k] = square;
  }
}
