import type { Windows } from '../windows.ts';
import type { Kernel } from './kernel.ts';

/** The rate family: counters and gauges over a window. Source of the rules: Prometheus' `extrapolatedRate`. */

/** How far, in sampling intervals, a window's edge may lie from its outermost sample before it counts as a gap. */
const GAP = 1.1;

/** Where the outermost samples of a window stand, in milliseconds; `count` is how many samples it has, at least two. */
export type OuterSamples = {
  readonly firstMs: number;
  readonly lastMs: number;
  readonly count: number;
  readonly startMs: number;
  readonly endMs: number;
};

/** How much longer than its sampled part a window is taken to be. A counter is not stretched to where it would be below zero. */
export function stretched(
  { firstMs, lastMs, count, startMs, endMs }: OuterSamples,
  counter?: { readonly change: number; readonly first: number },
): number {
  const sampled = (lastMs - firstMs) / 1000;
  const average = sampled / (count - 1);
  const reach = (gap: number): number => (gap >= average * GAP ? average / 2 : gap);
  let toStart = reach((firstMs - startMs) / 1000);
  if (counter !== undefined && counter.change > 0 && counter.first >= 0)
    toStart = Math.min(toStart, sampled * (counter.first / counter.change));
  return (sampled + toStart + reach((endMs - lastMs) / 1000)) / sampled;
}

/** What of the extrapolation depends on times alone, per step; all in seconds. `factor` holds unless the zero floor bites. */
type Edges = {
  readonly times: Float64Array;
  readonly sampled: Float64Array;
  readonly toStart: Float64Array;
  readonly toEnd: Float64Array;
  readonly factor: Float64Array;
  /** A little more than `toStart`: beyond it the zero floor is sure not to bite. */
  readonly floor: Float64Array;
  /** The samples of all windows together. */
  overlap: number;
};

/** Far above the rounding errors of the two products it separates. */
const SURELY = 1 + 1e-9;

function edgesOf(times: Float64Array, { count, rangeMs, ends, lo, hi }: Windows, divisor: number): Edges {
  const edges: Edges = {
    times,
    sampled: new Float64Array(count),
    toStart: new Float64Array(count),
    toEnd: new Float64Array(count),
    factor: new Float64Array(count),
    floor: new Float64Array(count),
    overlap: 0,
  };
  for (let i = 0; i < count; i++) {
    const from = lo[i] as number;
    const last = (hi[i] as number) - 1;
    if (last - from < 1) continue;
    edges.overlap += last - from;
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
    edges.floor[i] = (edges.toStart[i] as number) * SURELY;
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
    const { sampled, factor, floor } = edges;
    const resets = counter ? findResets(values) : 0;
    const slides = (resets / values.length) * edges.overlap > values.length * SLIDING_PAYS;
    if (slides) slideResets(windows);
    let present = count;
    let fromReset = 0;
    let toReset = 0;
    for (let i = 0; i < count; i++) {
      const from = lo[i] as number;
      const last = (hi[i] as number) - 1;
      if (last <= from) {
        has[i] = 0;
        present--;
        continue;
      }
      has[i] = 1;
      const first = values[from] as number;
      let change = (values[last] as number) - first;
      // What overflows is added up in order.
      const slid = slides ? (lost[i] as number) : Number.NaN;
      if (slid - slid === 0) change += slid;
      else if (resets > 0) {
        while (toReset < resets && (resetAt[toReset] as number) <= last) toReset++;
        while (fromReset < toReset && (resetAt[fromReset] as number) <= from) fromReset++;
        for (let r = fromReset; r < toReset; r++) change += lostAt[resetAt[r] as number] as number;
      }
      // The first comparison stands for the second, without its division; not where the product overflows.
      const near = (sampled[i] as number) * first;
      const bites = counter && change > 0 && first >= 0 && (near < (floor[i] as number) * change || near === Number.POSITIVE_INFINITY);
      out[i] = change * (bites ? floored(edges, i, { first, change, divisor }) : (factor[i] as number));
    }
    return present;
  };
}

/** The factor of a step whose counter would have stretched below zero, or the ordinary one. */
function floored(
  { sampled, toStart, toEnd, factor }: Edges,
  i: number,
  { first, change, divisor }: { readonly first: number; readonly change: number; readonly divisor: number },
): number {
  const whole = sampled[i] as number;
  const toZero = whole * (first / change);
  return toZero < (toStart[i] as number) ? (whole + toZero + (toEnd[i] as number)) / whole / divisor : (factor[i] as number);
}

/** How far one window's change is stretched by the same rules, from its outermost samples (milliseconds) and their number. */
export function stretchOf(
  change: number,
  divisor: number,
  window: {
    readonly startMs: number;
    readonly endMs: number;
    readonly firstMs: number;
    readonly lastMs: number;
    readonly first: number;
    readonly samples: number;
    readonly counter: boolean;
  },
): number {
  const sampled = (window.lastMs - window.firstMs) / 1000;
  const average = sampled / (window.samples - 1);
  let toStart = (window.firstMs - window.startMs) / 1000;
  let toEnd = (window.endMs - window.lastMs) / 1000;
  if (toStart >= average * GAP) toStart = average / 2;
  if (toEnd >= average * GAP) toEnd = average / 2;
  if (window.counter && change > 0 && window.first >= 0) toStart = Math.min(toStart, sampled * (window.first / change));
  return (sampled + toStart + toEnd) / sampled / divisor;
}

/** Of the series at hand: what was lost at each sample (its predecessor where it lies below that, 0 elsewhere), and in each window. */
let lostAt = new Float64Array(256);
let lost = new Float64Array(256);
/** Scratch: the samples with a loss, and what was lost from a sample to the end of the first window that has it. */
let resetAt = new Int32Array(256);
let lostFrom = new Float64Array(256);
const difference = new Float64Array(1);
const halves = new Uint32Array(difference.buffer);

/** Sliding pays once the windows together have that many resets per sample; measured on windows of 2 to 240 samples. */
const SLIDING_PAYS = 1.25;

/**
 * Fills `lostAt` and `resetAt` and returns how many resets there are. Whether a gauge fell is what no processor can guess, so the sign of the
 * difference decides without a branch; where a value is not finite, comparing does.
 */
function findResets(values: Float64Array): number {
  const n = values.length;
  if (lostAt.length < n) {
    lostAt = new Float64Array(n * 2);
    lostFrom = new Float64Array(n * 2);
    resetAt = new Int32Array(n * 2);
  }
  lostAt[0] = 0;
  let found = 0;
  let previous = values[0] as number;
  let total = 0;
  for (let i = 1; i < n; i++) {
    const value = values[i] as number;
    difference[0] = value - previous;
    const fell = (halves[1] as number) >>> 31;
    const loss = previous * fell;
    lostAt[i] = loss;
    total += loss;
    // Written always and counted where it counts.
    resetAt[found] = i;
    found += fell;
    previous = value;
  }
  return total + previous - (total + previous) === 0 ? found : compareAll(values);
}

function compareAll(values: Float64Array): number {
  let found = 0;
  for (let i = 1; i < values.length; i++) {
    const previous = values[i - 1] as number;
    const fell = (values[i] as number) < previous;
    lostAt[i] = fell ? previous : 0;
    if (fell) resetAt[found++] = i;
  }
  return found;
}

/** Fills `lost` from `lostAt` with two additions per sample, and nothing subtracted: see sliding.ts. */
function slideResets({ count, lo, hi }: Windows): void {
  if (lost.length < count) lost = new Float64Array(count * 2);
  let pivot = 0;
  let behind = 0;
  let running = 0;
  for (let i = 0; i < count; i++) {
    // A fall at a window's first sample is of no concern to it.
    const from = (lo[i] as number) + 1;
    const to = hi[i] as number;
    if (to <= from) continue;
    if (from >= pivot) {
      let sum = 0;
      for (let k = to - 1; k >= from; k--) lostFrom[k] = sum += lostAt[k] as number;
      pivot = to;
      behind = to;
      running = 0;
    }
    for (; behind < to; behind++) running += lostAt[behind] as number;
    lost[i] = (lostFrom[from] as number) + running;
  }
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
