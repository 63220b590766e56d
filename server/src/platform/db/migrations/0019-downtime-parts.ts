import type { Kysely } from 'kysely';

/**
 * Downtimes that people split and merged. What the ledger says stays one row per outage; a part that was split off has a row of its own for what
 * people say of it, and the revisions say what was split and merged when, so that both can be undone and asked about later.
 */
export type DowntimePartColumns = {
  /** The downtime that a person split this part off; its `from_ms` is where. Null for what the ledger itself says. */
  part_of: string | null;
};

export type DowntimeChangeColumns = {
  /** What replaced this revision: `edited`, `split`, `rejoined`, `merged`, `unmerged`. */
  change: string;
  /** The part that was split off or rejoined, or the later downtime that was merged or let go; null for an edit. */
  other_id: string | null;
};

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('downtimes').addColumn('part_of', 'text').execute();
  await db.schema
    .alterTable('downtime_revisions')
    .addColumn('change', 'text', (column) => column.notNull().defaultTo('edited'))
    .execute();
  await db.schema.alterTable('downtime_revisions').addColumn('other_id', 'text').execute();
}
