/** Figures and instants as sentences say them. */
import { unitText } from '@nines/base/quantity.ts';

const significant = (value: number, digits = 3): string => {
  const rounded = Number(value.toPrecision(digits));
  return Math.abs(rounded) >= 1e6 || (rounded !== 0 && Math.abs(rounded) < 1e-4)
    ? String(rounded)
    : rounded.toLocaleString('en-GB', { maximumFractionDigits: 6, useGrouping: false });
};

const LARGE = [
  [1e12, 'trillion'],
  [1e9, 'billion'],
  [1e6, 'million'],
] as const;

/** 87 900 000 000 is "87.9 billion". */
function number(value: number): string {
  const [size, word] = LARGE.find(([least]) => Math.abs(value) >= least) ?? [1, undefined];
  return word === undefined || Math.abs(value) >= 1e15 ? significant(value) : `${significant(value / size)} ${word}`;
}

/** What pages tell in steps or with a sign of their own reads in sentences as beside them. */
const OF_PAGES: ReadonlySet<string> = new Set(['seconds', 'bytes', 'bytes_per_second', 'celsius']);

/** `0.21` and `seconds` are "210 ms". */
export function figure(value: number, unit: string): string {
  if (unit === '' || unit === 'count') return number(value);
  if (unit === 'percent' || unit === 'ratio') return `${significant(unit === 'ratio' ? value * 100 : value)} %`;
  return OF_PAGES.has(unit) ? unitText(unit)(value) : `${number(value)} ${unit}`;
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
