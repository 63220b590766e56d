/** Numbers with their units, as the server's sentences have them too, with the decimal mark of the page's language. */
import * as plain from '@nines/base/quantity.ts';
import { LOCALE } from './instant.ts';
import { decimalText } from './percent.ts';

export type { Quantity, UnitKind } from '@nines/base/quantity.ts';

const local = ({ number, unit }: plain.Quantity): plain.Quantity => ({ number: decimalText(number), unit });

export const threeDigits = (value: number): string => decimalText(plain.threeDigits(value));

export const percentQuantity = (percent: number): plain.Quantity => local(plain.percentQuantity(percent));

/** One value in one of the product's units. */
export const quantity = (value: number, kind: plain.UnitKind): plain.Quantity =>
  // Thousands of a currency are grouped, so its text has marks of both kinds.
  kind === 'currency'
    ? { number: value.toLocaleString(LOCALE, { minimumFractionDigits: 2, maximumFractionDigits: 2 }), unit: '' }
    : local(plain.quantity(value, kind));

/** Number and unit in one text: `12.3 ms`. */
export function quantityText(value: number, kind: plain.UnitKind): string {
  const { number, unit } = quantity(value, kind);
  return unit === '' ? number : `${number} ${unit}`;
}

/** A whole number with its thousands told apart: `1,234`. */
export const countText = (count: number): string => count.toLocaleString(LOCALE);
