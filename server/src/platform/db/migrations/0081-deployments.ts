import type { Kysely } from 'kysely';

/** Which version of a service was put where, and when. */
export type DeploymentTables = { deployments: DeploymentRow };

export type DeploymentRow = {
  id: string;
  service: string;
  environment: string;
  version: string;
  status: string;
  /** What whoever told it calls it; one that comes again under the same is the same deployment. */
  told_key: string;
  at_ms: number;
  ended_at_ms: number | null;
  url: string;
  by_name: string;
  note: string;
};

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('deployments')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('service', 'text', (column) => column.notNull())
    .addColumn('environment', 'text', (column) => column.notNull())
    .addColumn('version', 'text', (column) => column.notNull())
    .addColumn('status', 'text', (column) => column.notNull())
    .addColumn('told_key', 'text', (column) => column.notNull())
    .addColumn('at_ms', 'bigint', (column) => column.notNull())
    .addColumn('ended_at_ms', 'bigint')
    .addColumn('url', 'text', (column) => column.notNull())
    .addColumn('by_name', 'text', (column) => column.notNull())
    .addColumn('note', 'text', (column) => column.notNull())
    .addUniqueConstraint('deployments_told_once', ['service', 'told_key'])
    .execute();
  await db.schema.createIndex('deployments_by_time').on('deployments').columns(['at_ms', 'id']).execute();
}
