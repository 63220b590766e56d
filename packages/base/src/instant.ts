import { type Result, err, ok } from './result.ts';
import { type EpochMs, epochMs } from './units.ts';

/** Numbers from here on are no Unix seconds of this age (they would be the year 5138), but look like milliseconds. */
export const LOOKS_LIKE_MS = 1e11;

/** The last instant that RFC 3339 can write: the end of the year 9999. */
export const LAST_INSTANT_MS = 253_402_300_799_999;

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const RFC3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;

/**
 * An instant as people and programs write it: RFC 3339, or Unix seconds with a fraction. A number that looks like
 * milliseconds is refused with the hint, because it would silently mean a year far away.
 */
export function parseInstant(text: string): Result<EpochMs, string> {
  if (NUMBER.test(text)) {
    const seconds = Number(text);
    if (Math.abs(seconds) >= LOOKS_LIKE_MS) return err(`"${text}" looks like milliseconds; write seconds or RFC 3339`);
    return ok(epochMs(Math.round(seconds * 1000)));
  }
  if (RFC3339.test(text)) {
    const parsed = Date.parse(text);
    if (!Number.isNaN(parsed) && isCalendarDay(text)) return ok(epochMs(parsed));
  }
  return err(`not an instant: "${text}" (write for example 2026-11-21T02:00:00Z or Unix seconds)`);
}

/** Whether the month of an RFC 3339 text has its day: `Date.parse` takes the 30th of February for the 1st or 2nd of March. */
const isCalendarDay = (text: string): boolean => new Date(`${text.slice(0, 10)}T00:00:00Z`).getUTCDate() === Number(text.slice(8, 10));
