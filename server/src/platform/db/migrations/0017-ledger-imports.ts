import type { Kysely } from 'kysely';

/** What other monitors saw, with where it came from. Rows are never changed but for the mark that an import was withdrawn. */
export type LedgerImportTables = { ledger_imports: LedgerImportRow; ledger_imported_spans: LedgerImportedSpanRow };

export type LedgerImportRow = {
  id: string;
  /** The other monitor, in the words of who imported. */
  source: string;
  format: string;
  imported_at_ms: number;
  imported_by: string;
  withdrawn_at_ms: number | null;
  withdrawn_by: string | null;
};

export type LedgerImportedSpanRow = {
  import_id: string;
  /** From 0, within the import. */
  position: number;
  /** The row of what was imported that it came from, as people count. */
  row: number;
  service: string;
  from_ms: number;
  to_ms: number;
  state: string;
  detail: string;
  /** Why it was down, where the import says so; otherwise null. */
  reason: string | null;
};

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('ledger_imports')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('source', 'text', (column) => column.notNull())
    .addColumn('format', 'text', (column) => column.notNull())
    .addColumn('imported_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('imported_by', 'text', (column) => column.notNull())
    .addColumn('withdrawn_at_ms', 'bigint')
    .addColumn('withdrawn_by', 'text')
    .execute();
  await db.schema
    .createTable('ledger_imported_spans')
    .addColumn('import_id', 'text', (column) => column.notNull().references('ledger_imports.id'))
    .addColumn('position', 'integer', (column) => column.notNull())
    .addColumn('row', 'integer', (column) => column.notNull())
    .addColumn('service', 'text', (column) => column.notNull())
    .addColumn('from_ms', 'bigint', (column) => column.notNull())
    .addColumn('to_ms', 'bigint', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('detail', 'text', (column) => column.notNull())
    .addColumn('reason', 'text')
    .addPrimaryKeyConstraint('ledger_imported_spans_key', ['import_id', 'position'])
    .execute();
  await db.schema.createIndex('ledger_imported_spans_by_service').on('ledger_imported_spans').columns(['service', 'from_ms']).execute();
}
