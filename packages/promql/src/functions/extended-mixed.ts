import type { Samples } from '../windows.ts';
import { type Operand, between, fell, isChange, isGauge, isReset, kindOf, minus, plus, sampleAt, times } from './operand.ts';

/**
 * Anchored and smoothed windows over series that have native histograms; extended.ts has the same for floats alone. Values at
 * the edges of smoothed windows are no samples, so resets beside them are seen by the figures, not by the hints.
 */
export type ExtendedWindow = {
  readonly samples: Samples;
  readonly from: number;
  readonly to: number;
  readonly startMs: number;
  readonly endMs: number;
  readonly lookbackMs: number;
};

/** What was odd; the caller words it. */
export type ExtendedNotes = { mixedSamples(): void; mixedBuckets(): void; notCounter(): void; notGauge(): void };
export type ExtendedChange = { readonly counter: boolean; readonly notes: ExtendedNotes };

/** The first sample an anchored window sees: the last one at or before its start, when that is not too old. */
function anchorOf({ samples, from, startMs, lookbackMs }: ExtendedWindow): number {
  return from > 0 && (samples.times[from - 1] as number) > startMs - lookbackMs ? from - 1 : from;
}

/** `changes` and `resets` of an anchored window. */
export function anchoredCount(window: ExtendedWindow, counts: 'changes' | 'resets'): number | undefined {
  if (window.to === window.from) return undefined;
  const differs = counts === 'changes' ? isChange : isReset;
  let count = 0;
  for (let i = anchorOf(window) + 1; i < window.to; i++) if (differs(sampleAt(window.samples, i), sampleAt(window.samples, i - 1))) count++;
  return count;
}

export function anchoredChange(window: ExtendedWindow, options: ExtendedChange): Operand | undefined {
  const { samples, from, to } = window;
  if (to === from) return undefined;
  const first = anchorOf(window);
  if (!isSound(samples, { first, behind: to }, options)) return undefined;
  let change = minus(sampleAt(samples, to - 1), sampleAt(samples, first));
  for (let i = first + 1; options.counter && change !== undefined && i < to; i++)
    if (isReset(sampleAt(samples, i), sampleAt(samples, i - 1))) change = plus(change, sampleAt(samples, i - 1));
  return settled(change, options);
}

export function smoothedChange(window: ExtendedWindow, options: ExtendedChange): Operand | undefined {
  const { samples, from, to, startMs, endMs, lookbackMs } = window;
  const before = from > 0 && (samples.times[from - 1] as number) > startMs - lookbackMs;
  const after = to < samples.times.length && (samples.times[to] as number) <= endMs + lookbackMs;
  // Without a sample inside, the window must lie between two samples.
  if (to === from && !(before && after)) return undefined;
  if (!isSound(samples, { first: before ? from - 1 : from, behind: after ? to + 1 : to }, options)) return undefined;
  const left = before ? onLine(samples, from, { at: startMs, counter: options.counter }) : sampleAt(samples, from);
  const right = after ? onLine(samples, to, { at: endMs, counter: options.counter }) : sampleAt(samples, to - 1);
  if (left === undefined || right === undefined) return settled(undefined, options);
  let change = minus(right, left);
  if (!options.counter) return settled(change, options);
  let last = left;
  for (let i = from; change !== undefined && i < to; i++) {
    const sample = sampleAt(samples, i);
    const reset = i === from ? fell(sample, last) : isReset(sample, last);
    if (reset) change = plus(change, last);
    last = sample;
  }
  if (change !== undefined && fell(right, last)) change = plus(change, last);
  return settled(change, options);
}

/** The straight line between samples `next - 1` and `next`, at an instant between them. */
export function onLine(
  samples: Samples,
  next: number,
  { at, counter }: { readonly at: number; readonly counter: boolean },
): Operand | undefined {
  const start = samples.times[next - 1] as number;
  const before = sampleAt(samples, next - 1);
  if (at === start) return before;
  const share = (at - start) / ((samples.times[next] as number) - start);
  return between(before, sampleAt(samples, next), { share, counter });
}

/** Whether all samples are of one type; remarks on hints that do not fit the function. */
function isSound(
  samples: Samples,
  { first, behind }: { readonly first: number; readonly behind: number },
  { counter, notes }: ExtendedChange,
): boolean {
  const seen = Array.from({ length: behind - first }, (_, i) => sampleAt(samples, first + i));
  const kinds = new Set(seen.map(kindOf));
  if (kinds.has('float') && kinds.size > 1) {
    notes.mixedSamples();
    return false;
  }
  if (kinds.has('float')) return true;
  if (counter && seen.some(isGauge)) notes.notCounter();
  const [begin, end] = [seen[0], seen.at(-1)];
  if (!counter && begin !== undefined && end !== undefined && !(isGauge(begin) && isGauge(end))) notes.notGauge();
  return true;
}

function settled(change: Operand | undefined, { notes }: ExtendedChange): Operand | undefined {
  if (change === undefined) notes.mixedBuckets();
  return change === undefined ? undefined : times(change, 1);
}
