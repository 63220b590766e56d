import type { Kysely } from 'kysely';

/** The tail of a check says how often the check changed lately, so that flapping goes on after a restart. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('check_tails').addColumn('flapping', 'text').execute();
}
