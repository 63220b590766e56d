import type { Kysely } from 'kysely';

/**
 * What was seen when an alert fired, and the ways to its history: earlier alerts of the same fingerprint, and what is older
 * than the retention.
 */
export type AlertHistoryTables = { alert_snapshots: AlertSnapshotRow };

export type AlertSnapshotRow = {
  alert_id: string;
  taken_at_ms: number;
  /** JSON: the excerpt of series, changes, processes. */
  data: string;
};

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('alert_snapshots')
    .addColumn('alert_id', 'text', (column) => column.primaryKey())
    .addColumn('taken_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('data', 'text', (column) => column.notNull())
    .execute();
  await db.schema.createIndex('alerts_by_fingerprint').on('alerts').columns(['fingerprint', 'starts_at_ms']).execute();
  await db.schema.createIndex('alerts_by_end').on('alerts').column('ends_at_ms').execute();
  await db.schema.createIndex('alert_transitions_by_time').on('alert_transitions').column('at_ms').execute();
}
