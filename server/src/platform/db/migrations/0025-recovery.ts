import type { Kysely } from 'kysely';

/** What was done about checks that were down: outages that something was done about, and each run of an action. */
export type RecoveryTables = { recovery_outages: RecoveryOutageRow; recovery_runs: RecoveryRunRow };

export type RecoveryOutageRow = {
  id: string;
  check_id: string;
  from_at_ms: number;
  /** Null until the check was seen up again. */
  ended_at_ms: number | null;
};

export type RecoveryRunRow = {
  id: string;
  action: string;
  kind: string;
  check_id: string;
  service: string;
  /** Null when a person ran it while the check was not down. */
  outage_id: string | null;
  try_number: number;
  status: string;
  dry_run: number;
  /** Empty when it ran by itself. */
  asked_by: string;
  why: string;
  started_at_ms: number;
  ended_at_ms: number | null;
  detail: string;
  output: string;
  output_cut: number;
};

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('recovery_outages')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('check_id', 'text', (column) => column.notNull())
    .addColumn('from_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('ended_at_ms', 'bigint')
    .execute();
  await db.schema
    .createTable('recovery_runs')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('action', 'text', (column) => column.notNull())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('check_id', 'text', (column) => column.notNull())
    .addColumn('service', 'text', (column) => column.notNull())
    .addColumn('outage_id', 'text')
    .addColumn('try_number', 'bigint', (column) => column.notNull())
    .addColumn('status', 'text', (column) => column.notNull())
    .addColumn('dry_run', 'bigint', (column) => column.notNull())
    .addColumn('asked_by', 'text', (column) => column.notNull())
    .addColumn('why', 'text', (column) => column.notNull())
    .addColumn('started_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('ended_at_ms', 'bigint')
    .addColumn('detail', 'text', (column) => column.notNull())
    .addColumn('output', 'text', (column) => column.notNull())
    .addColumn('output_cut', 'bigint', (column) => column.notNull())
    .execute();
  await db.schema.createIndex('recovery_runs_service').on('recovery_runs').columns(['service', 'started_at_ms']).execute();
  await db.schema.createIndex('recovery_runs_action').on('recovery_runs').columns(['action', 'started_at_ms']).execute();
  await db.schema.createIndex('recovery_runs_outage').on('recovery_runs').column('outage_id').execute();
}
