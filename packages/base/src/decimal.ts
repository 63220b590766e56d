import { type Result, err, ok } from './result.ts';

/**
 * A decimal as it was written, never as a binary float: 99.9 % is 999/1000. The denominator is a power of ten above zero.
 * What is promised is compared with whole milliseconds, where a float's last bit would decide a verdict.
 */
export type Decimal = { readonly text: string; readonly numerator: bigint; readonly denominator: bigint };

/** More digits than any promise has; the limit keeps the integers small. */
const MAX_DIGITS = 30;

/**
 * Reads `0.999`, `99.9%` or `1` exactly; a percentage is divided by one hundred. Exponents, signs and anything else are
 * refused with a hint. `text` is kept as written.
 */
export function parseRatio(text: string): Result<Decimal, string> {
  const trimmed = text.trim();
  const parts = /^(\d+)(?:\.(\d+))?(\s*%)?$/.exec(trimmed);
  const hint = `not a ratio: "${text}" (write for example 99.9% or 0.999)`;
  if (parts === null || trimmed.length > MAX_DIGITS) return err(hint);
  const fraction = parts[2] ?? '';
  const scale = BigInt(fraction.length + (parts[3] === undefined ? 0 : 2));
  const numerator = BigInt((parts[1] ?? '') + fraction);
  const denominator = 10n ** scale;
  if (numerator > denominator) {
    const isUnsigned = parts[3] === undefined && numerator <= 100n * denominator;
    return err(`a ratio is at most 100%: "${text}"${isUnsigned ? ` (a percentage is written with its sign: ${trimmed}%)` : ''}`);
  }
  return ok({ text: trimmed, numerator, denominator });
}

/** The nearest double, for showing and for JSON; never for deciding. */
export const decimalToNumber = (value: Decimal): number => Number(value.numerator) / Number(value.denominator);
