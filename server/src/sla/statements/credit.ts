import { amountText, creditOf, parseAmount, shareOf } from '@nines/maths/slo/credits.ts';
import type { Tally } from '@nines/maths/slo/tally.ts';
import { type CreditSpec, type Customer, currencyDigits, decimalText, ratioOf } from '../spec.ts';

/** What a customer is owed. Ratios and amounts are exact decimals in text: nobody adds money in binary floats. */
export type CreditView = {
  readonly currency: string;
  /** The tier that was missed; null when none was. */
  readonly below: string | null;
  /** The share of the fee, after the cap. */
  readonly share: string;
  readonly capped: boolean;
  readonly fee: string | null;
  /** Null when no fee is known. */
  readonly amount: string | null;
};

/** Null when the contract gives no credits. */
export function creditView(counted: Tally, terms: CreditSpec | undefined, customer: Customer | null): CreditView | null {
  if (terms === undefined) return null;
  const tiers = terms.tiers.map(({ below, credit }) => ({ below: ratioOf(below), credit: ratioOf(credit) }));
  const credit = creditOf(counted, { tiers, cap: ratioOf(terms.cap) });
  const digits = currencyDigits(terms.currency);
  const written = customer?.fee ?? null;
  const fee = written === null ? undefined : parseAmount(written, digits);
  const amount = fee === undefined ? null : credit === undefined ? 0n : shareOf(credit.share, fee);
  return {
    currency: terms.currency,
    below: credit === undefined ? null : decimalText(credit.tier.below),
    share: credit === undefined ? '0' : decimalText(credit.share),
    capped: credit?.isCapped ?? false,
    fee: fee === undefined ? null : amountText(fee, digits),
    amount: amount === null ? null : amountText(amount, digits),
  };
}
