import type { Sql } from '../platform/records/contract.ts';
import type { TokenRow } from '../platform/db/migrations/0002-access.ts';

export async function insertToken(db: Sql, row: TokenRow): Promise<void> {
  await db.insertInto('tokens').values(row).execute();
}

export async function findToken(db: Sql, secretHash: string): Promise<TokenRow | undefined> {
  return db.selectFrom('tokens').selectAll().where('secret_hash', '=', secretHash).where('revoked_at_ms', 'is', null).executeTakeFirst();
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

export async function touchToken(db: Sql, id: string, nowMs: number): Promise<void> {
  await db.updateTable('tokens').set({ last_used_at_ms: nowMs }).where('id', '=', id).execute();
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
