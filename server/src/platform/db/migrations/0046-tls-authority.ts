import type { Kysely } from 'kysely';

/** What signs the server's own certificate, so that whoever trusts it trusts the next one too, from whichever process it comes. */
export type TlsTables = { tls_authority: TlsAuthorityRow };

/** One row. The private key is sealed. */
export type TlsAuthorityRow = { id: string; certificate: string; private_key: string; created_at_ms: number };

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('tls_authority')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('certificate', 'text', (column) => column.notNull())
    .addColumn('private_key', 'text', (column) => column.notNull())
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .execute();
}
