import { compareLabels } from '@nines/model/labels.ts';
import { type Expr, unwrap } from './ast.ts';
import { typeOf } from './check.ts';
import { type Context, collect, holdSamples } from './context.ts';
import { type Row, mergeRows, withoutName } from './row.ts';
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
      const rows = await finalRows(expr, ctx);
      const elements: VectorElement[] = rows.map(({ labels, values }) => ({ labels, atMs, value: values[0] ?? Number.NaN }));
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
  const series = (await finalRows(expr, ctx)).map((row) => seriesOf(row, times));
  series.sort((a, b) => compareLabels(a.labels, b.labels));
  return { kind: 'matrix', series };
}

/** Every row once, pending name removals done. */
async function finalRows(expr: Expr, ctx: Context): Promise<readonly Row[]> {
  const rows = await collect(expr, ctx);
  if (!rows.some((row) => row.dropName)) return rows;
  return mergeRows(rows.map((row) => (row.dropName ? { ...row, labels: withoutName(row.labels), dropName: false } : row)));
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
  await walkWindows(expr, ctx, ({ labels, dropName, times, values }, { lo, hi }) => {
    const from = lo[0] ?? 0;
    const to = hi[0] ?? 0;
    if (to === from) return;
    holdSamples(ctx.query, to - from);
    found.push({ labels: dropName ? withoutName(labels) : labels, times: times.slice(from, to), values: values.slice(from, to) });
  });
  return found.sort((a, b) => compareLabels(a.labels, b.labels));
}
