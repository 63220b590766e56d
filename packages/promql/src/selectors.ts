import type { At, Expr, Length, Matrix, VectorSelector } from './ast.ts';
import { childrenOf } from './ast.ts';
import { lengthMs } from './context.ts';

/** A selector and how far around the instant of evaluation it reads. */
export type SelectorReach = VectorSelector & {
  /** It reads from this long before the instant of evaluation; the lookback of instant selectors is included. */
  readonly backMs: number;
  /** Up to this long before it (negative for a negative offset). */
  readonly untilMs: number;
  /** Set when `@` makes it read around a fixed instant instead. */
  readonly fixed: boolean;
};

const INSTANT = { startMs: 0, endMs: 0, stepMs: 0 };

/** Every selector of `expr`, left to right, for those who want to know what an expression reads. */
export function selectorsOf(expr: Expr, lookbackMs = 300_000): readonly SelectorReach[] {
  return reach(expr, { backMs: 0, untilMs: 0, fixed: false }, lookbackMs);
}

type Around = { readonly backMs: number; readonly untilMs: number; readonly fixed: boolean };

function reach(expr: Expr, around: Around, lookbackMs: number): readonly SelectorReach[] {
  switch (expr.kind) {
    case 'selector':
      return [{ ...expr, ...moved(expr, around, lookbackMs) }];
    case 'matrix':
      return [{ ...expr.selector, ...moved(expr.selector, around, windowOf(expr, lookbackMs)) }];
    case 'subquery':
      return reach(expr.expr, moved(expr, around, lengthMs(expr.range, INSTANT)), lookbackMs);
    default:
      return childrenOf(expr).flatMap((child) => reach(child, around, lookbackMs));
  }
}

/** Extended windows look for the sample before their left edge too. */
const windowOf = ({ range, selector }: Matrix, lookbackMs: number): number =>
  lengthMs(range, INSTANT) + (selector.extended === undefined ? 0 : lookbackMs);

function moved({ offset, at }: { readonly offset?: Length; readonly at?: At }, around: Around, windowMs: number): Around {
  const shift = offset === undefined ? 0 : lengthMs(offset, INSTANT);
  return { backMs: around.backMs + shift + windowMs, untilMs: around.untilMs + shift, fixed: around.fixed || at !== undefined };
}
