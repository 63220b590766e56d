import { isMetricType } from '@nines/model/metadata.ts';
import type { MetricMetadataRow } from '../platform/db/migrations/0009-metric-metadata.ts';
import type { Sql } from '../platform/records/contract.ts';
import type { BookEntry } from './metadata-book.ts';

/** Table `metric_metadata`. */
export type KnownFamily = { readonly family: string; readonly entry: BookEntry; readonly seenAtMs: number };

/** SQLite takes 32 766 parameters, a row has eight columns. */
const ROWS_PER_INSERT = 500;

export async function loadFamilies(sql: Sql): Promise<readonly KnownFamily[]> {
  const rows = await sql.selectFrom('metric_metadata').selectAll().orderBy('family').execute();
  return rows.map(({ family, type, help, unit, source, category, attributes, seen_at_ms: seenAtMs }) => ({
    family,
    seenAtMs,
    entry: {
      type: isMetricType(type) ? type : 'unknown',
      help,
      unit,
      source,
      ...(category === null ? {} : { category }),
      ...(attributes === null ? {} : { attributes: JSON.parse(attributes) as NonNullable<BookEntry['attributes']> }),
    },
  }));
}

export async function saveFamilies(sql: Sql, families: readonly KnownFamily[]): Promise<void> {
  for (let from = 0; from < families.length; from += ROWS_PER_INSERT) {
    const rows = families.slice(from, from + ROWS_PER_INSERT).map(rowOf);
    await sql
      .insertInto('metric_metadata')
      .values(rows)
      .onConflict((conflict) =>
        conflict.column('family').doUpdateSet((row) => ({
          type: row.ref('excluded.type'),
          help: row.ref('excluded.help'),
          unit: row.ref('excluded.unit'),
          source: row.ref('excluded.source'),
          category: row.ref('excluded.category'),
          attributes: row.ref('excluded.attributes'),
          seen_at_ms: row.ref('excluded.seen_at_ms'),
        })),
      )
      .execute();
  }
}

/** Removes what was last said before `beforeMs`. */
export async function forgetFamilies(sql: Sql, beforeMs: number): Promise<void> {
  await sql.deleteFrom('metric_metadata').where('seen_at_ms', '<', beforeMs).execute();
}

/** PostgreSQL keeps no U+0000 in a text, and one row must not keep the others from being saved. */
const clean = (text: string): string => text.replaceAll('\u0000', '');

const rowOf = ({ family, entry, seenAtMs }: KnownFamily): MetricMetadataRow => ({
  family: clean(family),
  type: entry.type,
  help: clean(entry.help),
  unit: clean(entry.unit),
  source: clean(entry.source),
  category: entry.category === undefined ? null : clean(entry.category),
  attributes: entry.attributes === undefined ? null : JSON.stringify(entry.attributes),
  seen_at_ms: seenAtMs,
});
