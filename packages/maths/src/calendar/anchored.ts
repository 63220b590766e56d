import { type Result, err, ok } from '@nines/base/result.ts';
import { DAY_MS, epochMs } from '@nines/base/units.ts';
import type { Span } from '../slo/types.ts';
import type { PeriodUnit } from './period.ts';
import { instantOf, wallClockMs } from './zone.ts';

/** Periods that follow each other from an anchor: every two weeks from Wednesday noon, each month from the 15th. */
export type AnchoredCalendar = {
  readonly unit: PeriodUnit;
  /** So many units each, at least 1. */
  readonly every: number;
  /** IANA. */
  readonly zone: string;
  /** A wall clock of the zone, as if it were UTC, at which one of the periods begins. */
  readonly anchorMs: number;
};

const MONTHS: Readonly<Record<PeriodUnit, number>> = { day: 0, week: 0, month: 1, quarter: 3, year: 12 };
const DAYS: Readonly<Record<PeriodUnit, number>> = { day: 1, week: 7, month: 0, quarter: 0, year: 0 };
/** The mean length of a month, to guess the number of a period. */
const MONTH_MS = 30.436_875 * DAY_MS;

/**
 * The period in which an instant lies. It begins and ends at the anchor's wall clock whatever the clocks do between; a day of the month that
 * a month does not have is its last one, and only there.
 */
export function anchoredPeriodAt(atMs: number, calendar: AnchoredCalendar): Span {
  const unitMs = (DAYS[calendar.unit] * DAY_MS || MONTHS[calendar.unit] * MONTH_MS) * calendar.every;
  let number = Math.floor((wallClockMs(atMs, calendar.zone) - calendar.anchorMs) / unitMs);
  const begin = (which: number): number => instantOf(wallClockOf(calendar, which), calendar.zone);
  while (begin(number) > atMs) number--;
  while (begin(number + 1) <= atMs) number++;
  return { fromMs: epochMs(begin(number)), toMs: epochMs(begin(number + 1)) };
}

/** The wall clock at which the period of a number begins; the anchor's is number 0. */
function wallClockOf({ unit, every, anchorMs }: AnchoredCalendar, number: number): number {
  if (MONTHS[unit] === 0) return anchorMs + number * every * DAYS[unit] * DAY_MS;
  const anchor = new Date(anchorMs);
  const [year, month] = [anchor.getUTCFullYear(), anchor.getUTCMonth() + number * every * MONTHS[unit]];
  const lastDay = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
  const timeMs = ((anchorMs % DAY_MS) + DAY_MS) % DAY_MS;
  return Date.UTC(year, month, Math.min(anchor.getUTCDate(), lastDay)) + timeMs;
}

/** Reads `2026-01-15` or `2026-01-15 12:00:00` (also with a `T`), a wall clock without a zone, as if it were UTC. */
export function parseWallClock(text: string): Result<number, string> {
  const parts = /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2}))?)?$/.exec(text.trim());
  const [year, month, day, hour, minute, second] = (parts ?? []).slice(1).map((part) => Number(part ?? 0));
  const atMs = Date.UTC(year ?? Number.NaN, (month ?? 0) - 1, day, hour, minute, second);
  const fault = `not a wall clock: "${text}" (write for example 2026-01-15 12:00:00, without a zone)`;
  if (parts === null || Number.isNaN(atMs)) return err(fault);
  // What the calendar does not have (30 February, 25:00) comes back as something else.
  return new Date(atMs).toISOString().startsWith(`${parts[1]}-${parts[2]}-${parts[3]}T${parts[4] ?? '00'}:${parts[5] ?? '00'}`)
    ? ok(atMs)
    : err(fault);
}
