import { invariant } from '@nines/base/errors.ts';
import type { ExactRatio } from './exact.ts';

/** What is owed when less than `below` was attained: a share of the fee. */
export type CreditTier = { readonly below: ExactRatio; readonly credit: ExactRatio };

/** An amount of money in its smallest unit: cents. */
export type MinorUnits = bigint;

export type CreditTerms = { readonly tiers: readonly CreditTier[] /** At most this share of the fee. */; readonly cap: ExactRatio };

export type Credit = { readonly tier: CreditTier; readonly share: ExactRatio; readonly isCapped: boolean };

/**
 * The credit for what was attained, `goodMs / (goodMs + badMs)`: that of the lowest tier that it lies below; undefined when it lies
 * below none or nothing was counted. Compared in integers: exactly 99.9 % is not below 99.9 %.
 */
export function creditOf(counted: { readonly goodMs: number; readonly badMs: number }, terms: CreditTerms): Credit | undefined {
  const [good, whole] = [BigInt(counted.goodMs), BigInt(counted.goodMs) + BigInt(counted.badMs)];
  if (whole === 0n) return undefined;
  const missed = terms.tiers.filter(({ below }) => good * below.denominator < below.numerator * whole);
  const tier = missed.reduce<CreditTier | undefined>(
    (lowest, one) => (lowest === undefined || isLess(one.below, lowest.below) ? one : lowest),
    undefined,
  );
  if (tier === undefined) return undefined;
  const isCapped = isLess(terms.cap, tier.credit);
  return { tier, share: isCapped ? terms.cap : tier.credit, isCapped };
}

export const isLess = (a: ExactRatio, b: ExactRatio): boolean => a.numerator * b.denominator < b.numerator * a.denominator;

/** A share of an amount, to the smallest unit; half a unit is rounded up, in the customer's favour. */
export function shareOf({ numerator, denominator }: ExactRatio, fee: MinorUnits): MinorUnits {
  invariant(fee >= 0n, `a fee is not negative, found ${fee}`);
  return (2n * numerator * fee + denominator) / (2n * denominator);
}

/** `1200.5` with two digits is 120050; undefined when it has more digits than the currency, or is no amount. */
export function parseAmount(text: string, digits: number): MinorUnits | undefined {
  const parts = /^(\d{1,15})(?:\.(\d+))?$/.exec(text);
  const fraction = parts?.[2] ?? '';
  if (parts === null || fraction.length > digits) return undefined;
  return BigInt((parts[1] ?? '') + fraction.padEnd(digits, '0'));
}

/** 120050 with two digits is `1200.50`. */
export function amountText(amount: MinorUnits, digits: number): string {
  const text = String(amount).padStart(digits + 1, '0');
  return digits === 0 ? text : `${text.slice(0, -digits)}.${text.slice(-digits)}`;
}
