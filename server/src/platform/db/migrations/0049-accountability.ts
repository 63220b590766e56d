import type { Kysely } from 'kysely';

/** What seals people in the audit log and can be destroyed, which key the chain is at, and every configuration that was applied. */
export type AccountabilityTables = { audit_people: AuditPersonRow; configurations: ConfigurationRow };

/** `key` is null once the person was erased: what it sealed can never be read again. */
export type AuditPersonRow = { person_id: string; key: string | null; erased_at_ms: number | null };

export type ConfigurationRow = {
  /** 1, 2, 3 … */
  version: number;
  at_ms: number;
  /** start, reload, restore */
  cause: string;
  actor_kind: string;
  actor_id: string;
  /** Tells two configurations apart, by their secrets too. */
  digest: string;
  /** JSON: the configuration as it was written, secrets as keyed digests, and where each value came from. */
  written: string;
  /** JSON: keys that took effect at the next start. */
  pending: string;
};

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('audit_people')
    .addColumn('person_id', 'text', (column) => column.primaryKey())
    .addColumn('key', 'text')
    .addColumn('erased_at_ms', 'bigint')
    .execute();
  await db.schema.alterTable('audit_chain').addColumn('key_id', 'text').execute();
  await db.schema
    .createTable('configurations')
    .addColumn('version', 'bigint', (column) => column.primaryKey())
    .addColumn('at_ms', 'bigint', (column) => column.notNull())
    .addColumn('cause', 'text', (column) => column.notNull())
    .addColumn('actor_kind', 'text', (column) => column.notNull())
    .addColumn('actor_id', 'text', (column) => column.notNull())
    .addColumn('digest', 'text', (column) => column.notNull())
    .addColumn('written', 'text', (column) => column.notNull())
    .addColumn('pending', 'text', (column) => column.notNull())
    .execute();
}
