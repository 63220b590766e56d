import type { Clock } from '@nines/base/clock.ts';

/** How often the loop's lateness is looked at while attempts run; half of the smallest delay that matters. */
const TICK_MS = 50;
/** Ticks remembered: longer than the longest usual attempt (10 s). Older ones of a longer attempt are forgotten. */
const MAX_TICKS = 400;

/** Measures how late timers fire while attempts are under way; costs nothing while none is. */
export class LoopDelay {
  readonly #clock: Clock;
  readonly #ticks: { readonly atMs: number; readonly lateMs: number }[] = [];
  #running = 0;
  #dueMs = 0;
  #timer: Disposable | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Call at an attempt's start; call what it returns at its end: the worst lateness in between, in milliseconds. */
  begin(): () => number {
    const fromMs = this.#clock.monotonic();
    if (this.#running++ === 0) this.#arm();
    return () => {
      if (--this.#running === 0) this.#timer?.[Symbol.dispose]();
      // A tick that is overdue right now counts as well: the attempt may have been woken before it.
      const overdueMs = this.#clock.monotonic() - Math.max(fromMs, this.#dueMs);
      return Math.max(0, overdueMs, ...this.#ticks.filter((tick) => tick.atMs >= fromMs).map((tick) => tick.lateMs));
    };
  }

  #arm(): void {
    this.#dueMs = this.#clock.monotonic() + TICK_MS;
    this.#timer = this.#clock.after(TICK_MS, () => {
      const atMs = this.#clock.monotonic();
      this.#ticks.push({ atMs, lateMs: Math.max(0, atMs - this.#dueMs) });
      if (this.#ticks.length > MAX_TICKS) this.#ticks.shift();
      if (this.#running > 0) this.#arm();
    });
  }
}
