import { sql } from 'kysely';
import type { Sql } from '../records/contract.ts';
import type { SealedColumn } from './columns.ts';

export type KeptValue = { readonly id: string; readonly value: string };

const PAGE_ROWS = 500;

/** The values of a column that hold sealed texts, or those that do not. In the order of their ids; rows may change meanwhile. */
export async function* keptValues(
  db: Sql,
  { table, id, column, holds }: SealedColumn,
  which: 'sealed' | 'open',
): AsyncGenerator<KeptValue> {
  const [from, key, value] = [sql.table(table), sql.ref(id), sql.ref(column)];
  // What people typed stands in JSON with its quotes escaped, and so never looks like this.
  const pattern = sql.lit(holds === 'json' ? '%"$sealed":"sealed1.%' : 'sealed1.%');
  const like = which === 'sealed' ? sql`${value} like ${pattern}` : sql`${value} not like ${pattern}`;
  for (let after: string | undefined; ; ) {
    const beyond = after === undefined ? sql`1 = 1` : sql`${key} > ${after}`;
    const { rows } = await sql<KeptValue>`
      select ${key} as id, ${value} as value from ${from} where ${like} and ${beyond} order by ${key} limit ${sql.lit(PAGE_ROWS)}`.execute(
      db,
    );
    yield* rows;
    after = rows.at(-1)?.id;
    if (rows.length < PAGE_ROWS) return;
  }
}

/** False when the value is not `from` any more: whoever changed it sealed it. */
export async function replaceValue(
  db: Sql,
  { table, id, column }: SealedColumn,
  { row, from, to }: { readonly row: string; readonly from: string; readonly to: string },
): Promise<boolean> {
  const value = sql.ref(column);
  const done = await sql`update ${sql.table(table)} set ${value} = ${to} where ${sql.ref(id)} = ${row} and ${value} = ${from}`.execute(db);
  return done.numAffectedRows === 1n;
}
