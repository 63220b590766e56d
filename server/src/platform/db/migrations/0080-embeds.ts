import type { Kysely } from 'kysely';

/** Links under which dashboards stand in pages of others, and the key that signs them. */
export type EmbedTables = { embed_links: EmbedLinkRow; embed_keys: EmbedKeyRow };

export type EmbedLinkRow = {
  id: string;
  dashboard: string;
  /** JSON as `embedLink` in dashboards/embeds/contract.ts: panel, values, time, sites, looks. */
  spec: string;
  made_by_kind: string;
  made_by_id: string;
  made_by_name: string;
  /** Matchers: what the maker saw then; empty for everything. */
  scope: string;
  made_at_ms: number;
  expires_at_ms: number;
  revoked_at_ms: number | null;
  revoked_by: string | null;
};

export type EmbedKeyRow = {
  id: string;
  /** Sealed. */
  secret: string;
  made_at_ms: number;
};

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('embed_links')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('dashboard', 'text', (column) => column.notNull())
    .addColumn('spec', 'text', (column) => column.notNull())
    .addColumn('made_by_kind', 'text', (column) => column.notNull())
    .addColumn('made_by_id', 'text', (column) => column.notNull())
    .addColumn('made_by_name', 'text', (column) => column.notNull())
    .addColumn('scope', 'text', (column) => column.notNull())
    .addColumn('made_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('expires_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('revoked_at_ms', 'bigint')
    .addColumn('revoked_by', 'text')
    .execute();
  await db.schema.createIndex('embed_links_of').on('embed_links').columns(['dashboard', 'made_at_ms']).execute();
  await db.schema
    .createTable('embed_keys')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('secret', 'text', (column) => column.notNull())
    .addColumn('made_at_ms', 'bigint', (column) => column.notNull())
    .execute();
}
