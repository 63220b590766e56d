import type { UserRow } from '../platform/db/migrations/0002-access.ts';
import type { PendingLoginRow } from '../platform/db/migrations/0050-people.ts';
import type { Sql } from '../platform/records/contract.ts';
import { enabledUserById } from './store.ts';

export async function insertPending(db: Sql, row: PendingLoginRow): Promise<void> {
  await db.insertInto('pending_logins').values(row).execute();
}

export async function deleteExpired(db: Sql, nowMs: number): Promise<void> {
  await db.deleteFrom('pending_logins').where('expires_at_ms', '<=', nowMs).execute();
}

/** A pending sign-in with its person, who may sign in. */
export async function findPending(
  db: Sql,
  challengeHash: string,
): Promise<{ readonly pending: PendingLoginRow; readonly user: UserRow } | undefined> {
  const pending = await db.selectFrom('pending_logins').selectAll().where('challenge_hash', '=', challengeHash).executeTakeFirst();
  if (pending === undefined) return undefined;
  const user = await enabledUserById(db, pending.user_id);
  return user === undefined ? undefined : { pending, user };
}

/** False when there is no such challenge or it was tried `most` times. */
export async function countTry(db: Sql, challengeHash: string, most: number): Promise<boolean> {
  const done = await db
    .updateTable('pending_logins')
    .set((row) => ({ tries: row('tries', '+', 1) }))
    .where('challenge_hash', '=', challengeHash)
    .where('tries', '<', most)
    .executeTakeFirst();
  return done.numUpdatedRows === 1n;
}

/** Uses the challenge up, exactly once even when two try at the same time. */
export async function usePending(db: Sql, challengeHash: string): Promise<boolean> {
  const done = await db.deleteFrom('pending_logins').where('challenge_hash', '=', challengeHash).executeTakeFirst();
  return done.numDeletedRows === 1n;
}

export async function deletePendingOf(db: Sql, userId: string): Promise<void> {
  await db.deleteFrom('pending_logins').where('user_id', '=', userId).execute();
}
