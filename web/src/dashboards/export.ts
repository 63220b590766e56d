/** What a panel shows, as a file. */
import { csvText } from '@nines/base/csv.ts';
import type { NamedSeries } from '@nines/maths/dashboards/figures.ts';

export type Rows = readonly (readonly string[])[];

/** One line for each instant and series, times in UTC. */
export const rowsOfSeries = (series: readonly NamedSeries[]): Rows => [
  ['time', 'series', 'value'],
  ...series.flatMap(({ name, points }) => points.map(([atMs, value]) => [new Date(atMs).toISOString(), name, String(value)])),
];

export const rowsOfValues = (values: readonly { readonly name: string; readonly value: number }[]): Rows => [
  ['name', 'value'],
  ...values.map(({ name, value }) => [name, String(value)]),
];

export const csvBlob = (rows: Rows): Blob => new Blob([csvText(rows)], { type: 'text/csv;charset=utf-8' });

/** One object for each line, by the names of the first. */
export function jsonBlob(rows: Rows): Blob {
  const [head = [], ...lines] = rows;
  const items = lines.map((line) => Object.fromEntries(head.map((name, at) => [name || 'name', line[at] ?? ''])));
  return new Blob([JSON.stringify(items, null, 1)], { type: 'application/json' });
}

/** A name that any file system takes. */
export const fileName = (title: string): string =>
  title
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 80) || 'panel';
