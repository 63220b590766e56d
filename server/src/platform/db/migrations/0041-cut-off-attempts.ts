import type { Kysely } from 'kysely';

/** How many attempts of a message have no end, because the process ended first: what they sent may have arrived. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .alterTable('notifications')
    .addColumn('cut_off', 'bigint', (column) => column.notNull().defaultTo(0))
    .execute();
}
