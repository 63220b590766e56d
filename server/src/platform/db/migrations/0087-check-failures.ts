import type { Kysely } from 'kysely';

/** What failing attempts saw, kept as the evidence of outages. */
export type CheckFailureTables = { check_failures: CheckFailureRow };

export type CheckFailureRow = {
  check_id: string;
  /** '' of a check without locations. */
  location: string;
  at_ms: number;
  /** JSON: the result as `GET /api/checks/{id}` tells it. */
  result: string;
};

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('check_failures')
    .addColumn('check_id', 'text', (column) => column.notNull())
    .addColumn('at_ms', 'bigint', (column) => column.notNull())
    .addColumn('location', 'text', (column) => column.notNull())
    .addColumn('result', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('check_failures_key', ['check_id', 'at_ms', 'location'])
    .execute();
  await db.schema.createIndex('check_failures_by_age').on('check_failures').column('at_ms').execute();
}
