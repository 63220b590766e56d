import type { Samples } from '../windows.ts';
import { type Operand, isReset, minus, plus, sampleAt, sizeOf, times } from './operand.ts';
import { type OuterSamples, stretched } from './rate.ts';

/**
 * Counters whose samples say since when they count (start timestamps, in milliseconds; 0 is unknown). A start behind the
 * sample before is a reset whatever the values do, and a start inside the window is a sample of zero. Source: Prometheus'
 * feature `use-start-timestamps`.
 */
export type StartedWindow = {
  readonly samples: Samples;
  readonly from: number;
  readonly to: number;
  readonly startMs: number;
  readonly endMs: number;
};
export type StartedNotes = { mixedBuckets(): void; overlap(): void };

const startAt = ({ starts }: Samples, index: number): number => starts?.[index] ?? 0;

/** The start of a sample, if it lies before the sample itself. */
function soundStart(samples: Samples, index: number): number | undefined {
  const start = startAt(samples, index);
  return start !== 0 && start < (samples.times[index] as number) ? start : undefined;
}

/** Whether the counter began anew between sample `index - 1` and sample `index`. */
export function beganAnew(samples: Samples, index: number): boolean {
  const start = startAt(samples, index);
  const before = samples.times[index - 1] as number;
  const restarted = start !== 0 && start < (samples.times[index] as number);
  if (restarted && start > before) return true;
  // Deltas start where the one before ended; a counter of unknown start does so only once.
  if (restarted && start === before && soundStart(samples, index - 1) !== undefined) return true;
  return isReset(sampleAt(samples, index), sampleAt(samples, index - 1));
}

/** `rate` and `increase`: the change in the window, stretched to its edges where no start tells where it began. */
export function startedChange({ samples, from, to, startMs, endMs }: StartedWindow, notes: StartedNotes): Operand | undefined {
  if (to === from) return undefined;
  const start = soundStart(samples, from);
  const zeroMs = start !== undefined && start > startMs ? start : undefined;
  if (zeroMs === undefined && to - from < 2) return undefined;
  const first = sampleAt(samples, from);
  let change: Operand | undefined = sampleAt(samples, to - 1);
  if (zeroMs === undefined) change = minus(change, first);
  for (let i = from + 1; change !== undefined && i < to; i++) {
    noteOverlap(samples, i, notes);
    if (beganAnew(samples, i)) change = plus(change, sampleAt(samples, i - 1));
  }
  if (change === undefined) {
    notes.mixedBuckets();
    return undefined;
  }
  const edges = { firstMs: samples.times[from] as number, lastMs: samples.times[to - 1] as number, count: to - from, startMs, endMs };
  if (zeroMs !== undefined) return times(change, stretchedFromZero(edges, zeroMs));
  return times(change, stretched(edges, { change: sizeOf(change), first: sizeOf(first) }));
}

/** Only the right edge is open; how far it may be reached for is judged by the samples, which the zero is none of. */
function stretchedFromZero({ firstMs, lastMs, count, endMs }: OuterSamples, zeroMs: number): number {
  const sampled = lastMs - zeroMs;
  if (count < 2) return 1;
  const toEnd = stretched({ firstMs, lastMs, count, startMs: firstMs, endMs }) * (lastMs - firstMs) - (lastMs - firstMs);
  return (sampled + toEnd) / sampled;
}

/** `irate`: the change per second between the last two samples. */
export function startedRate({ samples, from, to }: StartedWindow, notes: StartedNotes): Operand | undefined {
  if (to - from < 2) return undefined;
  const last = sampleAt(samples, to - 1);
  noteOverlap(samples, to - 1, notes);
  const change = beganAnew(samples, to - 1) ? last : minus(last, sampleAt(samples, to - 2));
  if (change === undefined) {
    notes.mixedBuckets();
    return undefined;
  }
  return times(change, 1000 / ((samples.times[to - 1] as number) - (samples.times[to - 2] as number)));
}

export function startedResets({ samples, from, to }: StartedWindow): number {
  let count = 0;
  for (let i = from + 1; i < to; i++) if (beganAnew(samples, i)) count++;
  return count;
}

/** A sample that claims to count since before the one before it was taken, and not since the same start, counts twice. */
function noteOverlap(samples: Samples, index: number, notes: StartedNotes): void {
  const start = startAt(samples, index);
  if (start !== 0 && start < (samples.times[index - 1] as number) && start !== startAt(samples, index - 1)) notes.overlap();
}
