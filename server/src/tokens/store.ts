import type { Sql } from '../platform/records/contract.ts';
import type { TokenRow } from '../platform/db/migrations/0002-access.ts';

export async function insertToken(db: Sql, row: TokenRow): Promise<void> {
  await db.insertInto('tokens').values(row).execute();
}

/** By the digest of its present secret or of the one before, revoked or not. */
export async function findToken(db: Sql, secretHash: string): Promise<TokenRow | undefined> {
  return db
    .selectFrom('tokens')
    .selectAll()
    .where((row) => row.or([row('secret_hash', '=', secretHash), row('previous_hash', '=', secretHash)]))
    .executeTakeFirst();
}

/** Undefined when there is none, or it was revoked. */
export async function liveToken(db: Sql, id: string): Promise<TokenRow | undefined> {
  return db.selectFrom('tokens').selectAll().where('id', '=', id).where('revoked_at_ms', 'is', null).executeTakeFirst();
}

/** Tokens that were not revoked, newest first. */
export async function listTokens(db: Sql): Promise<readonly TokenRow[]> {
  return db
    .selectFrom('tokens')
    .selectAll()
    .where('revoked_at_ms', 'is', null)
    .orderBy('created_at_ms', 'desc')
    .orderBy('id', 'desc')
    .execute();
}

export async function touchToken(db: Sql, id: string, use: { readonly atMs: number; readonly address: string }): Promise<void> {
  await db.updateTable('tokens').set({ last_used_at_ms: use.atMs, last_used_address: use.address }).where('id', '=', id).execute();
}

/** False when there is no such token or it was revoked before. */
export async function revokeToken(db: Sql, id: string, nowMs: number): Promise<boolean> {
  const done = await db
    .updateTable('tokens')
    .set({ revoked_at_ms: nowMs })
    .where('id', '=', id)
    .where('revoked_at_ms', 'is', null)
    .executeTakeFirst();
  return done.numUpdatedRows === 1n;
}

/** The present secret becomes the one before. False when somebody else has replaced it meanwhile. */
export async function replaceSecret(
  db: Sql,
  before: TokenRow,
  next: Pick<TokenRow, 'secret_hash' | 'hint' | 'previous_until_ms'>,
): Promise<boolean> {
  const done = await db
    .updateTable('tokens')
    .set({ ...next, previous_hash: before.secret_hash })
    .where('id', '=', before.id)
    .where('secret_hash', '=', before.secret_hash)
    .where('revoked_at_ms', 'is', null)
    .executeTakeFirst();
  return done.numUpdatedRows === 1n;
}
