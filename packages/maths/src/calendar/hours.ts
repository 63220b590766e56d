import { DAY_MS, HOUR_MS, epochMs } from '@nines/base/units.ts';
import type { Span } from '../slo/types.ts';
import { clipSpan, unionSpans } from '../slo/window.ts';
import { offsetChangeMs, offsetMs } from './wall.ts';
import { startOfDayMs, wallClockMs } from './zone.ts';

/** A stretch of a day's wall clock in milliseconds, `[fromMs, toMs)`; `toMs` may be the end of the day. */
export type DayStretch = { readonly fromMs: number; readonly toMs: number };

/** When a promise holds: an instant is in hours when the zone's clocks then show a time within its weekday's stretches and no holiday. */
export type BusinessHours = {
  readonly zone: string;
  /** Monday first. */
  readonly weekly: readonly (readonly DayStretch[])[];
  /** Days counted from 1970-01-01, whole. */
  readonly holidays: ReadonlySet<number>;
};

/** Days of one calendar of hours that are remembered: two years, so that a window that moves reckons one day a day. */
const MAX_REMEMBERED_DAYS = 800;
const remembered = new WeakMap<BusinessHours, Map<number, readonly Span[]>>();

/** The time of a span that lies out of hours: sorted and disjoint. */
export function outOfHours(hours: BusinessHours, span: Span): readonly Span[] {
  const firstDay = Math.floor(wallClockMs(span.fromMs, hours.zone) / DAY_MS) - 1;
  const lastDay = Math.floor(wallClockMs(span.toMs, hours.zone) / DAY_MS) + 1;
  const open: Span[] = [];
  for (let day = firstDay; day <= lastDay; day++) open.push(...hoursOfDay(hours, day));
  return complement(unionSpans(open.flatMap((stretch) => clipSpan(stretch, span) ?? [])), span);
}

/** What sorted disjoint spans within `bounds` leave of it. */
function complement(spans: readonly Span[], bounds: Span): readonly Span[] {
  const left: Span[] = [];
  let fromMs = bounds.fromMs;
  for (const span of spans) {
    if (fromMs < span.fromMs) left.push({ fromMs, toMs: span.fromMs });
    fromMs = span.toMs;
  }
  if (fromMs < bounds.toMs) left.push({ fromMs, toMs: bounds.toMs });
  return left;
}

function hoursOfDay(hours: BusinessHours, day: number): readonly Span[] {
  let days = remembered.get(hours);
  if (days === undefined) remembered.set(hours, (days = new Map()));
  const known = days.get(day);
  if (known !== undefined) return known;
  if (days.size >= MAX_REMEMBERED_DAYS) days.clear();
  const spans = reckonDay(hours, day);
  days.set(day, spans);
  return spans;
}

/** Clocks go back by less than this. */
const OVERLAP_MS = 3 * HOUR_MS;

/** 1970-01-01 was a Thursday. */
const weekdayOf = (day: number): number => (((day + 3) % 7) + 7) % 7;

function reckonDay({ zone, weekly, holidays }: BusinessHours, day: number): readonly Span[] {
  const stretches = weekly[weekdayOf(day)] ?? [];
  if (stretches.length === 0 || holidays.has(day)) return [];
  // Where the clocks go back over midnight a day is interrupted by the end of the one before.
  const fromMs = startOfDayMs(calendarDay(day), zone) - OVERLAP_MS;
  const toMs = startOfDayMs(calendarDay(day + 1), zone) + OVERLAP_MS;
  const open: Span[] = [];
  // Within a piece the clocks run with one offset; where they change, an hour comes twice or never.
  for (let at = fromMs; at < toMs; ) {
    const end = offsetMs(at, zone) === offsetMs(toMs - 1, zone) ? toMs : offsetChangeMs(at, toMs - 1, zone);
    const zero = day * DAY_MS - offsetMs(at, zone);
    const piece = { fromMs: epochMs(at), toMs: epochMs(end) };
    for (const one of stretches) {
      const part = clipSpan({ fromMs: epochMs(zero + one.fromMs), toMs: epochMs(zero + one.toMs) }, piece);
      if (part !== undefined) open.push(part);
    }
    at = end;
  }
  return unionSpans(open);
}

function calendarDay(day: number): { readonly year: number; readonly month: number; readonly day: number } {
  const date = new Date(day * DAY_MS);
  return { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() };
}
