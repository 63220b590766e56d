import type { Kysely } from 'kysely';

/** Second factors of people, what they were asked, and their wrong answers. */
export type FactorTables = {
  totp_factors: TotpRow;
  recovery_codes: RecoveryCodeRow;
  passkeys: PasskeyRow;
  factor_challenges: FactorChallengeRow;
  factor_tries: FactorTriesRow;
};

export type TotpRow = {
  id: string;
  user_id: string;
  /** The shared secret, sealed; base64url within. */
  secret: string;
  created_at_ms: number;
  /** Null until a first code has shown that the app has it. */
  confirmed_at_ms: number | null;
  last_used_at_ms: number | null;
  /** The last step whose code was used; -1 before the first. */
  last_step: number;
};

export type RecoveryCodeRow = {
  /** SHA-256 of person and code, hexadecimal; a code has 80 random bits. */
  digest: string;
  user_id: string;
  created_at_ms: number;
  used_at_ms: number | null;
};

export type PasskeyRow = {
  id: string;
  user_id: string;
  name: string;
  /** As the authenticator made it, base64url. */
  credential_id: string;
  /** COSE key, base64url. */
  public_key: string;
  counter: number;
  /** 0 or 1: the authenticator examines who uses it, so that it signs in alone. */
  verifies: number;
  /** 0 or 1: kept on several devices by a service of the maker. */
  backed_up: number;
  /** How browsers reach it, separated by commas. */
  transports: string;
  created_at_ms: number;
  last_used_at_ms: number | null;
};

export type FactorChallengeRow = {
  /** SHA-256 of the challenge, hexadecimal. */
  digest: string;
  purpose: string;
  /** Null where nobody has said yet who they are. */
  user_id: string | null;
  /** What else must come with the answer: the session or the sign-in under way. */
  bound_to: string;
  expires_at_ms: number;
};

/** Wrong answers since the last right one, so that guessing waits in every process and after every start. */
export type FactorTriesRow = { user_id: string; kind: string; failures: number; last_at_ms: number };

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('totp_factors')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('user_id', 'text', (column) => column.notNull())
    .addColumn('secret', 'text', (column) => column.notNull())
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('confirmed_at_ms', 'bigint')
    .addColumn('last_used_at_ms', 'bigint')
    .addColumn('last_step', 'bigint', (column) => column.notNull())
    .execute();
  await db.schema.createIndex('totp_factors_by_user').on('totp_factors').column('user_id').execute();
  await db.schema
    .createTable('recovery_codes')
    .addColumn('digest', 'text', (column) => column.primaryKey())
    .addColumn('user_id', 'text', (column) => column.notNull())
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('used_at_ms', 'bigint')
    .execute();
  await db.schema.createIndex('recovery_codes_by_user').on('recovery_codes').column('user_id').execute();
  await db.schema
    .createTable('passkeys')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('user_id', 'text', (column) => column.notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('credential_id', 'text', (column) => column.notNull().unique())
    .addColumn('public_key', 'text', (column) => column.notNull())
    .addColumn('counter', 'bigint', (column) => column.notNull())
    .addColumn('verifies', 'bigint', (column) => column.notNull())
    .addColumn('backed_up', 'bigint', (column) => column.notNull())
    .addColumn('transports', 'text', (column) => column.notNull())
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('last_used_at_ms', 'bigint')
    .execute();
  await db.schema.createIndex('passkeys_by_user').on('passkeys').column('user_id').execute();
  await db.schema
    .createTable('factor_challenges')
    .addColumn('digest', 'text', (column) => column.primaryKey())
    .addColumn('purpose', 'text', (column) => column.notNull())
    .addColumn('user_id', 'text')
    .addColumn('bound_to', 'text', (column) => column.notNull())
    .addColumn('expires_at_ms', 'bigint', (column) => column.notNull())
    .execute();
  await db.schema.createIndex('factor_challenges_by_end').on('factor_challenges').column('expires_at_ms').execute();
  await db.schema
    .createTable('factor_tries')
    .addColumn('user_id', 'text', (column) => column.notNull())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('failures', 'bigint', (column) => column.notNull())
    .addColumn('last_at_ms', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('factor_tries_pk', ['user_id', 'kind'])
    .execute();
}
