import { DAY_MS, HOUR_MS } from '@nines/base/units.ts';
import type { ClockVerdict } from '../contract.ts';

/**
 * Whether retention may go by the clock. A clock that leaps ahead would take everything with it, and no sample is evidence: the
 * product's own samples leap too. So time may move as far as it does between two runs; a longer leap is believed once it
 * has lasted a day, in which somebody can see it in the health report.
 */
export const MAX_LEAP_MS = DAY_MS;
export const HOLD_MS = DAY_MS;
/** Two looks at a leap further apart than this are two leaps. */
const MAX_PAUSE_MS = 3 * HOUR_MS;

export type Leap = { readonly sinceMs: number; readonly lastMs: number };

/** `trustedMs` is the last instant that was trusted, `leap` what was seen of one that is not. */
export function judgeClock(
  nowMs: number,
  trustedMs: number,
  leap: Leap | undefined,
): { readonly verdict: ClockVerdict; readonly leap: Leap | undefined } {
  if (nowMs - trustedMs <= MAX_LEAP_MS) return { verdict: { kind: 'trusted' }, leap: undefined };
  const goesOn = leap !== undefined && nowMs >= leap.lastMs && nowMs - leap.lastMs <= MAX_PAUSE_MS;
  const sinceMs = goesOn ? leap.sinceMs : nowMs;
  if (nowMs - sinceMs >= HOLD_MS) return { verdict: { kind: 'trusted' }, leap: undefined };
  return { verdict: { kind: 'leap', byMs: nowMs - trustedMs, believedAtMs: sinceMs + HOLD_MS }, leap: { sinceMs, lastMs: nowMs } };
}
