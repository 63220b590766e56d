/** Values in the unit that a name, its metadata or the server says, with the decimal mark of the page's language. Pure. */
import * as plain from '@nines/base/quantity.ts';
import { decimalText } from '../figures/percent.ts';
import { t } from '../language/t.ts';

export { type UnitText, differenceText } from '@nines/base/quantity.ts';

/** How a value in `unit` reads: one of the server's words for units, or any other word, which then follows the number. */
export function unitText(unit: string): plain.UnitText {
  if (unit === A_SECOND) {
    const number = plain.unitText('');
    return (value) => t('{value} a second', { value: decimalText(number(value)) });
  }
  const text = plain.unitText(unit);
  return (value) => decimalText(text(value));
}

const A_SECOND = 'a second';

/** The unit of an expression: of a dotted name as it is told, otherwise by how metrics are named. */
export function unitOf(name: string, expr: string, aliases: readonly { readonly name: string; readonly unit: string }[]): string {
  const alias = aliases.find((one) => one.name === name);
  if (alias !== undefined) return alias.unit;
  const rate = /\b(i?rate|deriv)\s*\(/.test(expr);
  if (/_bytes(_total)?\b/.test(expr)) return rate ? 'bytes_per_second' : 'bytes';
  if (/(_seconds|_seconds_sum|_seconds_bucket)\b/.test(expr) && !rate) return 'seconds';
  if (/histogram_quantile\s*\(/.test(expr) && /_seconds_bucket\b/.test(expr)) return 'seconds';
  if (/_percent\b/.test(expr)) return 'percent';
  if (/_celsius\b/.test(expr)) return 'celsius';
  return rate ? A_SECOND : '';
}
