import { type Kysely, sql } from 'kysely';

/** The audit log; drawn in docs/format/audit.md. */
export type AuditTables = { audit_entries: AuditRow; audit_chain: AuditChainRow };

export type AuditRow = {
  seq: number;
  at_ms: number;
  actor_kind: string;
  actor_id: string;
  action: string;
  object_kind: string;
  object_id: string | null;
  phase: string;
  about_seq: number | null;
  status: number | null;
  request_id: string | null;
  key_id: string;
  detail_digest: string;
  /** JSON object. */
  detail: string;
  prev: string;
  digest: string;
};

/** Both ends of what is kept. One row, which every writer takes first. `key_id` (since 0049) is the key that comes next; null before the first entry. */
export type AuditChainRow = {
  id: number;
  start_seq: number;
  start_prev: string;
  seq: number;
  digest: string;
  mac: string;
  key_id: string | null;
};

const ZEROS = '0'.repeat(64);

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('audit_entries')
    .addColumn('seq', 'bigint', (column) => column.primaryKey())
    .addColumn('at_ms', 'bigint', (column) => column.notNull())
    .addColumn('actor_kind', 'text', (column) => column.notNull())
    .addColumn('actor_id', 'text', (column) => column.notNull())
    .addColumn('action', 'text', (column) => column.notNull())
    .addColumn('object_kind', 'text', (column) => column.notNull())
    .addColumn('object_id', 'text')
    .addColumn('phase', 'text', (column) => column.notNull())
    .addColumn('about_seq', 'bigint')
    .addColumn('status', 'bigint')
    .addColumn('request_id', 'text')
    .addColumn('key_id', 'text', (column) => column.notNull())
    .addColumn('detail_digest', 'text', (column) => column.notNull())
    .addColumn('detail', 'text', (column) => column.notNull())
    .addColumn('prev', 'text', (column) => column.notNull())
    .addColumn('digest', 'text', (column) => column.notNull())
    .execute();
  await db.schema.createIndex('audit_entries_by_time').on('audit_entries').columns(['at_ms', 'seq']).execute();
  await db.schema.createIndex('audit_entries_by_object').on('audit_entries').columns(['object_kind', 'object_id', 'seq']).execute();
  await db.schema.createIndex('audit_entries_by_actor').on('audit_entries').columns(['actor_id', 'seq']).execute();
  await db.schema
    .createTable('audit_chain')
    .addColumn('id', 'bigint', (column) => column.primaryKey())
    .addColumn('start_seq', 'bigint', (column) => column.notNull())
    .addColumn('start_prev', 'text', (column) => column.notNull())
    .addColumn('seq', 'bigint', (column) => column.notNull())
    .addColumn('digest', 'text', (column) => column.notNull())
    .addColumn('mac', 'text', (column) => column.notNull())
    .execute();
  await sql`insert into audit_chain (id, start_seq, start_prev, seq, digest, mac) values (1, 1, ${sql.lit(ZEROS)}, 0, ${sql.lit(ZEROS)}, '')`.execute(
    db,
  );
}
