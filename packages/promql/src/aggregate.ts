import { type Labels, withLabels } from '@nines/model/labels.ts';
import type { Aggregate, AggregateOp, Expr } from './ast.ts';
import { type Context, breathe, collect, holdSamples, isTired } from './context.ts';
import { AverageFold, CountFold, ExtremeFold, type Fold, GroupFold, SumFold, VarianceFold } from './folds.ts';
import { isLabelName, textOf } from './functions/labels.ts';
import { quantileOf } from './functions/quantile.ts';
import { groupingOf } from './grouping.ts';
import { PromqlFailure } from './promql-error.ts';
import { limitRatio, limitSeries, rankSeries } from './rank.ts';
import { type Row, type Sink, isPresent } from './row.ts';
import { formatPlain } from './value.ts';
import { warnOfQuantiles } from './warnings.ts';

/** Aggregations over rows. Most fold rows as they come; the rest gather what they must. */
export async function aggregateRows(expr: Aggregate, ctx: Context, sink: Sink): Promise<void> {
  const makeFold = FOLDS[expr.op];
  if (makeFold !== undefined) return foldRows(expr, ctx, { sink, makeFold });
  switch (expr.op) {
    case 'quantile':
      return quantileRows(expr, ctx, sink);
    case 'count_values':
      return countValues(expr, ctx, sink);
    case 'topk':
    case 'bottomk':
      return rankSeries(expr, ctx, sink);
    case 'limitk':
      return limitSeries(expr, ctx, sink);
    case 'limit_ratio':
      return limitRatio(expr, ctx, sink);
    default:
      throw new Error(`BUG: aggregation ${expr.op} has no implementation`);
  }
}

type MakeFold = (count: number) => Fold;

const FOLDS: Partial<Record<AggregateOp, MakeFold>> = {
  sum: (count) => new SumFold(count),
  avg: (count) => new AverageFold(count),
  min: (count) => new ExtremeFold(count, false),
  max: (count) => new ExtremeFold(count, true),
  count: (count) => new CountFold(count),
  group: (count) => new GroupFold(count),
  stdvar: (count) => new VarianceFold(count, false),
  stddev: (count) => new VarianceFold(count, true),
};

type FoldGroup = { readonly labels: Labels; readonly fold: Fold; dropName: boolean };

async function foldRows(
  expr: Aggregate,
  ctx: Context,
  { sink, makeFold }: { readonly sink: Sink; readonly makeFold: MakeFold },
): Promise<void> {
  const { count } = ctx.grid;
  const grouping = groupingOf(expr);
  const groups = new Map<string, FoldGroup>();
  await ctx.query.evaluator.rows(expr.expr, ctx, {
    keeps: false,
    presence: expr.op === 'count' || expr.op === 'group',
    row: (row) => {
      const key = grouping.key(row.labels);
      let group = groups.get(key);
      if (group === undefined) {
        holdSamples(ctx.query, count);
        group = { labels: grouping.labels(row.labels), fold: makeFold(count), dropName: false };
        groups.set(key, group);
      }
      group.fold.add(row);
      if (row.dropName) group.dropName = true;
    },
  });
  for (const { labels, fold, dropName } of groups.values()) {
    const { values, has } = fold.finish();
    sink.row({ labels, dropName, values, has: has.includes(0) ? has : null });
  }
}

async function quantileRows(expr: Aggregate, ctx: Context, sink: Sink): Promise<void> {
  const { count } = ctx.grid;
  const param = parameterOf(expr);
  const phis = await ctx.query.evaluator.scalar(param, ctx);
  warnOfQuantiles(phis, param, ctx);
  for (const { labels, dropName, rows } of await gather(expr, ctx)) {
    const values = new Float64Array(count);
    const has = new Uint8Array(count);
    const scratch = new Float64Array(rows.length);
    for (let i = 0; i < count; i++) {
      let n = 0;
      for (const row of rows) if (isPresent(row, i)) scratch[n++] = row.values[i] as number;
      if (n === 0) continue;
      values[i] = quantileOf(phis[i] as number, scratch.subarray(0, n));
      has[i] = 1;
      if (isTired(ctx.query, n * SELECT_COST)) await breathe(ctx.query);
    }
    if (has.includes(1)) sink.row({ labels, dropName, values, has: has.includes(0) ? has : null });
  }
}

/** Selecting a rank costs this many times what adding does. */
const SELECT_COST = 4;

type Gathered = { readonly labels: Labels; readonly rows: Row[]; dropName: boolean };

async function gather(expr: Aggregate, ctx: Context): Promise<readonly Gathered[]> {
  const grouping = groupingOf(expr);
  const groups = new Map<string, Gathered>();
  for (const row of await collect(expr.expr, ctx)) {
    const key = grouping.key(row.labels);
    let group = groups.get(key);
    if (group === undefined) {
      group = { labels: grouping.labels(row.labels), rows: [], dropName: false };
      groups.set(key, group);
    }
    group.rows.push(row);
    if (row.dropName) group.dropName = true;
  }
  return [...groups.values()];
}

/** One row per group and distinct value, counting the rows that have it. */
async function countValues(expr: Aggregate, ctx: Context, sink: Sink): Promise<void> {
  const { count } = ctx.grid;
  const label = textOf(expr.param);
  if (!isLabelName(label)) throw new PromqlFailure('execution', `invalid label name "${label}"`, expr.param?.position);
  const grouping = groupingOf(expr);
  const texts = new Map<number, string>();
  const counted = new Map<string, { readonly labels: Labels; readonly values: Float64Array; dropName: boolean }>();
  const addAt = (row: Row, base: string, i: number): void => {
    const value = row.values[i] as number;
    let text = texts.get(value);
    if (text === undefined) texts.set(value, (text = formatPlain(value)));
    const key = `${base}\u0000\u0000${text}`;
    let entry = counted.get(key);
    if (entry === undefined) {
      holdSamples(ctx.query, count);
      entry = { labels: withLabels(grouping.labels(row.labels), { [label]: text }), values: new Float64Array(count), dropName: false };
      counted.set(key, entry);
    }
    entry.values[i] = (entry.values[i] as number) + 1;
    if (row.dropName) entry.dropName = true;
  };
  await ctx.query.evaluator.rows(expr.expr, ctx, {
    keeps: false,
    row: (row) => {
      const base = grouping.key(row.labels);
      for (let i = 0; i < count; i++) if (isPresent(row, i)) addAt(row, base, i);
    },
  });
  for (const { labels, values, dropName } of counted.values()) {
    const has = Uint8Array.from(values, (value) => (value > 0 ? 1 : 0));
    sink.row({ labels, dropName, values, has: has.includes(0) ? has : null });
  }
}

function parameterOf(expr: Aggregate): Expr {
  if (expr.param === undefined) throw new Error(`BUG: ${expr.op} without its parameter`);
  return expr.param;
}
