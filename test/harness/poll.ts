/** Generous, because machines under test are busy. */
const DEADLINE_MS = 60_000;
const POLL_MS = 10;

/**
 * Waits for a fact instead of sleeping, in real time: asks until the answer is something other than undefined, null or false,
 * and returns it. When it never comes, throws with `what` was waited for.
 */
export async function poll<T>(
  what: string,
  ask: () => T | Promise<T>,
  deadlineMs = DEADLINE_MS,
): Promise<Exclude<T, undefined | null | false>> {
  const endMs = performance.now() + deadlineMs;
  for (;;) {
    const found = await ask();
    if (found !== undefined && found !== null && found !== false) return found as Exclude<T, undefined | null | false>;
    if (performance.now() > endMs) throw new Error(`waited ${deadlineMs} ms in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
