import { scaled } from '@nines/model/histogram.ts';
import { type Binary, type Call, type Expr, isComparison } from './ast.ts';
import { aggregateRows } from './aggregate.ts';
import { binaryRows } from './binary.ts';
import { argument, callRows, evaluationSeconds } from './call.ts';
import { type Context, type Evaluator, hasUniformName, namelessSink } from './context.ts';
import { ARITHMETIC, COMPARISON, maxOf, minOf } from './operators.ts';
import { PromqlFailure } from './promql-error.ts';
import { RowBuffer, type Sink, isPresent } from './row.ts';
import { selectorRows } from './select.ts';

/** Dispatch over the kinds of expression. */
export const evaluator: Evaluator = { rows, scalar };

/** A chain of operators is as deep a tree. Awaited at each of them, this keeps the stack flat. */
const LET_GO = Promise.resolve();

async function rows(expr: Expr, ctx: Context, sink: Sink): Promise<void> {
  if (ctx.grid.count > 1 && ctx.query.invariant.has(expr)) return repeatedRows(expr, ctx, sink);
  switch (expr.kind) {
    case 'paren':
      return rows(expr.expr, ctx, sink);
    case 'selector':
      return selectorRows(expr, ctx, sink);
    case 'unary':
      return unaryRows(expr.op, expr.expr, { ctx, sink });
    case 'binary':
      await LET_GO;
      return binaryRows(expr, ctx, sink);
    case 'aggregate':
      return aggregateRows(expr, ctx, sink);
    case 'call':
      return callRows(expr, ctx, sink);
    default:
      throw new PromqlFailure('execution', `a ${expr.kind} is no instant vector`, expr.position);
  }
}

/** Evaluates once and repeats the result at every step. */
async function repeatedRows(expr: Expr, ctx: Context, sink: Sink): Promise<void> {
  const { grid, query } = ctx;
  const buffer = new RowBuffer(grid.count, sink);
  await rows(
    expr,
    { grid: { ...grid, count: 1 }, query },
    {
      keeps: false,
      row: ({ labels, dropName, values: once }) => {
        const values = buffer.values();
        values.fill(once[0] as number);
        sink.row({ labels, dropName, values, has: null });
      },
      histograms: ({ labels, dropName, histograms: [once] }) =>
        sink.histograms?.({ labels, dropName, histograms: Array.from({ length: grid.count }, () => once) }),
    },
  );
}

async function unaryRows(op: '+' | '-', expr: Expr, { ctx, sink }: { readonly ctx: Context; readonly sink: Sink }): Promise<void> {
  if (op === '+') return rows(expr, ctx, sink);
  const nameless = namelessSink(ctx, hasUniformName(expr), sink);
  await rows(expr, ctx, {
    keeps: sink.keeps,
    row: (row) => {
      const { values } = row;
      for (let i = 0; i < values.length; i++) values[i] = -(values[i] as number);
      nameless.row(row);
    },
    histograms: (row) =>
      nameless.histograms({ ...row, histograms: row.histograms.map((each) => (each === undefined ? undefined : scaled(each, -1))) }),
  });
}

async function scalar(expr: Expr, ctx: Context): Promise<Float64Array> {
  switch (expr.kind) {
    case 'number':
      return new Float64Array(ctx.grid.count).fill(expr.value);
    case 'paren':
      return scalar(expr.expr, ctx);
    case 'unary': {
      const values = await scalar(expr.expr, ctx);
      return expr.op === '-' ? values.map((value) => -value) : values;
    }
    case 'binary':
      await LET_GO;
      return scalarBinary(expr, ctx);
    case 'call':
      return scalarCall(expr, ctx);
    default:
      throw new PromqlFailure('execution', `a ${expr.kind} is no scalar`, expr.position);
  }
}

async function scalarBinary(expr: Binary, ctx: Context): Promise<Float64Array> {
  const left = await scalar(expr.left, ctx);
  const right = await scalar(expr.right, ctx);
  const { op } = expr;
  if (isComparison(op)) {
    const compare = COMPARISON[op];
    return left.map((value, i) => Number(compare(value, right[i] as number)));
  }
  const compute = ARITHMETIC[op as keyof typeof ARITHMETIC];
  return left.map((value, i) => compute(value, right[i] as number));
}

async function scalarCall(call: Call, ctx: Context): Promise<Float64Array> {
  const { grid, query } = ctx;
  const constant = (value: number): Float64Array => new Float64Array(grid.count).fill(value);
  switch (call.func) {
    case 'time':
      return evaluationSeconds(ctx);
    case 'pi':
      return constant(Math.PI);
    case 'start':
      return constant(query.startMs / 1000);
    case 'end':
      return constant(query.endMs / 1000);
    case 'step':
      return constant(query.stepMs / 1000);
    case 'range':
      return constant((query.endMs - query.startMs) / 1000);
    case 'min_of':
    case 'max_of': {
      const pick = call.func === 'min_of' ? minOf : maxOf;
      const left = await scalar(argument(call, 0), ctx);
      const right = await scalar(argument(call, 1), ctx);
      return left.map((value, i) => pick(value, right[i] as number));
    }
    case 'scalar':
      return onlyElement(argument(call, 0), ctx);
    default:
      throw new PromqlFailure('execution', `function "${call.func}" gives no scalar`, call.position);
  }
}

/** The value of the vector's only element at each step, NaN where it has none or several. */
async function onlyElement(expr: Expr, ctx: Context): Promise<Float64Array> {
  const { count } = ctx.grid;
  const result = new Float64Array(count).fill(Number.NaN);
  const seen = new Uint8Array(count);
  await rows(expr, ctx, {
    keeps: false,
    row: (row) => {
      for (let i = 0; i < count; i++) {
        if (!isPresent(row, i)) continue;
        result[i] = seen[i] === 0 ? (row.values[i] as number) : Number.NaN;
        seen[i] = 1;
      }
    },
  });
  return result;
}
