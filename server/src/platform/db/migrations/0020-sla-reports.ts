import type { Kysely } from 'kysely';

/** Reports over several contracts that were issued: the archive. A report is never changed. */
export type SlaReportTables = { sla_reports: SlaReportRow };

export type SlaReportRow = {
  id: string;
  /** The schedule that issued it; '' when a person did. */
  schedule: string;
  title: string;
  /** '' when it is for nobody in particular. */
  customer: string;
  from_ms: number;
  to_ms: number;
  zone: string;
  /** The signed canonical JSON, byte for byte. */
  document: string;
  issued_by: string;
  issued_at_ms: number;
};

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('sla_reports')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('schedule', 'text', (column) => column.notNull())
    .addColumn('title', 'text', (column) => column.notNull())
    .addColumn('customer', 'text', (column) => column.notNull())
    .addColumn('from_ms', 'bigint', (column) => column.notNull())
    .addColumn('to_ms', 'bigint', (column) => column.notNull())
    .addColumn('zone', 'text', (column) => column.notNull())
    .addColumn('document', 'text', (column) => column.notNull())
    .addColumn('issued_by', 'text', (column) => column.notNull())
    .addColumn('issued_at_ms', 'bigint', (column) => column.notNull())
    .execute();
  await db.schema.createIndex('sla_reports_by_period').on('sla_reports').columns(['to_ms', 'issued_at_ms']).execute();
}
