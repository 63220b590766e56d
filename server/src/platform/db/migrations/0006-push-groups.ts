import type { Kysely } from 'kysely';

/** The groups that were pushed in Pushgateway's manner: they are offered until someone deletes them, so they outlive a restart. */
export type PushGroupTables = { push_groups: PushGroupRow };

export type PushGroupRow = {
  /** The grouping labels, names and values in turn, as JSON. */
  group_key: string;
  /** 0 when no push ever succeeded. */
  pushed_at_ms: number;
  /** 0 when none ever failed. */
  failed_at_ms: number;
  /** JSON: the families with their samples; values as text, because NaN and infinities are values too. */
  families: string;
};

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('push_groups')
    .addColumn('group_key', 'text', (column) => column.primaryKey())
    .addColumn('pushed_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('failed_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('families', 'text', (column) => column.notNull())
    .execute();
}
