import { METRIC_NAME, type Labels, labelsFrom } from '@nines/model/labels.ts';
import { type Call, type Expr, unwrap } from '../ast.ts';
import type { Context } from '../context.ts';
import { type Sink, isPresent } from '../row.ts';
import { type WindowVisitor, walkWindows } from '../windows.ts';

/** One element of value 1 at the steps where the argument has none. */
export async function absent(call: Call, ctx: Context, sink: Sink): Promise<void> {
  const present = new Uint8Array(ctx.grid.count);
  const [arg] = call.args;
  if (arg === undefined) return;
  await ctx.query.evaluator.rows(arg, ctx, {
    keeps: false,
    row: (row) => {
      for (let i = 0; i < present.length; i++) if (isPresent(row, i)) present[i] = 1;
    },
    histograms: ({ histograms }) => {
      for (let i = 0; i < present.length; i++) if (histograms[i] !== undefined) present[i] = 1;
    },
  });
  pushComplement(present, arg, sink);
}

/** The same for the samples of each window. */
export async function absentOverTime(call: Call, ctx: Context, sink: Sink): Promise<void> {
  const present = new Uint8Array(ctx.grid.count);
  const [arg] = call.args;
  if (arg === undefined) return;
  const visit: WindowVisitor = (_samples, { count, lo, hi }) => {
    for (let i = 0; i < count; i++) if ((hi[i] as number) > (lo[i] as number)) present[i] = 1;
  };
  await walkWindows(arg, ctx, visit, { statistic: 'last' });
  pushComplement(present, arg, sink);
}

function pushComplement(present: Uint8Array, arg: Expr, sink: Sink): void {
  if (!present.includes(0)) return;
  const has = present.map((flag) => 1 - flag);
  sink.row({
    labels: labelsOfAbsent(arg),
    dropName: false,
    values: new Float64Array(has.length).fill(1),
    has: has.includes(0) ? has : null,
  });
}

/** What the selector says for certain: labels with exactly one matcher, and that an equality. */
function labelsOfAbsent(arg: Expr): Labels {
  const expr = unwrap(arg);
  const selector = expr.kind === 'matrix' ? expr.selector : expr;
  if (selector.kind !== 'selector') return [];
  const known = new Map<string, string>();
  const spoken = new Set<string>();
  for (const { name, op, value } of selector.matchers) {
    if (name === METRIC_NAME) continue;
    if (op === '=' && !spoken.has(name)) known.set(name, value);
    else known.delete(name);
    spoken.add(name);
  }
  return labelsFrom(known);
}
