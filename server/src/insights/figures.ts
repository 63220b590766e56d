/** Figures and instants as sentences say them. */

const significant = (value: number, digits = 3): string => {
  const rounded = Number(value.toPrecision(digits));
  return Math.abs(rounded) >= 1e6 || (rounded !== 0 && Math.abs(rounded) < 1e-4)
    ? String(rounded)
    : rounded.toLocaleString('en-GB', { maximumFractionDigits: 6, useGrouping: false });
};

const BYTES = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const;

function bytes(value: number): string {
  const power = Math.min(BYTES.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, Math.abs(value))) / 3)));
  return `${significant(value / 1000 ** power)} ${BYTES[power]}`;
}

function seconds(value: number): string {
  const size = Math.abs(value);
  if (size < 0.001) return `${significant(value * 1e6)} µs`;
  if (size < 1) return `${significant(value * 1000)} ms`;
  return size < 120 ? `${significant(value)} s` : `${significant(value / 60)} min`;
}

/** `0.21` and `seconds` are "210 ms". */
export function figure(value: number, unit: string): string {
  switch (unit) {
    case 'seconds':
      return seconds(value);
    case 'percent':
      return `${significant(value)} %`;
    case 'ratio':
      return `${significant(value * 100)} %`;
    case 'bytes':
      return bytes(value);
    case 'bytes_per_second':
      return `${bytes(value)}/s`;
    case 'celsius':
      return `${significant(value)} °C`;
    case 'count':
    case '':
      return significant(value);
    default:
      return `${significant(value)} ${unit}`;
  }
}

/** 0.378 is "38 %". */
export const share = (value: number): string => `${significant(value * 100, 2)} %`;

const MONTHS = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'];
const WEEKDAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

/** "12 December", in UTC. */
export const day = (atMs: number): string => {
  const date = new Date(atMs);
  return `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]}`;
};
/** "14:00 UTC". */
export const hour = (atMs: number): string => `${String(new Date(atMs).getUTCHours()).padStart(2, '0')}:00 UTC`;
export const weekday = (atMs: number): string => WEEKDAYS[new Date(atMs).getUTCDay()] ?? '';

/** "about 12 days". */
export const days = (count: number): string => {
  const rounded = Math.max(1, Math.round(count));
  return rounded === 1 ? '1 day' : `${rounded} days`;
};
