/**
 * Local time in an IANA zone, by the tables that Intl carries. Days of 23 and 25 hours, midnights that do not exist and days
 * that were skipped come out as the zone has them.
 */
import { DAY_MS } from '@nines/base/units.ts';

/** A day of the proleptic Gregorian calendar; months count from 1. */
export type CalendarDay = { readonly year: number; readonly month: number; readonly day: number };

/** No zone is farther from UTC than this. */
const MAX_OFFSET_MS = DAY_MS;

/** Spellings of zones that are remembered: people write few, but a name may be written in any case. */
const MAX_ZONES = 1_000;
const formats = new Map<string, Intl.DateTimeFormat>();

/** Since then no zone has moved its clocks twice within six hours, as its tables have it. */
const STEADY_SINCE_MS = 94_694_400_000;
const PERIOD_MS = 6 * 3_600_000;
/** Five years. */
const MAX_PERIODS = 7_500;
/** By zone and period, how far the clocks are ahead of UTC at its beginning. */
const offsets = new Map<string, Map<number, number>>();

export function isZone(zone: string): boolean {
  try {
    formatOf(zone);
    return true;
  } catch {
    return false;
  }
}

function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    calendar: 'gregory',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
    era: 'short',
  });
  if (formats.size >= MAX_ZONES) {
    formats.clear();
    offsets.clear();
  }
  formats.set(zone, made);
  return made;
}

/** The wall clock of the zone at an instant, as if it were UTC. */
export function wallClockMs(atMs: number, zone: string): number {
  if (zone === 'UTC') return atMs;
  if (!(atMs >= STEADY_SINCE_MS)) return askedWallClockMs(atMs, zone);
  const period = Math.floor(atMs / PERIOD_MS);
  const offsetMs = offsetAtMs(period, zone);
  return offsetMs === offsetAtMs(period + 1, zone) ? atMs + offsetMs : askedWallClockMs(atMs, zone);
}

/** Intl takes some microseconds for each answer, and schedules of hourly shifts ask ten thousands of times. */
function offsetAtMs(period: number, zone: string): number {
  let known = offsets.get(zone);
  if (known === undefined || known.size >= MAX_PERIODS) {
    known = new Map();
    offsets.set(zone, known);
  }
  const before = known.get(period);
  if (before !== undefined) return before;
  const atMs = period * PERIOD_MS;
  const offsetMs = askedWallClockMs(atMs, zone) - atMs;
  known.set(period, offsetMs);
  return offsetMs;
}

function askedWallClockMs(atMs: number, zone: string): number {
  const parts = Object.fromEntries(
    formatOf(zone)
      .formatToParts(atMs)
      .map(({ type, value }) => [type, value]),
  );
  const year = parts['era'] === 'BC' ? 1 - Number(parts['year']) : Number(parts['year']);
  const wholeMs =
    utcMs(year, Number(parts['month']), Number(parts['day'])) +
    (Number(parts['hour']) * 3_600 + Number(parts['minute']) * 60 + Number(parts['second'])) * 1_000;
  return wholeMs + (((atMs % 1_000) + 1_000) % 1_000);
}

/** Not `Date.UTC` alone, which takes the years 0 to 99 for 1900 to 1999. */
function utcMs(year: number, month: number, day: number): number {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return date.getTime();
}

/** The day that the zone's calendar shows at an instant. */
export function dayAt(atMs: number, zone: string): CalendarDay {
  const wall = new Date(wallClockMs(atMs, zone));
  return { year: wall.getUTCFullYear(), month: wall.getUTCMonth() + 1, day: wall.getUTCDate() };
}

/**
 * The first instant at which the zone's calendar shows this day or a later one. Months and days beyond their range carry over:
 * month 13 is January.
 */
export const startOfDayMs = ({ year, month, day }: CalendarDay, zone: string): number => instantOf(utcMs(year, month, day), zone);

/**
 * The first instant at which the zone's clocks show a wall clock (as if it were UTC) or, where they skip it, a later one: the
 * earlier of the two where they go back over it.
 */
export function instantOf(wantedMs: number, zone: string): number {
  if (zone === 'UTC') return wantedMs;
  // The earlier of two midnights where the clocks go back over it; none of the two where they skip it.
  const candidates = [wantedMs - MAX_OFFSET_MS, wantedMs + MAX_OFFSET_MS]
    .map((nearMs) => wantedMs - (wallClockMs(nearMs, zone) - nearMs))
    .filter((atMs) => wallClockMs(atMs, zone) === wantedMs);
  return candidates.length > 0 ? Math.min(...candidates) : firstAtOrAfter(wantedMs, zone);
}

/** The instant of the jump over a wall clock that never was. */
function firstAtOrAfter(wantedMs: number, zone: string): number {
  let [before, from] = [wantedMs - 2 * MAX_OFFSET_MS, wantedMs + 2 * MAX_OFFSET_MS];
  while (from - before > 1) {
    const middle = Math.floor((before + from) / 2);
    if (wallClockMs(middle, zone) >= wantedMs) from = middle;
    else before = middle;
  }
  return from;
}
