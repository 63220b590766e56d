import { type Labels, withLabels } from '@nines/model/labels.ts';
import type { Aggregate, AggregateOp, Expr } from './ast.ts';
import { type Context, breathe, collectBoth, holdSamples, isTired } from './context.ts';
import { AverageFold, CountFold, ExtremeFold, type Fold, GroupFold, HistogramFold, SumFold, VarianceFold } from './folds.ts';
import { isLabelName, textOf } from './functions/labels.ts';
import { quantileOf } from './functions/quantile.ts';
import { groupingOf } from './grouping.ts';
import { PromqlFailure } from './promql-error.ts';
import { limitRatio, limitSeries, rankSeries } from './rank.ts';
import { type HistogramRow, type Row, type Sink, hasHistogram, isPresent, presenceOf } from './row.ts';
import { formatHistogram, formatPlain } from './value.ts';
import {
  histogramsIgnoredInAggregation,
  mixedBuckets,
  mixedSamplesInAggregation,
  reconciled,
  resetCollision,
  warnOfQuantiles,
} from './warnings.ts';

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

/** The fold of an aggregation that has one. */
export function foldOf(op: AggregateOp, count: number): Fold {
  const make = FOLDS[op];
  if (make === undefined) throw new Error(`BUG: ${op} folds nothing`);
  return make(count);
}

type FoldGroup = { readonly labels: Labels; readonly fold: Fold; histograms: HistogramFold | undefined; dropName: boolean };

async function foldRows(
  expr: Aggregate,
  ctx: Context,
  { sink, makeFold }: { readonly sink: Sink; readonly makeFold: MakeFold },
): Promise<void> {
  const { count } = ctx.grid;
  const grouping = groupingOf(expr);
  const groups = new Map<string, FoldGroup>();
  const groupOf = (row: { readonly labels: Labels; readonly dropName: boolean }): FoldGroup => {
    const key = grouping.key(row.labels);
    let group = groups.get(key);
    if (group === undefined) {
      holdSamples(ctx.query, count);
      group = { labels: grouping.labels(row.labels), fold: makeFold(count), histograms: undefined, dropName: false };
      groups.set(key, group);
    }
    if (row.dropName) group.dropName = true;
    return group;
  };
  await ctx.query.evaluator.rows(expr.expr, ctx, {
    keeps: false,
    presence: expr.op === 'count' || expr.op === 'group',
    row: (row) => groupOf(row).fold.add(row),
    histograms: (row) => {
      if (expr.op === 'sum' || expr.op === 'avg') {
        const group = groupOf(row);
        (group.histograms ??= new HistogramFold(count, expr.op === 'avg')).add(row);
      } else if (expr.op === 'count' || expr.op === 'group') {
        const group = groupOf(row);
        group.fold.add({ ...row, values: NO_VALUES, has: presenceOf(row) });
      } else histogramsIgnoredInAggregation(expr.op, expr.expr, ctx);
    },
  });
  for (const group of groups.values()) finishGroup(group, expr, { ctx, sink });
}

/** `count` and `group` do not look at values. */
const NO_VALUES = new Float64Array(0);

/** Where floats and histograms meet in a group there is no answer. */
function finishGroup(
  { labels, fold, histograms, dropName }: FoldGroup,
  expr: Aggregate,
  { ctx, sink }: { readonly ctx: Context; readonly sink: Sink },
): void {
  const { values, has } = fold.finish();
  if (histograms === undefined) return sink.row({ labels, dropName, values, has: has.includes(0) ? has : null });
  const folded = histograms.finish();
  folded.sums.forEach((sum, i) => {
    if (sum === undefined) return;
    if (has[i] === 1) {
      mixedSamplesInAggregation(expr.expr, ctx);
      has[i] = 0;
      folded.histograms[i] = undefined;
      return;
    }
    if (sum.isMixed) mixedBuckets('', expr.expr, ctx);
    if (sum.hasCollision) resetCollision('aggregation', expr.expr, ctx);
    if (sum.wasReconciled) reconciled('aggregation', expr.expr, ctx);
  });
  if (has.includes(1)) sink.row({ labels, dropName, values, has: has.includes(0) ? has : null });
  const row = { labels, dropName, histograms: folded.histograms };
  if (hasHistogram(row)) sink.histograms?.(row);
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
  const { rows, histograms } = await collectBoth(expr.expr, ctx);
  if (histograms.length > 0) histogramsIgnoredInAggregation(expr.op, expr.expr, ctx);
  for (const row of rows) {
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
  // A label of that name that is there already gives way to the one that is set.
  const baseOf = ({ labels }: { readonly labels: Labels }): string => grouping.key(withLabels(labels, { [label]: '' }));
  const addAt = (row: HistogramRow | Row, { base, text }: { readonly base: string; readonly text: string }, i: number): void => {
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
      const base = baseOf(row);
      for (let i = 0; i < count; i++) {
        if (!isPresent(row, i)) continue;
        const value = row.values[i] as number;
        // A map takes both zeros for one key.
        let text = Object.is(value, -0) ? '-0' : texts.get(value);
        if (text === undefined) texts.set(value, (text = formatPlain(value)));
        addAt(row, { base, text }, i);
      }
    },
    histograms: (row) => {
      const base = baseOf(row);
      row.histograms.forEach((each, i) => {
        if (each !== undefined) addAt(row, { base, text: formatHistogram(each) }, i);
      });
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
