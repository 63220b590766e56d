import type { Kysely } from 'kysely';

/** Time of maintenance windows in which, as was said afterwards, nobody worked. A row is never changed. */
export type MaintenanceCorrectionTables = { maintenance_corrections: MaintenanceCorrectionRow };

export type MaintenanceCorrectionRow = {
  id: string;
  /** The window's id. */
  slug: string;
  from_ms: number;
  to_ms: number;
  note: string;
  recorded_by: string;
  recorded_at_ms: number;
};

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('maintenance_corrections')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('slug', 'text', (column) => column.notNull())
    .addColumn('from_ms', 'bigint', (column) => column.notNull())
    .addColumn('to_ms', 'bigint', (column) => column.notNull())
    .addColumn('note', 'text', (column) => column.notNull())
    .addColumn('recorded_by', 'text', (column) => column.notNull())
    .addColumn('recorded_at_ms', 'bigint', (column) => column.notNull())
    .execute();
}
