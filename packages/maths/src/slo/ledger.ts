import { invariant } from '@nines/base/errors.ts';
import type { EpochMs } from '@nines/base/units.ts';
import { lastAtOrBefore } from './imported.ts';
import { tally } from './tally.ts';
import type { Buckets, LedgerInterval, Overlays, Span, Timeline, Transition } from './types.ts';
import { unionSpans } from './window.ts';

/**
 * Timelines: partitions of a window into states, made from histories and summed. Every function here keeps the
 * one promise of the ledger: intervals cover the window exactly, and buckets add up to its length.
 */

/** Whether two intervals say the same, so that they may stand as one. */
const alike = (a: LedgerInterval, b: LedgerInterval): boolean => a.state === b.state && a.unknownReason === b.unknownReason;

/** Joins neighbours that say the same; the first one's bounds and evidence stay. Expects contiguous, ascending intervals. */
export function mergeIntervals(intervals: readonly LedgerInterval[]): LedgerInterval[] {
  const merged: LedgerInterval[] = [];
  for (const interval of intervals) {
    const last = merged.at(-1);
    if (last !== undefined && alike(last, interval)) merged[merged.length - 1] = { ...last, toMs: interval.toMs };
    else merged.push(interval);
  }
  return merged;
}

/** Crashes unless the intervals partition the window. */
export function assertPartition(timeline: Timeline): void {
  let at = timeline.fromMs;
  for (const interval of timeline.intervals) {
    invariant(interval.fromMs === at, `interval starts at ${interval.fromMs}, expected ${at}`);
    invariant(interval.toMs > interval.fromMs, `interval [${interval.fromMs}, ${interval.toMs}) is empty`);
    at = interval.toMs;
  }
  invariant(at === timeline.toMs, `intervals end at ${at}, the window at ${timeline.toMs}`);
}

const unknown = (fromMs: EpochMs, toMs: EpochMs, unknownReason: 'not_yet_monitored' | 'no_data'): LedgerInterval => ({
  fromMs,
  toMs,
  state: 'unknown',
  unknownReason,
});

/**
 * The timeline of `[fromMs, toMs)` that a history tells. Before the first transition: unknown, `not_yet_monitored`. From
 * `knownUntilMs` on (exclusive end of what is known; usually now): unknown, `no_data`. An empty window has no intervals.
 * The history may begin long before the window; it must be ascending.
 */
export function timelineFrom(history: readonly Transition[], window: Span & { readonly knownUntilMs: EpochMs }): Timeline {
  const { fromMs, toMs } = window;
  const endMs = Math.min(toMs, window.knownUntilMs) as EpochMs;
  const intervals: LedgerInterval[] = [];
  const add = (interval: LedgerInterval): void => {
    const from = Math.max(interval.fromMs, fromMs) as EpochMs;
    const to = Math.min(interval.toMs, toMs) as EpochMs;
    if (from < to) intervals.push(from === interval.fromMs && to === interval.toMs ? interval : clipInterval(interval, from, to));
  };
  const first = history[0];
  const beganMs = first === undefined ? toMs : first.atMs;
  if (fromMs < beganMs) add(unknown(fromMs, beganMs, 'not_yet_monitored'));
  // Years of history stand before and behind a window of a day.
  for (let i = Math.max(0, lastAtOrBefore(history, fromMs)); i < history.length; i++) {
    const transition = history[i];
    if (transition === undefined || transition.atMs >= endMs) break;
    const nextMs = Math.min(history[i + 1]?.atMs ?? endMs, endMs) as EpochMs;
    add(intervalOf(transition, history[i - 1], nextMs));
  }
  const tailMs = Math.max(endMs, fromMs, Math.min(beganMs, toMs)) as EpochMs;
  if (first !== undefined && tailMs < toMs) add(unknown(tailMs, toMs, 'no_data'));
  const timeline = { fromMs, toMs, intervals: mergeIntervals(intervals) };
  assertPartition(timeline);
  return timeline;
}

function intervalOf(transition: Transition, before: Transition | undefined, toMs: EpochMs): LedgerInterval {
  const known = transition.state !== 'unknown' && before !== undefined && before.state !== 'unknown';
  return {
    fromMs: transition.atMs,
    toMs,
    state: transition.state,
    ...(transition.unknownReason === undefined ? {} : { unknownReason: transition.unknownReason }),
    ...(known ? { fromBounds: [transition.lowMs, transition.highMs] as const } : {}),
    ...(transition.evidence.length === 0 ? {} : { evidence: transition.evidence }),
  };
}

/** A cut interval loses its bounds when its start was cut away: the cut is exact. */
function clipInterval(interval: LedgerInterval, fromMs: EpochMs, toMs: EpochMs): LedgerInterval {
  if (fromMs === interval.fromMs || interval.fromBounds === undefined) return { ...interval, fromMs, toMs };
  const { fromBounds: _cut, ...rest } = interval;
  return { ...rest, fromMs, toMs };
}

/**
 * Sums a window by state. Time out of hours is in `outOfHoursMs` whatever the state was, excluded time within hours in
 * `excludedMs`, the rest in its state. The six add up to `toMs - fromMs` exactly.
 */
export function buckets(timeline: Timeline, overlays: Overlays = {}): Buckets {
  const sums = tally(timeline.intervals, timeline, {
    unknown: { kind: 'exclude' },
    excluded: unionSpans(overlays.excluded ?? []),
    outOfHours: unionSpans(overlays.outOfHours ?? []),
  }).buckets;
  const total = Object.values(sums).reduce((sum, part) => sum + part, 0);
  const lengthMs = timeline.toMs - timeline.fromMs;
  invariant(total === lengthMs, `buckets sum to ${total}, the window is ${lengthMs}`);
  return sums;
}
