import { type Histogram, added, divided, haveSameBounds, joinedHint, sameHistogram, scaled, subtracted } from '@nines/model/histogram.ts';
import { trimmed } from '@nines/model/histogram-figures.ts';
import type { Binary } from './ast.ts';
import type { Context } from './context.ts';
import { incompatibleBuckets, incompatibleTypes, reconciled, resetCollision } from './warnings.ts';

/** What binary operators do where at least one side is a native histogram. */
export type Operand = number | Histogram;

/** A histogram or float, whether a comparison holds, or undefined where the operator says nothing about such operands. */
export type Combined = Operand | boolean | undefined;

const kindOf = (operand: Operand): 'float' | 'histogram' => (typeof operand === 'number' ? 'float' : 'histogram');

export function combine(expr: Binary, left: Operand, right: Operand, ctx: Context): Combined {
  const combined = typeof left === 'number' || typeof right === 'number' ? withFloat(expr, left, right) : ofTwo(expr, [left, right], ctx);
  if (combined === 'incompatible') {
    incompatibleTypes(expr, [kindOf(left), kindOf(right)], ctx);
    return undefined;
  }
  return combined;
}

function withFloat({ op }: Binary, left: Operand, right: Operand): Combined | 'incompatible' {
  if (typeof left === 'number' && typeof right !== 'number') return op === '*' ? scaled(right, left) : 'incompatible';
  if (typeof left === 'number' || typeof right !== 'number') return 'incompatible';
  switch (op) {
    case '*':
      return scaled(left, right);
    case '/':
      return divided(left, right);
    case '</':
      return trimmed(left, right, 'below');
    case '>/':
      return trimmed(left, right, 'above');
    default:
      return 'incompatible';
  }
}

function ofTwo(expr: Binary, [left, right]: readonly [Histogram, Histogram], ctx: Context): Combined | 'incompatible' {
  switch (expr.op) {
    case '==':
      return sameHistogram(left, right);
    case '!=':
      return !sameHistogram(left, right);
    case '+':
    case '-': {
      const adds = expr.op === '+';
      const doing = adds ? 'addition' : 'subtraction';
      const result = adds ? added(left, right) : subtracted(left, right);
      if (result === undefined) incompatibleBuckets(expr, ctx);
      else {
        if (!haveSameBounds(left, right)) reconciled(doing, expr, ctx);
        if (joinedHint(left.hint, right.hint).collides) resetCollision(doing, expr, ctx);
      }
      return result;
    }
    default:
      return 'incompatible';
  }
}
