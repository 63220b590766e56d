import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type SuiteContext, type TestContext, describe } from 'node:test';
import { epochMs } from '@nines/base/units.ts';
import { migrate } from '@nines/server/platform/db/migrate.ts';
import { type Db, type DbSource, openDb } from '@nines/server/platform/db/open.ts';
import { freshPostgres } from './postgres.ts';

/**
 * Opens a fresh, migrated database that is closed and removed after the test. `openAgain` gives a second, independent
 * connection to the same one, as another process would have.
 */
export type OpenDatabase = (
  t: TestContext,
) => Promise<{ readonly db: Db; readonly openAgain: () => Promise<Db>; readonly source: DbSource }>;

/** Runs one suite on SQLite and on a real PostgreSQL. Call it at the top level of a test file. */
export function forEachDatabase(suite: (name: DbSource['kind'], open: OpenDatabase) => void): void {
  const kinds: readonly DbSource['kind'][] = ['sqlite', 'postgresql'];
  for (const kind of kinds) describe(kind, (_context: SuiteContext) => suite(kind, (t) => openMigrated(t, kind)));
}

/** A migrated SQLite database in a file of its own, for tests that need some database and not both. */
export const openSqliteForTest = (t: TestContext): ReturnType<OpenDatabase> => openMigrated(t, 'sqlite');

async function openMigrated(t: TestContext, kind: DbSource['kind']): ReturnType<OpenDatabase> {
  const opened: Db[] = [];
  const { source, remove } = await freshSource(kind);
  t.after(async () => {
    for (const db of opened) await db.close();
    remove();
  });
  const openAgain = async (): Promise<Db> => {
    const db = await openDb(source);
    opened.push(db);
    return db;
  };
  const db = await openAgain();
  await migrate(db, epochMs(1_760_000_000_000));
  return { db, openAgain, source };
}

/** Where a new, empty database lies, and how to remove it when that is needed. */
export async function freshSource(kind: DbSource['kind']): Promise<{ readonly source: DbSource; readonly remove: () => void }> {
  if (kind === 'postgresql') return { source: { kind, url: await freshPostgres() }, remove: () => {} };
  const directory = mkdtempSync(join(tmpdir(), 'nines-db-'));
  return { source: { kind, path: join(directory, 'nines.sqlite') }, remove: () => rmSync(directory, { recursive: true, force: true }) };
}
