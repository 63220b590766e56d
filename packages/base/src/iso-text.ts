import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from './units.ts';

const TWO = Array.from({ length: 60 }, (_, i) => String(i).padStart(2, '0'));
const THREE = Array.from({ length: 1_000 }, (_, i) => String(i).padStart(3, '0'));

/** The day that was written last: instants of exports follow each other. */
let [dayMs, day] = [Number.NaN, ''];

/** `2026-11-22T11:30:00.000Z`, as `Date.toISOString` writes it and with its `RangeError`, in a third of its time where days repeat. */
export function isoText(atMs: number): string {
  const ofDayMs = Math.trunc(atMs) - dayMs;
  if (!(ofDayMs >= 0 && ofDayMs < DAY_MS)) {
    const whole = new Date(atMs).toISOString();
    [dayMs, day] = [Math.floor(Math.trunc(atMs) / DAY_MS) * DAY_MS, whole.slice(0, -13)];
    return whole;
  }
  const [hour, minute] = [Math.floor(ofDayMs / HOUR_MS), Math.floor((ofDayMs % HOUR_MS) / MINUTE_MS)];
  const second = Math.floor((ofDayMs % MINUTE_MS) / SECOND_MS);
  return `${day}${TWO[hour] ?? ''}:${TWO[minute] ?? ''}:${TWO[second] ?? ''}.${THREE[ofDayMs % SECOND_MS] ?? ''}Z`;
}
