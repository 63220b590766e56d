/** Steps of editing that can be taken back. Pure. */

export type Steps<T> = {
  readonly past: readonly T[];
  readonly now: T;
  readonly future: readonly T[];
  /** When the last change came; null: the next one is a step of its own. */
  readonly atMs: number | null;
};

const MOST_STEPS = 100;
/** Changes that follow each other as fast as keys are pressed are one step. */
const ONE_STEP_MS = 800;

export const begin = <T>(now: T): Steps<T> => ({ past: [], now, future: [], atMs: null });

export function stepped<T>({ past, now, atMs }: Steps<T>, next: T, nowMs: number): Steps<T> {
  const joins = atMs !== null && past.length > 0 && nowMs - atMs < ONE_STEP_MS;
  return { past: joins ? past : [...past, now].slice(-MOST_STEPS), now: next, future: [], atMs: nowMs };
}

export function undone<T>(steps: Steps<T>): Steps<T> {
  const last = steps.past.at(-1);
  if (last === undefined) return steps;
  return { past: steps.past.slice(0, -1), now: last, future: [steps.now, ...steps.future], atMs: null };
}

export function redone<T>(steps: Steps<T>): Steps<T> {
  const [next, ...future] = steps.future;
  if (next === undefined) return steps;
  return { past: [...steps.past, steps.now], now: next, future, atMs: null };
}
