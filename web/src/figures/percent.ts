/**
 * Percentages as text. Works on decimal text, never on floats, and truncates: 99.999 % never becomes 100 %. Ratios are numbers
 * from 0 to 1. Which digits of a figure its evidence supports is decided by `@nines/maths/slo/digits.ts`, for page and report alike.
 */
import { language } from '../language/language.ts';

export const DECIMAL_MARK = language === 'en' ? '.' : ',';

const PERCENTS = { en: ' %', de: '\u00a0%', fr: '\u202f%' } as const;

/** The sign behind a figure, with the space that the language puts before it. */
export const PERCENT: string = PERCENTS[language];

/** Decimal text with the mark of the page's language; its digits stay what they are. */
export const decimalText = (text: string): string => text.replace('.', DECIMAL_MARK);

/** Plain decimal text of a finite number ≥ 0, without exponent: `1e-7` → `0.0000001`. */
export function plainDecimal(value: number): string {
  const text = String(value);
  const split = text.indexOf('e');
  if (split < 0) return text;
  const exponent = Number(text.slice(split + 1));
  const [whole = '0', fraction = ''] = text.slice(0, split).split('.');
  if (exponent >= 0) return shiftPoint(`${whole}.${fraction}`, exponent);
  const digits = whole + fraction;
  const zeros = -exponent - whole.length;
  return zeros >= 0 ? `0.${'0'.repeat(zeros)}${digits}` : `${whole.slice(0, exponent)}.${whole.slice(exponent)}${fraction}`;
}

/** Moves the decimal point to the right by `places`. */
function shiftPoint(text: string, places: number): string {
  const [whole = '0', fraction = ''] = text.split('.');
  const padded = fraction.padEnd(places, '0');
  const moved = `${whole}${padded.slice(0, places)}`.replace(/^0+(?=\d)/, '');
  const rest = padded.slice(places);
  return rest === '' ? moved : `${moved}.${rest}`;
}

/** A ratio as percent text, truncated (never rounded) to `decimals`: `percentText(0.99996, 2)` is `99.99`. */
export function percentText(ratio: number, decimals: number): string {
  const [whole = '0', fraction = ''] = shiftPoint(plainDecimal(ratio), 2).split('.');
  return decimals === 0 ? whole : `${whole}${DECIMAL_MARK}${fraction.slice(0, decimals).padEnd(decimals, '0')}`;
}

/** A target as people write it: `0.999` → `99.9`. */
export const plainTarget = (ratio: number): string =>
  // A contract's percentage has at most nine decimals; beyond that is the float's own noise (0.57 × 100).
  String(Number(shiftPoint(plainDecimal(Number(ratio.toFixed(11))), 2)));

/** The same in the page's language. */
export function targetText(ratio: number): string {
  return decimalText(plainTarget(ratio));
}
