import type { Clock } from '@nines/base/clock.ts';
import { messageOf } from '@nines/base/errors.ts';
import type { Logger } from '@nines/base/logger.ts';
import type { EpochMs } from '@nines/base/units.ts';

export type LoopOptions = {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Appears in the log when a step fails: `sla`, `outbox`. */
  readonly name: string;
  /** From the start of one step to the start of the next; a step that takes longer delays the next, it never overlaps. */
  readonly everyMs: number;
  /** Delay of the first step; 0 by default. */
  readonly firstAfterMs?: number;
  readonly step: (nowMs: EpochMs, signal: AbortSignal) => Promise<void>;
};

export type Loop = AsyncDisposable & {
  /** Runs a step as soon as the one under way, if any, has ended. Several calls meanwhile make one step. */
  poke(): void;
};

/**
 * The loop of everything periodic that needs no grid of instants (collection, scrapes and checks keep one of their own). A step that throws is logged and does not end the loop. Disposing aborts the step's signal, waits
 * for the step under way and starts no other.
 */
export function startLoop(options: LoopOptions): Loop {
  const { clock, logger, name, everyMs, step } = options;
  const stopping = new AbortController();
  let timer: Disposable | undefined;
  let running: Promise<void> | undefined;
  let again = false;

  const arm = (delayMs: number): void => {
    timer?.[Symbol.dispose]();
    timer = clock.after(delayMs, begin);
  };
  const begin = (): void => {
    if (stopping.signal.aborted || running !== undefined) return;
    const startedMs = clock.monotonic();
    again = false;
    running = runStep().finally(() => {
      running = undefined;
      if (!stopping.signal.aborted) arm(again ? 0 : Math.max(0, everyMs - (clock.monotonic() - startedMs)));
    });
  };
  const runStep = async (): Promise<void> => {
    try {
      await step(clock.now(), stopping.signal);
    } catch (thrown) {
      if (!stopping.signal.aborted)
        logger.error('a periodic step failed', { loop: name, error: thrown instanceof Error ? thrown : messageOf(thrown) });
    }
  };

  arm(options.firstAfterMs ?? 0);
  return {
    poke() {
      if (stopping.signal.aborted) return;
      if (running === undefined) arm(0);
      else again = true;
    },
    async [Symbol.asyncDispose]() {
      timer?.[Symbol.dispose]();
      stopping.abort(new Error(`${name} is stopping`));
      await running;
    },
  };
}
