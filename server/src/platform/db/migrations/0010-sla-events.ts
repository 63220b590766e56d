import type { Kysely } from 'kysely';

/** Ratios count events: a slice keeps how many there were and how many were good. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const column of ['good', 'total']) await db.schema.alterTable('sla_slice_runs').addColumn(column, 'bigint').execute();
}
