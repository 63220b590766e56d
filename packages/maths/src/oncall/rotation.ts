import { invariant } from '@nines/base/errors.ts';
import { DAY_MS, epochMs } from '@nines/base/units.ts';
import { plannedInstantMs } from '../calendar/wall.ts';
import { wallClockMs } from '../calendar/zone.ts';
import type { Span } from '../slo/types.ts';

/**
 * Shifts that follow each other without end. Shift `n` begins at the wall clock `anchorMs + n * lengthMs` of the zone, read by the rule of
 * RFC 5545: the first of two where the clocks go back over it, as far after the jump as it would have been where they skip it. A weekly
 * shift from Monday 09:00 is an hour shorter or longer when the clocks change in it, and ends on Monday at 09:00.
 */
export type Rotation = {
  /** IANA. */
  readonly zone: string;
  /** A wall clock of the zone, as if it were UTC, at which shift 0 begins. */
  readonly anchorMs: number;
  /** On the wall clock; at least an hour. */
  readonly lengthMs: number;
};

export type Shift = Span & { readonly number: number };

/** No clocks jump farther than this: a zone that moves over the date line skips a day. */
const MAX_JUMP_MS = DAY_MS;

/**
 * The shifts of a span, whole, ascending and without a gap. At each instant the last shift that has begun lasts; one that begins no earlier
 * than a later one (the clocks left nothing of it) is not there.
 */
export function shiftsWithin(rotation: Rotation, { fromMs, toMs }: Span): readonly Shift[] {
  const { zone, anchorMs, lengthMs } = rotation;
  const reach = Math.ceil(MAX_JUMP_MS / lengthMs) + 2;
  const numberAt = (atMs: number): number => Math.floor((wallClockMs(atMs, zone) - anchorMs) / lengthMs);
  const [first, last] = [numberAt(fromMs) - reach, numberAt(toMs) + reach];
  const shifts: Shift[] = [];
  let endMs = Number.POSITIVE_INFINITY;
  for (let number = last; number >= first; number--) {
    const beginMs = plannedInstantMs(anchorMs + number * lengthMs, zone);
    if (beginMs >= endMs) continue;
    if (beginMs < toMs && endMs > fromMs) shifts.push({ number, fromMs: epochMs(beginMs), toMs: epochMs(endMs) });
    endMs = beginMs;
  }
  return shifts.reverse();
}

/** The shift in which an instant lies. */
export function shiftAt(rotation: Rotation, atMs: number): Shift {
  const [shift] = shiftsWithin(rotation, { fromMs: epochMs(atMs), toMs: epochMs(atMs + 1) });
  invariant(shift !== undefined, `a shift at ${atMs}, found none`);
  return shift;
}
