import type { IdentityRow, SsoAttemptRow } from '../platform/db/migrations/0052-sso.ts';
import type { Sql } from '../platform/records/contract.ts';

/** Attempts that ended without an answer go with the next one that begins. */
export async function insertAttempt(db: Sql, row: SsoAttemptRow, nowMs: number): Promise<void> {
  await db.deleteFrom('sso_attempts').where('expires_at_ms', '<=', nowMs).execute();
  await db.insertInto('sso_attempts').values(row).execute();
}

/** Uses an attempt up: of two answers at the same time one finds it. */
export async function takeAttempt(db: Sql, secretHash: string): Promise<SsoAttemptRow | undefined> {
  return db.deleteFrom('sso_attempts').where('secret_hash', '=', secretHash).returningAll().executeTakeFirst();
}

export async function findIdentity(db: Sql, issuer: string, subject: string): Promise<IdentityRow | undefined> {
  return db.selectFrom('identities').selectAll().where('issuer', '=', issuer).where('subject', '=', subject).executeTakeFirst();
}

/** False when somebody has it. */
export async function insertIdentity(db: Sql, row: IdentityRow): Promise<boolean> {
  const done = await db
    .insertInto('identities')
    .values(row)
    .onConflict((conflict) => conflict.columns(['issuer', 'subject']).doNothing())
    .executeTakeFirst();
  return done.numInsertedOrUpdatedRows === 1n;
}

export async function touchIdentity(db: Sql, id: string, name: string, nowMs: number): Promise<void> {
  await db.updateTable('identities').set({ name, last_used_at_ms: nowMs }).where('id', '=', id).execute();
}

export async function identitiesOf(db: Sql, userId: string): Promise<readonly IdentityRow[]> {
  return db.selectFrom('identities').selectAll().where('user_id', '=', userId).orderBy('created_at_ms').orderBy('id').execute();
}

export async function deleteIdentity(db: Sql, id: string): Promise<void> {
  await db.deleteFrom('identities').where('id', '=', id).execute();
}
