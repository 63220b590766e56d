import { type EpochMs, epochMs } from '@nines/base/units.ts';
import type { LedgerInterval, Span } from './types.ts';
import { clipSpan } from './window.ts';

/** How the samples of a slice become one number. Percentiles interpolate linearly, as PromQL's `quantile` does. */
export const REDUCERS = ['mean', 'min', 'max', 'last', 'sum', 'p50', 'p90', 'p95', 'p99'] as const;
export type Reducer = (typeof REDUCERS)[number];

export const CONDITIONS = ['<', '<=', '>', '>='] as const;
export type Condition = (typeof CONDITIONS)[number];

/** Samples of a slice, in time order; NaN ones are left out before. Null for an empty slice. */
export function reduceSlice(values: readonly number[], reducer: Reducer): number | null {
  if (values.length === 0) return null;
  switch (reducer) {
    case 'mean':
      return meanOf(values);
    case 'sum':
      return values.reduce((sum, value) => sum + value, 0);
    case 'min':
      return values.reduce((least, value) => Math.min(least, value));
    case 'max':
      return values.reduce((most, value) => Math.max(most, value));
    case 'last':
      return values.at(-1) ?? null;
    case 'p50':
    case 'p90':
    case 'p95':
    case 'p99':
      return quantileOf(values, Number(reducer.slice(1)) / 100);
  }
}

/** A running mean: a sum of large values could overflow where their mean does not. */
function meanOf(values: readonly number[]): number {
  let mean = 0;
  let count = 0;
  for (const value of values) mean += (value - mean) / ++count;
  return mean;
}

function quantileOf(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const rank = q * (sorted.length - 1);
  const low = sorted[Math.floor(rank)] ?? Number.NaN;
  const high = sorted[Math.ceil(rank)] ?? Number.NaN;
  return low + (high - low) * (rank - Math.floor(rank));
}

export function holds(value: number, condition: Condition, threshold: number): boolean {
  switch (condition) {
    case '<':
      return value < threshold;
    case '<=':
      return value <= threshold;
    case '>':
      return value > threshold;
    case '>=':
      return value >= threshold;
  }
}

export type SliceState = 'up' | 'down' | 'unknown';
/** Slices in a row with one verdict; `worst` is the value farthest on the wrong side, null when the slices were empty. */
export type SliceRun = Span & {
  readonly state: SliceState;
  readonly samples: number;
  readonly worst: number | null;
  readonly last: number | null;
  /** Of an objective that counts events: those of this slice. Such slices stand alone, so that any window is a sum of them. */
  readonly good?: number;
  readonly total?: number;
};

/** Slices begin at multiples of their length since the Unix epoch. */
export const sliceStart = (atMs: number, lengthMs: number): EpochMs => epochMs(Math.floor(atMs / lengthMs) * lengthMs);

/** Joins `next` to the run before it when it continues it with the same verdict; otherwise undefined. */
export function extendRun(run: SliceRun, next: SliceRun, condition: Condition): SliceRun | undefined {
  if (run.toMs !== next.fromMs || run.state !== next.state) return undefined;
  if (run.total !== undefined || next.total !== undefined) return undefined;
  return {
    fromMs: run.fromMs,
    toMs: next.toMs,
    state: run.state,
    samples: run.samples + next.samples,
    worst: worstOf(run.worst, next.worst, condition),
    last: next.last ?? run.last,
  };
}

function worstOf(a: number | null, b: number | null, condition: Condition): number | null {
  if (a === null || b === null) return a ?? b;
  return condition.startsWith('<') ? Math.max(a, b) : Math.min(a, b);
}

/** What the time of a service's outage counts as in a threshold objective. */
export const WHILE_DOWN = ['exclude', 'bad', 'measure'] as const;
export type WhileDown = (typeof WHILE_DOWN)[number];

/**
 * The timeline of a threshold objective over `window`: verdicts of closed slices, unknown where there is none, not yet
 * monitored before `sinceMs`. Under `bad` the service's outages are down whatever was measured.
 */
export function sliceTimeline(
  runs: readonly SliceRun[],
  window: Span,
  terms: { readonly sinceMs: EpochMs | null; readonly outages: readonly Span[]; readonly whileDown: WhileDown },
): readonly LedgerInterval[] {
  const sinceMs = terms.sinceMs ?? window.toMs;
  const intervals: LedgerInterval[] = [];
  const push = (span: Span, state: SliceState): void => {
    const before = clipSpan(span, { fromMs: window.fromMs, toMs: epochMs(Math.min(sinceMs, window.toMs)) });
    const after = clipSpan(span, { fromMs: epochMs(Math.max(sinceMs, window.fromMs)), toMs: window.toMs });
    if (before !== undefined) append(intervals, { ...before, state: 'unknown', unknownReason: 'not_yet_monitored' });
    if (after === undefined) return;
    append(intervals, state === 'unknown' ? { ...after, state, unknownReason: 'no_data' } : { ...after, state });
  };
  let at = window.fromMs;
  for (const run of runs) {
    const inside = clipSpan(run, { fromMs: at, toMs: window.toMs });
    if (inside === undefined) continue;
    if (inside.fromMs > at) push({ fromMs: at, toMs: inside.fromMs }, 'unknown');
    push(inside, run.state);
    at = inside.toMs;
  }
  if (at < window.toMs) push({ fromMs: at, toMs: window.toMs }, 'unknown');
  return terms.whileDown === 'bad' ? overlaid(intervals, terms.outages) : intervals;
}

/** Adds an interval, joining it to the last when both say the same. */
function append(intervals: LedgerInterval[], next: LedgerInterval): void {
  const last = intervals.at(-1);
  if (last !== undefined && last.toMs === next.fromMs && last.state === next.state && last.unknownReason === next.unknownReason) {
    intervals[intervals.length - 1] = { ...last, toMs: next.toMs };
  } else {
    intervals.push(next);
  }
}

function overlaid(intervals: readonly LedgerInterval[], outages: readonly Span[]): readonly LedgerInterval[] {
  const result: LedgerInterval[] = [];
  for (const interval of intervals) {
    let at = interval.fromMs;
    for (const outage of outages) {
      const inside = clipSpan(outage, { fromMs: at, toMs: interval.toMs });
      if (inside === undefined) continue;
      if (inside.fromMs > at) append(result, { ...interval, fromMs: at, toMs: inside.fromMs });
      append(result, { ...inside, state: 'down' });
      at = inside.toMs;
    }
    if (at < interval.toMs) append(result, { ...interval, fromMs: at });
  }
  return result;
}
