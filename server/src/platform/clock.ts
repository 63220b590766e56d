import type { Clock } from '@nines/base/clock.ts';
import { epochMs } from '@nines/base/units.ts';

/** Longest delay that Node's timers take; beyond it they fire at once, so longer ones are cut into parts. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** The process' own clock. Timers never keep the process alive. */
export const realClock: Clock = {
  now: () => epochMs(Date.now()),
  monotonic: () => performance.now(),
  after(delayMs, run) {
    if (delayMs <= 0) return nextTurn(run);
    let timer: NodeJS.Timeout;
    const arm = (restMs: number): void => {
      const partMs = Math.min(restMs, MAX_TIMER_MS);
      timer = setTimeout(() => (restMs > MAX_TIMER_MS ? arm(restMs - MAX_TIMER_MS) : run()), partMs);
      timer.unref();
    };
    arm(delayMs);
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  },
  sleep(delayMs, options = {}) {
    return sleepOn(this, delayMs, options.signal);
  },
};

/**
 * The next turn of the event loop, after what waits for input and output; a timer of 0 would cost a millisecond. Never unref'd:
 * a loop that nothing holds sleeps until its next timer or packet, and the turn with it.
 */
function nextTurn(run: () => void): Disposable {
  const turn = setImmediate(run);
  return { [Symbol.dispose]: () => clearImmediate(turn) };
}

/** Waits and keeps the process alive meanwhile, for work that must not be cut short by a process with nothing else to do. */
export const sleepAwake = (delayMs: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, delayMs));

/** Keeps the process alive until it is disposed: the timers of the clock do not. */
export function holdAwake(): Disposable {
  const timer = setInterval(() => {}, MAX_TIMER_MS);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** Processor time that this process has taken, all of its threads together. */
export function processorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

/** `sleep` in terms of `after`, for this clock and for clocks of tests. */
export function sleepOn(clock: Pick<Clock, 'after'>, delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(signal.reason as Error);
      return;
    }
    const onAbort = (): void => {
      timer[Symbol.dispose]();
      reject(signal?.reason as Error);
    };
    const timer = clock.after(delayMs, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
