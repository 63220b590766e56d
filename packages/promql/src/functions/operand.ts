import { type Histogram, added, hasCustomBuckets, sameHistogram, scaled, subtracted, wasReset } from '@nines/model/histogram.ts';
import type { Samples } from '../windows.ts';

/** What a sample of a mixed series is. Arithmetic over operands is undefined where a float meets a histogram, or buckets do not fit. */
export type Operand = number | Histogram;

export const sampleAt = ({ values, histograms }: Samples, index: number): Operand => histograms?.[index] ?? (values[index] as number);

export function plus(a: Operand, b: Operand): Operand | undefined {
  if (typeof a === 'number') return typeof b === 'number' ? a + b : undefined;
  return typeof b === 'number' ? undefined : added(a, b);
}

export function minus(a: Operand, b: Operand): Operand | undefined {
  if (typeof a === 'number') return typeof b === 'number' ? a - b : undefined;
  return typeof b === 'number' ? undefined : subtracted(a, b);
}

/** A change or a rate is a gauge. */
export const times = (a: Operand, factor: number): Operand =>
  typeof a === 'number' ? a * factor : { ...scaled(a, factor), hint: 'gauge' };

/** How many observations (or how much) a counter stands at. */
export const sizeOf = (a: Operand): number => (typeof a === 'number' ? a : a.count);

/** A change of type counts as one. */
export function isChange(now: Operand, before: Operand): boolean {
  if (typeof now === 'number') return typeof before !== 'number' || (now !== before && !(Number.isNaN(now) && Number.isNaN(before)));
  return typeof before === 'number' || !sameHistogram(now, before);
}

/** A counter fell, or its type changed. */
export function isReset(now: Operand, before: Operand): boolean {
  if (typeof now === 'number') return typeof before !== 'number' || now < before;
  return typeof before === 'number' || wasReset(now, before);
}

/** The same by the figures alone, for values that no sample had and whose hints therefore say nothing. */
export const fell = (now: Operand, before: Operand): boolean =>
  isReset(typeof now === 'number' ? now : { ...now, hint: 'unknown' }, before);

export const isGauge = (a: Operand): boolean => typeof a !== 'number' && a.hint === 'gauge';

export type OperandKind = 'float' | 'exponential' | 'custom';
export const kindOf = (a: Operand): OperandKind => (typeof a === 'number' ? 'float' : hasCustomBuckets(a) ? 'custom' : 'exponential');

/** On the straight line between two samples, `share` of the way. A counter that fell restarted from zero. */
export function between(
  before: Operand,
  after: Operand,
  { share, counter }: { readonly share: number; readonly counter: boolean },
): Operand | undefined {
  if (kindOf(before) !== kindOf(after)) return undefined;
  if (counter && isReset(after, before)) return typeof after === 'number' ? after * share : scaled(after, share);
  const change = minus(after, before);
  if (change === undefined) return undefined;
  const moved = plus(before, typeof change === 'number' ? change * share : scaled(change, share));
  return typeof moved === 'object' && typeof before === 'object' ? { ...moved, hint: before.hint } : moved;
}
