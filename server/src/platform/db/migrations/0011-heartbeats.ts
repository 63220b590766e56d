import type { Kysely } from 'kysely';

/** What was last heard of each job that sends heartbeats: what is due next counts from there, also after a restart. */
export type HeartbeatTables = { heartbeats: HeartbeatRow };

export type HeartbeatRow = {
  check_id: string;
  /** The last signal that ended a run; before the first, when waiting began. */
  since_ms: number;
  /** When the run under way began, if it said so. */
  run_since_ms: number | null;
};

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('heartbeats')
    .addColumn('check_id', 'text', (column) => column.primaryKey())
    .addColumn('since_ms', 'bigint', (column) => column.notNull())
    .addColumn('run_since_ms', 'bigint')
    .execute();
}
