import type { Kysely } from 'kysely';

/**
 * Maintenance windows, one row for each wording that was ever in force. A row is never changed but for the mark that it was ended, so what
 * had been announced at any past instant can be read again.
 */
export type MaintenanceTables = { maintenance_versions: MaintenanceVersionRow };

export type MaintenanceVersionRow = {
  id: string;
  /** The window's id; its versions share it. */
  slug: string;
  /** JSON: name, services, schedule. */
  spec: string;
  /** The place in the configuration file; empty when it was made through the API. */
  place: string;
  announced_at_ms: number;
  recorded_at_ms: number;
  /** Null while it is in force. */
  ended_at_ms: number | null;
};

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('maintenance_versions')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('slug', 'text', (column) => column.notNull())
    .addColumn('spec', 'text', (column) => column.notNull())
    .addColumn('place', 'text', (column) => column.notNull())
    .addColumn('announced_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('recorded_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('ended_at_ms', 'bigint')
    .execute();
}
