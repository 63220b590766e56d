import type { Kysely } from 'kysely';

/** Planned maintenance that subscribers of a status page have been told of: once for each plan that was announced. */
export type StatusToldTables = { status_told: StatusToldRow };

export type StatusToldRow = {
  page: string;
  /** The id of the maintenance window. */
  window_id: string;
  /** When the plan was announced; another plan of the same window is announced anew. */
  announced_at_ms: number;
  told_at_ms: number;
};

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('status_told')
    .addColumn('page', 'text', (column) => column.notNull())
    .addColumn('window_id', 'text', (column) => column.notNull())
    .addColumn('announced_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('told_at_ms', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('status_told_once', ['page', 'window_id', 'announced_at_ms'])
    .execute();
}
