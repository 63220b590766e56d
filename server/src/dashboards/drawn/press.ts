import type { Clock } from '@nines/base/clock.ts';
import { MINUTE_MS, SECOND_MS } from '@nines/base/units.ts';
import { ThreadPool } from '../../platform/threads.ts';
import { type PackedPaper, packed } from './pack.ts';
import type { Paper } from './paper.ts';

/** One at a time: paper is not urgent, and the other cores are for samples and people. */
const THREADS = 1;
const MAX_WAITING = 32;
const MAX_WAITING_OF_ONE = 8;
const TIME_LIMIT_MS = 30 * SECOND_MS;
const IDLE_MS = MINUTE_MS;

/** Sets figures on paper, for somebody: those who ask are served in turn. `AppError` `too_busy`, `too_slow`, `broke_off`. */
export type SetPaper = (paper: Paper, whose: string) => Promise<Uint8Array>;

/** The thread in which dashboards become PDF, so that nothing else waits meanwhile. */
export function openPress(clock: Clock): AsyncDisposable & { readonly paper: SetPaper } {
  const threads = new ThreadPool<PackedPaper, Uint8Array>({
    program: programOf(import.meta.url),
    clock,
    most: THREADS,
    maxWaiting: MAX_WAITING,
    maxWaitingOfOne: MAX_WAITING_OF_ONE,
    timeLimitMs: TIME_LIMIT_MS,
    idleMs: IDLE_MS,
  });
  return { paper: (paper, whose) => threads.run(packed(paper), whose), [Symbol.asyncDispose]: () => threads[Symbol.asyncDispose]() };
}

/** Beside this file in the sources, beside the program in a build. */
function programOf(here: string): URL {
  if (here.endsWith('.ts')) return new URL('thread.ts', here);
  return new URL(here.includes('/chunks/') ? '../drawing-thread.js' : 'drawing-thread.js', here);
}
