import { type Kysely, sql } from 'kysely';

/** What a person has to answer before they are signed in: the password was right, the second factor is still to be shown. */
export type PendingLoginRow = {
  /** SHA-256 of the challenge, hexadecimal. */
  challenge_hash: string;
  user_id: string;
  /** SHA-256 of the address and the browser's name: no other browser can go on. */
  place_hash: string;
  created_at_ms: number;
  expires_at_ms: number;
  tries: number;
};

/** A one-time link with which a person sets their password; one per person, the last made. */
export type PersonLinkRow = {
  user_id: string;
  /** `invitation` or `reset`. */
  kind: string;
  secret_hash: string;
  created_by: string;
  /** `user`, `token`, or `system` for the command line. */
  made_by_kind: string;
  created_at_ms: number;
  expires_at_ms: number;
};

export type PeopleTables = { pending_logins: PendingLoginRow; person_links: PersonLinkRow };

/** Invitations, resets, second steps of a sign-in, and what the lists of people and sessions show. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('users').addColumn('email', 'text').execute();
  await db.schema.alterTable('users').addColumn('joined_at_ms', 'bigint').execute();
  await db.schema.alterTable('users').addColumn('signed_in_at_ms', 'bigint').execute();
  await sql`update users set joined_at_ms = created_at_ms`.execute(db);
  await db.schema
    .alterTable('sessions')
    .addColumn('address', 'text', (column) => column.notNull().defaultTo(''))
    .execute();
  await db.schema
    .alterTable('sessions')
    .addColumn('proved_at_ms', 'bigint', (column) => column.notNull().defaultTo(0))
    .execute();
  await db.schema
    .createTable('pending_logins')
    .addColumn('challenge_hash', 'text', (column) => column.primaryKey())
    .addColumn('user_id', 'text', (column) => column.notNull().references('users.id').onDelete('cascade'))
    .addColumn('place_hash', 'text', (column) => column.notNull())
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('expires_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('tries', 'bigint', (column) => column.notNull())
    .execute();
  await db.schema.createIndex('pending_logins_user').on('pending_logins').column('user_id').execute();
  await db.schema
    .createTable('person_links')
    .addColumn('user_id', 'text', (column) => column.primaryKey().references('users.id').onDelete('cascade'))
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('secret_hash', 'text', (column) => column.notNull().unique())
    .addColumn('created_by', 'text', (column) => column.notNull())
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('expires_at_ms', 'bigint', (column) => column.notNull())
    .execute();
}
