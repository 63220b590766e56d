import type { Windows } from '../windows.ts';
import type { Kernel } from './kernel.ts';

/** The rate family: counters and gauges over a window. Source of the rules: Prometheus' `extrapolatedRate`. */

/** How far, in sampling intervals, a window's edge may lie from its outermost sample before it counts as a gap. */
const GAP = 1.1;

/** What of the extrapolation depends on times alone, per step; all in seconds. `factor` holds unless the zero floor bites. */
type Edges = {
  readonly times: Float64Array;
  readonly sampled: Float64Array;
  readonly toStart: Float64Array;
  readonly toEnd: Float64Array;
  readonly factor: Float64Array;
};

function edgesOf(times: Float64Array, { count, rangeMs, ends, lo, hi }: Windows, divisor: number): Edges {
  const edges = {
    times,
    sampled: new Float64Array(count),
    toStart: new Float64Array(count),
    toEnd: new Float64Array(count),
    factor: new Float64Array(count),
  };
  for (let i = 0; i < count; i++) {
    const from = lo[i] as number;
    const last = (hi[i] as number) - 1;
    if (last - from < 1) continue;
    const end = ends[i] as number;
    const firstTime = times[from] as number;
    const lastTime = times[last] as number;
    const sampled = (lastTime - firstTime) / 1000;
    const average = sampled / (last - from);
    const toStart = (firstTime - (end - rangeMs)) / 1000;
    const toEnd = (end - lastTime) / 1000;
    edges.sampled[i] = sampled;
    edges.toStart[i] = toStart >= average * GAP ? average / 2 : toStart;
    edges.toEnd[i] = toEnd >= average * GAP ? average / 2 : toEnd;
    edges.factor[i] = (sampled + (edges.toStart[i] as number) + (edges.toEnd[i] as number)) / sampled / divisor;
  }
  return edges;
}

/**
 * `rate`, `increase` (counters: a fall is a restart from zero) and `delta`: the change between the outermost samples,
 * stretched to the window's edges unless those lie too far away; a counter never stretches below zero.
 */
export function extrapolated({ counter, perSecond }: { readonly counter: boolean; readonly perSecond: boolean }): Kernel {
  const known = new WeakMap<Windows, Edges>();
  return ({ times, values }, windows, out, has) => {
    const { count, rangeMs, lo, hi } = windows;
    const divisor = perSecond ? rangeMs / 1000 : 1;
    let edges = known.get(windows);
    if (edges === undefined || edges.times !== times) known.set(windows, (edges = edgesOf(times, windows, divisor)));
    const { sampled, toStart, toEnd, factor } = edges;
    const resets = counter ? resetsOf(values) : NO_RESETS;
    let present = 0;
    let firstReset = 0;
    for (let i = 0; i < count; i++) {
      const from = lo[i] as number;
      const last = (hi[i] as number) - 1;
      if (last - from < 1) {
        has[i] = 0;
        continue;
      }
      const first = values[from] as number;
      let change = (values[last] as number) - first;
      if (resets.length > 0) {
        while (firstReset < resets.length && (resets[firstReset] as number) <= from) firstReset++;
        for (let r = firstReset; r < resets.length && (resets[r] as number) <= last; r++)
          change += values[(resets[r] as number) - 1] as number;
      }
      let stretch = factor[i] as number;
      if (counter && change > 0 && first >= 0) {
        const whole = sampled[i] as number;
        const toZero = whole * (first / change);
        if (toZero < (toStart[i] as number)) stretch = (whole + toZero + (toEnd[i] as number)) / whole / divisor;
      }
      out[i] = change * stretch;
      has[i] = 1;
      present++;
    }
    return present;
  };
}

const NO_RESETS: readonly number[] = [];

/** Indexes of samples below their predecessor. */
function resetsOf(values: Float64Array): readonly number[] {
  let found: number[] | undefined;
  let previous = values[0] as number;
  for (let i = 1; i < values.length; i++) {
    const value = values[i] as number;
    if (value < previous) (found ??= []).push(i);
    previous = value;
  }
  return found ?? NO_RESETS;
}

/** `irate` and `idelta`: the last two samples of a window alone. */
export function instantaneous(rate: boolean): Kernel {
  return ({ times, values }, { count, lo, hi }, out, has) => {
    let present = 0;
    for (let i = 0; i < count; i++) {
      const last = (hi[i] as number) - 1;
      has[i] = 0;
      if (last - (lo[i] as number) < 1) continue;
      const interval = (times[last] as number) - (times[last - 1] as number);
      const value = values[last] as number;
      const before = values[last - 1] as number;
      if (interval === 0) continue;
      out[i] = rate ? (value < before ? value : value - before) / (interval / 1000) : value - before;
      has[i] = 1;
      present++;
    }
    return present;
  };
}
