import type { Kysely } from 'kysely';

/** What dashboards were, and what people were changing when they left. What a dashboard is now stands in `entities`, kind `dashboard`. */
export type DashboardTables = { dashboard_revisions: DashboardRevisionRow; dashboard_drafts: DashboardDraftRow };

export type DashboardRevisionRow = {
  dashboard_id: string;
  /** That of the entity once this was in force. */
  revision: number;
  at_ms: number;
  by_name: string;
  note: string;
  /** JSON of the specification; null: it was removed. */
  spec: string | null;
};

export type DashboardDraftRow = {
  dashboard_id: string;
  person_id: string;
  /** The revision that the draft began with; 0: a dashboard that was not made yet. */
  base_revision: number;
  at_ms: number;
  spec: string;
};

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('dashboard_revisions')
    .addColumn('dashboard_id', 'text', (column) => column.notNull())
    .addColumn('revision', 'bigint', (column) => column.notNull())
    .addColumn('at_ms', 'bigint', (column) => column.notNull())
    .addColumn('by_name', 'text', (column) => column.notNull())
    .addColumn('note', 'text', (column) => column.notNull())
    .addColumn('spec', 'text')
    .addPrimaryKeyConstraint('dashboard_revisions_pk', ['dashboard_id', 'revision'])
    .execute();
  await db.schema
    .createTable('dashboard_drafts')
    .addColumn('dashboard_id', 'text', (column) => column.notNull())
    .addColumn('person_id', 'text', (column) => column.notNull())
    .addColumn('base_revision', 'bigint', (column) => column.notNull())
    .addColumn('at_ms', 'bigint', (column) => column.notNull())
    .addColumn('spec', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('dashboard_drafts_pk', ['dashboard_id', 'person_id'])
    .execute();
}
