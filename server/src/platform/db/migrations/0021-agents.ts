import type { Kysely } from 'kysely';

/** Agents at other places, the tokens they join with, and the authority that signs their certificates. */
export type AgentTables = { agents: AgentRow; agent_join_tokens: AgentJoinTokenRow; agent_authority: AgentAuthorityRow };

export type AgentRow = {
  id: string;
  location: string;
  /** SHA-256 of the certificate that the agent shows, base64url; the one after it, signed and not shown yet. */
  certificate: string;
  next_certificate: string | null;
  certificate_until_ms: number;
  /** 1: the agent is to take a new key at once. */
  rotate: number;
  created_by: string;
  created_at_ms: number;
  last_seen_at_ms: number | null;
  revoked_at_ms: number | null;
  revoked_by: string | null;
  /** The newest result that was taken in. */
  taken: number;
  /** What the agent said of itself last, JSON. */
  status: string | null;
};

export type AgentJoinTokenRow = {
  id: string;
  location: string;
  secret_hash: string;
  created_by: string;
  created_at_ms: number;
  expires_at_ms: number;
  used_at_ms: number | null;
};

/** One row. The private key is sealed. */
export type AgentAuthorityRow = { id: string; certificate: string; private_key: string; created_at_ms: number };

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('agents')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('location', 'text', (column) => column.notNull())
    .addColumn('certificate', 'text', (column) => column.notNull())
    .addColumn('next_certificate', 'text')
    .addColumn('certificate_until_ms', 'bigint', (column) => column.notNull())
    .addColumn('rotate', 'integer', (column) => column.notNull())
    .addColumn('created_by', 'text', (column) => column.notNull())
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('last_seen_at_ms', 'bigint')
    .addColumn('revoked_at_ms', 'bigint')
    .addColumn('revoked_by', 'text')
    .addColumn('taken', 'bigint', (column) => column.notNull())
    .addColumn('status', 'text')
    .execute();
  await db.schema
    .createTable('agent_join_tokens')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('location', 'text', (column) => column.notNull())
    .addColumn('secret_hash', 'text', (column) => column.notNull().unique())
    .addColumn('created_by', 'text', (column) => column.notNull())
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('expires_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('used_at_ms', 'bigint')
    .execute();
  await db.schema
    .createTable('agent_authority')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('certificate', 'text', (column) => column.notNull())
    .addColumn('private_key', 'text', (column) => column.notNull())
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .execute();
}
