import { type Expr, childrenOf, isSetOp } from './ast.ts';

/**
 * Selectors whose histograms are read for their count or sum alone. Prometheus decodes no buckets there and therefore tells a
 * counter reset by the samples themselves, which shows in warnings about resets that contradict each other.
 */
export function countsOnlySelectors(expr: Expr): ReadonlySet<Expr> {
  const found = new Set<Expr>();
  visit(expr, false, found);
  return found;
}

const COUNTS_ONLY: ReadonlySet<string> = new Set(['histogram_avg', 'histogram_count', 'histogram_sum']);
const READS_BUCKETS: ReadonlySet<string> = new Set([
  'histogram_fraction',
  'histogram_quantile',
  'histogram_quantiles',
  'histogram_stddev',
  'histogram_stdvar',
]);

function visit(expr: Expr, inside: boolean, found: Set<Expr>): void {
  if (expr.kind === 'selector' && inside) found.add(expr);
  if (expr.kind === 'binary') {
    const keepsLeft = inside && isSetOp(expr.op);
    visit(expr.left, keepsLeft, found);
    visit(expr.right, keepsLeft && expr.op === 'or', found);
    return;
  }
  let deeper = inside;
  if (expr.kind === 'subquery') deeper = false;
  if (expr.kind === 'call' && COUNTS_ONLY.has(expr.func)) deeper = true;
  if (expr.kind === 'call' && READS_BUCKETS.has(expr.func)) deeper = false;
  for (const child of childrenOf(expr)) visit(child, deeper, found);
}
