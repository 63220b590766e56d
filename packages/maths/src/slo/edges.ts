import { type EpochMs, epochMs } from '@nines/base/units.ts';
import type { LedgerInterval } from './types.ts';

/**
 * Where an outage begins and ends for a contract, between the last attempt that saw the state before and the first that saw the new one.
 * `first_failure`: as the ledger says, at the start of the first attempt that failed, and of the first good one. `last_success`: it begins with the last
 * good attempt before it. `midpoint`: both edges lie in the middle between the two attempts.
 */
export const EDGE_POLICIES = ['first_failure', 'last_success', 'midpoint'] as const;
export type EdgePolicy = (typeof EDGE_POLICIES)[number];

/** The same intervals with the edges of outages where the policy puts them; never before the interval that they cut. Edges to and from unknown are exact. */
export function atEdges(intervals: readonly LedgerInterval[], policy: EdgePolicy): readonly LedgerInterval[] {
  if (policy === 'first_failure') return intervals;
  const starts = intervals.map((interval, i) => startOf(intervals[i - 1], interval, policy));
  return intervals.map((interval, i) => ({
    ...interval,
    fromMs: starts[i] ?? interval.fromMs,
    toMs: starts[i + 1] ?? interval.toMs,
  }));
}

function startOf(before: LedgerInterval | undefined, { fromMs, state, fromBounds }: LedgerInterval, policy: EdgePolicy): EpochMs {
  if (before === undefined || fromBounds === undefined || before.state === 'unknown' || state === 'unknown') return fromMs;
  if ((before.state === 'down') === (state === 'down') || (policy === 'last_success' && state !== 'down')) return fromMs;
  const [low] = fromBounds;
  const edge = policy === 'last_success' ? low : Math.floor((low + fromMs) / 2);
  // Half of the interval before stays at least, so that two edges that move towards each other keep their order.
  return epochMs(Math.max(edge, Math.ceil((before.fromMs + fromMs) / 2)));
}
