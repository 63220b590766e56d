import { dirname } from 'node:path';
import { AppError, messageOf } from '@nines/base/errors.ts';
import type { HeldFile } from '@nines/tsdb/contract.ts';
import { SqliteHolder } from '@nines/tsdb/held-file.ts';
import { orphanedWal } from '@nines/tsdb/sqlite-wal.ts';
import Sqlite from 'better-sqlite3';
import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import { makeDirectory } from '../directory.ts';
import type { Database } from './schema.ts';
import { NinesSqliteDialect, SQLITE_BUSY_TIMEOUT_MS } from './sqlite-dialect.ts';

export type DbSource =
  | {
      readonly kind: 'sqlite';
      readonly path: string;
      /** 32 bytes, when the file is encrypted. */
      readonly key?: Uint8Array | undefined;
    }
  | { readonly kind: 'postgresql'; readonly url: string };

/** The state database. SQLite is one synchronous connection: a transaction awaits nothing but SQL, or it holds up everyone. */
export type Db = {
  readonly kysely: Kysely<Database>;
  readonly kind: DbSource['kind'];
  /** The database's files, all as of now, to copy while it goes on; released in this order. Absent where a server keeps them. */
  readonly hold?: () => readonly HeldFile[];
  close(): Promise<void>;
};

/** Connections to PostgreSQL: the product's writers are few, and a small server allows 100 in all. */
const POSTGRESQL_MAX_CONNECTIONS = 10;
const POSTGRESQL_CONNECT_TIMEOUT_MS = 10_000;
/** int8. All 64-bit integers here are instants, lengths and counts, far below 2^53. */
const OID_INT8 = 20;

/**
 * Opens the state database without changing it; `migrate` brings the schema up to date. `AppError` `state_unavailable` when
 * the file or the server cannot be opened.
 */
export async function openDb(source: DbSource): Promise<Db> {
  return source.kind === 'sqlite' ? openSqlite(source.path, source.key) : openPostgresql(source.url);
}

function openSqlite(path: string, key: Uint8Array | undefined): Db {
  if (path !== ':memory:') makeDirectory(dirname(path));
  const orphaned = orphanedWal(path);
  if (orphaned !== undefined) throw new AppError('unavailable', 'state_unavailable', orphaned);
  let database: Sqlite.Database;
  try {
    database = new Sqlite(path);
    if (key !== undefined) setKey(database, 'key', key);
    database.pragma(`busy_timeout = ${SQLITE_BUSY_TIMEOUT_MS}`);
    database.pragma('journal_mode = WAL');
    // FULL: what was committed survives a loss of power, which NORMAL does not promise in WAL mode.
    database.pragma('synchronous = FULL');
    database.pragma('foreign_keys = ON');
    // What is destroyed on purpose, as the key of an erased person, leaves nothing in its page.
    database.pragma('secure_delete = FAST');
  } catch (thrown) {
    const isOther = (thrown as { readonly code?: unknown }).code === 'SQLITE_NOTADB';
    const reason = isOther
      ? `it is damaged or ${key === undefined ? 'encrypted' : 'not encrypted with the key of this data directory'}`
      : messageOf(thrown);
    throw new AppError('unavailable', 'state_unavailable', `cannot open the state database ${path}: ${reason}`, { cause: thrown });
  }
  const kysely = new Kysely<Database>({ dialect: new NinesSqliteDialect(database) });
  const holder = new SqliteHolder(path, () => openSqliteToRead(path, key));
  return {
    kysely,
    kind: 'sqlite',
    hold: () => holder.hold(database),
    close: async () => {
      await kysely.destroy();
      holder.close();
    },
  };
}

/** A connection that changes nothing. */
export function openSqliteToRead(path: string, key: Uint8Array | undefined): Sqlite.Database {
  const database = new Sqlite(path, { readonly: true, fileMustExist: true });
  if (key !== undefined) setKey(database, 'key', key);
  return database;
}

/** AES-256-CBC with HMAC-SHA-512 per page, under a raw key: no password is stretched. Drawn in docs/format/keys.md. */
function setKey(database: Sqlite.Database, pragma: 'key' | 'rekey', key: Uint8Array): void {
  database.pragma(`cipher = 'sqlcipher'`);
  database.pragma(`${pragma} = "x'${Buffer.from(key).toString('hex')}'"`);
  // Sorting on disk would leave plain rows behind.
  database.pragma('temp_store = MEMORY');
}

/** Copies a plain SQLite database into an encrypted one. `to` must not exist; what is in it after a failure is worth nothing. */
export function encryptSqlite(from: string, to: string, key: Uint8Array): void {
  const source = new Sqlite(from);
  try {
    source.prepare('VACUUM INTO ?').run(to);
  } finally {
    source.close();
  }
  const copy = new Sqlite(to);
  try {
    setKey(copy, 'rekey', key);
  } finally {
    copy.close();
  }
}

async function openPostgresql(url: string): Promise<Db> {
  const pool = new pg.Pool({
    connectionString: url,
    max: POSTGRESQL_MAX_CONNECTIONS,
    connectionTimeoutMillis: POSTGRESQL_CONNECT_TIMEOUT_MS,
    types: { getTypeParser: (oid, format) => (oid === OID_INT8 ? Number : pg.types.getTypeParser(oid, format as 'text')) },
  });
  // An idle connection that dies is replaced at the next use; without a listener it would end the process.
  pool.on('error', () => {});
  try {
    const client = await pool.connect();
    client.release();
  } catch (thrown) {
    await pool.end();
    throw new AppError('unavailable', 'state_unavailable', `cannot reach PostgreSQL: ${messageOf(thrown)}`, { cause: thrown });
  }
  const kysely = new Kysely<Database>({ dialect: new PostgresDialect({ pool }) });
  return { kysely, kind: 'postgresql', close: () => kysely.destroy() };
}
