import { useSyncExternalStore } from 'react';

/** The page's clock ticks once per second for everyone, so that all relative times change together. */
const TICK_MS = 1_000;

let now = Date.now();
let timer: number | undefined;
const listeners = new Set<() => void>();

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  // Nobody listened for a while: the kept instant is old.
  if (timer === undefined) now = Date.now();
  timer ??= window.setInterval(() => {
    now = Date.now();
    for (const each of listeners) each();
  }, TICK_MS);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    window.clearInterval(timer);
    timer = undefined;
  };
}

/** The present instant in Unix milliseconds, fresh to a second. */
export const useNow = (): number => useSyncExternalStore(subscribe, () => now);

/** The present instant truncated to `stepMs`: changes only when the step does, for query keys. */
export const useNowStep = (stepMs: number): number => useSyncExternalStore(subscribe, () => now - (now % stepMs));
