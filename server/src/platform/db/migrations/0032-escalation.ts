import type { Kysely } from 'kysely';

/** Where each alert stands on each ladder, and messages that go to one recipient or have words of their own. */
export type EscalationTables = { escalations: EscalationRow };

export type EscalationRow = {
  alert_id: string;
  /** `policy`, or `stakeholder:` and its id. */
  ladder: string;
  rule: string;
  fingerprint: string;
  /** JSON: the policy as it was when the alert came to it. */
  policy: string;
  /** JSON: the alert as last seen. */
  alert: string;
  cooldown_ms: number;
  /** `climbing`, `paused`, `exhausted`, `ended`. */
  status: string;
  /** Why it stands so, in words. */
  why: string;
  /** `handling`, `held`, `hours`; '' when nothing pauses it. */
  paused_by: string;
  /** How often the ladder was climbed before. */
  round: number;
  /** The level to be told next, from 0. */
  level: number;
  /** Level k is due at this instant plus its `after`. */
  base_ms: number;
  /** When to look at it again; null when only a change can matter. */
  next_at_ms: number | null;
  /** When a level was last told. */
  told_at_ms: number | null;
  /** JSON: everybody who was told, so that they hear of the end. */
  told: string;
  started_at_ms: number;
  ended_at_ms: number | null;
};

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('escalations')
    .addColumn('alert_id', 'text', (column) => column.notNull())
    .addColumn('ladder', 'text', (column) => column.notNull())
    .addColumn('rule', 'text', (column) => column.notNull())
    .addColumn('fingerprint', 'text', (column) => column.notNull())
    .addColumn('policy', 'text', (column) => column.notNull())
    .addColumn('alert', 'text', (column) => column.notNull())
    .addColumn('cooldown_ms', 'bigint', (column) => column.notNull())
    .addColumn('status', 'text', (column) => column.notNull())
    .addColumn('why', 'text', (column) => column.notNull())
    .addColumn('paused_by', 'text', (column) => column.notNull())
    .addColumn('round', 'integer', (column) => column.notNull())
    .addColumn('level', 'integer', (column) => column.notNull())
    .addColumn('base_ms', 'bigint', (column) => column.notNull())
    .addColumn('next_at_ms', 'bigint')
    .addColumn('told_at_ms', 'bigint')
    .addColumn('told', 'text', (column) => column.notNull())
    .addColumn('started_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('ended_at_ms', 'bigint')
    .addPrimaryKeyConstraint('escalations_key', ['alert_id', 'ladder'])
    .execute();
  await db.schema.createIndex('escalations_by_next').on('escalations').column('next_at_ms').execute();
  await db.schema.createIndex('escalations_by_fingerprint').on('escalations').columns(['fingerprint', 'ladder']).execute();
  await db.schema.createIndex('escalations_by_end').on('escalations').column('ended_at_ms').execute();
  await db.schema.alterTable('notifications').addColumn('recipient', 'text').execute();
  await db.schema.alterTable('notifications').addColumn('words', 'text').execute();
  await db.schema.alterTable('notify_bundles').addColumn('recipient', 'text').execute();
}
