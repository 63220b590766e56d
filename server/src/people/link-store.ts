import type { UserRow } from '../platform/db/migrations/0002-access.ts';
import type { PersonLinkRow } from '../platform/db/migrations/0050-people.ts';
import type { Sql } from '../platform/records/contract.ts';
import { enabledUserById } from './store.ts';

export type FoundLink = { readonly link: PersonLinkRow; readonly user: UserRow };

export async function replaceLink(db: Sql, row: PersonLinkRow): Promise<void> {
  await deleteLinkOf(db, row.user_id);
  await db.insertInto('person_links').values(row).execute();
}

/** A link that still works, with its person, who may sign in. */
export async function findLink(db: Sql, secretHash: string, nowMs: number): Promise<FoundLink | undefined> {
  const link = await db
    .selectFrom('person_links')
    .selectAll()
    .where('secret_hash', '=', secretHash)
    .where('expires_at_ms', '>', nowMs)
    .executeTakeFirst();
  if (link === undefined) return undefined;
  const user = await enabledUserById(db, link.user_id);
  return user === undefined ? undefined : { link, user };
}

/** Uses the link up, exactly once even when two try at the same time. */
export async function useLink(db: Sql, secretHash: string, nowMs: number): Promise<boolean> {
  const done = await db
    .deleteFrom('person_links')
    .where('secret_hash', '=', secretHash)
    .where('expires_at_ms', '>', nowMs)
    .executeTakeFirst();
  return done.numDeletedRows === 1n;
}

/** The password of a person who may sign in; from now on they have joined. */
export async function setPassword(db: Sql, userId: string, passwordHash: string, nowMs: number): Promise<boolean> {
  const done = await db
    .updateTable('users')
    .set((row) => ({
      password_hash: passwordHash,
      joined_at_ms: row.fn.coalesce('joined_at_ms', row.val(nowMs)),
      revision: row('revision', '+', 1),
    }))
    .where('id', '=', userId)
    .where('disabled_at_ms', 'is', null)
    .executeTakeFirst();
  return done.numUpdatedRows === 1n;
}

/** False when there was none. */
export async function deleteLinkOf(db: Sql, userId: string): Promise<boolean> {
  const done = await db.deleteFrom('person_links').where('user_id', '=', userId).executeTakeFirst();
  return done.numDeletedRows > 0n;
}
