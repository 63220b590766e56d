import { csvField, csvText } from '@nines/base/csv.ts';
import { DAY_MS, type EpochMs, HOUR_MS, MINUTE_MS, epochMs } from '@nines/base/units.ts';
import type { Span } from '@nines/maths/slo/types.ts';

/** Tables of any length as text, a few thousand rows in memory at a time. */

export const ROW_FORMATS = ['csv', 'jsonl'] as const;
export type RowFormat = (typeof ROW_FORMATS)[number];
export const ROW_TYPES: Readonly<Record<RowFormat, string>> = {
  csv: 'text/csv; charset=utf-8; header=present',
  jsonl: 'application/x-ndjson; charset=utf-8',
};

/** One cell for each column. */
export type Row = readonly (string | number | null)[];
export type Table = { readonly columns: readonly string[]; readonly batches: AsyncIterable<readonly Row[]> };
export type Reading = { readonly signal: AbortSignal; readonly yieldNow: () => Promise<void> | undefined };

/** Rows that are printed at a time. */
const PIECE_ROWS = 1_000;

/** A header and a line for each row, or a JSON object for each on a line of its own. Throws the signal's reason when it aborts. */
export async function* rowsText({ columns, batches }: Table, format: RowFormat, { signal, yieldNow }: Reading): AsyncGenerator<string> {
  const print = format === 'csv' ? csvRows : jsonRows(columns);
  if (format === 'csv') yield csvText([columns]);
  for await (const batch of batches) {
    for (let from = 0; from < batch.length; from += PIECE_ROWS) {
      signal.throwIfAborted();
      yield print(batch.slice(from, from + PIECE_ROWS));
      await yieldNow();
    }
  }
}

/** What is no number that can be written stands as it is called. */
const csvCell = (cell: string | number | null): string => (typeof cell === 'string' ? csvField(cell) : cell === null ? '' : String(cell));

function csvRows(rows: readonly Row[]): string {
  let text = '';
  for (const row of rows) {
    let separator = '';
    for (const cell of row) {
      text += separator + csvCell(cell);
      separator = ',';
    }
    text += '\r\n';
  }
  return text;
}

function jsonRows(columns: readonly string[]): (rows: readonly Row[]) => string {
  const keys = columns.map((column, i) => `${i === 0 ? '{' : ','}${JSON.stringify(column)}:`);
  return (rows) => {
    let text = '';
    for (const row of rows) {
      for (const [i, cell] of row.entries()) text += (keys[i] ?? '') + JSON.stringify(cell);
      text += '}\n';
    }
    return text;
  };
}

const FEW_ROWS = 2_000;
const MANY_ROWS = 20_000;
const STEP = 4;
const LONGEST_PIECE_MS = 32 * DAY_MS;

/** Reads a span from its start, in pieces that are longer where little is found and shorter where much is. */
export async function* inPieces<T>(span: Span, read: (piece: Span) => Promise<readonly T[]>): AsyncGenerator<readonly T[]> {
  let lengthMs = HOUR_MS;
  for (let fromMs: EpochMs = span.fromMs; fromMs < span.toMs; ) {
    const toMs = epochMs(Math.min(span.toMs, fromMs + lengthMs));
    const found = await read({ fromMs, toMs });
    yield found;
    if (found.length < FEW_ROWS) lengthMs = Math.min(LONGEST_PIECE_MS, lengthMs * STEP);
    else if (found.length > MANY_ROWS) lengthMs = Math.max(MINUTE_MS, Math.floor(lengthMs / STEP));
    fromMs = toMs;
  }
}
