import { writeFileSync } from 'node:fs';
import { csvText } from '@nines/base/csv.ts';
import { messageOf } from '@nines/base/errors.ts';
import { CliFailure, EXIT } from './failure.ts';

export const FORMATS = ['table', 'json', 'csv'] as const;
export type Format = (typeof FORMATS)[number];

/** Writes data to standard output, or to a file. Nothing else of the program ever writes there. */
export function writeData(text: string, file?: string): void {
  if (file === undefined) {
    process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
    return;
  }
  writeFileOr(file, text);
}

/** The same for data that are no text. */
export function writeBytes(bytes: Uint8Array, file?: string): void {
  if (file === undefined) process.stdout.write(bytes);
  else writeFileOr(file, bytes);
}

function writeFileOr(file: string, data: string | Uint8Array): void {
  try {
    writeFileSync(file, data);
  } catch (thrown) {
    throw new CliFailure(EXIT.failed, `cannot write ${file}: ${messageOf(thrown)}`);
  }
}

export type Table = { readonly columns: readonly string[]; readonly rows: readonly (readonly string[])[] };

/** Labels come from anyone who may send samples: their control characters must not reach the terminal. */
const printable = (text: string): string => text.replace(/\p{Cc}/gu, '\ufffd');

/** Columns padded to their widest cell; the last one is not padded. */
function tableText({ columns, rows }: Table): string {
  const all = [columns, ...rows].map((row) => row.map(printable));
  const widths = columns.map((_, i) => all.reduce((widest, row) => Math.max(widest, (row[i] ?? '').length), 0));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i] ?? 0)))
      .join('  ')
      .trimEnd();
  return all.map(line).join('\n');
}

/** The table in the format that was asked for; `json` is printed as it came. */
export function formatted(format: Format, table: Table, json: unknown): string {
  switch (format) {
    case 'table':
      return tableText(table);
    case 'csv':
      return csvText([table.columns, ...table.rows]);
    case 'json':
      return JSON.stringify(json, null, 2);
  }
}
