/** Numbers with their units, three significant digits, in text that lines up in tables. */

const BINARY = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;
const DECIMAL = ['', 'k', 'M', 'G', 'T', 'P'] as const;

export type Quantity = { readonly number: string; readonly unit: string };

/** Three significant digits without an exponent: `1.23`, `12.3`, `123`. */
export function threeDigits(value: number): string {
  const size = Math.abs(value);
  if (size >= 99.95 || value === 0) return String(Math.round(value));
  if (size >= 9.995) return value.toFixed(1);
  return size >= 0.0995 ? value.toFixed(2) : Number(value.toPrecision(2)).toString();
}

function scaled(value: number, base: number, steps: readonly string[]): readonly [number, string] {
  let step = 0;
  let rest = value;
  while (Math.abs(rest) >= base && step < steps.length - 1) {
    rest /= base;
    step++;
  }
  return [rest, steps[step] ?? ''];
}

/** Bytes in binary steps: `1536` → `1.50 KiB`. */
function bytesQuantity(bytes: number): Quantity {
  const [rest, unit] = scaled(bytes, 1024, BINARY);
  return { number: unit === 'B' ? String(Math.round(rest)) : threeDigits(rest), unit };
}

/** Percent from 0 to 100: one decimal, of less than one percent two digits. */
export function percentQuantity(percent: number): Quantity {
  const size = Math.abs(percent);
  const isSmall = size > 0 && size < 0.95;
  return { number: isSmall ? Number(percent.toPrecision(2)).toString() : percent.toFixed(1), unit: '%' };
}

/** Seconds as the unit a reader would choose: `0.0123` → `12.3 ms`. */
function secondsQuantity(seconds: number): Quantity {
  const size = Math.abs(seconds);
  if (size >= 1 || size === 0) return { number: threeDigits(seconds), unit: 's' };
  return size >= 0.001 ? { number: threeDigits(seconds * 1e3), unit: 'ms' } : { number: threeDigits(seconds * 1e6), unit: 'µs' };
}

export type UnitKind =
  | 'percent'
  | 'ratio'
  | 'bytes'
  | 'bytes_per_second'
  | 'seconds'
  | 'milliseconds'
  | 'per_second'
  | 'currency'
  | 'number';

/** A ratio as percent: near the whole, where promises are, with three decimals. */
function ratioQuantity(ratio: number): Quantity {
  const percent = ratio * 100;
  if (percent >= 99 && percent < 100) return { number: (Math.floor(percent * 1000) / 1000).toFixed(3), unit: '%' };
  return percentQuantity(percent);
}

/** One value in one of the product's units. */
export function quantity(value: number, kind: UnitKind): Quantity {
  switch (kind) {
    case 'percent':
      return percentQuantity(value);
    case 'ratio':
      return ratioQuantity(value);
    case 'bytes':
      return bytesQuantity(value);
    case 'bytes_per_second': {
      const bytes = bytesQuantity(value);
      return { number: bytes.number, unit: `${bytes.unit}/s` };
    }
    case 'seconds':
      return secondsQuantity(value);
    case 'milliseconds':
      return secondsQuantity(value / 1e3);
    case 'per_second': {
      const [rest, unit] = scaled(value, 1000, DECIMAL);
      return { number: threeDigits(rest), unit: `${unit}/s` };
    }
    // Whose currency it is, the title says.
    case 'currency':
      return { number: value.toLocaleString('en', { minimumFractionDigits: 2, maximumFractionDigits: 2 }), unit: '' };
    case 'number': {
      const [rest, unit] = scaled(value, 1000, DECIMAL);
      return { number: threeDigits(rest), unit };
    }
  }
}

/** Number and unit in one text: `12.3 ms`. */
export function quantityText(value: number, kind: UnitKind): string {
  const parts = quantity(value, kind);
  return parts.unit === '' ? parts.number : `${parts.number} ${parts.unit}`;
}

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
  if (unit === 'ratio') return (value) => signed(quantityText(value * 100, 'percent'));
  if (unit === 'milliseconds' || unit === 'ms') return (value) => signed(quantityText(value / 1000, 'seconds'));
  if (unit === 'celsius') return (value) => signed(`${threeDigits(value)} °C`);
  const word = unit === '' || unit === 'count' ? '' : ` ${unit}`;
  return (value) => signed(`${quantityText(value, 'number')}${word}`);
}

/** The same with its sign, for differences. */
export const differenceText = (value: number, text: UnitText): string => (value > 0 ? `+${text(value)}` : text(value));

/** Three significant digits, as they are: what has no unit. */
export const plainText: UnitText = (value) => String(Number(value.toPrecision(3)));

/** How reasons tell values: in their unit where it is known. */
export const textIn = (unit: string | undefined): UnitText => (unit === undefined || unit === '' ? plainText : unitText(unit));
