/** The figures of a contract from before anything stored them. Pure; instants in Unix milliseconds. */
type Points = readonly (readonly [atMs: number, value: number])[];
export type Earlier = readonly { readonly atMs: number; readonly value: number | null }[];
export type Grid = { readonly fromMs: number; readonly toMs: number; readonly stepMs: number };

/** Whether a stretch begins before what is stored of it; two steps are how far apart stored points lie anyhow. */
export const lacksPast = (stored: Points, { fromMs, stepMs }: Grid): boolean =>
  (stored[0]?.[0] ?? Number.POSITIVE_INFINITY) > fromMs + 2 * stepMs;

/**
 * What is stored, and before it what the ledger says, on the grid's steps: each step has the last figure at or before it, and none where that
 * is unknown. `earlier` ascends.
 */
export function withEarlier(stored: Points, earlier: Earlier, { fromMs, toMs, stepMs }: Grid): Points {
  const untilMs = Math.min(stored[0]?.[0] ?? Number.POSITIVE_INFINITY, toMs + 1);
  const before: (readonly [number, number])[] = [];
  let at = -1;
  for (let atMs = Math.ceil(fromMs / stepMs) * stepMs; atMs < untilMs; atMs += stepMs) {
    while ((earlier[at + 1]?.atMs ?? Number.POSITIVE_INFINITY) <= atMs) at++;
    const value = earlier[at]?.value;
    if (value !== undefined && value !== null) before.push([atMs, value]);
  }
  return [...before, ...stored];
}
