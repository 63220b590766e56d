import { lowerBound } from '@nines/base/lower-bound.ts';
import { type Histogram, wasReset } from '@nines/model/histogram.ts';
import type { SelectOptions, SeriesColumns } from '@nines/model/storage.ts';
import { bitsOf, isStale } from '@nines/model/stale.ts';
import type { At, VectorSelector } from './ast.ts';
import { type Context, breathe, expectSamples, isTired, lengthMs, metricName, throwIfAborted } from './context.ts';
import { onLine } from './functions/extended-mixed.ts';
import { type Operand, isGauge, sampleAt } from './functions/operand.ts';
import { PromqlFailure } from './promql-error.ts';
import { informOfRollups, rollupUse } from './rollups.ts';
import { RowBuffer, type Sink, hasHistogram } from './row.ts';
import { mixedBuckets, mixedSamples } from './warnings.ts';

/** Reading from storage: which instants a selector looks at, and the rows of an instant selector. */

/** What a series costs besides its samples and steps, in points: finding it, its labels, its group. */
const SERIES_COST = 200;

/** The instants that the steps of `ctx` look at once `@` and `offset` have moved them; never falling. */
export function instantsOf({ at, offset }: { readonly at?: At; readonly offset?: VectorSelector['offset'] }, ctx: Context): Float64Array {
  const { grid, query } = ctx;
  const shift = offset === undefined ? 0 : lengthMs(offset, query);
  const instants = new Float64Array(grid.count);
  const pinned = at === undefined ? undefined : at.kind === 'instant' ? at.atMs : at.kind === 'start' ? query.startMs : query.endMs;
  for (let i = 0; i < instants.length; i++) instants[i] = (pinned ?? grid.startMs + i * grid.stepMs) - shift;
  return instants;
}

type SeriesWalk = {
  readonly after: number;
  readonly until: number;
  /** Each series becomes a row that stays in memory. */
  readonly keeps?: boolean;
  readonly hints?: Pick<SelectOptions, 'presence' | 'newest' | 'rollups'>;
  /** The series' values are valid during the call only. */
  readonly visit: (series: SeriesColumns) => void;
};

/**
 * Walks the series of a selector with their samples in `(after, until]` (milliseconds), breathing in between. `visit` gets
 * staleness markers too.
 */
export async function walkSeries(selector: VectorSelector, ctx: Context, { after, until, hints, keeps, visit }: SeriesWalk): Promise<void> {
  const { query } = ctx;
  const options: SelectOptions = {
    ...hints,
    reuse: true,
    onDamage: (problem) => query.annotations.warn(problem, selector.position),
    ...(query.scope && { scope: query.scope }),
    ...(query.signal && { signal: query.signal }),
    ...(query.yieldNow && { yieldNow: query.yieldNow }),
  };
  throwIfAborted(query);
  try {
    const found = await query.queryable.select(selector.matchers, { fromMs: after + 1, toMs: until }, options);
    if (keeps === true) expectSamples(query, (found.atMost ?? 0) * ctx.grid.count);
    for (const series of found) {
      expectSamples(query, series.times.length);
      informOfRollups(series, selector, ctx);
      visit(query.countsOnly.has(selector) ? withDetectedResets(series) : series);
      if (isTired(query, series.times.length + ctx.grid.count + SERIES_COST)) await breathe(query);
    }
  } catch (thrown) {
    if (!(thrown instanceof PromqlFailure)) throwIfAborted(query);
    throw thrown;
  }
}

/** Where a hint does not say whether a counter was reset, the sample before does. */
function withDetectedResets(series: SeriesColumns): SeriesColumns {
  if (series.histograms === undefined) return series;
  let before: Histogram | undefined;
  const histograms = series.histograms.map((histogram): Histogram | undefined => {
    const last = before;
    if (histogram === undefined) return undefined;
    before = histogram;
    if (histogram.hint !== 'unknown' || last === undefined) return histogram;
    return { ...histogram, hint: wasReset(histogram, last) ? 'reset' : 'not_reset' };
  });
  return { ...series, histograms };
}

/** The newest sample of each series within the lookback before each step; none where that is a staleness marker. */
export async function selectorRows(selector: VectorSelector, ctx: Context, sink: Sink): Promise<void> {
  if (selector.extended === 'smoothed') return smoothedRows(selector, ctx, sink);
  await lookUp(selector, ctx, sink, 'value');
}

/** On the straight line between the samples around each step; the newest sample where none follows within the lookback. */
async function smoothedRows(selector: VectorSelector, ctx: Context, sink: Sink): Promise<void> {
  const instants = instantsOf(selector, ctx);
  const { lookbackMs } = ctx.query;
  const { count } = ctx.grid;
  const buffer = new RowBuffer(count, sink);
  await walkSeries(selector, ctx, {
    after: (instants[0] ?? 0) - lookbackMs,
    until: (instants[count - 1] ?? 0) + lookbackMs,
    keeps: sink.keeps,
    hints: { rollups: rollupUse('other', instants, lookbackMs) },
    visit: (series) => {
      if (series.histograms !== undefined) {
        smoothedMixed(withoutStaleMixed(series), { selector, instants, ctx, sink });
        return;
      }
      const { times, values: samples } = withoutStale(series.times, series.values);
      const values = buffer.values();
      const has = buffer.has();
      let present = 0;
      let next = 0;
      for (let i = 0; i < count; i++) {
        const at = instants[i] as number;
        while (next < times.length && (times[next] as number) <= at) next++;
        has[i] = 0;
        if (next === 0 || (times[next - 1] as number) <= at - lookbackMs) continue;
        const follows = next < times.length && (times[next] as number) <= at + lookbackMs;
        values[i] = follows ? interpolate({ times, values: samples }, next, at) : (samples[next - 1] as number);
        has[i] = 1;
        present++;
      }
      if (present === 0) buffer.release();
      else sink.row({ labels: series.labels, dropName: false, values, has: buffer.flags(present) });
    },
  });
}

type SmoothedSelection = { readonly selector: VectorSelector; readonly instants: Float64Array; readonly ctx: Context; readonly sink: Sink };

/** The same where there are histograms; between a float and a histogram, or between kinds of buckets, lies nothing. */
function smoothedMixed(series: SeriesColumns, { selector, instants, ctx, sink }: SmoothedSelection): void {
  const { lookbackMs } = ctx.query;
  const { times, labels } = series;
  const samples = { ...series, dropName: false };
  const operands = Array.from(instants, (at): Operand | undefined => {
    const next = countUpTo(times, at);
    if (next === 0 || (times[next - 1] as number) <= at - lookbackMs) return undefined;
    const before = sampleAt(samples, next - 1);
    if (next === times.length || (times[next] as number) > at + lookbackMs) return before;
    const found = onLine(samples, next, { at, counter: typeof before !== 'number' && !isGauge(before) });
    if (found !== undefined) return found;
    const withFloat = typeof before === 'number' || typeof sampleAt(samples, next) === 'number';
    (withFloat ? mixedSamples : mixedBuckets)(metricName(labels), selector, ctx);
    return undefined;
  });
  const has = Uint8Array.from(operands, (each) => (typeof each === 'number' ? 1 : 0));
  const values = Float64Array.from(operands, (each) => (typeof each === 'number' ? each : 0));
  if (has.includes(1)) sink.row({ labels, dropName: false, values, has: has.includes(0) ? has : null });
  const row = { labels, dropName: false, histograms: operands.map((each) => (typeof each === 'object' ? each : undefined)) };
  if (hasHistogram(row)) sink.histograms?.(row);
}

/** How many times are not after `at`. */
function countUpTo(times: Float64Array, at: number): number {
  const first = lowerBound(times, times.length, at);
  return times[first] === at ? first + 1 : first;
}

/** The straight line between samples `next - 1` and `next`, at an instant between them. A counter that fell restarted from zero. */
export function interpolate({ times, values }: Pick<SeriesColumns, 'times' | 'values'>, next: number, at: number, counter = false): number {
  const before = values[next - 1] as number;
  const after = values[next] as number;
  const start = times[next - 1] as number;
  if (at === start) return before;
  const from = counter && after < before ? 0 : before;
  return from + ((after - from) * (at - start)) / ((times[next] as number) - start);
}

/** The same, with the time of the sample (in seconds) in place of its value. */
export async function selectorTimes(selector: VectorSelector, ctx: Context, sink: Sink): Promise<void> {
  await lookUp(selector, ctx, sink, 'time');
}

/** The same, with the instant (in seconds) since when the sample counts; 0 where it does not say. */
export async function selectorStarts(selector: VectorSelector, ctx: Context, sink: Sink): Promise<void> {
  await lookUp(selector, ctx, sink, 'start');
}

async function lookUp(selector: VectorSelector, ctx: Context, sink: Sink, figure: 'value' | 'time' | 'start'): Promise<void> {
  const timesWanted = figure !== 'value';
  const instants = instantsOf(selector, ctx);
  const { lookbackMs } = ctx.query;
  const { count } = ctx.grid;
  const buffer = new RowBuffer(count, sink);
  const after = (instants[0] ?? 0) - lookbackMs;
  const wanted = newLookUp(instants, lookbackMs, timesWanted, !timesWanted && sink.presence === true);
  const presence = timesWanted || sink.presence === true;
  await walkSeries(selector, ctx, {
    after,
    until: instants[count - 1] ?? 0,
    keeps: sink.keeps,
    hints: { presence, newest: count === 1, rollups: rollupUse('newest', instants, lookbackMs) },
    visit: (series) => {
      const values = buffer.values();
      const has = buffer.has();
      const present = lookUpSeries(series, wanted, values, has);
      if (figure === 'start') wanted.newest.forEach((index, i) => (values[i] = (series.starts?.[index] ?? 0) / 1000));
      if (present === 0) buffer.release();
      else sink.row({ labels: series.labels, dropName: false, values, has: buffer.flags(present) });
      if (series.histograms !== undefined && !timesWanted) pushHistograms(series, wanted.newest, sink);
    },
  });
}

function pushHistograms({ labels, histograms = [] }: SeriesColumns, newest: Int32Array, sink: Sink): void {
  const row = { labels, dropName: false, histograms: Array.from(newest, (index) => (index < 0 ? undefined : histograms[index])) };
  if (hasHistogram(row)) sink.histograms?.(row);
}

type LookUp = {
  readonly instants: Float64Array;
  readonly lookbackMs: number;
  readonly timesWanted: boolean;
  /** Per step the newest sample within the lookback, -1 where there is none. */
  readonly newest: Int32Array;
  /** The times that `newest` was found for: series of one scrape share them. */
  times: Float64Array;
  /** What counts is where there are values: then what was found for the same arrays before still stands in `has`. */
  readonly presence: boolean;
  /** The values that were looked at last, which a store shares between series where values do not count. */
  values: Float64Array;
  /** At how many steps there was a value then. */
  present: number;
};

const NONE = new Float64Array(0);

/** A look-up at ascending instants for series after series; with `timesWanted` it gives the samples' times in seconds. */
export function newLookUp(instants: Float64Array, lookbackMs: number, timesWanted: boolean, presence = false): LookUp {
  return { instants, lookbackMs, timesWanted, presence, newest: new Int32Array(instants.length), times: NONE, values: NONE, present: 0 };
}

function findNewest(times: Float64Array, wanted: LookUp): void {
  const { instants, lookbackMs, newest } = wanted;
  let next = 0;
  for (let i = 0; i < newest.length; i++) {
    const at = instants[i] as number;
    while (next < times.length && (times[next] as number) <= at) next++;
    newest[i] = next > 0 && (times[next - 1] as number) > at - lookbackMs ? next - 1 : -1;
  }
  wanted.times = times;
}

/** Hot: one pass over the steps. Returns at how many of them there is a value. `out` and `has` are the same for all series of a look-up. */
export function lookUpSeries({ times, values, histograms }: SeriesColumns, wanted: LookUp, out: Float64Array, has: Uint8Array): number {
  if (times !== wanted.times) findNewest(times, wanted);
  else if (wanted.presence && values === wanted.values && histograms === undefined) return wanted.present;
  const { newest, timesWanted } = wanted;
  let bits: Uint32Array | undefined;
  let present = 0;
  for (let i = 0; i < newest.length; i++) {
    const last = newest[i] as number;
    has[i] = 0;
    if (last < 0) continue;
    const value = values[last] as number;
    if (histograms !== undefined && histograms[last] !== undefined) {
      if (!timesWanted) continue;
    } else if (value !== value) {
      bits ??= bitsOf(values);
      if (isStale(bits, last)) continue;
    }
    out[i] = timesWanted ? (times[last] as number) / 1000 : value;
    has[i] = 1;
    present++;
  }
  wanted.values = values;
  wanted.present = present;
  return present;
}

/** Whether a series has more than floats: histograms, or starts of counters. */
export const isMixed = ({ histograms, starts }: SeriesColumns): boolean => histograms !== undefined || starts !== undefined;

/** A mixed series without its staleness markers. */
export function withoutStaleMixed({ labels, times, values, histograms, starts }: SeriesColumns): SeriesColumns {
  const bits = bitsOf(values);
  const kept = Array.from(values.keys()).filter((i) => histograms?.[i] !== undefined || !isStale(bits, i));
  const at = (column: Float64Array): Float64Array => Float64Array.from(kept, (i) => column[i] as number);
  return {
    labels,
    times: at(times),
    values: at(values),
    ...(histograms === undefined ? {} : { histograms: kept.map((i) => histograms[i]) }),
    ...(starts === undefined ? {} : { starts: at(starts) }),
  };
}

/** The columns without staleness markers; the same arrays when there are none. */
export function withoutStale(times: Float64Array, values: Float64Array): { readonly times: Float64Array; readonly values: Float64Array } {
  const n = values.length;
  let at = 0;
  let bits: Uint32Array | undefined;
  for (; at < n; at++) {
    const value = values[at] as number;
    if (value === value) continue;
    bits ??= bitsOf(values);
    if (isStale(bits, at)) break;
  }
  if (at === n || bits === undefined) return { times, values };
  const keptTimes = times.slice();
  const keptValues = values.slice();
  let kept = at;
  for (; at < n; at++) {
    if (isStale(bits, at)) continue;
    keptTimes[kept] = times[at] as number;
    keptValues[kept] = values[at] as number;
    kept++;
  }
  return { times: keptTimes.subarray(0, kept), values: keptValues.subarray(0, kept) };
}
