import { medianOf } from '../stats/robust.ts';
import { type Numbers } from '../stats/numbers.ts';

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

/** One series as it is examined: hourly means without holes, oldest first. */
export type Examined = {
  readonly values: Float64Array;
  /** The instant of the first value; the others follow hour by hour. */
  readonly startMs: number;
  /** What it measures: how well something works, what it uses up, what it is asked to do, or a budget that is being spent. */
  readonly role: 'performance' | 'resource' | 'load' | 'budget' | 'other';
  /** What must not be passed, and on which side that is. */
  readonly limit?: number;
  readonly side?: 'above' | 'below';
  /** Changes that are smaller than this matter to nobody. */
  readonly leastChange: number;
};

/**
 * What a finder says: what it found with the p-value of its test, or a word for why there is nothing. `tested` is false where the
 * question could not be asked of these values, so that it counts for no multiple-testing control.
 */
export type Outcome<F> =
  | { readonly found: F; readonly p: number }
  | { readonly found: undefined; readonly reason: string; readonly tested: boolean };

export const nothing = (reason: string): Outcome<never> => ({ found: undefined, reason, tested: true });
export const unasked = (reason: string): Outcome<never> => ({ found: undefined, reason, tested: false });

export const hourAt = ({ startMs }: Examined, index: number): number => startMs + index * HOUR_MS;

/** Medians of `count` consecutive parts of equal length. */
export function mediansOf(values: Numbers, count: number): number[] {
  const width = Math.floor(values.length / count);
  const own = Array.from(values).slice(values.length - width * count);
  return Array.from({ length: count }, (_, k) => medianOf(own.slice(k * width, (k + 1) * width)));
}
