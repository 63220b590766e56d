import type { Kysely } from 'kysely';

/** Alerts that belong together, and what probably caused them. */
export type ProblemTables = { problems: ProblemRow; problem_alerts: ProblemAlertRow };

export type ProblemRow = {
  id: string;
  title: string;
  severity: string;
  opened_at_ms: number;
  last_at_ms: number;
  /** Null while an alert of it is open. */
  resolved_at_ms: number | null;
  merged_into: string | null;
  alerts: number;
  alerts_open: number;
  /** JSON array. */
  services: string;
  /** JSON array of what may be the cause, most probable first. */
  causes: string;
};

/** What correlation needs of an alert, so that a restart finds it again; and why it is in the problem. */
export type ProblemAlertRow = {
  alert_id: string;
  problem_id: string;
  alertname: string;
  severity: string;
  service: string | null;
  /** JSON object. */
  labels: string;
  active_at_ms: number;
  joined_at_ms: number;
  ended_at_ms: number | null;
  because: string;
};

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('problems')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('title', 'text', (column) => column.notNull())
    .addColumn('severity', 'text', (column) => column.notNull())
    .addColumn('opened_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('last_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('resolved_at_ms', 'bigint')
    .addColumn('merged_into', 'text')
    .addColumn('alerts', 'bigint', (column) => column.notNull())
    .addColumn('alerts_open', 'bigint', (column) => column.notNull())
    .addColumn('services', 'text', (column) => column.notNull())
    .addColumn('causes', 'text', (column) => column.notNull())
    .execute();
  await db.schema.createIndex('problems_by_start').on('problems').columns(['opened_at_ms', 'id']).execute();
  await db.schema
    .createTable('problem_alerts')
    .addColumn('alert_id', 'text', (column) => column.primaryKey())
    .addColumn('problem_id', 'text', (column) => column.notNull())
    .addColumn('alertname', 'text', (column) => column.notNull())
    .addColumn('severity', 'text', (column) => column.notNull())
    .addColumn('service', 'text')
    .addColumn('labels', 'text', (column) => column.notNull())
    .addColumn('active_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('joined_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('ended_at_ms', 'bigint')
    .addColumn('because', 'text', (column) => column.notNull())
    .execute();
  await db.schema.createIndex('problem_alerts_by_problem').on('problem_alerts').columns(['problem_id', 'joined_at_ms']).execute();
  // What flaps is read from the latest transitions at start.
  await db.schema.createIndex('alert_transitions_by_time').ifNotExists().on('alert_transitions').column('at_ms').execute();
}
