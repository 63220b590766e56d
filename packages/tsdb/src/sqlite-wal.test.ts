import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { openPageFile, openPageStoreToRead } from './page-store.ts';
import { damagedWal, orphanedWal, readWal } from './sqlite-wal.ts';

const TRANSACTIONS = 40;
const HEADER_BYTES = 32;

function folder(t: TestContext): string {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'nines-wal-'));
  t.after(() => fs.rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** As a killed process leaves them: a database and 40 transactions of a row each that only stand in its write-ahead file. */
function crashed(dir: string): { readonly db: Buffer; readonly wal: Buffer } {
  const file = path.join(dir, 'source.db');
  const source = new Database(file);
  source.pragma('journal_mode = WAL');
  source.exec('CREATE TABLE t (n INTEGER)');
  source.pragma('wal_checkpoint(RESTART)');
  const insert = source.prepare('INSERT INTO t VALUES (?)');
  for (let i = 0; i < TRANSACTIONS; i++) insert.run(i);
  const files = { db: fs.readFileSync(file), wal: fs.readFileSync(`${file}-wal`) };
  source.close();
  return files;
}

function rowsIn(file: string): number {
  const db = new Database(file);
  try {
    return db.prepare('SELECT count(*) FROM t').pluck().get() as number;
  } finally {
    db.close();
  }
}

test('whatever bit of a frame flips, what SQLite then leaves out is what is named', (t) => {
  const dir = folder(t);
  const { db, wal } = crashed(dir);
  assert.deepEqual(readWal(wal), { frames: TRANSACTIONS, commitsBehind: 0 });
  let run = 0;
  fc.assert(
    fc.property(fc.integer({ min: HEADER_BYTES, max: wal.length - 1 }), fc.integer({ min: 0, max: 7 }), (at, bit) => {
      const file = path.join(dir, `${run++}.db`);
      const flipped = Buffer.from(wal);
      flipped.writeUInt8(flipped.readUInt8(at) ^ (1 << bit), at);
      fs.writeFileSync(file, db);
      fs.writeFileSync(`${file}-wal`, flipped);
      const { frames, commitsBehind } = readWal(flipped);
      const problem = damagedWal(file);
      assert.equal(frames + 1 + commitsBehind, TRANSACTIONS, 'a transaction here is a frame, and the damaged one is counted by neither');
      assert.equal(problem !== undefined, commitsBehind >= 2);
      assert.equal(rowsIn(file), frames, 'SQLite reads up to the same frame');
    }),
    { numRuns: 60 },
  );
});

test('a cut end and frames of an earlier generation are no damage', (t) => {
  const dir = folder(t);
  const { wal } = crashed(dir);
  for (const length of [0, 7, HEADER_BYTES, HEADER_BYTES + 100, wal.length >> 1, wal.length - 1]) {
    fs.writeFileSync(path.join(dir, 'cut.db-wal'), wal.subarray(0, length));
    assert.equal(damagedWal(path.join(dir, 'cut.db')), undefined, `${length} bytes`);
  }
  const file = path.join(dir, 'again.db');
  const db = new Database(file);
  db.pragma('journal_mode = WAL');
  db.exec('CREATE TABLE t (n INTEGER)');
  for (let i = 0; i < TRANSACTIONS; i++) db.prepare('INSERT INTO t VALUES (?)').run(i);
  db.pragma('wal_checkpoint(RESTART)');
  db.prepare('INSERT INTO t VALUES (1)').run();
  assert.deepEqual(readWal(fs.readFileSync(`${file}-wal`)), { frames: 1, commitsBehind: 0 });
  db.close();
});

test('pages whose file is gone are not thrown away with what waits beside it', (t) => {
  const dir = folder(t);
  const file = path.join(dir, 'pages.db');
  const { wal } = crashed(dir);
  for (const leave of [() => fs.rmSync(file, { force: true }), () => fs.writeFileSync(file, '')]) {
    leave();
    fs.writeFileSync(`${file}-wal`, wal);
    assert.match(orphanedWal(file) ?? '', /missing or empty/);
    assert.throws(() => openPageFile(file), /pages\.db is missing or empty, and .*-wal beside it holds/);
    assert.throws(() => openPageStoreToRead(dir), /missing or empty/);
    assert.deepEqual(fs.readFileSync(`${file}-wal`), wal);
  }
  fs.rmSync(`${file}-wal`);
  openPageFile(file).close();
  assert.equal(orphanedWal(file), undefined);
});
