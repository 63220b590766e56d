import type { Sql } from '../platform/records/contract.ts';
import type { SessionRow, UserRow } from '../platform/db/migrations/0002-access.ts';

export async function insertSession(db: Sql, row: SessionRow): Promise<void> {
  await db.insertInto('sessions').values(row).execute();
}

export type FoundSession = { readonly session: SessionRow; readonly user: UserRow };

/** False when the person may not sign in, or their password is not the one any more that was examined. */
export async function signedIn(
  db: Sql,
  { id, passwordHash }: { readonly id: string; readonly passwordHash: string | undefined },
  nowMs: number,
): Promise<boolean> {
  let query = db.updateTable('users').set({ signed_in_at_ms: nowMs }).where('id', '=', id).where('disabled_at_ms', 'is', null);
  if (passwordHash !== undefined) query = query.where('password_hash', '=', passwordHash);
  return (await query.executeTakeFirst()).numUpdatedRows === 1n;
}

/** A session with its user, who may sign in. */
export async function findSession(db: Sql, idHash: string): Promise<FoundSession | undefined> {
  const session = await db.selectFrom('sessions').selectAll().where('id_hash', '=', idHash).executeTakeFirst();
  if (session === undefined) return undefined;
  const user = await db
    .selectFrom('users')
    .selectAll()
    .where('id', '=', session.user_id)
    .where('disabled_at_ms', 'is', null)
    .executeTakeFirst();
  return user === undefined ? undefined : { session, user };
}

/** Live sessions, of one person or of all, the last used first. */
export async function listSessions(
  db: Sql,
  { nowMs, idleBeforeMs, userId }: { readonly nowMs: number; readonly idleBeforeMs: number; readonly userId?: string },
): Promise<readonly SessionRow[]> {
  let query = db.selectFrom('sessions').selectAll().where('expires_at_ms', '>', nowMs).where('last_seen_at_ms', '>=', idleBeforeMs);
  if (userId !== undefined) query = query.where('user_id', '=', userId);
  return query.orderBy('last_seen_at_ms', 'desc').orderBy('id_hash').execute();
}

export async function touchSession(db: Sql, idHash: string, nowMs: number): Promise<void> {
  await db.updateTable('sessions').set({ last_seen_at_ms: nowMs }).where('id_hash', '=', idHash).execute();
}

export async function deleteSession(db: Sql, idHash: string): Promise<void> {
  await db.deleteFrom('sessions').where('id_hash', '=', idHash).execute();
}

export async function deleteSessionsOf(db: Sql, userId: string): Promise<void> {
  await db.deleteFrom('sessions').where('user_id', '=', userId).execute();
}

/** Sessions past their absolute end or idle since before `idleBeforeMs`. */
export async function deleteEndedSessions(db: Sql, nowMs: number, idleBeforeMs: number): Promise<void> {
  await db
    .deleteFrom('sessions')
    .where((row) => row.or([row('expires_at_ms', '<=', nowMs), row('last_seen_at_ms', '<=', idleBeforeMs)]))
    .execute();
}

/** Gives a session another identity at `nowMs`; false when it ended meanwhile. */
export async function rotateSession(db: Sql, from: string, to: string, nowMs: number): Promise<boolean> {
  const done = await db.updateTable('sessions').set({ id_hash: to, proved_at_ms: nowMs }).where('id_hash', '=', from).executeTakeFirst();
  return done.numUpdatedRows === 1n;
}
