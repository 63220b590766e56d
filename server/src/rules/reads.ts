import type { ComparisonOp, Expr } from '@nines/promql/ast.ts';
import { printExpr } from '@nines/promql/print.ts';
import type { RuleReads } from '../alerting/contract.ts';
import type { ThresholdSpec } from './threshold-rule.ts';

const COMPARISONS: ReadonlySet<string> = new Set<ComparisonOp>(['>', '>=', '<', '<=', '==', '!=']);
const isComparison = (op: string): op is ComparisonOp => COMPARISONS.has(op);
const MIRRORED: Readonly<Record<ComparisonOp, ComparisonOp>> = { '>': '<', '>=': '<=', '<': '>', '<=': '>=', '==': '==', '!=': '!=' };

/** What a rule of ours looks at, and the limit of its first severity where that is one of the value itself. */
export function readsOfThreshold({ kind, newFigure, levels, metric }: ThresholdSpec): RuleReads {
  const [first] = levels;
  const isOfValue = kind === 'threshold' || kind === 'forecast';
  const now = newFigure().inputs.filter(({ offsetMs }) => offsetMs === 0);
  return {
    queries: now.flatMap((input) =>
      input.sources.map(({ expr, alias }) => ({ name: alias ?? (kind === 'composite' ? input.metric : metric), expr })),
    ),
    threshold: first === undefined || !isOfValue ? null : { op: first.limit.condition, value: first.limit.threshold },
  };
}

/** What an expression of a rule file compares: the sides of its comparisons that are no plain numbers. */
export function readsOfExpr(expr: Expr): RuleReads {
  const found = sidesOf(expr);
  const queries = found.sides.map((side) => printExpr(side)).map((text) => ({ name: text, expr: text }));
  return { queries, threshold: found.threshold };
}

type Sides = { readonly sides: readonly Expr[]; readonly threshold: RuleReads['threshold'] };

function sidesOf(expr: Expr): Sides {
  if (expr.kind === 'paren') return sidesOf(expr.expr);
  if (expr.kind !== 'binary') return { sides: [expr], threshold: null };
  const { op, left, right } = expr;
  if (isComparison(op)) {
    const [low, high] = [numberOf(left), numberOf(right)];
    if (high !== undefined) return { sides: sidesOf(left).sides, threshold: { op, value: high } };
    if (low !== undefined) return { sides: sidesOf(right).sides, threshold: { op: MIRRORED[op], value: low } };
    return { sides: [left, right], threshold: null };
  }
  if (op !== 'and' && op !== 'or' && op !== 'unless') return { sides: [expr], threshold: null };
  const [one, other] = [sidesOf(left), sidesOf(right)];
  return { sides: [...one.sides, ...other.sides], threshold: one.threshold };
}

function numberOf(expr: Expr): number | undefined {
  if (expr.kind === 'number') return expr.value;
  if (expr.kind === 'paren') return numberOf(expr.expr);
  if (expr.kind !== 'unary') return undefined;
  const value = numberOf(expr.expr);
  return value === undefined || expr.op === '+' ? value : -value;
}
