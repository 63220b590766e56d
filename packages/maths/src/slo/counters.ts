import { epochMs } from '@nines/base/units.ts';
import type { Span } from './types.ts';

/** The samples of one counter; times ascending, staleness markers and NaN left out. */
export type CounterSeries = {
  /** What was scraped: the counters of one process start at zero together. */
  readonly target: string;
  readonly times: ArrayLike<number>;
  readonly values: ArrayLike<number>;
};

/** Events of each slice, and whether anything was sampled in it. */
export type SliceCounts = { readonly events: Float64Array; readonly isSampled: Uint8Array };

/**
 * How much counters rose in each slice of `span`, exactly: the sum of the differences between neighbouring samples, each in the slice of the
 * later one; nothing is extrapolated. A value below the one before it is a reset, and all of it is new. `series` reach back before the
 * span, so that its first differences are known. The first sample of a counter says nothing, unless other counters of the same target were
 * there before it: then it began at zero in between (the first error of a process has a series of its own).
 */
export function countEvents(series: readonly CounterSeries[], span: Span, sliceMs: number): SliceCounts {
  const slices = Math.floor((span.toMs - span.fromMs) / sliceMs);
  const counts: SliceCounts = { events: new Float64Array(slices), isSampled: new Uint8Array(slices) };
  const firstOf = new Map<string, number>();
  for (const { target, times } of series) {
    const first = times[0] ?? Number.POSITIVE_INFINITY;
    firstOf.set(target, Math.min(first, firstOf.get(target) ?? Number.POSITIVE_INFINITY));
  }
  for (const each of series)
    countSeries(each, { counts, span, sliceMs, targetSinceMs: firstOf.get(each.target) ?? Number.POSITIVE_INFINITY });
  return counts;
}

function countSeries(
  { times, values }: CounterSeries,
  at: { readonly counts: SliceCounts; readonly span: Span; readonly sliceMs: number; readonly targetSinceMs: number },
): void {
  const { events, isSampled } = at.counts;
  let before = (times[0] ?? Number.POSITIVE_INFINITY) > at.targetSinceMs ? 0 : (values[0] ?? 0);
  for (let i = 0; i < times.length; i++) {
    const value = values[i] ?? 0;
    const slice = Math.floor(((times[i] ?? 0) - at.span.fromMs) / at.sliceMs);
    const rise = value < before ? value : value - before;
    before = value;
    if (slice < 0 || slice >= events.length) continue;
    isSampled[slice] = 1;
    events[slice] = (events[slice] ?? 0) + rise;
  }
}

/** Good events and all events of one slice; of a slice-weighted objective its good milliseconds and its length. */
export type EventSlice = { readonly fromMs: number; readonly good: number; readonly total: number };

/** Sums of the slices that begin in `span`: `goodMs` and `badMs` are events here, in the words of everything else that is counted. */
export function sumEvents(slices: readonly EventSlice[], span: Span): { readonly goodMs: number; readonly badMs: number } {
  let [goodMs, totalMs] = [0, 0];
  for (let i = slices.length - 1; i >= 0; i--) {
    const slice = slices[i];
    if (slice === undefined || slice.fromMs < span.fromMs) break;
    if (slice.fromMs >= span.toMs) continue;
    goodMs += slice.good;
    totalMs += slice.total;
  }
  return { goodMs, badMs: totalMs - goodMs };
}

/** Slices whose start lies in none of the spans, which are sorted and disjoint. */
export const outside = (slices: readonly EventSlice[], spans: readonly Span[]): readonly EventSlice[] =>
  spans.length === 0 ? slices : slices.filter(({ fromMs }) => !spans.some((span) => span.fromMs <= epochMs(fromMs) && fromMs < span.toMs));
