import { type Result, err, ok } from '@nines/base/result.ts';
import type { Expr } from '@nines/promql/ast.ts';
import { parseExpr } from '@nines/promql/parse.ts';
import { type Streamed, planStreamed } from '@nines/promql/streaming/plan.ts';
import { LOOKBACK_MS } from './context.ts';

export type PlannedAggregate = { readonly expr: Expr; readonly streamed: Streamed };

/** How a streaming aggregate is kept up, or why it cannot be, with line and column in its expression. */
export function planAggregate(
  { expr: text, interval }: { readonly expr: string; readonly interval: number },
  lookbackMs = LOOKBACK_MS,
): Result<PlannedAggregate, string> {
  const expr = parseExpr(text);
  if (!expr.ok) return err(expr.error.message);
  const streamed = planStreamed(text, expr.value, { intervalMs: interval, lookbackMs });
  return streamed.ok ? ok({ expr: expr.value, streamed: streamed.value }) : streamed;
}
