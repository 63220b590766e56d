/**
 * Work that is cut into steps, so that other work gets its turn in between: a generator that yields wherever it may be
 * interrupted. Between two steps the store may change.
 */
export type Steps<T> = Generator<undefined, T, undefined>;

/** Does all steps at once. */
export function finish<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** Does step after step with a turn for others in between; throws the signal's reason when that aborts. */
export async function drive<T>(
  steps: Steps<T>,
  { signal, yieldNow }: { readonly signal?: AbortSignal; readonly yieldNow?: () => Promise<void> | undefined },
): Promise<T> {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    signal?.throwIfAborted();
    // Not awaited when there is no need: an await costs more than a short step.
    const turn = yieldNow?.();
    if (turn !== undefined) await turn;
  }
}
