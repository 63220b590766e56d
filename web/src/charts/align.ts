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
  const instants = [...new Set(series.flatMap((one) => one.points.map(([atMs]) => atMs)))].sort((a, b) => a - b);
  const grid: number[] = [];
  for (const atMs of instants) {
    const before = grid[grid.length - 1];
    if (before !== undefined && atMs - before > maxGapMs) grid.push(before + (atMs - before) / 2);
    grid.push(atMs);
  }
  const place = new Map(grid.map((atMs, index) => [atMs, index] as const));
  const columns = series.map((one) => {
    const column: (number | null)[] = grid.map(() => null);
    for (const [atMs, value] of one.points) {
      const at = place.get(atMs);
      if (at !== undefined) column[at] = Number.isFinite(value) ? value : null;
    }
    return column;
  });
  return [grid, ...columns];
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
  const values = points.map(([, value]) => value).filter((value) => Number.isFinite(value));
  const last = values[values.length - 1];
  if (last === undefined) return undefined;
  return { last, low: values.reduce((a, b) => Math.min(a, b)), high: values.reduce((a, b) => Math.max(a, b)) };
}
