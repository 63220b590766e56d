import fs from 'node:fs';
import path from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { type AppendFile, type Disk, StoreLocked } from './contract.ts';
import { holdFile } from './held-file.ts';

const LOCK_FILE = 'lock';
const { O_WRONLY, O_CREAT, O_TRUNC, O_DSYNC } = fs.constants;
/**
 * Opens a new file whose every write returns when it is as durable as after fdatasync (open(2), O_DSYNC): one trip to a thread
 * instead of two. Only where that is known to reach the medium; macOS needs more than its fsync.
 */
const SYNCED_WRITES = process.platform === 'linux' ? O_WRONLY | O_CREAT | O_TRUNC | O_DSYNC : undefined;

/** The log's directory on a real file system. */
export function openDisk(dir: string): Disk {
  makeDirectory(dir);
  let lock: Database.Database | undefined;
  const place = (name: string): string => path.join(dir, name);
  return {
    create: async (name, { syncEach = false } = {}) => {
      const synced = syncEach && SYNCED_WRITES !== undefined;
      return appendFile(await fs.promises.open(place(name), synced ? SYNCED_WRITES : 'w', 0o600), synced);
    },
    read: (name) => fs.promises.readFile(place(name)),
    hold: (name) => holdFile(place(name)),
    truncate: async (name, length) => {
      const file = await fs.promises.open(place(name), 'r+');
      try {
        await file.truncate(length);
        await file.sync();
      } finally {
        await file.close();
      }
    },
    rename: (from, to) => fs.promises.rename(place(from), place(to)),
    remove: (name) => fs.promises.rm(place(name), { force: true }),
    list: () => fs.promises.readdir(dir),
    syncDirectory: async () => {
      const file = await fs.promises.open(dir, 'r');
      try {
        await file.sync();
      } finally {
        await file.close();
      }
    },
    lock: () => {
      lock = lockDirectory(dir);
    },
    yield: () => nextTurn(),
    close: () => lock?.close(),
  };
}

/** With its name durable: a directory that a power cut takes away takes everything in it along. */
function makeDirectory(dir: string): void {
  const first = fs.mkdirSync(dir, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  for (let at = path.resolve(dir); at !== path.dirname(at); at = path.dirname(at)) {
    const parent = fs.openSync(path.dirname(at), 'r');
    try {
      fs.fsyncSync(parent);
    } finally {
      fs.closeSync(parent);
    }
    if (at === path.resolve(first)) return;
  }
}

/** An exclusive transaction that stays open: the system drops its lock with the process, however that ends. */
function lockDirectory(dir: string): Database.Database {
  const file = path.join(dir, LOCK_FILE);
  try {
    return lockFile(dir, file);
  } catch (thrown) {
    if (!(thrown instanceof Database.SqliteError) || thrown.code !== 'SQLITE_NOTADB') throw thrown;
    // The file never holds anything, so damage to it is no reason to stay down. A lock that another process has on it stays.
    fs.truncateSync(file, 0);
    return lockFile(dir, file);
  }
}

function lockFile(dir: string, file: string): Database.Database {
  const db = new Database(file, { timeout: 0 });
  try {
    db.exec('PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE');
  } catch (thrown) {
    db.close();
    if (thrown instanceof Database.SqliteError && thrown.code.startsWith('SQLITE_BUSY')) throw new StoreLocked(dir);
    throw thrown;
  }
  return db;
}

/** Callbacks instead of `FileHandle.write`: a third of its processor time per call. */
function appendFile(handle: fs.promises.FileHandle, synced: boolean): AppendFile {
  let isSynced = synced;
  const write = (bytes: Uint8Array): Promise<number> =>
    new Promise((resolve, reject) => {
      fs.write(handle.fd, bytes, 0, bytes.length, null, (error, written) => (error === null ? resolve(written) : reject(error)));
    });
  return {
    append: async (bytes) => {
      for (let done = 0; done < bytes.length; ) done += await write(bytes.subarray(done));
    },
    sync: () =>
      isSynced
        ? Promise.resolve()
        : new Promise((resolve, reject) => {
            fs.fdatasync(handle.fd, (error) => (error === null ? resolve() : reject(error)));
          }),
    truncate: (length) => {
      // A new length is none of the writes that the file's mode covers.
      isSynced = false;
      return handle.truncate(length);
    },
    close: () => handle.close(),
  };
}
