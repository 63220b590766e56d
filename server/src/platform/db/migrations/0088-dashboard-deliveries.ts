import type { Kysely } from 'kysely';

/** Dashboards that are sent as PDF again and again. */
export type DashboardDeliveryTables = { dashboard_deliveries: DashboardDeliveryRow };

export type DashboardDeliveryRow = {
  id: string;
  dashboard: string;
  /** JSON as `deliverySpec` in dashboards/deliveries/contract.ts: when, to whom, of what. */
  spec: string;
  made_by_kind: string;
  made_by_id: string;
  made_by_name: string;
  /** Matchers: what the maker saw then; empty for everything. */
  scope: string;
  made_at_ms: number;
  enabled: number;
  next_at_ms: number;
  /** The newest result: for which instant, when it was known, `sending`, `sent` or `failed`, and what was said. */
  last_due_at_ms: number | null;
  last_at_ms: number | null;
  last_state: string | null;
  last_note: string | null;
};

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('dashboard_deliveries')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('dashboard', 'text', (column) => column.notNull())
    .addColumn('spec', 'text', (column) => column.notNull())
    .addColumn('made_by_kind', 'text', (column) => column.notNull())
    .addColumn('made_by_id', 'text', (column) => column.notNull())
    .addColumn('made_by_name', 'text', (column) => column.notNull())
    .addColumn('scope', 'text', (column) => column.notNull())
    .addColumn('made_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('enabled', 'integer', (column) => column.notNull())
    .addColumn('next_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('last_due_at_ms', 'bigint')
    .addColumn('last_at_ms', 'bigint')
    .addColumn('last_state', 'text')
    .addColumn('last_note', 'text')
    .execute();
  await db.schema.createIndex('dashboard_deliveries_of').on('dashboard_deliveries').columns(['dashboard', 'made_at_ms']).execute();
}
