import type { Kysely } from 'kysely';

/** What people and tokens may see: their teams as a JSON list, and matchers in PromQL's form. Both empty: everything. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const table of ['users', 'tokens']) {
    await db.schema
      .alterTable(table)
      .addColumn('teams', 'text', (column) => column.notNull().defaultTo('[]'))
      .execute();
    await db.schema
      .alterTable(table)
      .addColumn('scope', 'text', (column) => column.notNull().defaultTo(''))
      .execute();
  }
}
