import type { Expr } from '../src/ast.ts';

/**
 * The expression with every selector outside subqueries, and every outermost subquery, pinned to `atMs` unless it is pinned
 * already. Undefined when the value depends on the instant of evaluation in another way too.
 */
export function pinSelectors(expr: Expr, atMs: number): Expr | undefined {
  return dependsOnTime(expr) ? undefined : pin(expr, atMs);
}

const TIMED = /^(?:time|timestamp|predict_linear|start|end|step|range|day_of_\w+|days_in_month|hour|minute|month|year)$/;

function dependsOnTime(expr: Expr): boolean {
  switch (expr.kind) {
    case 'call':
      return TIMED.test(expr.func) || expr.args.some(dependsOnTime);
    case 'paren':
    case 'unary':
      return dependsOnTime(expr.expr);
    case 'subquery':
      return dependsOnTime(expr.expr);
    case 'binary':
      return dependsOnTime(expr.left) || dependsOnTime(expr.right);
    case 'aggregate':
      return dependsOnTime(expr.expr) || (expr.param !== undefined && dependsOnTime(expr.param));
    default:
      return false;
  }
}

function pin(expr: Expr, atMs: number): Expr {
  const at = { kind: 'instant', atMs } as const;
  switch (expr.kind) {
    case 'selector':
    case 'subquery':
      return expr.at === undefined ? { ...expr, at } : expr;
    case 'matrix':
      return expr.selector.at === undefined ? { ...expr, selector: { ...expr.selector, at } } : expr;
    case 'paren':
    case 'unary':
      return { ...expr, expr: pin(expr.expr, atMs) };
    case 'binary':
      return { ...expr, left: pin(expr.left, atMs), right: pin(expr.right, atMs) };
    case 'aggregate': {
      const pinned = { ...expr, expr: pin(expr.expr, atMs) };
      return expr.param === undefined ? pinned : { ...pinned, param: pin(expr.param, atMs) };
    }
    case 'call':
      return { ...expr, args: expr.args.map((arg) => pin(arg, atMs)) };
    case 'number':
    case 'string':
      return expr;
  }
}
