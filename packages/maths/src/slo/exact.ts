import type { Decimal } from '@nines/base/decimal.ts';
import { invariant } from '@nines/base/errors.ts';

/** A ratio in integers, never a binary float: 99.9 % is 999/1000. The denominator is positive. */
export type ExactRatio = Pick<Decimal, 'numerator' | 'denominator'>;

/** `floor(ratio × lengthMs)` without rounding on the way; both not negative. */
export function portionMs({ numerator, denominator }: ExactRatio, lengthMs: number): number {
  invariant(numerator >= 0n && denominator > 0n && lengthMs >= 0, `a portion, found ${numerator}/${denominator} of ${lengthMs}`);
  return Number((numerator * BigInt(lengthMs)) / denominator);
}

/** The part that is not promised: 1 − target. */
export const complementOf = (target: ExactRatio): ExactRatio => ({
  numerator: target.denominator - target.numerator,
  denominator: target.denominator,
});
