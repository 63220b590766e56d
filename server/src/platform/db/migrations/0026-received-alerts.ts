import type { Kysely } from 'kysely';

/** Alerts that others sent and that have not ended: what they said last, and when that is over. */
export type ReceivedAlertTables = { received_alerts: ReceivedAlertRow };

export type ReceivedAlertRow = {
  fingerprint: string;
  /** JSON: text by name; annotations alike. */
  labels: string;
  annotations: string;
  generator_url: string;
  starts_at_ms: number;
  ends_at_ms: number;
  /** 1 when the end is ours, because the sender gave none. */
  is_timeout: number;
  updated_at_ms: number;
};

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('alerts').addColumn('generator_url', 'text').execute();
  await db.schema
    .createTable('received_alerts')
    .addColumn('fingerprint', 'text', (column) => column.primaryKey())
    .addColumn('labels', 'text', (column) => column.notNull())
    .addColumn('annotations', 'text', (column) => column.notNull())
    .addColumn('generator_url', 'text', (column) => column.notNull())
    .addColumn('starts_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('ends_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('is_timeout', 'integer', (column) => column.notNull())
    .addColumn('updated_at_ms', 'bigint', (column) => column.notNull())
    .execute();
}
