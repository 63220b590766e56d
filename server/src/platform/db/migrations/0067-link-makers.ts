import type { Kysely } from 'kysely';

/** Whether a person or the command line made a one-time link. The column stands in 0050's `PersonLinkRow`. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .alterTable('person_links')
    .addColumn('made_by_kind', 'text', (column) => column.notNull().defaultTo('user'))
    .execute();
}
