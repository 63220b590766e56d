import type { Kysely } from 'kysely';

/** The latest load test of each check. */
export type LoadTestTables = { load_tests: LoadTestRow };

export type LoadTestRow = {
  check_id: string;
  started_at_ms: number;
  /** JSON object, as the API shows it. */
  body: string;
};

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('load_tests')
    .addColumn('check_id', 'text', (column) => column.primaryKey())
    .addColumn('started_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('body', 'text', (column) => column.notNull())
    .execute();
}
