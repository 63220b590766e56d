import { DAY_MS } from '@nines/base/units.ts';
import { wallClockMs } from './zone.ts';

/** How far the zone's clocks are ahead of UTC at an instant. */
export const offsetMs = (atMs: number, zone: string): number => wallClockMs(atMs, zone) - atMs;

/**
 * The instant at which something planned for a wall clock (as if it were UTC) begins, by the rule of RFC 5545: the first of two where
 * the clocks go back over it, and counted from before the jump where they skip it (02:30 begins at what the clocks then call 03:30).
 */
export function plannedInstantMs(wallMs: number, zone: string): number {
  if (zone === 'UTC') return wallMs;
  const before = wallMs - offsetMs(wallMs - DAY_MS, zone);
  const after = wallMs - offsetMs(wallMs + DAY_MS, zone);
  return [before, after].find((atMs) => wallClockMs(atMs, zone) === wallMs) ?? before;
}

/** The instant within `(fromMs, toMs]` from which the zone's clocks no longer run with the offset that they have at `fromMs`. */
export function offsetChangeMs(fromMs: number, toMs: number, zone: string): number {
  const offset = offsetMs(fromMs, zone);
  let [same, changed] = [fromMs, toMs];
  while (changed - same > 1) {
    const middle = Math.floor((same + changed) / 2);
    if (offsetMs(middle, zone) === offset) same = middle;
    else changed = middle;
  }
  return changed;
}
