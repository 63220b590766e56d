/** A parsed expression as `/api/v1/parse_query` shows it. Source: prometheus web/api/v1/translate_ast.go. */
import { type At, type Binary, type Expr, type Length, type VectorSelector } from '@nines/promql/ast.ts';
import { typeOf } from '@nines/promql/check.ts';
import { SIGNATURES } from '@nines/promql/signatures.ts';
import { formatPlain } from '@nines/promql/value.ts';

type View = Readonly<Record<string, unknown>>;

export function viewOfExpr(expr: Expr): View {
  switch (expr.kind) {
    case 'number':
      return { type: 'numberLiteral', val: formatPlain(expr.value) };
    case 'string':
      return { type: 'stringLiteral', val: expr.value };
    case 'paren':
      return { type: 'parenExpr', expr: viewOfExpr(expr.expr) };
    case 'unary':
      return { type: 'unaryExpr', op: expr.op, expr: viewOfExpr(expr.expr) };
    case 'binary':
      return binaryView(expr);
    case 'aggregate':
      return {
        type: 'aggregation',
        op: expr.op,
        expr: viewOfExpr(expr.expr),
        param: expr.param === undefined ? null : viewOfExpr(expr.param),
        grouping: expr.grouping,
        without: expr.without,
      };
    case 'call':
      return { type: 'call', func: functionView(expr.func), args: expr.args.map(viewOfExpr) };
    case 'selector':
      return { type: 'vectorSelector', ...selectorView(expr) };
    case 'matrix':
      return { type: 'matrixSelector', ...selectorView(expr.selector), range: millisecondsOf(expr.range) };
    case 'subquery':
      return {
        type: 'subquery',
        expr: viewOfExpr(expr.expr),
        range: millisecondsOf(expr.range),
        step: expr.step === undefined ? 0 : millisecondsOf(expr.step),
        ...timeView(expr),
      };
  }
}

function binaryView({ op, left, right, bool, matching }: Binary): View {
  const vectors = typeOf(left) === 'vector' && typeOf(right) === 'vector';
  const card = (matching?.cardinality ?? 'one_to_one').replaceAll('_', '-');
  const { labels = [], on = false, include = [], fillLeft = null, fillRight = null } = matching ?? {};
  const shown = { card, labels, on, include, fillValues: { lhs: fillLeft, rhs: fillRight } };
  return { type: 'binaryExpr', op, lhs: viewOfExpr(left), rhs: viewOfExpr(right), matching: vectors ? shown : null, bool };
}

function functionView(name: string): View {
  const signature = SIGNATURES.get(name);
  return { name, argTypes: signature?.args ?? [], variadic: signature?.more ?? 0, returnType: signature?.returns ?? 'vector' };
}

const selectorView = (selector: VectorSelector): View => ({
  name: selector.name ?? '',
  matchers: selector.matchers.map(({ name, op, value }) => ({ name, type: op, value })),
  ...timeView(selector),
  ...(selector.extended === undefined ? {} : { [selector.extended]: true }),
});

const timeView = ({ at, offset }: { readonly at?: At; readonly offset?: Length }): View => ({
  offset: offset === undefined ? 0 : millisecondsOf(offset),
  timestamp: at?.kind === 'instant' ? at.atMs : null,
  startOrEnd: at === undefined || at.kind === 'instant' ? null : at.kind,
});

/** 0 for arithmetic, whose length is known when the query runs. */
const millisecondsOf = (length: Length): number =>
  length.kind === 'fixed' ? Math.round(length.seconds * 1000) : length.kind === 'negated' ? -millisecondsOf(length.operand) : 0;
