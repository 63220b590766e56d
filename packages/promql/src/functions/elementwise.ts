import { maxOf, minOf } from '../operators.ts';

/** Functions of one float, and calendar functions of a Unix time in seconds (UTC). */
export type FloatFunction = (value: number) => number;

const { PI } = Math;

export const MATHS: ReadonlyMap<string, FloatFunction> = new Map<string, FloatFunction>([
  ['abs', Math.abs],
  ['acos', Math.acos],
  ['acosh', Math.acosh],
  ['asin', Math.asin],
  ['asinh', Math.asinh],
  ['atan', Math.atan],
  ['atanh', Math.atanh],
  ['ceil', Math.ceil],
  ['cos', Math.cos],
  ['cosh', Math.cosh],
  ['deg', (value) => (value * 180) / PI],
  ['exp', Math.exp],
  ['floor', Math.floor],
  ['ln', Math.log],
  ['log10', Math.log10],
  ['log2', Math.log2],
  ['rad', (value) => (value * PI) / 180],
  ['sgn', (value) => (value < 0 ? -1 : value > 0 ? 1 : value)],
  ['sin', Math.sin],
  ['sinh', Math.sinh],
  ['sqrt', Math.sqrt],
  ['tan', Math.tan],
  ['tanh', Math.tanh],
]);

const dateOf = (seconds: number): Date => new Date(Math.trunc(seconds) * 1000);

export const CALENDAR: ReadonlyMap<string, FloatFunction> = new Map<string, FloatFunction>([
  ['day_of_month', (value) => dateOf(value).getUTCDate()],
  ['day_of_week', (value) => dateOf(value).getUTCDay()],
  ['day_of_year', (value) => dayOfYear(dateOf(value))],
  ['days_in_month', (value) => daysInMonth(dateOf(value))],
  ['hour', (value) => dateOf(value).getUTCHours()],
  ['minute', (value) => dateOf(value).getUTCMinutes()],
  ['month', (value) => dateOf(value).getUTCMonth() + 1],
  ['year', (value) => dateOf(value).getUTCFullYear()],
]);

const DAY = 86_400_000;

function dayOfYear(date: Date): number {
  const midnight = Math.floor(date.getTime() / DAY) * DAY;
  return (midnight - Date.UTC(date.getUTCFullYear(), 0, 1)) / DAY + 1;
}

const daysInMonth = (date: Date): number => new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();

/** Halves go up; the multiple is taken by its inverse so that 0.1 and the like round to what one expects. */
export function round(value: number, to: number): number {
  const inverse = 1 / to;
  return Math.floor(value * inverse + 0.5) / inverse;
}

/** NaN wins, as a value and as a bound, over everything but the infinity that a bound ends at. */
export const clamp = (value: number, least: number, most: number): number => maxOf(least, minOf(most, value));
