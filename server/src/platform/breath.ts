import type { Clock } from '@nines/base/clock.ts';

/**
 * How long queries, all of them together, may hold the event loop before other work gets a turn. A write passes some five turns
 * (its body, the log, the disk, the answer), so that a query over everything adds about five times this to a write.
 */
export const SLICE_MS = 1;

/** Called often by long work: resolves when it may go on, or returns nothing when it need not wait. */
export type Breath = () => Promise<void> | undefined;

/**
 * Shares the event loop between long work and everything else. Once the slice is used up whoever calls waits in line, and each
 * turn of the event loop lets one of those waiting go on: twenty queries at once hold up the rest no longer than one does.
 */
export function createBreath(clock: Clock): Breath {
  const waiting: (() => void)[] = [];
  let sliceStartMs = Number.NEGATIVE_INFINITY;
  const next = (): void => {
    sliceStartMs = clock.monotonic();
    waiting.shift()?.();
    if (waiting.length > 0) clock.after(0, next);
  };
  return () => {
    if (waiting.length === 0 && clock.monotonic() - sliceStartMs < SLICE_MS) return undefined;
    return new Promise((resolve) => {
      waiting.push(resolve);
      if (waiting.length === 1) clock.after(0, next);
    });
  };
}
