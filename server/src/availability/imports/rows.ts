import { parseInstant } from '@nines/base/instant.ts';
import type { EpochMs } from '@nines/base/units.ts';
import { parseCsv } from '@nines/base/csv-read.ts';
import { without } from '@nines/maths/slo/window.ts';
import { DOWNTIME_REASONS, type DowntimeReason } from '../contract.ts';
import { IMPORT_LIMITS, IMPORTED_STATES, type ReadRow, type ReadRows, type Refusal, type StoredSpan, type WrittenRow } from './contract.ts';
import { overlapping } from './evaluate.ts';

type Placed = { readonly row: number; readonly written: WrittenRow };

/** Rows as JSON; `row` counts from 1. */
export const readIntervals = (rows: readonly WrittenRow[]): ReadRows => readRows(rows.map((written, i) => ({ row: i + 1, written })));

const COLUMNS = ['service', 'from', 'to', 'state', 'detail', 'reason'] as const;

/** Rows as CSV with a head line; `row` is the line. */
export function readCsvIntervals(text: string): ReadRows {
  const parsed = parseCsv(text);
  if (!parsed.ok) return { rows: [], refused: [{ row: 1, message: parsed.error }] };
  const [head, ...records] = parsed.value;
  const names = head?.fields.map((name) => name.trim().toLowerCase()) ?? [];
  const unknown = names.find((name) => !COLUMNS.some((column) => column === name));
  const missing = COLUMNS.slice(0, 3).find((column) => !names.includes(column));
  if (unknown !== undefined || missing !== undefined) {
    const problem = missing === undefined ? `unknown column "${unknown}"` : `there is no column "${missing}"`;
    return {
      rows: [],
      refused: [{ row: 1, message: `${problem}; the head line names service, from, to and, if wanted, state, detail, reason` }],
    };
  }
  return readRows(
    records.map(({ line, fields }) => {
      const field = (name: (typeof COLUMNS)[number]): string => fields[names.indexOf(name)]?.trim() ?? '';
      const optional = (name: 'state' | 'detail' | 'reason') => (field(name) === '' ? {} : { [name]: field(name) });
      const written = { service: field('service'), from: field('from'), to: field('to') };
      return { row: line, written: { ...written, ...optional('state'), ...optional('detail'), ...optional('reason') } };
    }),
  );
}

function readRows(placed: readonly Placed[]): ReadRows {
  const rows: ReadRow[] = [];
  const refused: Refusal[] = [];
  for (const { row, written } of placed) {
    const read = readRow(row, written);
    if (typeof read === 'string') refused.push({ row, message: read });
    else rows.push(read);
  }
  return { rows, refused };
}

function readRow(row: number, { service, from, to, state = 'down', detail = '', reason }: WrittenRow): ReadRow | string {
  const [fromAt, toAt] = [parseInstant(String(from)), parseInstant(String(to))];
  if (!fromAt.ok) return `from: ${fromAt.error}`;
  if (!toAt.ok) return `to: ${toAt.error}`;
  if (detail.length > IMPORT_LIMITS.detailChars) return `detail: at most ${IMPORT_LIMITS.detailChars} characters`;
  const known = IMPORTED_STATES.find((one) => one === state);
  if (known === undefined) return `"${state}" is no state; write ${IMPORTED_STATES.join(', ')}`;
  const why = reason === undefined ? null : DOWNTIME_REASONS.find((one) => one === reason);
  if (why === undefined) return `"${reason}" is no reason; write one of ${DOWNTIME_REASONS.join(', ')}`;
  return { row, service, fromMs: fromAt.value, toMs: toAt.value, state: known, detail, reason: why satisfies DowntimeReason | null };
}

export type Standing = {
  readonly nowMs: EpochMs;
  /** Why a service takes no imports; undefined when it does. */
  readonly refuses: (service: string) => string | undefined;
  /** What was imported for a service and not withdrawn, ascending. */
  readonly imported: (service: string) => readonly StoredSpan[];
};

export type Judged = { readonly fresh: readonly ReadRow[]; readonly known: number; readonly refused: readonly Refusal[] };

/**
 * What of the rows is new. Refused are those of unknown services, that end before they begin or after now, that overlap another row, and that
 * contradict what was imported before; of one that agrees with it only the rest is taken, so importing the same again changes nothing.
 */
export function judgeRows(rows: readonly ReadRow[], standing: Standing): Judged {
  const fresh: ReadRow[] = [];
  const refused: Refusal[] = [];
  let known = 0;
  for (const [service, mine] of Map.groupBy(rows, (row) => row.service)) {
    const reason = standing.refuses(service);
    const before = standing.imported(service);
    let last: ReadRow | undefined;
    for (const one of mine.toSorted((a, b) => a.fromMs - b.fromMs || a.row - b.row)) {
      const message = reason ?? faultOf(one, { last, nowMs: standing.nowMs });
      if (message !== undefined) {
        refused.push({ row: one.row, message });
        continue;
      }
      last = one;
      const met = overlapping(before, one);
      const contrary = met.find((span) => span.state !== one.state);
      if (contrary !== undefined) {
        const told = `${contrary.source} (import ${contrary.importId}) said ${contrary.state} for ${spanInWords(contrary)}`;
        refused.push({ row: one.row, message: `says ${one.state} where ${told}; withdraw that import first` });
        continue;
      }
      const rest = without([one], met);
      if (rest.length === 0) known++;
      for (const { fromMs, toMs } of rest) fresh.push({ ...one, fromMs, toMs });
    }
  }
  return { fresh, known, refused: refused.sort((a, b) => a.row - b.row) };
}

function faultOf(one: ReadRow, { last, nowMs }: { readonly last: ReadRow | undefined; readonly nowMs: EpochMs }): string | undefined {
  if (one.fromMs >= one.toMs) return `ends before it begins: ${spanInWords(one)}`;
  if (one.toMs > nowMs) return `ends in the future: ${spanInWords(one)}`;
  if (last !== undefined && one.fromMs < last.toMs) return `overlaps row ${last.row}: ${spanInWords(one)} and ${spanInWords(last)}`;
  return undefined;
}

const spanInWords = ({ fromMs, toMs }: Pick<ReadRow, 'fromMs' | 'toMs'>): string =>
  `${new Date(fromMs).toISOString()} to ${new Date(toMs).toISOString()}`;
