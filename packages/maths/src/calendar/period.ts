import { type Result, err, ok } from '@nines/base/result.ts';
import { DAY_MS, epochMs } from '@nines/base/units.ts';
import type { Span } from '../slo/types.ts';
import { type CalendarDay, dayAt, isZone, startOfDayMs } from './zone.ts';

/** Periods of the calendar, in the words of ISO 8601: `2026-11-21`, `2026-W47`, `2026-11`, `2026-Q4`, `2026`. */
export const PERIOD_UNITS = ['day', 'week', 'month', 'quarter', 'year'] as const;
export type PeriodUnit = (typeof PERIOD_UNITS)[number];

export type CalendarPeriod = Span & { readonly unit: PeriodUnit; readonly name: string };

const MONTHS: Readonly<Record<'month' | 'quarter' | 'year', number>> = { month: 1, quarter: 3, year: 12 };
const THURSDAY = 4;

/** Reads the name of a period in a zone. The error says what is wrong with it. */
export function parsePeriod(text: string, zone: string): Result<CalendarPeriod, string> {
  if (!isZone(zone)) return err(unknownZone(zone));
  const first = firstDayOf(text);
  if (first === undefined) return err(`not a period: "${text}" (write 2026-11-21, 2026-W47, 2026-11, 2026-Q4 or 2026)`);
  const found = periodFrom(first.day, first.unit, zone);
  // What the calendar does not have (30 February, week 53 of a year of 52) comes back under another name.
  if (found.name !== text) return err(`there is no period "${text}" in the calendar`);
  return ok(found);
}

export const unknownZone = (zone: string): string => `there is no time zone "${zone}" (write for example UTC or Europe/Berlin)`;

function firstDayOf(text: string): { readonly unit: PeriodUnit; readonly day: CalendarDay } | undefined {
  const parts = /^(\d{4})(?:-(?:(\d{2})(?:-(\d{2}))?|Q([1-4])|W(\d{2})))?$/.exec(text);
  if (parts === null) return undefined;
  const [year, month, day, quarter, week] = parts.slice(1).map((part) => (part === undefined ? undefined : Number(part)));
  if (year === undefined) return undefined;
  if (week !== undefined) return { unit: 'week', day: mondayOf(year, week) };
  if (quarter !== undefined) return { unit: 'quarter', day: { year, month: 3 * quarter - 2, day: 1 } };
  if (day !== undefined && month !== undefined) return { unit: 'day', day: { year, month, day } };
  return month === undefined ? { unit: 'year', day: { year, month: 1, day: 1 } } : { unit: 'month', day: { year, month, day: 1 } };
}

/** Monday of an ISO week: the week with the year's first Thursday is the first. */
function mondayOf(year: number, week: number): CalendarDay {
  const fourth = new Date(Date.UTC(year, 0, 4));
  return { year, month: 1, day: 4 - weekdayOf(fourth) + 1 + 7 * (week - 1) };
}

/** Monday is 1. */
const weekdayOf = (date: Date): number => date.getUTCDay() || 7;

/** The period of a unit that begins with a day; the day must be the first of one. */
function periodFrom(first: CalendarDay, unit: PeriodUnit, zone: string): CalendarPeriod {
  return {
    unit,
    name: nameOf(normal(first), unit),
    fromMs: epochMs(startOfDayMs(first, zone)),
    toMs: epochMs(startOfDayMs(stepped(first, unit, 1), zone)),
  };
}

function stepped({ year, month, day }: CalendarDay, unit: PeriodUnit, by: number): CalendarDay {
  if (unit === 'day') return { year, month, day: day + by };
  if (unit === 'week') return { year, month, day: day + 7 * by };
  return { year, month: month + MONTHS[unit] * by, day };
}

/** The same day with its month and day within their ranges. */
function normal({ year, month, day }: CalendarDay): CalendarDay {
  const date = new Date(Date.UTC(year, month - 1, day));
  return { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() };
}

function nameOf({ year, month, day }: CalendarDay, unit: PeriodUnit): string {
  const padded = (value: number, length = 2): string => String(value).padStart(length, '0');
  switch (unit) {
    case 'year':
      return padded(year, 4);
    case 'quarter':
      return `${padded(year, 4)}-Q${Math.ceil(month / 3)}`;
    case 'month':
      return `${padded(year, 4)}-${padded(month)}`;
    case 'day':
      return `${padded(year, 4)}-${padded(month)}-${padded(day)}`;
    case 'week': {
      const date = new Date(Date.UTC(year, month - 1, day));
      const thursday = new Date(date.getTime() + (THURSDAY - weekdayOf(date)) * DAY_MS);
      const week = Math.floor((thursday.getTime() - Date.UTC(thursday.getUTCFullYear(), 0, 1)) / (7 * DAY_MS)) + 1;
      return `${padded(thursday.getUTCFullYear(), 4)}-W${padded(week)}`;
    }
  }
}

/** The period of a unit in which an instant lies. */
export function periodAt(atMs: number, unit: PeriodUnit, zone: string): CalendarPeriod {
  return periodFrom(firstOf(dayAt(atMs, zone), unit), unit, zone);
}

function firstOf(today: CalendarDay, unit: PeriodUnit): CalendarDay {
  const { year, month, day } = today;
  switch (unit) {
    case 'day':
      return today;
    case 'week':
      return { year, month, day: day - weekdayOf(new Date(Date.UTC(year, month - 1, day))) + 1 };
    case 'month':
      return { year, month, day: 1 };
    case 'quarter':
      return { year, month: 3 * Math.ceil(month / 3) - 2, day: 1 };
    case 'year':
      return { year, month: 1, day: 1 };
  }
}

/** The period of the calendar that a span is exactly, if it is one; the shortest unit when two fit, as nowhere two do. */
export function periodOfSpan(span: Span, zone: string): CalendarPeriod | undefined {
  return PERIOD_UNITS.map((unit) => periodAt(span.fromMs, unit, zone)).find(
    (period) => period.fromMs === span.fromMs && period.toMs === span.toMs,
  );
}

/**
 * The `count` periods before a span, oldest first: those of the calendar when the span is one, otherwise spans of the same length.
 */
export function periodsBefore(span: Span, zone: string, count: number): readonly (Span & { readonly name: string | null })[] {
  const period = periodOfSpan(span, zone);
  const lengthMs = span.toMs - span.fromMs;
  const first = period === undefined ? undefined : dayAt(span.fromMs, zone);
  return Array.from({ length: count }, (_, i) => {
    const back = count - i;
    if (period === undefined || first === undefined) {
      return { fromMs: epochMs(span.fromMs - back * lengthMs), toMs: epochMs(span.toMs - back * lengthMs), name: null };
    }
    return periodFrom(stepped(first, period.unit, -back), period.unit, zone);
  });
}
