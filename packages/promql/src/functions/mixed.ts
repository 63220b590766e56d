import { type Histogram, sameHistogram, scaled, wasReset } from '@nines/model/histogram.ts';
import type { Call, Expr } from '../ast.ts';
import { type Context, metricName } from '../context.ts';
import { histogramsIgnored, mixedBuckets, mixedSamples, notCounter, notGauge, reconciled, resetCollision } from '../warnings.ts';
import { type Samples, type Windows, windowsOver } from '../windows.ts';
import { type HistogramChange, changeOf, lastChangeOf } from './histogram-rate.ts';
import { HistogramSum } from './histogram-sum.ts';
import { stretched } from './rate.ts';
import type { Kernel } from './kernel.ts';

/**
 * Range functions over series that have native histograms, alone or among floats. What a window's floats give comes from the
 * same kernel as ever; this decides, window by window, what the histograms in it mean for the function.
 */
export type MixedResult = {
  readonly values: Float64Array;
  readonly has: Uint8Array;
  readonly histograms: (Histogram | undefined)[];
};

/** One window: its samples from `from` to before `to`. */
type Window = { readonly samples: Samples; readonly from: number; readonly to: number; readonly endMs: number; readonly rangeMs: number };
/** A float, a histogram, or nothing. */
type Outcome = number | Histogram | undefined;
type OfHistograms = (window: Window, histograms: readonly Histogram[]) => Outcome;

export function mixedWindows(
  call: Call,
  matrix: Expr,
  { ctx, kernel }: { readonly ctx: Context; readonly kernel: Kernel },
): (samples: Samples, windows: Windows) => MixedResult {
  return (samples, windows) => {
    const notes = notesOf(metricName(samples.labels), matrix, ctx);
    const compute = functionOf(call.func, notes);
    const floats = floatsOf(samples);
    const floatWindows = windowsOver(floats.times, windows);
    const { count } = windows;
    const values = new Float64Array(count);
    const has = new Uint8Array(count);
    kernel(floats, floatWindows, values, has);
    const histograms: (Histogram | undefined)[] = Array.from({ length: count });
    for (let i = 0; i < count; i++) {
      const from = windows.lo[i] as number;
      const to = windows.hi[i] as number;
      const floatCount = (floatWindows.hi[i] as number) - (floatWindows.lo[i] as number);
      if (floatCount === to - from) continue;
      const window = { samples, from, to, endMs: windows.ends[i] as number, rangeMs: windows.rangeMs };
      const outcome = compute(window, floatCount > 0);
      if (outcome === KEEP_FLOATS) continue;
      has[i] = typeof outcome === 'number' ? 1 : 0;
      if (typeof outcome === 'number') values[i] = outcome;
      else histograms[i] = outcome;
    }
    return { values, has, histograms };
  };
}

/** The floats of the window decide alone. */
const KEEP_FLOATS = Symbol('what the floats give');
type Compute = (window: Window, hasFloats: boolean) => Outcome | typeof KEEP_FLOATS;

type Notes = HistogramChange['notes'] & { mixedSamples(): void; ignored(): void; collision(): void; reconciledInSum(): void };

function notesOf(name: string, matrix: Expr, ctx: Context): Notes {
  return {
    mixedBuckets: () => mixedBuckets(name, matrix, ctx),
    notCounter: () => notCounter(name, matrix, ctx),
    notGauge: () => notGauge(name, matrix, ctx),
    reconciled: (doing) => reconciled(doing, matrix, ctx),
    mixedSamples: () => mixedSamples(name, matrix, ctx),
    ignored: () => histogramsIgnored(name, matrix, ctx),
    collision: () => resetCollision('aggregation', matrix, ctx),
    reconciledInSum: () => reconciled('aggregation', matrix, ctx),
  };
}

function functionOf(func: string, notes: Notes): Compute {
  const whole = WHOLE.get(func);
  if (whole !== undefined) return (window) => whole(window);
  const ofHistograms = histogramFunction(func, notes);
  if (ofHistograms === undefined)
    return (_window, hasFloats) => {
      if (hasFloats) notes.ignored();
      return KEEP_FLOATS;
    };
  const pair = func === 'irate' || func === 'idelta';
  return (window, hasFloats) => {
    const { samples, to } = window;
    const from = pair ? Math.max(window.from, to - 2) : window.from;
    const found = (samples.histograms ?? []).slice(from, to).filter((each) => each !== undefined);
    if (found.length === 0) return KEEP_FLOATS;
    if (pair ? found.length < to - from : hasFloats) {
      notes.mixedSamples();
      return undefined;
    }
    return ofHistograms(window, found);
  };
}

/** Functions that take floats and histograms alike, in the order they came. */
const WHOLE: ReadonlyMap<string, (window: Window) => Outcome> = new Map<string, (window: Window) => Outcome>([
  ['count_over_time', ({ from, to }) => to - from],
  ['present_over_time', () => 1],
  ['first_over_time', ({ samples, from }) => sampleAt(samples, from)],
  ['last_over_time', ({ samples, to }) => sampleAt(samples, to - 1)],
  ['ts_of_first_over_time', ({ samples, from }) => (samples.times[from] as number) / 1000],
  ['ts_of_last_over_time', ({ samples, to }) => (samples.times[to - 1] as number) / 1000],
  ['changes', (window) => countSteps(window, isChange)],
  ['resets', (window) => countSteps(window, isReset)],
]);

const sampleAt = ({ values, histograms }: Samples, index: number): number | Histogram => histograms?.[index] ?? (values[index] as number);

function countSteps({ samples, from, to }: Window, counts: (now: number | Histogram, before: number | Histogram) => boolean): number {
  let count = 0;
  for (let i = from + 1; i < to; i++) if (counts(sampleAt(samples, i), sampleAt(samples, i - 1))) count++;
  return count;
}

function isChange(now: number | Histogram, before: number | Histogram): boolean {
  if (typeof now === 'number') return typeof before !== 'number' || (now !== before && !(now !== now && before !== before));
  return typeof before === 'number' || !sameHistogram(now, before);
}

function isReset(now: number | Histogram, before: number | Histogram): boolean {
  if (typeof now === 'number') return typeof before !== 'number' || now < before;
  return typeof before === 'number' || wasReset(now, before);
}

function histogramFunction(func: string, notes: Notes): OfHistograms | undefined {
  switch (func) {
    case 'sum_over_time':
    case 'avg_over_time':
      return (_window, histograms) => total(histograms, func === 'avg_over_time', notes);
    case 'rate':
    case 'increase':
    case 'delta':
      return (window, histograms) =>
        extrapolatedChange(window, histograms, { counter: func !== 'delta', perSecond: func === 'rate', notes });
    case 'irate':
    case 'idelta':
      return (window, histograms) => instantChange(window, histograms, { counter: func === 'irate', notes });
    default:
      return undefined;
  }
}

function total(histograms: readonly Histogram[], wantsMean: boolean, notes: Notes): Histogram | undefined {
  const sum = new HistogramSum(wantsMean);
  for (const each of histograms) sum.add(each);
  if (sum.isMixed) notes.mixedBuckets();
  if (sum.hasCollision) notes.collision();
  if (sum.wasReconciled) notes.reconciledInSum();
  return sum.result();
}

function extrapolatedChange(
  { samples, from, to, endMs, rangeMs }: Window,
  histograms: readonly Histogram[],
  { counter, perSecond, notes }: HistogramChange & { readonly perSecond: boolean },
): Histogram | undefined {
  const [first] = histograms;
  if (first === undefined || histograms.length < 2) return undefined;
  const change = changeOf(histograms, { counter, notes });
  if (change === undefined) return undefined;
  const edges = {
    firstMs: samples.times[from] as number,
    lastMs: samples.times[to - 1] as number,
    count: to - from,
    startMs: endMs - rangeMs,
    endMs,
  };
  const factor = stretched(edges, counter ? { change: change.count, first: first.count } : undefined);
  return { ...scaled(change, perSecond ? factor / (rangeMs / 1000) : factor), hint: 'gauge' };
}

function instantChange({ samples, to }: Window, histograms: readonly Histogram[], options: HistogramChange): Histogram | undefined {
  const [before, last] = histograms;
  if (before === undefined || last === undefined) return undefined;
  const seconds = ((samples.times[to - 1] as number) - (samples.times[to - 2] as number)) / 1000;
  const change = lastChangeOf(before, last, options);
  if (change === undefined) return undefined;
  return options.counter ? { ...scaled(change, 1 / seconds), hint: 'gauge' } : change;
}

function floatsOf({ labels, dropName, times, values, histograms = [] }: Samples): Samples {
  const kept = Array.from(values.keys()).filter((i) => histograms[i] === undefined);
  const at = (column: Float64Array): Float64Array => Float64Array.from(kept, (i) => column[i] as number);
  return { labels, dropName, times: at(times), values: at(values) };
}
