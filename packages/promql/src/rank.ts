import { compareLabels } from '@nines/model/labels.ts';
import type { Aggregate } from './ast.ts';
import { type Context, breathe, collectBoth, holdSamples, isTired } from './context.ts';
import { groupingOf } from './grouping.ts';
import { hashLabels } from './hash.ts';
import { PromqlFailure } from './promql-error.ts';
import { type HistogramRow, type Row, type Sink, isPresent, presenceOf } from './row.ts';
import { formatShort } from './value.ts';
import { histogramsIgnoredInAggregation } from './warnings.ts';

/**
 * Aggregations that choose among their rows instead of computing a new value: `topk`, `bottomk`, `limitk`, `limit_ratio`. The
 * choice is made anew at every step. Among equals the smaller labels win, so that an answer does not depend on storage order.
 */

/** The rows of each group in label order. */
function groupRows<R extends HistogramRow | Row>(expr: Aggregate, rows: readonly R[]): readonly (readonly R[])[] {
  const grouping = groupingOf(expr);
  const groups = Map.groupBy(rows, (row) => grouping.key(row.labels));
  for (const group of groups.values()) group.sort((a, b) => compareLabels(a.labels, b.labels));
  return [...groups.values()];
}

async function parameter(expr: Aggregate, ctx: Context): Promise<Float64Array> {
  if (expr.param === undefined) throw new Error(`BUG: ${expr.op} without its parameter`);
  return ctx.query.evaluator.scalar(expr.param, ctx);
}

/** `k` as a whole number per step. */
async function limits(expr: Aggregate, ctx: Context): Promise<Float64Array> {
  const written = await parameter(expr, ctx);
  return written.map((value) => {
    if (value !== value) throw new PromqlFailure('execution', 'Parameter value is NaN', expr.param?.position);
    if (value >= 2 ** 63 || value < -(2 ** 63))
      throw new PromqlFailure('execution', `Scalar value ${formatShort(value)} overflows int64`, expr.param?.position);
    return Math.max(0, Math.trunc(value));
  });
}

export async function rankSeries(expr: Aggregate, ctx: Context, sink: Sink): Promise<void> {
  const ks = await limits(expr, ctx);
  const { count } = ctx.grid;
  const greatest = expr.op === 'topk';
  const all = await collectBoth(expr.expr, ctx);
  if (all.histograms.length > 0) histogramsIgnoredInAggregation(expr.op, expr.expr, ctx);
  for (const rows of groupRows(expr, all.rows)) {
    const chosen = new Map<number, Uint8Array>();
    let order: readonly number[] = [];
    for (let i = 0; i < count; i++) {
      order = best(rows, { step: i, k: ks[i] as number, greatest });
      for (const index of order) {
        let has = chosen.get(index);
        if (has === undefined) {
          holdSamples(ctx.query, count);
          chosen.set(index, (has = new Uint8Array(count)));
        }
        has[i] = 1;
      }
      if (isTired(ctx.query, rows.length)) await breathe(ctx.query);
    }
    // An instant query shows the best first; a range query is sorted by labels later.
    for (const index of count === 1 ? order : chosen.keys()) {
      const row = rows[index];
      const has = chosen.get(index);
      if (row !== undefined && has !== undefined) pushWhere(row, has, sink);
    }
  }
}

/** The indexes of the `k` best rows at a step, best first; NaN is worse than everything. */
function best(
  rows: readonly Row[],
  { step, k, greatest }: { readonly step: number; readonly k: number; readonly greatest: boolean },
): readonly number[] {
  if (k === 0) return [];
  const indexes: number[] = [];
  const values: number[] = [];
  const sign = greatest ? 1 : -1;
  for (let r = 0; r < rows.length; r++) {
    const row = rows[r] as Row;
    if (!isPresent(row, step)) continue;
    const raw = row.values[step] as number;
    const value = raw !== raw ? Number.NaN : raw * sign;
    const full = indexes.length >= k;
    if (full && !isBetter(value, values[k - 1] as number)) continue;
    // Binary insertion behind all that are as good: earlier rows win.
    let low = 0;
    let high = full ? k - 1 : indexes.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (isBetter(value, values[middle] as number)) high = middle;
      else low = middle + 1;
    }
    if (full) {
      indexes.pop();
      values.pop();
    }
    indexes.splice(low, 0, r);
    values.splice(low, 0, value);
  }
  return indexes;
}

const isBetter = (a: number, b: number): boolean => a > b || (b !== b && a === a);

export async function limitSeries(expr: Aggregate, ctx: Context, sink: Sink): Promise<void> {
  const ks = await limits(expr, ctx);
  const { count } = ctx.grid;
  const { rows, histograms } = await collectBoth(expr.expr, ctx);
  for (const group of groupRows<HistogramRow | Row>(expr, [...rows, ...histograms])) {
    const taken = new Float64Array(count);
    for (const row of group) {
      const there = 'histograms' in row ? presenceOf(row) : row.has;
      const has = new Uint8Array(count);
      for (let i = 0; i < count; i++) {
        if ((there !== null && there[i] !== 1) || (taken[i] as number) >= (ks[i] as number)) continue;
        has[i] = 1;
        taken[i] = (taken[i] as number) + 1;
      }
      if (has.includes(1)) pushWhere(row, has, sink);
    }
  }
}

/** The row at the steps where `has` is 1. */
function pushWhere(row: HistogramRow | Row, has: Uint8Array, sink: Sink): void {
  if ('histograms' in row) sink.histograms?.({ ...row, histograms: row.histograms.map((each, i) => (has[i] === 1 ? each : undefined)) });
  else sink.row({ ...row, has: has.includes(0) ? has : null });
}

/** Keeps a row where its hash lies below the ratio; a negative ratio keeps exactly what its complement drops. */
export async function limitRatio(expr: Aggregate, ctx: Context, sink: Sink): Promise<void> {
  const ratios = (await parameter(expr, ctx)).map((ratio) => {
    if (ratio !== ratio) throw new PromqlFailure('execution', 'Ratio value is NaN', expr.param?.position);
    const capped = Math.max(-1, Math.min(1, ratio));
    if (capped !== ratio && expr.param !== undefined)
      ctx.query.annotations.warn(
        `ratio value should be between -1 and 1, got ${formatShort(ratio)}, capping to ${capped}`,
        expr.param.position,
      );
    return capped;
  });
  const chosen = (row: HistogramRow | Row): Uint8Array => {
    const place = hashLabels(row.labels);
    const there = 'histograms' in row ? presenceOf(row) : row.has;
    return Uint8Array.from(ratios, (ratio, i) => {
      const kept = ratio >= 0 ? place < ratio : place >= 1 + ratio;
      return kept && (there === null || there[i] === 1) ? 1 : 0;
    });
  };
  const push = (row: HistogramRow | Row): void => {
    const has = chosen(row);
    if (has.includes(1)) pushWhere(row, has, sink);
  };
  await ctx.query.evaluator.rows(expr.expr, ctx, { keeps: sink.keeps, row: push, histograms: push });
}
