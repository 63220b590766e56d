import { compileRegex } from '@nines/base/regex.ts';
import { type Labels, METRIC_NAME, compareLabels, labelValue, labelsKey, withLabels } from '@nines/model/labels.ts';
import { type Call, type Expr, unwrap } from '../ast.ts';
import { type Context, collectBoth, noteRepeat } from '../context.ts';
import { PromqlFailure } from '../promql-error.ts';
import { type HistogramRow, type Row, type Sink, UniqueGuard } from '../row.ts';
import { warnOfSort } from '../warnings.ts';

/** Functions that rewrite labels or order rows by them. */

/** The text of a string argument. */
export function textOf(expr: Expr | undefined): string {
  const literal = expr === undefined ? undefined : unwrap(expr);
  if (literal?.kind !== 'string') throw new Error('BUG: a string argument that is no literal');
  return literal.value;
}

export const isLabelName = (name: string): boolean => name !== '' && name.isWellFormed();

export async function labelReplace(call: Call, ctx: Context, sink: Sink): Promise<void> {
  const [, target, replacement, source, pattern] = call.args;
  const [to, template, from, source2] = [textOf(target), textOf(replacement), textOf(source), textOf(pattern)];
  const regex = compileRegex(source2);
  if (!regex.ok) throw new PromqlFailure('execution', `invalid regular expression in label_replace(): ${source2}`, pattern?.position);
  if (!isLabelName(to)) throw new PromqlFailure('execution', `invalid destination label name in label_replace(): ${to}`, target?.position);
  const expand = templateOf(template);
  await relabel(call, ctx, {
    sink,
    target: to,
    valueFor: (labels) => {
      const groups = regex.value.groups(labelValue(labels, from));
      return groups === undefined ? undefined : expand(groups);
    },
  });
}

export async function labelJoin(call: Call, ctx: Context, sink: Sink): Promise<void> {
  const [, target, separator, ...sources] = call.args;
  const to = textOf(target);
  const names = sources.map(textOf);
  if (!isLabelName(to)) throw new PromqlFailure('execution', `invalid destination label name in label_join(): ${to}`, target?.position);
  const bad = names.find((name) => !isLabelName(name));
  if (bad !== undefined) throw new PromqlFailure('execution', `invalid source label name in label_join(): ${bad}`, call.position);
  const between = textOf(separator);
  await relabel(call, ctx, { sink, target: to, valueFor: (labels) => names.map((name) => labelValue(labels, name)).join(between) });
}

type Relabel = {
  readonly sink: Sink;
  readonly target: string;
  /** The new value of the target, or undefined to leave the series as it is. */
  readonly valueFor: (labels: Labels) => string | undefined;
};

async function relabel(call: Call, ctx: Context, { sink, target, valueFor }: Relabel): Promise<void> {
  const [arg] = call.args;
  if (arg === undefined) return;
  const guard = new UniqueGuard(() => noteRepeat(ctx.query));
  await ctx.query.evaluator.rows(arg, ctx, {
    keeps: sink.keeps,
    row: (row) => {
      const value = valueFor(row.labels);
      const changed: Row =
        value === undefined
          ? row
          : { ...row, labels: withLabels(row.labels, { [target]: value }), dropName: target === METRIC_NAME ? false : row.dropName };
      guard.check(changed);
      sink.row(changed);
    },
    histograms: (row) => {
      const value = valueFor(row.labels);
      const changed: HistogramRow =
        value === undefined
          ? row
          : { ...row, labels: withLabels(row.labels, { [target]: value }), dropName: target === METRIC_NAME ? false : row.dropName };
      guard.checkHistograms(changed);
      sink.histograms?.(changed);
    },
  });
}

type Groups = { readonly byIndex: readonly string[]; readonly byName: ReadonlyMap<string, string> };

/** Go's replacement templates: `$1`, `$name`, `${name}`, `$$`. A name runs as far as letters, digits and underscores do. */
function templateOf(template: string): (groups: Groups) => string {
  const parts = [...template.matchAll(/\$\$|\$(?:\{(\w+)\}|(\w+))|[^$]+|\$/g)];
  return ({ byIndex, byName }) =>
    parts
      .map(([whole, braced, bare]) => {
        const name = braced ?? bare;
        if (name === undefined) return whole === '$$' ? '$' : whole;
        return (/^\d+$/.test(name) ? byIndex[Number(name)] : byName.get(name)) ?? '';
      })
      .join('');
}

/** By the named labels in natural order (`4m5` before `4m1000`), then by all labels. Shows in instant queries only. */
export async function sortByLabel(call: Call, ctx: Context, sink: Sink): Promise<void> {
  const [arg, ...names] = call.args;
  if (arg === undefined) return;
  if (ctx.query.stepMs > 0) {
    warnOfSort(call, ctx);
    return ctx.query.evaluator.rows(arg, ctx, sink);
  }
  const keys = names.map(textOf);
  const direction = call.func === 'sort_by_label_desc' ? -1 : 1;
  const both = await collectBoth(arg, ctx);
  const rows: (HistogramRow | Row)[] = [...both.rows, ...both.histograms];
  rows.sort((a, b) => direction * compareBy(keys, a.labels, b.labels));
  for (const row of rows) {
    if ('histograms' in row) sink.histograms?.(row);
    else sink.row(row);
  }
}

function compareBy(keys: readonly string[], a: Labels, b: Labels): number {
  for (const key of keys) {
    const order = compareNaturally(labelValue(a, key), labelValue(b, key));
    if (order !== 0) return order;
  }
  return labelsKey(a) === labelsKey(b) ? 0 : compareLabels(a, b);
}

/** Runs of digits compare as numbers, everything else as text. */
function compareNaturally(a: string, b: string): number {
  const left = a.match(/\d+|\D+/g) ?? [];
  const right = b.match(/\d+|\D+/g) ?? [];
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const x = left[i] ?? '';
    const y = right[i] ?? '';
    if (x === y) continue;
    const numeric = /^\d/.test(x) && /^\d/.test(y) ? Number(x) - Number(y) : 0;
    if (numeric !== 0) return numeric;
    return x < y ? -1 : 1;
  }
  return left.length - right.length;
}
