import type { Kysely } from 'kysely';

/** What widgets were. What a widget is now stands in `entities`, kind `widget`. */
export type WidgetTables = { widget_revisions: WidgetRevisionRow };

export type WidgetRevisionRow = {
  widget_id: string;
  /** That of the entity once this was in force. */
  revision: number;
  at_ms: number;
  by_name: string;
  /** JSON of name, description and script. */
  spec: string;
};

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('widget_revisions')
    .addColumn('widget_id', 'text', (column) => column.notNull())
    .addColumn('revision', 'bigint', (column) => column.notNull())
    .addColumn('at_ms', 'bigint', (column) => column.notNull())
    .addColumn('by_name', 'text', (column) => column.notNull())
    .addColumn('spec', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('widget_revisions_pk', ['widget_id', 'revision'])
    .execute();
}
