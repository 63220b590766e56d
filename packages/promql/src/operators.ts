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

/** The greater of two floats. The infinity that nothing exceeds wins even over NaN, as in Go's `math.Max`. */
export function maxOf(a: number, b: number): number {
  return a === Number.POSITIVE_INFINITY || b === Number.POSITIVE_INFINITY ? Number.POSITIVE_INFINITY : Math.max(a, b);
}

/** The lesser of two floats; its infinity wins over NaN too. */
export function minOf(a: number, b: number): number {
  return a === Number.NEGATIVE_INFINITY || b === Number.NEGATIVE_INFINITY ? Number.NEGATIVE_INFINITY : Math.min(a, b);
}

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
