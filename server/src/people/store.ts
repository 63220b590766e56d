import type { UserRow } from '../platform/db/migrations/0002-access.ts';
import type { Sql } from '../platform/records/contract.ts';

/** Whether anyone can sign in yet. */
export async function hasUsers(db: Sql): Promise<boolean> {
  return (await db.selectFrom('users').select('id').limit(1).executeTakeFirst()) !== undefined;
}

/** Whoever has this id, disabled or not. */
export async function userById(db: Sql, id: string): Promise<UserRow | undefined> {
  return db.selectFrom('users').selectAll().where('id', '=', id).executeTakeFirst();
}

/** Whoever has this name, disabled or not. */
export async function userByName(db: Sql, nameKey: string): Promise<UserRow | undefined> {
  return db.selectFrom('users').selectAll().where('name_key', '=', nameKey).executeTakeFirst();
}

/** Undefined also when they are disabled. */
export async function enabledUserById(db: Sql, id: string): Promise<UserRow | undefined> {
  return db.selectFrom('users').selectAll().where('id', '=', id).where('disabled_at_ms', 'is', null).executeTakeFirst();
}

/** Undefined also when they are disabled. */
export async function enabledUserByName(db: Sql, nameKey: string): Promise<UserRow | undefined> {
  return db.selectFrom('users').selectAll().where('name_key', '=', nameKey).where('disabled_at_ms', 'is', null).executeTakeFirst();
}

export async function setRole(db: Sql, id: string, role: string): Promise<void> {
  await db
    .updateTable('users')
    .set((row) => ({ role, revision: row('revision', '+', 1) }))
    .where('id', '=', id)
    .execute();
}

/** Everybody with their role, those who are disabled as well. */
export function listRoles(db: Sql): Promise<readonly Pick<UserRow, 'name' | 'role'>[]> {
  return db.selectFrom('users').select(['name', 'role']).orderBy('name_key').execute();
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
