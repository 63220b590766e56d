import type { ArrivalRow, LocalTargetRow, PreferencesRow } from '../platform/db/migrations/0083-home.ts';
import type { Sql } from '../platform/records/contract.ts';

export const findPreferences = (sql: Sql, personId: string): Promise<PreferencesRow | undefined> =>
  sql.selectFrom('preferences').selectAll().where('person_id', '=', personId).executeTakeFirst();

export async function savePreferences(sql: Sql, row: PreferencesRow): Promise<void> {
  const { landing, checklist_hidden } = row;
  await sql
    .insertInto('preferences')
    .values(row)
    .onConflict((conflict) => conflict.column('person_id').doUpdateSet({ landing, checklist_hidden }))
    .execute();
}

export async function deletePreferences(sql: Sql, personId: string): Promise<void> {
  await sql.deleteFrom('preferences').where('person_id', '=', personId).execute();
}

export const listArrivals = (sql: Sql): Promise<readonly ArrivalRow[]> => sql.selectFrom('arrivals').selectAll().execute();

/** The first stays: another process may have seen it earlier. */
export async function saveArrival(sql: Sql, row: ArrivalRow): Promise<void> {
  await sql
    .insertInto('arrivals')
    .values(row)
    .onConflict((conflict) => conflict.column('way').doNothing())
    .execute();
}

export const listLocalTargets = (sql: Sql): Promise<readonly LocalTargetRow[]> =>
  sql.selectFrom('local_targets').selectAll().orderBy('port').execute();

export async function insertLocalTarget(sql: Sql, row: LocalTargetRow): Promise<void> {
  await sql
    .insertInto('local_targets')
    .values(row)
    .onConflict((conflict) => conflict.column('port').doNothing())
    .execute();
}

export async function deleteLocalTarget(sql: Sql, port: number): Promise<boolean> {
  const { numDeletedRows } = await sql.deleteFrom('local_targets').where('port', '=', port).executeTakeFirst();
  return numDeletedRows > 0n;
}
