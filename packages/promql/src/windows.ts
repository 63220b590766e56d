import type { Histogram } from '@nines/model/histogram.ts';
import { labelsKey } from '@nines/model/labels.ts';
import type { SeriesColumns, Statistic } from '@nines/model/storage.ts';
import type { Expr, Matrix, Subquery } from './ast.ts';
import { unwrap } from './ast.ts';
import { type Context, type Grid, collectBoth, expectSamples, positiveLengthMs } from './context.ts';
import { PromqlFailure } from './promql-error.ts';
import { rollupUse } from './rollups.ts';
import { type HistogramRow, type Row, isPresent } from './row.ts';
import { instantsOf, isMixed, walkSeries, withoutStale, withoutStaleMixed } from './select.ts';

/**
 * Range vectors: for each step the samples in `(end - range, end]`. Windows are index pairs into one series' columns, found
 * in one pass because both ends only move forward.
 */
export type Samples = SeriesColumns & { readonly dropName: boolean };

export type Windows = {
  readonly count: number;
  readonly rangeMs: number;
  /** The right end of each step's window. */
  readonly ends: Float64Array;
  /** First sample inside, per step. */
  readonly lo: Int32Array;
  /** First sample behind, per step. */
  readonly hi: Int32Array;
  /** The times that `lo` and `hi` were found for. Series of one scrape share them, and with them everything that follows. */
  times: Float64Array;
};

/** Steps of a subquery over all its windows: a year at a step of ten seconds. */
export const MAX_SUBQUERY_STEPS = 3_200_000;

/**
 * Samples in all windows of one series together that a function may walk which looks at each window by itself: nothing else gets
 * its turn meanwhile. A thousand windows of a week at an interval of fifteen seconds.
 */
export const MAX_WINDOW_SAMPLES = 50_000_000;

/** Samples in all windows together, each as often as windows have it. Refuses what nobody should wait for. */
export function countWindowSamples({ count, lo, hi }: Windows, { position }: Expr): number {
  let total = 0;
  for (let i = 0; i < count; i++) total += (hi[i] as number) - (lo[i] as number);
  if (total > MAX_WINDOW_SAMPLES)
    throw new PromqlFailure(
      'execution',
      `the windows of one series hold ${total} samples together, more than the ${MAX_WINDOW_SAMPLES} allowed: give it a longer step or a shorter range`,
      position,
    );
  return total;
}

export type WindowVisitor = (samples: Samples, windows: Windows) => void;

/**
 * What a visitor makes of each window: where it is a `statistic`, it can get entries of rollups. `presence`: it looks at no
 * value. `keeps`: it makes each series a row that stays in memory.
 */
export type WalkHints = { readonly statistic?: Statistic; readonly presence?: boolean; readonly keeps?: boolean };

/**
 * Calls `visit` per series; values and index arrays are filled anew each time and valid only during the call.
 */
export async function walkWindows(expr: Expr, ctx: Context, visit: WindowVisitor, hints: WalkHints = {}): Promise<void> {
  const source = unwrap(expr);
  if (source.kind === 'matrix') return walkMatrix(source, ctx, visit, hints);
  if (source.kind === 'subquery') return walkSubquery(source, ctx, visit);
  throw new PromqlFailure('execution', `expected a range vector, got ${source.kind}`, expr.position);
}

function emptyWindows(ends: Float64Array, rangeMs: number): Windows {
  const count = ends.length;
  return { count, rangeMs, ends, lo: new Int32Array(count), hi: new Int32Array(count), times: new Float64Array(0) };
}

/** The windows at the same instants over samples at other times. */
export function windowsOver(times: Float64Array, { ends, rangeMs }: Windows): Windows {
  const windows = emptyWindows(ends, rangeMs);
  fillWindows(times, windows);
  return windows;
}

async function walkMatrix(matrix: Matrix, ctx: Context, visit: WindowVisitor, { keeps, ...hints }: WalkHints): Promise<void> {
  const rangeMs = positiveLengthMs(matrix.range, ctx.query);
  const ends = instantsOf(matrix.selector, ctx);
  const windows = emptyWindows(ends, rangeMs);
  const { extended } = matrix.selector;
  const { lookbackMs } = ctx.query;
  await walkSeries(matrix.selector, ctx, {
    after: (ends[0] ?? 0) - rangeMs - (extended === undefined ? 0 : lookbackMs),
    until: (ends[ends.length - 1] ?? 0) + (extended === 'smoothed' ? lookbackMs : 0),
    ...(keeps === true && { keeps }),
    hints: {
      ...(hints.presence === true && { presence: true }),
      rollups: rollupUse(extended === undefined ? (hints.statistic ?? 'other') : 'other', ends, rangeMs),
    },
    visit: (series) => {
      const { labels } = series;
      if (!isMixed(series)) {
        const { rolled } = series;
        // Entries of rollups hold no staleness markers.
        const { times, values } = rolled === undefined ? withoutStale(series.times, series.values) : series;
        fillWindows(times, windows);
        visit({ labels, dropName: false, times: windows.times, values, ...(rolled !== undefined && { rolled }) }, windows);
      } else {
        const mixed = withoutStaleMixed(series);
        fillWindows(mixed.times, windows);
        visit({ ...mixed, dropName: false }, windows);
      }
    },
  });
}

function fillWindows(times: Float64Array, windows: Windows): void {
  if (sameTimes(times, windows.times)) return;
  windows.times = times;
  const { count, rangeMs, ends, lo, hi } = windows;
  const n = times.length;
  let first = 0;
  let behind = 0;
  for (let i = 0; i < count; i++) {
    const end = ends[i] as number;
    const start = end - rangeMs;
    while (behind < n && (times[behind] as number) <= end) behind++;
    while (first < behind && (times[first] as number) <= start) first++;
    lo[i] = first;
    hi[i] = behind;
  }
}

function sameTimes(a: Float64Array, b: Float64Array): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = a.length - 1; i >= 0; i--) if (a[i] !== b[i]) return false;
  return a.length > 0;
}

/** Evaluates the inner expression once over all instants that any window needs. */
async function walkSubquery(subquery: Subquery, ctx: Context, visit: WindowVisitor): Promise<void> {
  const { query } = ctx;
  const rangeMs = positiveLengthMs(subquery.range, query);
  const stepMs = subquery.step === undefined ? query.defaultStepMs : positiveLengthMs(subquery.step, query);
  const ends = instantsOf(subquery, ctx);
  const windows = emptyWindows(ends, rangeMs);
  const grid = subqueryGrid((ends[0] ?? 0) - rangeMs, ends[ends.length - 1] ?? 0, stepMs);
  // Every row of the inner expression is as long as that, and worked on without a break.
  if (grid.count > MAX_SUBQUERY_STEPS)
    throw new PromqlFailure(
      'execution',
      `a subquery of ${grid.count} steps is longer than the ${MAX_SUBQUERY_STEPS} allowed: give it a longer step or a shorter range`,
      subquery.position,
    );
  if (grid.count === 0) return;
  expectSamples(query, grid.count);
  const { rows, histograms } = await collectBoth(subquery.expr, { grid, query });
  const mixed = new Map(histograms.map((row) => [labelsKey(row.labels), row]));
  const visitSamples = (samples: Samples): void => {
    fillWindows(samples.times, windows);
    visit({ ...samples, times: windows.times }, windows);
  };
  for (const row of rows) {
    const key = mixed.size === 0 ? '' : labelsKey(row.labels);
    const partner = mixed.get(key);
    mixed.delete(key);
    visitSamples(partner === undefined ? samplesOf(row, grid) : mixedSamplesOf(row, partner, grid));
  }
  for (const row of mixed.values()) visitSamples(mixedSamplesOf(undefined, row, grid));
}

/** Absolute multiples of the step in `(after, until]`. */
function subqueryGrid(after: number, until: number, stepMs: number): Grid {
  const startMs = (Math.floor(after / stepMs) + 1) * stepMs;
  return { startMs, stepMs, count: Math.max(0, Math.floor((until - startMs) / stepMs) + 1) };
}

function samplesOf(row: Row, grid: Grid): Samples {
  const times = new Float64Array(grid.count);
  const values = new Float64Array(grid.count);
  let kept = 0;
  for (let i = 0; i < grid.count; i++) {
    if (row.has !== null && row.has[i] !== 1) continue;
    times[kept] = grid.startMs + i * grid.stepMs;
    values[kept] = row.values[i] as number;
    kept++;
  }
  return { labels: row.labels, dropName: row.dropName, times: times.subarray(0, kept), values: values.subarray(0, kept) };
}

/** Between the steps of a subquery samples are left out, so what a sample says of the one before it no longer holds. */
const forgetReset = (h: Histogram): Histogram => (h.hint === 'reset' || h.hint === 'not_reset' ? { ...h, hint: 'unknown' } : h);

function mixedSamplesOf(floats: Row | undefined, { labels, dropName, histograms }: HistogramRow, grid: Grid): Samples {
  const kept = histograms.flatMap((each, i) => (each !== undefined || (floats !== undefined && isPresent(floats, i)) ? [i] : []));
  return {
    labels,
    dropName,
    times: Float64Array.from(kept, (i) => grid.startMs + i * grid.stepMs),
    values: Float64Array.from(kept, (i) => (histograms[i] === undefined ? (floats?.values[i] ?? 0) : 0)),
    histograms: kept.map((i) => {
      const histogram = histograms[i];
      return histogram === undefined ? undefined : forgetReset(histogram);
    }),
  };
}
