import type { Kysely } from 'kysely';

/** What the services that consist of others consist of, so that the time without a monitor is decided before the configuration is read. */
export type CompositeTables = { ledger_composites: LedgerCompositeRow };

export type LedgerCompositeRow = {
  service: string;
  /** JSON: members with their weights, and the weight that must work. */
  rule: string;
  /** Since when it holds; 0: over all that the members' ledgers hold. */
  from_ms: number;
};

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('ledger_composites')
    .addColumn('service', 'text', (column) => column.primaryKey())
    .addColumn('rule', 'text', (column) => column.notNull())
    .addColumn('from_ms', 'bigint', (column) => column.notNull())
    .execute();
}
