import type { Sql } from '../platform/records/contract.ts';
import type { SessionRow, TokenRow, UserRow } from '../platform/db/migrations/0002-access.ts';

/** Whether anyone can sign in yet. */
export async function hasUsers(db: Sql): Promise<boolean> {
  return (await db.selectFrom('users').select('id').limit(1).executeTakeFirst()) !== undefined;
}

export async function findUser(db: Sql, nameKey: string): Promise<UserRow | undefined> {
  return db.selectFrom('users').selectAll().where('name_key', '=', nameKey).where('disabled_at_ms', 'is', null).executeTakeFirst();
}

export async function insertUser(db: Sql, row: UserRow): Promise<void> {
  await db.insertInto('users').values(row).execute();
}

/** Compare-and-set on the revision that was read. */
export async function updatePassword(db: Sql, user: UserRow, passwordHash: string): Promise<boolean> {
  const done = await db
    .updateTable('users')
    .set({ password_hash: passwordHash, revision: user.revision + 1 })
    .where('id', '=', user.id)
    .where('revision', '=', user.revision)
    .executeTakeFirst();
  return done.numUpdatedRows === 1n;
}

export async function insertSession(db: Sql, row: SessionRow): Promise<void> {
  await db.insertInto('sessions').values(row).execute();
}

/** A live session with its user. */
export async function findSession(db: Sql, idHash: string): Promise<{ readonly session: SessionRow; readonly user: UserRow } | undefined> {
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

/** Replaces every unused link: only the one printed last works. */
export async function replaceSetupLink(db: Sql, secretHash: string, nowMs: number, expiresAtMs: number): Promise<void> {
  await db.deleteFrom('setup_links').where('used_at_ms', 'is', null).execute();
  await db
    .insertInto('setup_links')
    .values({ secret_hash: secretHash, created_at_ms: nowMs, expires_at_ms: expiresAtMs, used_at_ms: null })
    .execute();
}

export type SetupLinkState = 'usable' | 'used_before' | 'expired' | 'unknown';

/** What a link is worth, without using it up. */
export async function judgeSetupLink(db: Sql, secretHash: string, nowMs: number): Promise<SetupLinkState> {
  const link = await db.selectFrom('setup_links').selectAll().where('secret_hash', '=', secretHash).executeTakeFirst();
  if (link === undefined) return 'unknown';
  if (link.used_at_ms !== null) return 'used_before';
  return link.expires_at_ms <= nowMs ? 'expired' : 'usable';
}

/** Uses the link up, exactly once even when two try at the same time. */
export async function useSetupLink(db: Sql, secretHash: string, nowMs: number): Promise<'used_now' | Exclude<SetupLinkState, 'usable'>> {
  const state = await judgeSetupLink(db, secretHash, nowMs);
  if (state !== 'usable') return state;
  const done = await db
    .updateTable('setup_links')
    .set({ used_at_ms: nowMs })
    .where('secret_hash', '=', secretHash)
    .where('used_at_ms', 'is', null)
    .executeTakeFirst();
  return done.numUpdatedRows === 1n ? 'used_now' : 'used_before';
}
