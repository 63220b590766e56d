import type { ArithmeticOp, ComparisonOp } from './ast.ts';

/** What binary operators do to two floats. */
type Operation = (left: number, right: number) => number;
type Comparison = (left: number, right: number) => boolean;

export const ARITHMETIC: Readonly<Record<ArithmeticOp, Operation>> = {
  '+': (left, right) => left + right,
  '-': (left, right) => left - right,
  '*': (left, right) => left * right,
  '/': (left, right) => left / right,
  '%': (left, right) => left % right,
  '^': power,
  atan2: Math.atan2,
};

/** IEEE 754's power, which JavaScript leaves in two places: 1 to anything is 1, and so is -1 to an infinity. */
function power(base: number, exponent: number): number {
  if (base === 1) return 1;
  if (base === -1 && (exponent === Number.POSITIVE_INFINITY || exponent === Number.NEGATIVE_INFINITY)) return 1;
  return base ** exponent;
}

export const COMPARISON: Readonly<Record<ComparisonOp, Comparison>> = {
  '==': (left, right) => left === right,
  '!=': (left, right) => left !== right,
  '<': (left, right) => left < right,
  '<=': (left, right) => left <= right,
  '>': (left, right) => left > right,
  '>=': (left, right) => left >= right,
};
