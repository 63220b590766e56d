import type { Kysely } from 'kysely';

/** What verdicts of slices were before samples came late, so that what was known on a past day can be asked again. */
export type SlaLateTables = { sla_slice_undos: SlaSliceUndoRow };

export type SlaSliceUndoRow = {
  sla: string;
  /** When the verdicts of `[from_ms, to_ms)` were replaced. */
  at_ms: number;
  from_ms: number;
  to_ms: number;
  /** The runs that stood there until then, as JSON. */
  runs: string;
};

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('sla_slice_undos')
    .addColumn('sla', 'text', (column) => column.notNull())
    .addColumn('at_ms', 'bigint', (column) => column.notNull())
    .addColumn('from_ms', 'bigint', (column) => column.notNull())
    .addColumn('to_ms', 'bigint', (column) => column.notNull())
    .addColumn('runs', 'text', (column) => column.notNull())
    .execute();
  await db.schema.createIndex('sla_slice_undos_by_sla').on('sla_slice_undos').columns(['sla', 'at_ms']).execute();
}
