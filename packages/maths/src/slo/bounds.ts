import type { LedgerInterval, Span } from './types.ts';
import { type TallyTerms, tally } from './tally.ts';
import { type EpochMs, epochMs } from '@nines/base/units.ts';
import { attainedOf } from './budget.ts';

/**
 * Between which figures the attained ratio lies, given that each change of state happened somewhere within the bounds that its
 * evidence leaves. Both ends inclusive; null when nothing was counted. Only changes between a good and a bad state move;
 * where knowledge itself begins or ends is exact.
 */
export function attainedBounds(
  intervals: readonly LedgerInterval[],
  window: Span,
  terms: TallyTerms,
): readonly [low: number, high: number] | null {
  const worst = attainedOf(tally(stretched(intervals, 'bad'), window, terms));
  const best = attainedOf(tally(stretched(intervals, 'good'), window, terms));
  const seen = attainedOf(tally(intervals, window, terms));
  if (worst === null || best === null || seen === null) return null;
  return [Math.min(worst, seen), Math.max(best, seen)];
}

/** The same intervals with every movable change put where it favours `side`. */
function stretched(intervals: readonly LedgerInterval[], side: 'good' | 'bad'): readonly LedgerInterval[] {
  if (!intervals.some((interval) => interval.fromBounds !== undefined)) return intervals;
  const starts: EpochMs[] = [];
  let previous: LedgerInterval | undefined;
  for (const interval of intervals) {
    const earliest = starts.at(-1) ?? interval.fromMs;
    starts.push(epochMs(Math.max(earliest, previous === undefined ? interval.fromMs : startOf(previous, interval, side))));
    previous = interval;
  }
  return intervals.map((interval, i) => ({
    ...interval,
    fromMs: starts[i] ?? interval.fromMs,
    toMs: starts[i + 1] ?? interval.toMs,
  }));
}

function startOf(previous: LedgerInterval, interval: LedgerInterval, side: 'good' | 'bad'): number {
  const bounds = interval.fromBounds;
  if (bounds === undefined || previous.state === 'unknown' || interval.state === 'unknown') return interval.fromMs;
  const gets = (state: LedgerInterval['state']): boolean => (state === 'down') === (side === 'bad');
  if (gets(previous.state) === gets(interval.state)) return interval.fromMs;
  // The favoured state starts as early, or lasts as long, as the evidence allows; never past its neighbours.
  return gets(interval.state) ? Math.max(bounds[0], previous.fromMs) : Math.min(bounds[1], interval.toMs);
}
