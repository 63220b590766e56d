import type { Kysely } from 'kysely';

/** Silences as people wrote them, ended ones included. */
export type SilenceTables = { silences: SilenceRow };

export type SilenceRow = {
  id: string;
  /** JSON: `[{ "name", "op", "value" }]`. */
  matchers: string;
  starts_at_ms: number;
  ends_at_ms: number;
  created_by: string;
  comment: string;
  /** JSON: text by name. */
  annotations: string;
  updated_at_ms: number;
};

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('silences')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('matchers', 'text', (column) => column.notNull())
    .addColumn('starts_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('ends_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('created_by', 'text', (column) => column.notNull())
    .addColumn('comment', 'text', (column) => column.notNull())
    .addColumn('annotations', 'text', (column) => column.notNull())
    .addColumn('updated_at_ms', 'bigint', (column) => column.notNull())
    .execute();
  await db.schema.createIndex('silences_by_end').on('silences').column('ends_at_ms').execute();
}
