import { printValue } from '@nines/model/exposition-print.ts';
import type { Exemplar } from '@nines/model/exemplar.ts';
import { parseSampleValue } from '@nines/model/exposition.ts';
import type { Labels } from '@nines/model/labels.ts';
import type { Sql } from '../../platform/records/contract.ts';

/** Table `exemplars`. */
export type StoredExemplar = { readonly seq: number; readonly series: Labels; readonly exemplar: Exemplar };

/** Rows of one statement. */
const ROWS = 500;

/** The newest of them, at most `most`, oldest first. */
export async function loadExemplars(sql: Sql, most: number): Promise<readonly StoredExemplar[]> {
  const rows = await sql.selectFrom('exemplars').selectAll().orderBy('seq', 'desc').limit(most).execute();
  return rows.reverse().map(({ seq, series, labels, value, at_ms }) => ({
    seq: Number(seq),
    series: JSON.parse(series) as Labels,
    exemplar: { labels: JSON.parse(labels) as Labels, value: parseSampleValue(value) ?? Number.NaN, atMs: Number(at_ms) },
  }));
}

export async function insertExemplars(sql: Sql, exemplars: readonly StoredExemplar[]): Promise<void> {
  for (let from = 0; from < exemplars.length; from += ROWS) {
    const rows = exemplars.slice(from, from + ROWS).map(({ seq, series, exemplar }) => ({
      seq,
      series: JSON.stringify(series),
      labels: JSON.stringify(exemplar.labels),
      value: printValue(exemplar.value),
      at_ms: exemplar.atMs,
    }));
    // A part of them may stand there already, from an attempt that failed further on.
    await sql
      .insertInto('exemplars')
      .values(rows)
      .onConflict((conflict) => conflict.column('seq').doNothing())
      .execute();
  }
}

/** Removes all up to `seq`, itself included. */
export async function removeExemplars(sql: Sql, seq: number): Promise<void> {
  await sql.deleteFrom('exemplars').where('seq', '<=', seq).execute();
}
