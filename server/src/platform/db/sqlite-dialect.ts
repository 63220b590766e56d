import type Sqlite from 'better-sqlite3';
import { CompiledQuery, type DatabaseConnection, SqliteDialect, SqliteDriver, type SqliteStatement } from 'kysely';
import { realClock, sleepAwake } from '../clock.ts';

/** Prepared statements kept per connection. The product has some hundred distinct statements; batches of odd sizes come on top. */
const STATEMENT_CACHE_SIZE = 500;
/** How long one statement waits for another process (the command line beside the server) before it gives up. */
export const SQLITE_BUSY_TIMEOUT_MS = 5_000;
/** How long the start of a transaction waits, and how often it looks again. */
const LOCK_WAIT_MS = 15_000;
const LOCK_POLL_MS = 3;

/**
 * Kysely's SQLite dialect with two changes: a transaction takes the write lock at its start, because one that reads first and
 * writes later fails at once with SQLITE_BUSY (busy_timeout does not apply) when another process wrote in between; and
 * prepared statements are kept. Waiting for the lock does not hold up the event loop.
 */
export class NinesSqliteDialect extends SqliteDialect {
  readonly #database: Sqlite.Database;

  constructor(database: Sqlite.Database) {
    super({ database });
    this.#database = database;
  }

  override createDriver(): SqliteDriver {
    return new ImmediateDriver({ database: cachingStatements(this.#database) });
  }
}

class ImmediateDriver extends SqliteDriver {
  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    const deadlineMs = realClock.monotonic() + LOCK_WAIT_MS;
    await connection.executeQuery(CompiledQuery.raw(`pragma busy_timeout = 0`));
    try {
      while (!(await tryBegin(connection, deadlineMs))) await sleepAwake(LOCK_POLL_MS);
    } finally {
      await connection.executeQuery(CompiledQuery.raw(`pragma busy_timeout = ${SQLITE_BUSY_TIMEOUT_MS}`));
    }
  }
}

/** False when another connection holds the write lock and there is time left to wait for it. */
async function tryBegin(connection: DatabaseConnection, deadlineMs: number): Promise<boolean> {
  try {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'));
    return true;
  } catch (thrown) {
    if ((thrown as { code?: unknown }).code !== 'SQLITE_BUSY' || realClock.monotonic() > deadlineMs) throw thrown;
    return false;
  }
}

function cachingStatements(database: Sqlite.Database): { prepare(sql: string): SqliteStatement; close(): void } {
  const kept = new Map<string, Sqlite.Statement>();
  return {
    prepare(sql) {
      const known = kept.get(sql);
      if (known !== undefined) return known as SqliteStatement;
      const statement = database.prepare(sql);
      if (kept.size >= STATEMENT_CACHE_SIZE) kept.clear();
      kept.set(sql, statement);
      return statement as SqliteStatement;
    },
    close: () => void database.close(),
  };
}
