import { messageOf } from '@nines/base/errors.ts';
import type Sqlite from 'better-sqlite3';
import { openSqliteToRead } from './open.ts';

/** What SQLite finds wrong with a state database, at most a hundred sentences; nothing is changed. Reads the whole file and holds up the event loop meanwhile. */
export function stateIntegrity(path: string, key: Uint8Array | undefined): readonly string[] {
  let database: Sqlite.Database | undefined;
  try {
    database = openSqliteToRead(path, key);
    const rows = database.pragma('integrity_check(100)') as readonly { readonly integrity_check: string }[];
    const found = rows.map((row) => row.integrity_check).filter((text) => text !== 'ok');
    const broken = database.pragma('foreign_key_check') as readonly { readonly table: string; readonly parent: string }[];
    return [...found, ...new Set(broken.map(({ table, parent }) => `rows of ${table} point at rows of ${parent} that are gone`))];
  } catch (thrown) {
    return [`it cannot be read: ${messageOf(thrown)}`];
  } finally {
    database?.close();
  }
}
