import type { Transaction } from 'kysely';
import type { ConfigurationRow } from '../platform/db/migrations/0049-accountability.ts';
import type { Database } from '../platform/db/schema.ts';
import type { Sql } from '../platform/records/contract.ts';

/** The last one, if any. */
export const last = (sql: Sql): Promise<ConfigurationRow | undefined> =>
  sql.selectFrom('configurations').selectAll().orderBy('version', 'desc').limit(1).executeTakeFirst();

export const find = (sql: Sql, version: number): Promise<ConfigurationRow | undefined> =>
  sql.selectFrom('configurations').selectAll().where('version', '=', version).executeTakeFirst();

/** Newest first. */
export const list = (sql: Sql, { before, limit }: { readonly before: number | undefined; readonly limit: number }) => {
  const query = sql.selectFrom('configurations').selectAll();
  return (before === undefined ? query : query.where('version', '<', before)).orderBy('version', 'desc').limit(limit).execute();
};

export async function insert(trx: Transaction<Database>, row: ConfigurationRow, sealed: string): Promise<void> {
  await trx.insertInto('configurations').values(row).execute();
  await trx
    .insertInto('configuration_texts')
    .values({ id: String(row.version), sealed })
    .execute();
}

export async function sealedOf(sql: Sql, version: number): Promise<string | undefined> {
  const row = await sql.selectFrom('configuration_texts').select('sealed').where('id', '=', String(version)).executeTakeFirst();
  return row?.sealed;
}

/** Removes what is older than `version`. */
export async function removeBefore(trx: Transaction<Database>, version: number): Promise<void> {
  const gone = await trx.selectFrom('configurations').select('version').where('version', '<', version).execute();
  if (gone.length === 0) return;
  await trx.deleteFrom('configurations').where('version', '<', version).execute();
  const ids = gone.map((row) => String(row.version));
  await trx.deleteFrom('configuration_texts').where('id', 'in', ids).execute();
}
