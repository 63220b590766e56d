import type { EpochMs } from '@nines/base/units.ts';
import { mergeHistories, type Verdict } from './combine.ts';
import type { Evidence, Span, State, Transition } from './types.ts';

/** A stretch of time that another monitor watched. */
export type ImportedSpan = {
  readonly fromMs: EpochMs;
  readonly toMs: EpochMs;
  readonly state: Exclude<State, 'unknown'>;
  readonly evidence: readonly Evidence[];
};

/** The history that imported spans tell: ascending, disjoint; between them nothing is known. */
export function importedHistory(spans: readonly ImportedSpan[]): readonly Transition[] {
  return spans.flatMap(({ fromMs, toMs, state, evidence }, i): Transition[] => {
    const seen: Transition = { atMs: fromMs, state, lowMs: fromMs, highMs: fromMs, evidence };
    if (spans[i + 1]?.fromMs === toMs) return [seen];
    return [seen, { atMs: toMs, state: 'unknown', unknownReason: 'no_data', lowMs: toMs, highMs: toMs, evidence: [] }];
  });
}

/**
 * A service's own history with what others saw where it knows nothing. What our own checks saw is never overruled. `fromMs`: from when on both
 * are at hand.
 */
export function filledFrom(own: readonly Transition[], imported: readonly Transition[], fromMs: EpochMs): readonly Transition[] {
  return imported.length === 0 ? own : mergeHistories([own, imported], fromMs, ([ours, theirs]) => either(ours, theirs));
}

/** The index of the last transition at or before `atMs`; -1 when all are later. */
export function lastAtOrBefore(history: readonly Transition[], atMs: EpochMs): number {
  let [low, high] = [0, history.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((history[middle]?.atMs ?? atMs) <= atMs) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** What of a history says something of a window: two before it, of which one is in force at its start and one decides whether bounds are shown. */
export const around = (history: readonly Transition[], { fromMs, toMs }: Span): readonly Transition[] =>
  history.slice(Math.max(0, lastAtOrBefore(history, fromMs) - 1), lastAtOrBefore(history, toMs) + 1);

function either(ours: Transition | undefined, theirs: Transition | undefined): Verdict | null {
  if (ours !== undefined && ours.state !== 'unknown') return { state: ours.state, deciders: [0] };
  if (theirs !== undefined && theirs.state !== 'unknown') return { state: theirs.state, deciders: [1] };
  const silent = ours ?? theirs;
  if (silent === undefined) return null;
  return { state: 'unknown', unknownReason: silent.unknownReason ?? 'no_data', deciders: [ours === undefined ? 1 : 0] };
}
