import type { Kysely } from 'kysely';

/**
 * People, their sessions, API tokens and the links that create the first administrator. Nothing here can be used as a
 * credential by whoever reads the table: passwords are Argon2id, the rest are SHA-256 of 256-bit secrets.
 */
export type AccessTables = { users: UserRow; sessions: SessionRow; tokens: TokenRow; setup_links: SetupLinkRow };

export type UserRow = {
  id: string;
  /** As typed; `name_key` is its folded form and unique, so that `Ann` and `ann` are one person. */
  name: string;
  name_key: string;
  team_id: string;
  role: string;
  /** Since 0054: a JSON list of the teams, and matchers in PromQL's form. Both empty: everything is seen. */
  teams: string;
  scope: string;
  /** `$argon2id$v=19$m=…,t=…,p=…$salt$hash` (PHC string). */
  password_hash: string;
  created_at_ms: number;
  disabled_at_ms: number | null;
  revision: number;
  /** Where links go; not unique. */
  email: string | null;
  /** Null while invited: nobody has signed in with it yet, and it counts as nobody. */
  joined_at_ms: number | null;
  signed_in_at_ms: number | null;
};

export type SessionRow = {
  /** SHA-256 of the cookie's value, hexadecimal. */
  id_hash: string;
  user_id: string;
  created_at_ms: number;
  /** Moves at most once a minute: the idle limit needs no more. */
  last_seen_at_ms: number;
  /** Absolute end, whatever happens. */
  expires_at_ms: number;
  user_agent: string;
  /** From where it was begun. */
  address: string;
  /** When the person last showed a password or a factor in this session. */
  proved_at_ms: number;
};

export type TokenRow = {
  id: string;
  name: string;
  team_id: string;
  role: string;
  /** Since 0054: a JSON list of the teams, and matchers in PromQL's form. Both empty: everything is seen. */
  teams: string;
  scope: string;
  /** The first characters, so that a person recognises a token without its secret. */
  hint: string;
  secret_hash: string;
  created_by: string;
  created_at_ms: number;
  expires_at_ms: number | null;
  last_used_at_ms: number | null;
  revoked_at_ms: number | null;
  /** Of the role's permits only these, as JSON; null: all of them. */
  permits: string | null;
  /** Of what can be done with alerts only these, as a JSON list; null: everything. */
  actions: string | null;
  /** Networks from which it is taken, as a JSON list; null: from everywhere. */
  addresses: string | null;
  last_used_address: string | null;
  /** The secret before the present one, which counts until then. */
  previous_hash: string | null;
  previous_until_ms: number | null;
};

export type SetupLinkRow = { secret_hash: string; created_at_ms: number; expires_at_ms: number; used_at_ms: number | null };

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('users')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('name_key', 'text', (column) => column.notNull().unique())
    .addColumn('team_id', 'text', (column) => column.notNull())
    .addColumn('role', 'text', (column) => column.notNull())
    .addColumn('password_hash', 'text', (column) => column.notNull())
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('disabled_at_ms', 'bigint')
    .addColumn('revision', 'bigint', (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('sessions')
    .addColumn('id_hash', 'text', (column) => column.primaryKey())
    .addColumn('user_id', 'text', (column) => column.notNull().references('users.id'))
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('last_seen_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('expires_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('user_agent', 'text', (column) => column.notNull())
    .execute();
  await db.schema.createIndex('sessions_user').on('sessions').column('user_id').execute();
  await db.schema
    .createTable('tokens')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('team_id', 'text', (column) => column.notNull())
    .addColumn('role', 'text', (column) => column.notNull())
    .addColumn('hint', 'text', (column) => column.notNull())
    .addColumn('secret_hash', 'text', (column) => column.notNull().unique())
    .addColumn('created_by', 'text', (column) => column.notNull())
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('expires_at_ms', 'bigint')
    .addColumn('last_used_at_ms', 'bigint')
    .addColumn('revoked_at_ms', 'bigint')
    .execute();
  await db.schema
    .createTable('setup_links')
    .addColumn('secret_hash', 'text', (column) => column.primaryKey())
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('expires_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('used_at_ms', 'bigint')
    .execute();
}
