import type { Kysely } from 'kysely';

/** Groups know the receiver that their route named, which may have several channels, and the time intervals of the route. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .alterTable('notify_groups')
    .addColumn('receiver', 'text', (column) => column.notNull().defaultTo(''))
    .execute();
  await db.schema
    .alterTable('notify_groups')
    .addColumn('intervals', 'text', (column) => column.notNull().defaultTo('{"mute":[],"active":[]}'))
    .execute();
}
