import type { Kysely } from 'kysely';

/** The exemplars that are kept, so that they outlive a restart. Written some seconds behind; the newest of all are the ones in memory. */
export type ExemplarTables = { exemplars: ExemplarRow };

export type ExemplarRow = {
  /** Rises with each exemplar that is taken; the lowest make room first. */
  seq: number;
  /** Names and values of the series' labels in turn, as JSON. */
  series: string;
  /** Those of the exemplar. */
  labels: string;
  /** As text, because NaN and infinities are values too. */
  value: string;
  at_ms: number;
};

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('exemplars')
    .addColumn('seq', 'bigint', (column) => column.primaryKey())
    .addColumn('series', 'text', (column) => column.notNull())
    .addColumn('labels', 'text', (column) => column.notNull())
    .addColumn('value', 'text', (column) => column.notNull())
    .addColumn('at_ms', 'bigint', (column) => column.notNull())
    .execute();
}
