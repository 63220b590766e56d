import type { Kysely } from 'kysely';

/** What people chose for themselves, which ways samples have come, and the programs of this host that are scraped because somebody said so. */
export type HomeTables = { preferences: PreferencesRow; arrivals: ArrivalRow; local_targets: LocalTargetRow };

export type PreferencesRow = {
  person_id: string;
  /** The page they begin with; null: that of their role. */
  landing: string | null;
  /** 1: they put the checklist away. */
  checklist_hidden: number;
};

export type ArrivalRow = {
  way: 'remote_write' | 'otlp' | 'push' | 'influx';
  first_at_ms: number;
  /** The metric that came first. */
  metric: string;
};

export type LocalTargetRow = { port: number; program: string; added_at_ms: number; added_by: string };

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('preferences')
    .addColumn('person_id', 'text', (column) => column.primaryKey())
    .addColumn('landing', 'text')
    .addColumn('checklist_hidden', 'integer', (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('arrivals')
    .addColumn('way', 'text', (column) => column.primaryKey())
    .addColumn('first_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('metric', 'text', (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('local_targets')
    .addColumn('port', 'integer', (column) => column.primaryKey())
    .addColumn('program', 'text', (column) => column.notNull())
    .addColumn('added_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('added_by', 'text', (column) => column.notNull())
    .execute();
}
