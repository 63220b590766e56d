import { sortInTurns } from '@nines/base/sort.ts';
import { compareLabels, labelsKey } from '@nines/model/labels.ts';
import { type Expr, unwrap } from './ast.ts';
import { typeOf } from './check.ts';
import { type BothRows, type Context, collectBoth, holdSamples } from './context.ts';
import { type HistogramRow, type Row, isPresent, mergeHistogramRows, mergeRows, withoutName } from './row.ts';
import type { MatrixSeries, MatrixValue, Value, VectorElement } from './value.ts';
import { walkWindows } from './windows.ts';

/** From the rows of the outermost expression to the values that a query returns. */

export async function instantValue(expr: Expr, ctx: Context): Promise<Value> {
  const atMs = ctx.grid.startMs;
  const inner = unwrap(expr);
  if (inner.kind === 'string') return { kind: 'string', atMs, value: inner.value };
  switch (typeOf(expr)) {
    case 'scalar': {
      const values = await ctx.query.evaluator.scalar(expr, ctx);
      return { kind: 'scalar', atMs, value: values[0] ?? Number.NaN };
    }
    case 'matrix':
      return { kind: 'matrix', series: await matrixSeries(expr, ctx) };
    default: {
      const { rows, histograms } = await finalRows(expr, ctx);
      const elements: VectorElement[] = rows.map(({ labels, values }) => ({ labels, atMs, value: values[0] ?? Number.NaN }));
      for (const { labels, histograms: each } of histograms)
        elements.push({ labels, atMs, value: Number.NaN, ...(each[0] !== undefined && { histogram: each[0] }) });
      return { kind: 'vector', elements };
    }
  }
}

export async function rangeValue(expr: Expr, ctx: Context): Promise<MatrixValue> {
  const { grid } = ctx;
  const times = new Float64Array(grid.count);
  for (let i = 0; i < grid.count; i++) times[i] = grid.startMs + i * grid.stepMs;
  if (typeOf(expr) === 'scalar')
    return { kind: 'matrix', series: [{ labels: [], times, values: await ctx.query.evaluator.scalar(expr, ctx) }] };
  const { rows, histograms } = await finalRows(expr, ctx);
  const series = histograms.length === 0 ? rows.map((row) => seriesOf(row, times)) : mixedSeries(rows, histograms, times);
  return { kind: 'matrix', series: await sortInTurns(series, (a, b) => compareLabels(a.labels, b.labels), ctx.query.yieldNow) };
}

/** Every row once, pending name removals done. */
async function finalRows(expr: Expr, ctx: Context): Promise<BothRows> {
  const { rows, histograms } = await collectBoth(expr, ctx);
  const named = <R extends HistogramRow | Row>(row: R): R =>
    row.dropName ? { ...row, labels: withoutName(row.labels), dropName: false } : row;
  const drops = rows.some((row) => row.dropName) || histograms.some((row) => row.dropName);
  return drops ? { rows: mergeRows(rows.map(named)), histograms: mergeHistogramRows(histograms.map(named)) } : { rows, histograms };
}

/** Floats and histograms of the same labels are one series. */
function mixedSeries(rows: readonly Row[], histogramRows: readonly HistogramRow[], times: Float64Array): MatrixSeries[] {
  const partners = new Map(histogramRows.map((row) => [labelsKey(row.labels), row]));
  const series = rows.map((row) => {
    const key = labelsKey(row.labels);
    const partner = partners.get(key);
    partners.delete(key);
    return partner === undefined ? seriesOf(row, times) : mixedSeriesOf(partner, row, times);
  });
  for (const row of partners.values()) series.push(mixedSeriesOf(row, undefined, times));
  return series;
}

function mixedSeriesOf({ labels, histograms }: HistogramRow, floats: Row | undefined, times: Float64Array): MatrixSeries {
  const kept = histograms.flatMap((each, i) => (each !== undefined || (floats !== undefined && isPresent(floats, i)) ? [i] : []));
  return {
    labels,
    times: Float64Array.from(kept, (i) => times[i] as number),
    values: Float64Array.from(kept, (i) => floats?.values[i] ?? Number.NaN),
    histograms: kept.map((i) => histograms[i]),
  };
}

/** Rows without gaps share the array of times. */
function seriesOf({ labels, values, has }: Row, times: Float64Array): MatrixSeries {
  if (has === null) return { labels, times, values };
  const keptTimes = new Float64Array(times.length);
  const keptValues = new Float64Array(times.length);
  let kept = 0;
  for (let i = 0; i < times.length; i++) {
    if (has[i] !== 1) continue;
    keptTimes[kept] = times[i] as number;
    keptValues[kept] = values[i] as number;
    kept++;
  }
  return { labels, times: keptTimes.subarray(0, kept), values: keptValues.subarray(0, kept) };
}

/** A range vector as it is: the samples of the one window. */
async function matrixSeries(expr: Expr, ctx: Context): Promise<readonly MatrixSeries[]> {
  const found: MatrixSeries[] = [];
  await walkWindows(expr, ctx, ({ labels, dropName, times, values, histograms }, { lo, hi }) => {
    const from = lo[0] ?? 0;
    const to = hi[0] ?? 0;
    if (to === from) return;
    holdSamples(ctx.query, to - from);
    found.push({
      labels: dropName ? withoutName(labels) : labels,
      times: times.slice(from, to),
      values: values.slice(from, to),
      ...(histograms === undefined ? {} : { histograms: histograms.slice(from, to) }),
    });
  });
  return sortInTurns(found, (a, b) => compareLabels(a.labels, b.labels), ctx.query.yieldNow);
}
