import { HOUR_MS } from '@nines/maths/insights/examined.ts';
import { LARGEST } from '@nines/maths/stats/numbers.ts';

/** What is read of the past, in which steps. */
export const LOOKBACK_MS = 28 * 24 * HOUR_MS;
export const READ_STEP_MS = HOUR_MS / 4;
/** Hours of the history that must have a value. */
const LEAST_PRESENT = 0.75;
/** Hours since the last value: what tells nothing any more is not examined. */
const STALE_HOURS = 6;

export type Hourly = { readonly values: Float64Array; readonly startMs: number };
export type ReadHistory = Hourly | { readonly reason: 'no_values' | 'not_reported' | 'too_many_gaps' | 'not_finite' };

/** Means of whole hours up to `endMs`, which is a whole hour; holes are filled in a straight line. */
export function hourly(series: { readonly times: ArrayLike<number>; readonly values: ArrayLike<number> }, endMs: number): ReadHistory {
  const hours = Math.round(LOOKBACK_MS / HOUR_MS);
  const firstMs = endMs - hours * HOUR_MS;
  const [sums, counts] = [new Float64Array(hours), new Float64Array(hours)];
  for (let i = 0; i < series.times.length; i++) {
    const [atMs, value] = [series.times[i] ?? 0, series.values[i] ?? Number.NaN];
    // A point stands for the time up to it.
    const hour = Math.ceil((atMs - firstMs) / HOUR_MS) - 1;
    if (hour < 0 || hour >= hours || Number.isNaN(value)) continue;
    if (Math.abs(value) > LARGEST) return { reason: 'not_finite' };
    sums[hour] = (sums[hour] ?? 0) + value;
    counts[hour] = (counts[hour] ?? 0) + 1;
  }
  const from = counts.findIndex((count) => count > 0);
  if (from < 0) return { reason: 'no_values' };
  const to = counts.findLastIndex((count) => count > 0);
  if (hours - 1 - to > STALE_HOURS) return { reason: 'not_reported' };
  const values = sums.slice(from, to + 1).map((sum, k) => sum / (counts[from + k] ?? 0));
  const missing = values.reduce((count, value) => count + (Number.isNaN(value) ? 1 : 0), 0);
  if (missing > (1 - LEAST_PRESENT) * values.length) return { reason: 'too_many_gaps' };
  fill(values);
  return { values, startMs: firstMs + from * HOUR_MS };
}

/** The first and the last value are there. */
function fill(values: Float64Array): void {
  let known = 0;
  for (let i = 1; i < values.length; i++) {
    const value = values[i] ?? 0;
    if (Number.isNaN(value)) continue;
    const before = values[known] ?? 0;
    for (let k = known + 1; k < i; k++) values[k] = before + ((value - before) * (k - known)) / (i - known);
    known = i;
  }
}
