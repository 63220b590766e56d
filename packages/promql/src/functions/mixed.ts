import { type Histogram, divided, scaled } from '@nines/model/histogram.ts';
import { type Call, type Expr, type Extended, unwrap } from '../ast.ts';
import { type Context, metricName } from '../context.ts';
import {
  histogramsIgnored,
  mixedBuckets,
  mixedSamples,
  notCounter,
  notGauge,
  overlappingStart,
  reconciled,
  resetCollision,
} from '../warnings.ts';
import { type Samples, type Windows, windowsOver } from '../windows.ts';
import { type ExtendedNotes, type ExtendedWindow, anchoredChange, anchoredCount, smoothedChange } from './extended-mixed.ts';
import { type HistogramChange, changeOf, lastChangeOf } from './histogram-rate.ts';
import { HistogramSum } from './histogram-sum.ts';
import type { Kernel } from './kernel.ts';
import { type Operand, isChange, isReset, sampleAt, times } from './operand.ts';
import { stretched } from './rate.ts';
import { type StartedNotes, startedChange, startedRate, startedResets } from './started.ts';

/**
 * Range functions over series that have native histograms, alone or among floats, or starts of counters. What a window's floats give comes from the
 * same kernel as ever; this decides, window by window, what the histograms in it mean for the function.
 */
export type MixedResult = {
  readonly values: Float64Array;
  readonly has: Uint8Array;
  readonly histograms: (Histogram | undefined)[];
};

/** One window: its samples from `from` to before `to`. */
type Window = ExtendedWindow;
type Outcome = Operand | undefined;
type OfHistograms = (window: Window, histograms: readonly Histogram[]) => Outcome;

export function mixedWindows(
  call: Call,
  matrix: Expr,
  { ctx, kernel }: { readonly ctx: Context; readonly kernel: Kernel },
): (samples: Samples, windows: Windows) => MixedResult {
  return (samples, windows) => {
    const notes = notesOf(metricName(samples.labels), matrix, ctx);
    const compute = functionOf(call, matrix, { notes, samples });
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
      if (floatCount === to - from && samples.starts === undefined && !isExtended(matrix)) continue;
      const endMs = windows.ends[i] as number;
      const window = { samples, from, to, startMs: endMs - windows.rangeMs, endMs, lookbackMs: ctx.query.lookbackMs };
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

type Notes = ExtendedNotes & HistogramChange['notes'] & StartedNotes & { ignored(): void; collision(): void; reconciledInSum(): void };

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
    overlap: () => overlappingStart(name, matrix, ctx),
  };
}

const extendedOf = (matrix: Expr): Extended | undefined => {
  const source = unwrap(matrix);
  return source.kind === 'matrix' ? source.selector.extended : undefined;
};
const isExtended = (matrix: Expr): boolean => extendedOf(matrix) !== undefined;

function functionOf({ func }: Call, matrix: Expr, { notes, samples }: { readonly notes: Notes; readonly samples: Samples }): Compute {
  const extended = extendedOf(matrix);
  if (extended !== undefined) return extendedFunction(func, extended, notes);
  const started = samples.starts === undefined ? undefined : STARTED.get(func);
  if (started !== undefined) return (window) => perSecond(func, window, started(window, notes));
  const whole = WHOLE.get(func);
  if (whole !== undefined) return (window) => (window.to === window.from ? KEEP_FLOATS : whole(window));
  const ofHistograms = histogramFunction(func, notes);
  if (ofHistograms === undefined)
    return ({ from, to }, hasFloats) => {
      if (hasFloats && countHistograms(samples, from, to) > 0) notes.ignored();
      return KEEP_FLOATS;
    };
  const pair = func === 'irate' || func === 'idelta';
  return (window, hasFloats) => {
    const from = pair ? Math.max(window.from, window.to - 2) : window.from;
    const found = (samples.histograms ?? []).slice(from, window.to).filter((each) => each !== undefined);
    if (found.length === 0) return KEEP_FLOATS;
    if (pair ? found.length < window.to - from : hasFloats) {
      notes.mixedSamples();
      return undefined;
    }
    return ofHistograms(window, found);
  };
}

const countHistograms = ({ histograms = [] }: Samples, from: number, to: number): number =>
  histograms.slice(from, to).filter((each) => each !== undefined).length;

const perSecond = (func: string, { startMs, endMs }: Window, change: Outcome): Outcome =>
  func === 'rate' && change !== undefined ? times(change, 1000 / (endMs - startMs)) : change;

const STARTED: ReadonlyMap<string, (window: Window, notes: Notes) => Outcome> = new Map<string, (window: Window, notes: Notes) => Outcome>([
  ['increase', startedChange],
  ['rate', startedChange],
  ['irate', startedRate],
  ['resets', (window) => (window.to === window.from ? undefined : startedResets(window))],
]);

function extendedFunction(func: string, extended: Extended, notes: Notes): Compute {
  if (func === 'changes' || func === 'resets') return (window) => anchoredCount(window, func);
  const options = { counter: func !== 'delta', notes };
  const change = extended === 'anchored' ? anchoredChange : smoothedChange;
  return (window) => perSecond(func, window, change(window, options));
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

function countSteps({ samples, from, to }: Window, counts: (now: Operand, before: Operand) => boolean): number {
  let count = 0;
  for (let i = from + 1; i < to; i++) if (counts(sampleAt(samples, i), sampleAt(samples, i - 1))) count++;
  return count;
}

function histogramFunction(func: string, notes: Notes): OfHistograms | undefined {
  switch (func) {
    case 'sum_over_time':
    case 'avg_over_time':
      return (_window, histograms) => total(histograms, func === 'avg_over_time', notes);
    case 'rate':
    case 'increase':
    case 'delta':
      return (window, histograms) => perSecond(func, window, extrapolatedChange(window, histograms, { counter: func !== 'delta', notes }));
    case 'irate':
    case 'idelta':
      return (window, histograms) => instantChange(window, histograms, { counter: func === 'irate', notes });
    default:
      return undefined;
  }
}

function total(histograms: readonly Histogram[], wantsMean: boolean, notes: Notes): Histogram | undefined {
  const sum = sumOf(histograms);
  if (sum.isMixed) notes.mixedBuckets();
  if (sum.hasCollision) notes.collision();
  if (sum.wasReconciled) notes.reconciledInSum();
  const result = sum.result();
  if (!wantsMean || result === undefined) return result;
  // Where the sum no longer fits a float, its parts are divided before they are added.
  const parts = isOverflowing(result) ? sumOf(histograms.map((each) => scaled(each, 1 / histograms.length))).result() : undefined;
  return parts ?? divided(result, histograms.length);
}

function sumOf(histograms: readonly Histogram[]): HistogramSum {
  const sum = new HistogramSum(false);
  for (const each of histograms) sum.add(each);
  return sum;
}

const isOverflowing = ({ count, sum, zeroCount, positive, negative }: Histogram): boolean =>
  [count, sum, zeroCount, ...positive.counts, ...negative.counts].some((figure) => Math.abs(figure) === Number.POSITIVE_INFINITY);

function extrapolatedChange(
  { samples, from, to, startMs, endMs }: Window,
  histograms: readonly Histogram[],
  { counter, notes }: HistogramChange,
): Outcome {
  const [first] = histograms;
  if (first === undefined || histograms.length < 2) return undefined;
  const change = changeOf(histograms, { counter, notes });
  if (change === undefined) return undefined;
  const edges = {
    firstMs: samples.times[from] as number,
    lastMs: samples.times[to - 1] as number,
    count: to - from,
    startMs,
    endMs,
  };
  return times(change, stretched(edges, counter ? { change: change.count, first: first.count } : undefined));
}

function instantChange({ samples, to }: Window, histograms: readonly Histogram[], options: HistogramChange): Outcome {
  const [before, last] = histograms;
  if (before === undefined || last === undefined) return undefined;
  const seconds = ((samples.times[to - 1] as number) - (samples.times[to - 2] as number)) / 1000;
  const change = lastChangeOf(before, last, options);
  if (change === undefined) return undefined;
  return options.counter ? times(change, 1 / seconds) : change;
}

function floatsOf({ labels, dropName, times, values, histograms = [] }: Samples): Samples {
  const kept = Array.from(values.keys()).filter((i) => histograms[i] === undefined);
  const at = (column: Float64Array): Float64Array => Float64Array.from(kept, (i) => column[i] as number);
  return { labels, dropName, times: at(times), values: at(values) };
}
