import type { Clock } from '@nines/base/clock.ts';
import { epochMs } from '@nines/base/units.ts';
import { sleepOn } from '@nines/server/platform/clock.ts';

export type ManualClock = Clock & {
  /** Moves both clocks and runs what falls due, in order of due time, letting promises settle between timers. */
  advance(lengthMs: number): Promise<void>;
  /** Moves wall time alone, as a correction by NTP or an operator does. Runs no timer. */
  jump(lengthMs: number): void;
  /** How many timers are armed. */
  pending(): number;
};

type Timer = { readonly dueMs: number; readonly order: number; readonly run: () => void };

/** Turns of the event loop given to promises after each timer: enough for chains through SQL drivers that answer at once. */
const SETTLE_TURNS = 5;

/** A clock that is moved by hand. `startMs` is wall time; monotonic time starts at 0. */
export function manualClock(startMs = 1_760_000_000_000): ManualClock {
  const timers = new Set<Timer>();
  let monotonicMs = 0;
  let offsetMs = startMs;
  let order = 0;
  const nextDue = (untilMs: number): Timer | undefined =>
    [...timers].filter((timer) => timer.dueMs <= untilMs).sort((a, b) => a.dueMs - b.dueMs || a.order - b.order)[0];
  return {
    now: () => epochMs(offsetMs + monotonicMs),
    monotonic: () => monotonicMs,
    after(delayMs, run) {
      const timer: Timer = { dueMs: monotonicMs + Math.max(0, delayMs), order: order++, run };
      timers.add(timer);
      return { [Symbol.dispose]: () => void timers.delete(timer) };
    },
    sleep(delayMs, options = {}) {
      return sleepOn(this, delayMs, options.signal);
    },
    async advance(lengthMs) {
      const untilMs = monotonicMs + lengthMs;
      await settle();
      for (let timer = nextDue(untilMs); timer !== undefined; timer = nextDue(untilMs)) {
        timers.delete(timer);
        monotonicMs = Math.max(monotonicMs, timer.dueMs);
        timer.run();
        await settle();
      }
      monotonicMs = untilMs;
    },
    jump: (lengthMs) => void (offsetMs += lengthMs),
    pending: () => timers.size,
  };
}

/** Gives pending promises and immediate callbacks their turn. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < SETTLE_TURNS; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
}
