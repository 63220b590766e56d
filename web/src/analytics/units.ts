/** Values in the unit that a name, its metadata or the server says. Pure. */
import { type UnitKind, quantityText, threeDigits } from '../figures/quantity.ts';

export type UnitText = (value: number) => string;

const KINDS: Readonly<Record<string, UnitKind>> = {
  percent: 'percent',
  bytes: 'bytes',
  bytes_per_second: 'bytes_per_second',
  seconds: 'seconds',
};

/** A minus sign that is one. */
const signed = (text: string): string => text.replace(/^-/, '−');

/** How a value in `unit` reads: one of the server's words for units, or any other word, which then follows the number. */
export function unitText(unit: string): UnitText {
  const kind = KINDS[unit];
  if (kind !== undefined) return (value) => signed(quantityText(value, kind));
  if (unit === 'ratio') return (value) => signed(threeDigits(value));
  if (unit === 'milliseconds' || unit === 'ms') return (value) => signed(quantityText(value / 1000, 'seconds'));
  if (unit === 'celsius') return (value) => signed(`${threeDigits(value)} °C`);
  const word = unit === '' || unit === 'count' ? '' : ` ${unit}`;
  return (value) => signed(`${quantityText(value, 'number')}${word}`);
}

/** The same with its sign, for differences. */
export const differenceText = (value: number, text: UnitText): string => (value > 0 ? `+${text(value)}` : text(value));

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
  return rate ? 'a second' : '';
}
