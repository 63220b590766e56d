import { METRIC_NAME } from '@nines/model/labels.ts';
import {
  type Aggregate,
  type Binary,
  type Call,
  type Expr,
  type ValueType,
  type VectorSelector,
  childrenOf,
  isComparison,
  isSetOp,
  isTrim,
} from './ast.ts';
import { PromqlFailure } from './promql-error.ts';
import { SIGNATURES, arity } from './signatures.ts';
import { quote } from './strings.ts';

/** The type rules. A tree that passes can be evaluated without meeting a value of the wrong type. */

/** Types already worked out: without it a chain of operators would be walked to its end at each of its links. */
const known = new WeakMap<Expr, ValueType>();

/** The type that evaluating `expr` gives. */
export function typeOf(expr: Expr): ValueType {
  const earlier = known.get(expr);
  if (earlier !== undefined) return earlier;
  const type = deriveType(expr);
  known.set(expr, type);
  return type;
}

function deriveType(expr: Expr): ValueType {
  switch (expr.kind) {
    case 'number':
      return 'scalar';
    case 'string':
      return 'string';
    case 'paren':
    case 'unary':
      return typeOf(expr.expr);
    case 'binary':
      return typeOf(expr.left) === 'scalar' && typeOf(expr.right) === 'scalar' ? 'scalar' : 'vector';
    case 'aggregate':
    case 'selector':
      return 'vector';
    case 'call':
      return SIGNATURES.get(expr.func)?.returns ?? 'vector';
    case 'matrix':
    case 'subquery':
      return 'matrix';
  }
}

const TYPE_NAMES: Readonly<Record<ValueType, string>> = {
  scalar: 'scalar',
  vector: 'instant vector',
  matrix: 'range vector',
  string: 'string',
};

function fail(expr: Expr, message: string): never {
  throw new PromqlFailure('bad_data', message, expr.position);
}

function expectType(expr: Expr, wanted: ValueType, context: string): void {
  const found = typeOf(expr);
  if (found !== wanted) fail(expr, `expected type ${TYPE_NAMES[wanted]} in ${context}, got ${TYPE_NAMES[found]}`);
}

/** Throws `PromqlFailure` at the first violation in the order of Prometheus: operands before what is made of them. */
export function checkExpr(expr: Expr): void {
  if (expr.kind === 'call') return checkCall(expr);
  if (expr.kind === 'aggregate') return checkAggregate(expr);
  for (const child of childrenOf(expr)) checkExpr(child);
  switch (expr.kind) {
    case 'unary': {
      const type = typeOf(expr.expr);
      if (type !== 'scalar' && type !== 'vector')
        fail(expr, `unary expression only allowed on expressions of type scalar or instant vector, got "${TYPE_NAMES[type]}"`);
      return;
    }
    case 'binary':
      return checkBinary(expr);
    case 'selector':
      return checkSelector(expr);
    case 'subquery': {
      const type = typeOf(expr.expr);
      if (type !== 'vector') fail(expr, `subquery is only allowed on instant vector, got ${TYPE_NAMES[type]} instead`);
      return;
    }
    default:
      return;
  }
}

function checkSelector(expr: VectorSelector): void {
  const { name, matchers } = expr;
  if (name === undefined) {
    if (matchers.every((each) => each.matches(''))) fail(expr, 'vector selector must contain at least one non-empty matcher');
    return;
  }
  // The last matcher is that of the name before the braces.
  const again = matchers.slice(0, -1).find((each) => each.name === METRIC_NAME);
  if (again !== undefined) fail(expr, `metric name must not be set twice: ${quote(name)} or ${quote(again.value)}`);
}

/** The second argument of `info` narrows other selections down and may match everything. */
const isLabelFilter = (parent: Expr, child: Expr): boolean =>
  parent.kind === 'call' && parent.func === 'info' && child === parent.args[1] && child.kind === 'selector';

function failAtOperator({ opPosition }: Binary, message: string): never {
  throw new PromqlFailure('bad_data', message, opPosition);
}

function checkBinary(expr: Binary): void {
  const { op, matching } = expr;
  const left = typeOf(expr.left);
  const right = typeOf(expr.right);
  if (expr.bool && !isComparison(op)) failAtOperator(expr, 'bool modifier can only be used on comparison operators');
  const scalars = left === 'scalar' && right === 'scalar';
  if (isComparison(op) && scalars && !expr.bool) failAtOperator(expr, 'comparisons between scalars must use BOOL modifier');
  const both = matching?.on === true ? matching.labels.find((label) => matching.include.includes(label)) : undefined;
  if (both !== undefined) failAtOperator(expr, `label "${both}" must not occur in ON and GROUP clause at once`);
  for (const [side, type] of [[expr.left, left] as const, [expr.right, right] as const])
    if (type !== 'scalar' && type !== 'vector') fail(side, 'binary expression must contain only scalar and instant vector types');
  if (isTrim(op) && scalars) fail(expr, `operator "${op}" not allowed for Scalar operations`);
  const filled = matching?.fillLeft !== undefined || matching?.fillRight !== undefined;
  if (left !== 'vector' || right !== 'vector') {
    if (matching !== undefined && matching.labels.length > 0) fail(expr, 'vector matching only allowed between instant vectors');
    if (filled) fail(expr, 'filling in missing series only allowed between instant vectors');
    if (isSetOp(op)) fail(expr, `set operator "${op}" not allowed in binary scalar expression`);
  } else if (isSetOp(op)) {
    if (matching !== undefined && matching.cardinality !== 'many_to_many') fail(expr, `no grouping allowed for "${op}" operation`);
    if (filled) fail(expr, 'filling in missing series not allowed for set operators');
  }
}

function checkAggregate(expr: Aggregate): void {
  checkExpr(expr.expr);
  expectType(expr.expr, 'vector', 'aggregation expression');
  if (expr.param === undefined) return;
  checkExpr(expr.param);
  expectType(expr.param, expr.op === 'count_values' ? 'string' : 'scalar', 'aggregation parameter');
}

function checkCall(expr: Call): void {
  const signature = SIGNATURES.get(expr.func);
  if (signature === undefined) return fail(expr, `unknown function with name "${expr.func}"`);
  const { least, most } = arity(signature);
  const count = expr.args.length;
  const got = `argument(s) in call to "${expr.func}", got ${count}`;
  if (least === most && count !== least) fail(expr, `expected ${least} ${got}`);
  if (count < least) fail(expr, `expected at least ${least} ${got}`);
  if (most !== undefined && count > most) fail(expr, `expected at most ${most} ${got}`);
  expr.args.forEach((arg, i) => {
    if (!isLabelFilter(expr, arg)) checkExpr(arg);
    const wanted = signature.args[Math.min(i, signature.args.length - 1)];
    if (wanted !== undefined) expectType(arg, wanted, `call to function "${expr.func}"`);
  });
}
