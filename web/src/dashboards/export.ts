/** What a panel shows, as a file. */
import { csvText } from '@nines/base/csv.ts';
import type { NamedSeries } from '@nines/maths/dashboards/figures.ts';

/** A line of names, then lines of what is shown. */
export type Rows = readonly (readonly (string | number)[])[];

/** One line for each instant and series, times in UTC. */
export const rowsOfSeries = (series: readonly NamedSeries[]): Rows => [
  ['time', 'series', 'value'],
  ...series.flatMap(({ name, points }) => points.map(([atMs, value]) => [new Date(atMs).toISOString(), name, value])),
];

export const rowsOfValues = (values: readonly { readonly name: string; readonly value: number }[]): Rows => [
  ['name', 'value'],
  ...values.map(({ name, value }) => [name, value]),
];

/** As the query API writes it. */
const numberText = (value: number): string =>
  Number.isFinite(value) ? String(value) : Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
const textOf = (cell: string | number): string => (typeof cell === 'number' ? numberText(cell) : cell);

export const csvBlob = (rows: Rows): Blob => new Blob([csvText(rows.map((row) => row.map(textOf)))], { type: 'text/csv;charset=utf-8' });

/** One object for each line, by the names of the first; what is no number that JSON has is text. */
export function jsonBlob(rows: Rows): Blob {
  const [head = [], ...lines] = rows;
  const valueOf = (cell: string | number = ''): string | number =>
    typeof cell === 'number' && !Number.isFinite(cell) ? numberText(cell) : cell;
  const items = lines.map((line) => Object.fromEntries(head.map((name, at) => [name || 'name', valueOf(line[at])])));
  return new Blob([JSON.stringify(items, null, 1)], { type: 'application/json' });
}

/** A name that any file system takes. */
export const fileName = (title: string): string =>
  title
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 80) || 'panel';
