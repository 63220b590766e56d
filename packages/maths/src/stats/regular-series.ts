import { ok } from '@nines/base/result.ts';
import { LARGEST, type Numbers, at } from './numbers.ts';
import { type Answer, refuse } from './refusal.ts';
import { medianOf } from './robust.ts';

/** A value at an instant, in milliseconds since 1970; null and anything not finite is missing. */
export type Point = readonly [atMs: number, value: number | null];

/** Instants further from 1970 leave no room on the calendar (8.64e15) for what is foretold. */
const FURTHEST_MS = 8e15;
export const isInstant = (atMs: number): boolean => Math.abs(atMs) <= FURTHEST_MS;

/** Values one step apart. */
export type RegularSeries = {
  readonly startMs: number;
  readonly stepMs: number;
  /** Steps are calendar months. */
  readonly monthly: boolean;
  /** Without holes: missing ones are filled. */
  readonly values: Float64Array;
  /** Share of `values` that was filled. */
  readonly filled: number;
  /** What had to be done to the points, in words; empty when nothing. */
  readonly notes: readonly string[];
};

/** Points taken; the oldest ones beyond that are left out, and a note says so. */
export const MAX_POINTS = 20_000;
/** Holes above this share leave too little to go by. */
const MAX_FILLED = 0.5;
/** Steps this close to the usual one are the usual one. */
const STEP_TOLERANCE = 0.2;
const DAY_MS = 86_400_000;

/**
 * Puts points on a regular grid: sorted, the last of several at one instant kept, the usual distance taken as step, several in one step
 * averaged, holes filled in a straight line. Needs two finite values at different instants.
 */
export function regularSeries(points: readonly Point[]): Answer<RegularSeries> {
  if (points.length === 0) return refuse('empty', 'there are no points');
  const strange = points.find(([atMs]) => !isInstant(atMs));
  if (strange !== undefined) return refuse('bad_instant', `${strange[0]} is no instant: milliseconds since 1970 are at most 8e15 in size`);
  const known = points.filter((point): point is readonly [number, number] => Number.isFinite(point[1]));
  if (known.length === 0) return refuse('all_missing', 'no point has a finite value');
  const huge = points.find(([, value]) => value !== null && Math.abs(value) > LARGEST);
  if (huge !== undefined) return refuse('not_finite', `the value at ${huge[0]} is infinite, or beyond 1e100 in size`);
  const unique = [...new Map(known.toSorted(([one], [other]) => one - other)).entries()];
  if (unique.length < 2) return refuse('too_few_points', 'all finite values are at one instant');
  const recent = unique.slice(-MAX_POINTS);
  const notes = recent.length < unique.length ? [`only the newest ${MAX_POINTS} of ${unique.length} points are used`] : [];
  const gaps = Float64Array.from({ length: recent.length - 1 }, (_, i) => instantOf(recent, i + 1) - instantOf(recent, i));
  const stepMs = medianOf(gaps);
  const startMs = instantOf(recent, 0);
  if (gaps.every((gap) => Math.abs(gap - stepMs) <= STEP_TOLERANCE * stepMs)) {
    const monthly = gaps.every((gap) => gap >= 27.9 * DAY_MS && gap <= 31.1 * DAY_MS) && new Set(gaps).size > 1;
    const series = { startMs, stepMs, monthly, values: Float64Array.from(recent, ([, value]) => value), filled: 0, notes };
    const placeOf = (i: number): number => (monthly ? instantAt(series, i) : startMs + i * stepMs);
    if (recent.every(([atMs], i) => Math.abs(placeOf(i) - atMs) <= stepMs / 2)) return ok(series);
    // Many steps a little longer or shorter than the usual one add up: the last value would stand hours from where it was.
    return onGrid(recent, stepMs, [...notes, `points drift from a step of ${stepMs} ms and were put on a grid of it`]);
  }
  const irregular = gaps.filter((gap) => Math.abs(gap / stepMs - Math.round(gap / stepMs)) > STEP_TOLERANCE).length;
  if (irregular > gaps.length / 4) notes.push(`irregular points were put on a grid of ${stepMs} ms`);
  return onGrid(recent, stepMs, notes);
}

const instantOf = (entries: readonly (readonly [number, number])[], i: number): number => entries[i]?.[0] ?? Number.NaN;

function onGrid(entries: readonly (readonly [number, number])[], stepMs: number, notes: readonly string[]): Answer<RegularSeries> {
  const startMs = instantOf(entries, 0);
  const length = Math.round((instantOf(entries, entries.length - 1) - startMs) / stepMs) + 1;
  if (length > 2 * MAX_POINTS || entries.length < length * (1 - MAX_FILLED))
    return refuse('too_many_gaps', `of ${length} steps of ${stepMs} ms only ${entries.length} have a value`);
  const [sums, counts] = [new Float64Array(length), new Float64Array(length)];
  for (const [atMs, value] of entries) {
    const index = Math.round((atMs - startMs) / stepMs);
    sums[index] = at(sums, index) + value;
    counts[index] = at(counts, index) + 1;
  }
  const values = sums.map((sum, i) => (at(counts, i) > 0 ? sum / at(counts, i) : Number.NaN));
  const holes = values.reduce((count, value) => count + (Number.isNaN(value) ? 1 : 0), 0);
  const all = holes > 0 ? [...notes, `${holes} of ${length} values were missing and were filled in a straight line`] : notes;
  return ok({ startMs, stepMs, monthly: false, values: withoutHoles(values), filled: holes / length, notes: all });
}

function withoutHoles(values: Float64Array): Float64Array {
  const result = values.slice();
  let last = -1;
  for (let i = 0; i < values.length; i++) {
    if (Number.isNaN(at(values, i))) continue;
    for (let k = last + 1; k < i; k++)
      result[k] = last < 0 ? at(values, i) : at(values, last) + ((at(values, i) - at(values, last)) * (k - last)) / (i - last);
    last = i;
  }
  return result;
}

/** The instant of the value at `index`, which may lie beyond the end. */
export function instantAt({ startMs, stepMs, monthly }: RegularSeries, index: number): number {
  if (!monthly) return Math.round(startMs + index * stepMs);
  const start = new Date(startMs);
  const month = start.getUTCMonth() + index;
  const days = new Date(Date.UTC(start.getUTCFullYear(), month + 1, 0)).getUTCDate();
  const lastDay = new Date(Date.UTC(start.getUTCFullYear(), start.getUTCMonth() + 1, 0)).getUTCDate() === start.getUTCDate();
  const day = lastDay ? days : Math.min(days, start.getUTCDate());
  return Date.UTC(start.getUTCFullYear(), month, day) + (startMs % DAY_MS);
}

/** A copy of `values` with the mean of every `factor` of them; a rest at the beginning is left out. */
export function thinned(values: Numbers, factor: number): Float64Array {
  const length = Math.floor(values.length / factor);
  const offset = values.length - length * factor;
  return Float64Array.from({ length }, (_, i) => {
    let sum = 0;
    for (let k = 0; k < factor; k++) sum += at(values, offset + i * factor + k);
    return sum / factor;
  });
}
