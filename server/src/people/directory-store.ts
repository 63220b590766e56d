import type { UserRow } from '../platform/db/migrations/0002-access.ts';
import type { PersonLinkRow } from '../platform/db/migrations/0050-people.ts';
import type { Db } from '../platform/db/open.ts';
import type { Sql } from '../platform/records/contract.ts';

export async function listUsers(db: Sql): Promise<readonly UserRow[]> {
  return db.selectFrom('users').selectAll().orderBy('name_key').execute();
}

export async function listLinks(db: Sql, nowMs: number): Promise<readonly PersonLinkRow[]> {
  return db.selectFrom('person_links').selectAll().where('expires_at_ms', '>', nowMs).execute();
}

/** False when the name is taken, also by somebody who is added at the same time. */
export async function addUser(db: Sql, row: UserRow): Promise<boolean> {
  const done = await db
    .insertInto('users')
    .values(row)
    .onConflict((conflict) => conflict.column('name_key').doNothing())
    .executeTakeFirst();
  return done.numInsertedOrUpdatedRows === 1n;
}

/** Compare-and-set on the revision that was read; ends by `expectUpdated`. */
export async function updateUser(
  db: Sql,
  user: Pick<UserRow, 'id' | 'revision'>,
  change: Pick<UserRow, 'role' | 'teams' | 'scope' | 'email' | 'disabled_at_ms'>,
): Promise<{ readonly numUpdatedRows: bigint }> {
  return db
    .updateTable('users')
    .set({ ...change, revision: user.revision + 1 })
    .where('id', '=', user.id)
    .where('revision', '=', user.revision)
    .executeTakeFirst();
}

/** Also their links and pending sign-ins, which refer to them. */
export async function deleteUser(db: Sql, id: string): Promise<void> {
  await db.deleteFrom('users').where('id', '=', id).execute();
}

/**
 * The administrators who can sign in, held until the transaction ends: whoever would take one away at the same time waits, and then
 * finds one fewer. SQLite's transactions are alone anyway.
 */
export async function holdAdministrators(trx: Sql, kind: Db['kind']): Promise<readonly string[]> {
  const query = trx
    .selectFrom('users')
    .select('id')
    .where('role', '=', 'administrator')
    .where('disabled_at_ms', 'is', null)
    .where('joined_at_ms', 'is not', null)
    .orderBy('id');
  return (await (kind === 'postgresql' ? query.forUpdate() : query).execute()).map(({ id }) => id);
}
