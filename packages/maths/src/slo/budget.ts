import { type ExactRatio, complementOf, portionMs } from './exact.ts';
import type { Tally } from './tally.ts';

/** Milliseconds that may be bad, that were, and what is left (negative once breached). */
export type Budget = { readonly totalMs: number; readonly spentMs: number; readonly remainingMs: number };

/**
 * `total = floor((1 − target) × (window − excluded − out of hours))`, in exact decimals; unknown time earns budget too. So does
 * `aheadMs`, the time of a period that is still to come.
 */
export function budgetOf(counted: Tally, target: ExactRatio, aheadMs = 0): Budget {
  const { upMs, degradedMs, downMs, unknownMs } = counted.buckets;
  const totalMs = portionMs(complementOf(target), upMs + degradedMs + downMs + unknownMs + aheadMs);
  return { totalMs, spentMs: counted.badMs, remainingMs: totalMs - counted.badMs };
}

/** `good / (good + bad)`, correctly rounded to a double; null when nothing was counted. */
export function attainedOf(counted: Pick<Tally, 'goodMs' | 'badMs'>): number | null {
  const whole = counted.goodMs + counted.badMs;
  return whole === 0 ? null : counted.goodMs / whole;
}

/**
 * When the budget ends if the future spends it as the best of the `recent` spans did: `remaining` divided by the bad share of
 * that span's counted time. Null when one of them spent nothing, when nothing is left, and when it would last longer than
 * `horizonMs`: by then today's bad time has left a rolling window.
 */
export function exhaustionOf(
  budget: Budget,
  recent: readonly Pick<Tally, 'goodMs' | 'badMs'>[],
  at: { readonly nowMs: number; readonly horizonMs: number },
): number | null {
  if (budget.remainingMs <= 0) return null;
  const lastsMs = Math.max(
    ...recent.map(({ goodMs, badMs }) =>
      badMs === 0 ? Number.POSITIVE_INFINITY : Math.ceil((budget.remainingMs * (goodMs + badMs)) / badMs),
    ),
  );
  return lastsMs > at.horizonMs ? null : at.nowMs + lastsMs;
}

/** The same in events: of those that were counted `floor((1 − target) × total)` may be bad. The fields that end in Ms are events. */
export function budgetOfEvents(counted: Pick<Tally, 'goodMs' | 'badMs'>, target: ExactRatio): Budget {
  const totalMs = portionMs(complementOf(target), Math.floor(counted.goodMs + counted.badMs));
  return { totalMs, spentMs: counted.badMs, remainingMs: totalMs - counted.badMs };
}

/** When a budget of events ends if bad ones keep coming as in the best of the `recent` spans. */
export function exhaustionOfEvents(
  budget: Budget,
  recent: readonly { readonly badMs: number; readonly lengthMs: number }[],
  at: { readonly nowMs: number; readonly horizonMs: number },
): number | null {
  if (budget.remainingMs <= 0) return null;
  const lastsMs = Math.max(
    ...recent.map(({ badMs, lengthMs }) => (badMs === 0 ? Number.POSITIVE_INFINITY : Math.ceil((budget.remainingMs * lengthMs) / badMs))),
  );
  return lastsMs > at.horizonMs ? null : at.nowMs + lastsMs;
}
