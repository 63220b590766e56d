import type { EpochMs } from '@nines/base/units.ts';
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

/** Where people see outages otherwise than the ledger's `down` intervals: instants at which one was split, and starts that belong to the outage before. */
export type Regrouped = { readonly cuts: readonly EpochMs[]; readonly joined: readonly EpochMs[] };
const AS_THE_LEDGER_SAYS: Regrouped = { cuts: [], joined: [] };

export function reliabilityOf(intervals: readonly LedgerInterval[], window: Span, regrouped = AS_THE_LEDGER_SAYS): Reliability {
  const timeIn = (...states: readonly string[]): number =>
    sum(intervals.filter(({ state }) => states.includes(state)).map(({ fromMs, toMs }) => toMs - fromMs));
  const outages = outagesOf(intervals, regrouped);
  const repairs = outages.filter((one) => one.fromMs > window.fromMs && one.ended).map(({ downMs }) => downMs);
  const [downMs, goodMs, count] = [timeIn('down'), timeIn('up', 'degraded'), outages.length];
  return {
    outages: count,
    downMs,
    goodMs,
    unknownMs: timeIn('unknown'),
    longestMs: count === 0 ? null : Math.max(...outages.map((one) => one.downMs)),
    meanDownMs: count === 0 ? null : downMs / count,
    mtbfMs: count === 0 ? null : goodMs / count,
    recovered: repairs.length,
    mttrMs: meanOf(repairs),
    mttrMedianMs: medianOf(repairs),
  };
}

const sum = (lengths: readonly number[]): number => lengths.reduce((total, length) => total + length, 0);

type Outage = {
  readonly fromMs: EpochMs;
  /** Its down time; what lies between merged ones is no part of it. */
  readonly downMs: number;
  /** It was seen to end, or a person said that another began. */
  readonly ended: boolean;
};

function outagesOf(intervals: readonly LedgerInterval[], { cuts, joined }: Regrouped): readonly Outage[] {
  const [startsAnew, goesOn] = [cuts.toSorted((a, b) => a - b), new Set(joined)];
  const outages: Outage[] = [];
  intervals.forEach(({ state, fromMs, toMs }, i) => {
    if (state !== 'down') return;
    const starts = [fromMs, ...startsAnew.filter((cut) => cut > fromMs && cut < toMs)];
    starts.forEach((start, part) => {
      const endMs = starts[part + 1] ?? toMs;
      const next = intervals[i + 1]?.state;
      const ended = endMs < toMs || next === 'up' || next === 'degraded';
      const last = outages.at(-1);
      if (last !== undefined && goesOn.has(start)) outages[outages.length - 1] = { ...last, downMs: last.downMs + endMs - start, ended };
      else outages.push({ fromMs: start, downMs: endMs - start, ended });
    });
  });
  return outages;
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
