import type { LedgerInterval, Span } from './types.ts';

/**
 * Figures of the outages within a window, from the partition that the ledger gives of it. They reconcile with it: the lengths of all
 * outages add up to the down time, `mtbfMs / (mtbfMs + meanDownMs)` is good time over known time.
 */
export type Reliability = {
  /** Outages that reach into the window, each as long as it lasted within. */
  readonly outages: number;
  readonly downMs: number;
  /** Up and degraded. */
  readonly goodMs: number;
  readonly unknownMs: number;
  readonly longestMs: number | null;
  readonly meanDownMs: number | null;
  /** Good time for each outage; null without one. */
  readonly mtbfMs: number | null;
  /** Outages that began within the window and were seen to end within it; the others would be taken for shorter than they are. */
  readonly recovered: number;
  readonly mttrMs: number | null;
  readonly mttrMedianMs: number | null;
};

export function reliabilityOf(intervals: readonly LedgerInterval[], window: Span): Reliability {
  const lengthOf = ({ fromMs, toMs }: Span): number => toMs - fromMs;
  const sum = (lengths: readonly number[]): number => lengths.reduce((total, length) => total + length, 0);
  const timeIn = (...states: readonly string[]): number => sum(intervals.filter(({ state }) => states.includes(state)).map(lengthOf));
  const outages = intervals.filter(({ state }) => state === 'down');
  const repairs = intervals
    .filter(({ state, fromMs }, i) => {
      const next = intervals[i + 1]?.state;
      return state === 'down' && fromMs > window.fromMs && (next === 'up' || next === 'degraded');
    })
    .map(lengthOf);
  const [downMs, goodMs, count] = [timeIn('down'), timeIn('up', 'degraded'), outages.length];
  return {
    outages: count,
    downMs,
    goodMs,
    unknownMs: timeIn('unknown'),
    longestMs: count === 0 ? null : Math.max(...outages.map(lengthOf)),
    meanDownMs: count === 0 ? null : downMs / count,
    mtbfMs: count === 0 ? null : goodMs / count,
    recovered: repairs.length,
    mttrMs: meanOf(repairs),
    mttrMedianMs: medianOf(repairs),
  };
}

/** Null of nothing. */
export const meanOf = (lengths: readonly number[]): number | null =>
  lengths.length === 0 ? null : lengths.reduce((total, length) => total + length, 0) / lengths.length;

function medianOf(lengths: readonly number[]): number | null {
  const sorted = lengths.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low, high] = [sorted[sorted.length % 2 === 0 ? middle - 1 : middle], sorted[middle]];
  return low === undefined || high === undefined ? null : (low + high) / 2;
}
