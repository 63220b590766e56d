import { type Decimal, parseRatio } from '@nines/base/decimal.ts';
import { invariant } from '@nines/base/errors.ts';

/** A ratio as a contract writes it: `99.9%`, `0.999`. */
export function exact(text: string): Decimal {
  const parsed = parseRatio(text);
  invariant(parsed.ok, `a ratio, found ${text}`);
  return parsed.value;
}
