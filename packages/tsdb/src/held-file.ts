import fs from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';
import type { HeldFile } from './contract.ts';

/** Files held still for a copy while their owners go on; how and why it is right stands in docs/format/backup.md. */

/** Holds a file of which everything written so far stays as it is. `release` closes the descriptor. */
export async function holdFile(file: string): Promise<HeldFile> {
  const handle = await fs.promises.open(file, 'r');
  const { size } = await handle.stat();
  return heldFd(handle.fd, { name: path.basename(file), bytes: size, release: () => handle.close() });
}

function heldFd(fd: number, { name, bytes, release }: Pick<HeldFile, 'name' | 'bytes' | 'release'>): HeldFile {
  return {
    name,
    bytes,
    release,
    read: (at, into) =>
      new Promise((resolve, reject) => {
        const length = Math.max(0, Math.min(into.length, bytes - at));
        fs.read(fd, into, 0, length, at, (error, read) => (error === null ? resolve(read) : reject(error)));
      }),
  };
}

/**
 * Holds an SQLite database in WAL mode. One descriptor of its file is kept until `close`, which must follow the closing of every connection of
 * this process: the system drops a process' locks on a file when any descriptor of it is closed, and another process
 * could then remove the write-ahead file under us (sqlite.org/howtocorrupt.html, section 2.2).
 */
export class SqliteHolder {
  readonly #file: string;
  #fd: number | undefined;

  readonly #openReader: () => Database.Database;

  /** `openReader` makes a further, reading connection; a database with a cipher needs its key for that. */
  constructor(file: string, openReader = () => new Database(file, { readonly: true, fileMustExist: true })) {
    this.#file = file;
    this.#openReader = openReader;
  }

  /** The database as it is now, and its write-ahead file when that cannot be taken over into it at once. `writer` is the open connection, if there is one. */
  hold(writer?: Database.Database): readonly HeldFile[] {
    if (writer !== undefined) takeOverWal(writer);
    const reader = this.#openReader();
    try {
      reader.exec('BEGIN');
      reader.prepare('SELECT count(*) FROM sqlite_schema').get();
      this.#fd ??= fs.openSync(this.#file, 'r');
      const database = heldFd(this.#fd, {
        name: path.basename(this.#file),
        bytes: fs.fstatSync(this.#fd).size,
        release: async () => void reader.close(),
      });
      const wal = `${this.#file}-wal`;
      if ((fs.statSync(wal, { throwIfNoEntry: false })?.size ?? 0) === 0) return [database];
      const walFd = fs.openSync(wal, 'r');
      let isOpen = true;
      return [
        // First released last: the transaction keeps both files as they are.
        heldFd(walFd, {
          name: path.basename(wal),
          bytes: fs.fstatSync(walFd).size,
          release: async () => {
            // Once: by then the number may be another file's.
            if (isOpen) fs.closeSync(walFd);
            isOpen = false;
          },
        }),
        database,
      ];
    } catch (thrown) {
      reader.close();
      throw thrown;
    }
  }

  close(): void {
    if (this.#fd !== undefined) fs.closeSync(this.#fd);
    this.#fd = undefined;
  }
}

/** Without waiting for whoever reads: what cannot be taken over is copied beside it. */
function takeOverWal(db: Database.Database): void {
  const timeoutMs = Number(db.pragma('busy_timeout', { simple: true }));
  db.pragma('busy_timeout = 0');
  try {
    db.pragma('wal_checkpoint(TRUNCATE)');
  } finally {
    db.pragma(`busy_timeout = ${timeoutMs}`);
  }
}
