import { type Call, type Expr, childrenOf, unwrap } from './ast.ts';

/**
 * Which sub-expressions have the same value at every step, because all they read is pinned with `@`. They are evaluated once
 * and repeated.
 */
export function invariantParts(expr: Expr): ReadonlySet<Expr> {
  const found = new Set<Expr>();
  visit(expr, found);
  return found;
}

/** Functions whose value depends on the instant of evaluation whatever their arguments are. */
const DEPENDS_ON_TIME: ReadonlySet<string> = new Set(['time', 'predict_linear', 'timestamp']);
const CALENDAR: ReadonlySet<string> = new Set([
  'day_of_month',
  'day_of_week',
  'day_of_year',
  'days_in_month',
  'hour',
  'minute',
  'month',
  'year',
]);

function visit(expr: Expr, found: Set<Expr>): boolean {
  const children = childrenOf(expr).map((child) => visit(child, found));
  const invariant = isInvariant(expr, children);
  if (invariant) found.add(expr);
  return invariant;
}

function isInvariant(expr: Expr, children: readonly boolean[]): boolean {
  switch (expr.kind) {
    case 'selector':
      return expr.at !== undefined;
    case 'matrix':
      return expr.selector.at !== undefined;
    case 'subquery':
      return expr.at !== undefined;
    case 'call':
      return children.every(Boolean) && !dependsOnTime(expr);
    default:
      return children.every(Boolean);
  }
}

function dependsOnTime(call: Call): boolean {
  if (CALENDAR.has(call.func)) return call.args.length === 0;
  if (!DEPENDS_ON_TIME.has(call.func)) return false;
  const [arg] = call.args;
  return call.func !== 'timestamp' || arg === undefined || unwrap(arg).kind !== 'selector';
}
