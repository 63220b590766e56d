import type { Kysely } from 'kysely';

/** People as identity providers know them, and sign-ins that are under way there. */
export type SsoTables = { identities: IdentityRow; sso_attempts: SsoAttemptRow };

export type IdentityRow = {
  id: string;
  /** Issuer and subject together name a person for good; names and mail addresses change hands. */
  issuer: string;
  subject: string;
  user_id: string;
  /** As the provider calls them, for people to recognise. */
  name: string;
  created_at_ms: number;
  last_used_at_ms: number;
};

export type SsoAttemptRow = {
  /** SHA-256 of the secret in the browser's cookie, hexadecimal. Nothing here can be used without that cookie. */
  secret_hash: string;
  provider: string;
  /** Where the person wanted to go; a path of this server. */
  next: string;
  /** Who asked to link the identity to themselves; null for a sign-in. */
  link_user_id: string | null;
  expires_at_ms: number;
};

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('identities')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('issuer', 'text', (column) => column.notNull())
    .addColumn('subject', 'text', (column) => column.notNull())
    .addColumn('user_id', 'text', (column) => column.notNull().references('users.id').onDelete('cascade'))
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('last_used_at_ms', 'bigint', (column) => column.notNull())
    .addUniqueConstraint('identities_subject', ['issuer', 'subject'])
    .execute();
  await db.schema.createIndex('identities_user').on('identities').column('user_id').execute();
  await db.schema
    .createTable('sso_attempts')
    .addColumn('secret_hash', 'text', (column) => column.primaryKey())
    .addColumn('provider', 'text', (column) => column.notNull())
    .addColumn('next', 'text', (column) => column.notNull())
    .addColumn('link_user_id', 'text')
    .addColumn('expires_at_ms', 'bigint', (column) => column.notNull())
    .execute();
}
