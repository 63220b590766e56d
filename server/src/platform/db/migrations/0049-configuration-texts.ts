import type { Kysely } from 'kysely';

/** The text of every configuration that was applied, sealed: it may hold secrets. */
export type ConfigurationTextTables = { configuration_texts: ConfigurationTextRow };

/** `id` is the version. `sealed` holds JSON: the file's text, and what tells its secrets apart. */
export type ConfigurationTextRow = { id: string; sealed: string };

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('configuration_texts')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('sealed', 'text', (column) => column.notNull())
    .execute();
}
