/** What a panel shows as a file. Pure. */
import { csvText } from '@nines/base/csv.ts';
import type { RangeAnswer, ValueRow } from '../api/explore.ts';
import { seriesText } from './series-names.ts';

const iso = (atMs: number): string => new Date(atMs).toISOString();
const valueText = (value: number): string =>
  value === Number.POSITIVE_INFINITY ? '+Inf' : value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value);

/** One row per instant, one column per series. */
export function rangeCsv({ series }: Pick<RangeAnswer, 'series'>): string {
  const instants = [...new Set(series.flatMap(({ points }) => points.map(([atMs]) => atMs)))].sort((a, b) => a - b);
  const columns = series.map(({ points }) => new Map(points));
  const rows = instants.map((atMs) => [
    iso(atMs),
    ...columns.map((column) => {
      const value = column.get(atMs);
      return value === undefined ? '' : valueText(value);
    }),
  ]);
  return csvText([['time', ...series.map(({ labels }) => seriesText(labels))], ...rows]);
}

/** One row per result, one column per label. */
export function rowsCsv(rows: readonly ValueRow[]): string {
  const names = labelNames(rows);
  return csvText([
    ['time', ...names, 'value'],
    ...rows.map(({ labels, atMs, value }) => [iso(atMs), ...names.map((name) => labels[name] ?? ''), value]),
  ]);
}

/** Labels of all rows, the metric's name first. */
export const labelNames = (rows: readonly Pick<ValueRow, 'labels'>[]): readonly string[] =>
  [...new Set(rows.flatMap(({ labels }) => Object.keys(labels)))].sort((a, b) =>
    a === '__name__' ? -1 : b === '__name__' ? 1 : a < b ? -1 : 1,
  );

export const jsonText = (query: string, content: object): string => `${JSON.stringify({ query, ...content }, null, 1)}\n`;
