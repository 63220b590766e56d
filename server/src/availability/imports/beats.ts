import type { EpochMs } from '@nines/base/units.ts';
import type { ReadRow } from './contract.ts';

/** One result of another monitor. `pending`: it failed, and the monitor was not sure yet; `none`: it said that it says nothing. */
export type Beat = {
  readonly row: number;
  readonly atMs: EpochMs;
  readonly seen: 'up' | 'down' | 'pending' | 'none';
  readonly detail: string;
};

/** A result speaks for this much longer than to the next one is due, as one of ours does. */
const GRACE = 1.5;

/**
 * The stretches that results tell, neighbours alike joined. A result speaks until the next one, but no longer than one and a half intervals: what
 * nobody looked at stays unknown. The last one ends what the one before said and says no more, so that a later import never contradicts this
 * one. Results that were not sure belong to the outage that they became, otherwise to what stood before.
 */
export function spansOfBeats(service: string, beats: readonly Beat[], intervalMs: number | undefined): readonly ReadRow[] {
  const ordered = beats.toSorted((a, b) => a.atMs - b.atMs);
  const speaksMs = (intervalMs ?? usualDistance(ordered)) * GRACE;
  const spans: ReadRow[] = [];
  for (let i = 0; i < ordered.length; i++) {
    const [beat, next] = [ordered[i], ordered[i + 1]];
    if (beat === undefined || next === undefined) break;
    const state = decided(ordered, i, spans.at(-1)?.state);
    const toMs = Math.min(next.atMs, Math.round(beat.atMs + speaksMs)) as EpochMs;
    if (state === undefined || toMs <= beat.atMs) continue;
    const last = spans.at(-1);
    if (last?.state === state && last.toMs === beat.atMs) spans[spans.length - 1] = { ...last, toMs };
    else spans.push({ row: beat.row, service, fromMs: beat.atMs, toMs, state, detail: beat.detail, reason: null });
  }
  return spans;
}

function decided(beats: readonly Beat[], i: number, before: ReadRow['state'] | undefined): 'up' | 'down' | undefined {
  const seen = beats[i]?.seen;
  if (seen === 'up' || seen === 'down') return seen;
  if (seen !== 'pending') return undefined;
  const next = beats.slice(i + 1, i + 1 + MOST_RETRIES).find((beat) => beat.seen !== 'pending');
  if (next?.seen === 'down') return 'down';
  return before === 'down' ? 'down' : next?.seen === 'up' ? 'up' : undefined;
}

/** Results in a row that were not sure; more of them say nothing. */
const MOST_RETRIES = 100;

/** The median distance of neighbours. */
function usualDistance(beats: readonly Beat[]): number {
  const distances = beats.slice(1).map((beat, i) => beat.atMs - (beats[i]?.atMs ?? beat.atMs));
  return distances.sort((a, b) => a - b)[distances.length >> 1] ?? 0;
}
