import { DAY_MS } from '@nines/base/units.ts';
import { type Cron, cronMatchesDay } from './cron.ts';
import { offsetMs, plannedInstantMs } from './wall.ts';
import { wallClockMs } from './zone.ts';

/** Days within which every expression that comes at all comes again: 29 February around a year that has none. */
const MAX_DAYS = 8 * 366 + 2;
/** Days that a longest gap is looked for in, from a leap year on, so that one 29 February and the next lie within. */
const GAP_DAYS = 5 * 366;
const GAP_FROM_DAY = Math.floor(Date.UTC(2024, 0, 1) / DAY_MS);

/**
 * The first instant after `afterMs` (exclusive). Where the clocks skip a wall time it comes when they have; where they go back over one it
 * comes the first time only.
 */
export function nextCronMs(cron: Cron, afterMs: number, zone: string): number {
  const firstDay = Math.floor(wallClockMs(afterMs, zone) / DAY_MS) - 1;
  for (let day = firstDay; day < firstDay + MAX_DAYS; day++) {
    if (!cronMatchesDay(cron, day)) continue;
    const found = firstAfter(cron, { day, afterMs, zone });
    if (found !== undefined) return found;
  }
  throw new Error(`expected an expression that comes within eight years, found none after ${new Date(afterMs).toISOString()}`);
}

/** Instants rise with wall times, but for the half hour that one zone skips, so the first one of a day is found by halving. */
function firstAfter(
  { timesMs }: Cron,
  { day, afterMs, zone }: { readonly day: number; readonly afterMs: number; readonly zone: string },
): number | undefined {
  const at = (index: number): number => plannedInstantMs(day * DAY_MS + (timesMs[index] ?? 0), zone);
  let [low, high] = [0, timesMs.length];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (at(middle) > afterMs) high = middle;
    else low = middle + 1;
  }
  return low < timesMs.length ? at(low) : undefined;
}

/** An upper bound of the time between two instants: exact in UTC, elsewhere longer by what the clocks of the zone change within a year. */
export function longestCronGapMs(cron: Cron, zone: string): number {
  const { timesMs } = cron;
  const [first = 0, last = 0] = [timesMs[0], timesMs.at(-1)];
  let longestMs = timesMs.reduce((longest, time, i) => (i === 0 ? 0 : Math.max(longest, time - (timesMs[i - 1] ?? time))), 0);
  let before: number | undefined;
  for (let day = GAP_FROM_DAY; day < GAP_FROM_DAY + GAP_DAYS; day++) {
    if (!cronMatchesDay(cron, day)) continue;
    if (before !== undefined) longestMs = Math.max(longestMs, (day - before) * DAY_MS + first - last);
    before = day;
  }
  const offsets = Array.from({ length: 12 }, (_, month) => offsetMs(Date.UTC(2024, month, 15), zone));
  return longestMs + Math.max(...offsets) - Math.min(...offsets);
}
