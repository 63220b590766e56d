import type { EpochMs } from './units.ts';

/**
 * The only door to time. The real one lives in `server/src/platform/clock.ts`, tests bring one that is moved by hand.
 * Wall time is for evidence and schedules, monotonic time for lengths.
 */
export interface Clock {
  /** Wall time. It may jump. */
  now(): EpochMs;
  /** Milliseconds of a clock that never jumps; fractions allowed; the origin means nothing. */
  monotonic(): number;
  /** Calls `run` once after `delayMs` (0 and more; lengths beyond 2^31-1 ms are allowed). Disposing cancels. Never keeps the process alive by itself. */
  after(delayMs: number, run: () => void): Disposable;
  /** Resolves after `delayMs`; rejects with the signal's reason as soon as `signal` aborts. */
  sleep(delayMs: number, options?: { readonly signal?: AbortSignal }): Promise<void>;
}
