/** Brings the series of one chart onto one grid of instants. Where a series has no value there is a gap, never a line. */

import type { ChartSeries } from '@nines/maths/dashboards/figures.ts';

export type { ChartSeries };

/** Columns as uPlot wants them: instants first, then one column per series, `null` for gaps. */
export type Columns = readonly [readonly number[], ...(readonly (number | null)[])[]];

/**
 * The grid holds every instant that any series has, and one empty instant inside every stretch longer than
 * `maxGapMs`, so that a pause of all series together is a gap too. Values that are no numbers are gaps.
 */
export function alignSeries(series: readonly ChartSeries[], maxGapMs: number): Columns {
  const grid: number[] = [];
  for (const atMs of instantsOf(series)) {
    const before = grid[grid.length - 1];
    if (before !== undefined && atMs - before > maxGapMs) grid.push(before + (atMs - before) / 2);
    grid.push(atMs);
  }
  const columns = series.map((one) => {
    const column = Array<number | null>(grid.length).fill(null);
    let at = 0;
    for (const [atMs, value] of one.points) {
      if (grid[at] !== atMs) at = placeIn(grid, atMs);
      if (grid[at] === atMs) column[at] = Number.isFinite(value) ? value : null;
      at++;
    }
    return column;
  });
  return [grid, ...columns];
}

/** Every instant that any series has, ascending. The series of one query have the same ones, but for those that began later or have gaps. */
function instantsOf(series: readonly ChartSeries[]): readonly number[] {
  const longest = series.reduce<ChartSeries['points']>((most, { points }) => (points.length > most.length ? points : most), []);
  const all = longest.map(([atMs]) => atMs);
  const ascend = all.every((atMs, index) => index === 0 || atMs > (all[index - 1] ?? 0));
  if (ascend && series.every(({ points }) => points === longest || areAmong(points, all))) return all;
  return [...new Set(series.flatMap((one) => one.points.map(([atMs]) => atMs)))].sort((a, b) => a - b);
}

/** Whether ascending instants hold those of all points, which ascend as well. */
function areAmong(points: ChartSeries['points'], instants: readonly number[]): boolean {
  let at = 0;
  for (const [atMs] of points) {
    while (at < instants.length && instants[at] !== atMs) at++;
    if (at === instants.length) return false;
    at++;
  }
  return true;
}

/** The first place of an ascending grid that is not before the instant. */
function placeIn(grid: readonly number[], atMs: number): number {
  let [low, high] = [0, grid.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((grid[middle] ?? 0) < atMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Positions of values that stand alone between gaps: a line would not show them, so they are drawn as points. */
export function lonelyPoints(column: readonly (number | null | undefined)[]): number[] {
  const lonely: number[] = [];
  column.forEach((value, index) => {
    if (value === null || value === undefined) return;
    if ((column[index - 1] ?? null) === null && (column[index + 1] ?? null) === null) lonely.push(index);
  });
  return lonely;
}

/** Each series upon those before it; what has no value adds nothing, and stays a gap where none has. */
export function stacked([grid, ...columns]: Columns): Columns {
  const sums = grid.map(() => 0);
  return [
    grid,
    ...columns.map((column) =>
      column.map((value, index) => {
        const sum = (sums[index] ?? 0) + (value ?? 0);
        sums[index] = sum;
        return value === null && columns.every((other) => (other[index] ?? null) === null) ? null : sum;
      }),
    ),
  ];
}

export type Summary = { readonly last: number; readonly low: number; readonly high: number };

/** Last, lowest and highest value; undefined without any. */
export function summarise(points: ChartSeries['points']): Summary | undefined {
  let last: number | undefined;
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const [, value] of points) {
    if (!Number.isFinite(value)) continue;
    last = value;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return last === undefined ? undefined : { last, low, high };
}
