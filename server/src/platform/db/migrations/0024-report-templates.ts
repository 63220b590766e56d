import type { Kysely } from 'kysely';

/** Templates of reports that were made through the API; those of the configuration file are not kept. */
export type ReportTemplateTables = { report_templates: ReportTemplateRow };

export type ReportTemplateRow = {
  id: string;
  /** JSON. */
  spec: string;
  saved_by: string;
  saved_at_ms: number;
};

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('report_templates')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('spec', 'text', (column) => column.notNull())
    .addColumn('saved_by', 'text', (column) => column.notNull())
    .addColumn('saved_at_ms', 'bigint', (column) => column.notNull())
    .execute();
}
