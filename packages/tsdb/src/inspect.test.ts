import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { epochMs } from '@nines/base/units.ts';
import { StoreUnavailable } from '@nines/model/storage.ts';
import Database from 'better-sqlite3';
import { WINDOW_MS } from './contract.ts';
import { openDisk } from './disk.ts';
import { type Inspection, inspectStore } from './inspect.ts';
import { PAGES_FILE, openPageStoreToRead } from './page-store.ts';
import { openStore } from './store.ts';
import { DAY, T0, append, batchOf, bitsOfNumber, collectingLogger, contentsOf } from './testing/samples.ts';

/** Bytes tried per kind of file. */
const FLIPS = process.env['NINES_FULL'] === '1' ? 400 : 12;
const HOSTS = Array.from({ length: 40 }, (_, i) => ({ __name__: i % 2 === 0 ? 'load' : 'up', host: `h${i}` }));

const open = (dir: string) => openStore({ dir, retentionMs: 30 * DAY, logger: collectingLogger() });

/** Values that do not compress, so that most of pages.db is pages: a store with pages of four windows, a checkpoint with samples, and a log after it. Every host has one sample a minute. */
async function written(t: TestContext): Promise<string> {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'nines-inspect-'));
  t.after(() => fs.rmSync(dir, { recursive: true, force: true }));
  const store = await open(dir);
  for (let minute = 0; minute < 500; minute++) {
    const atMs = epochMs(T0 + minute * 60_000);
    await append(
      store,
      HOSTS.map((series, i) => ({ series, atMs, bits: bitsOfNumber(Math.sin(minute * i)) })),
      atMs,
    );
    if (minute === 495) await store.flush(atMs);
  }
  await store.close();
  return dir;
}

async function inspect(dir: string): Promise<Inspection> {
  const disk = openDisk(dir);
  const pageStore = openPageStoreToRead(dir);
  try {
    return await inspectStore({ disk, pageStore, cipher: undefined, isServed: false });
  } finally {
    pageStore?.close();
    disk.close();
  }
}

const flip = (file: string, at: number): void => {
  const bytes = fs.readFileSync(file);
  bytes[at] = (bytes[at] ?? 0) ^ 0x10;
  fs.writeFileSync(file, bytes);
};

test('a sound store is sound, counted, and not changed by looking at it', async (t) => {
  const dir = await written(t);
  const before = new Map(fs.readdirSync(dir).map((name) => [name, fs.readFileSync(path.join(dir, name))]));
  const { faults, pages, pageSamples, logSamples, series } = await inspect(dir);
  assert.deepEqual(faults, []);
  assert.ok(pages > 0);
  assert.deepEqual([series, pageSamples], [40, 40 * 480]);
  assert.ok(logSamples >= 40 * 20, 'the checkpoint and the segment may both hold a sample');
  for (const [name, bytes] of before) assert.deepEqual(fs.readFileSync(path.join(dir, name)), bytes, name);
});

test('a flipped bit in a segment or checkpoint is found in its file and frame', async (t) => {
  const dir = await written(t);
  for (const kind of ['log-', 'checkpoint-']) {
    const name = fs.readdirSync(dir).find((file) => file.startsWith(kind) && fs.statSync(path.join(dir, file)).size > 100);
    assert.ok(name !== undefined, kind);
    const file = path.join(dir, name);
    const { size } = fs.statSync(file);
    for (let k = 0; k < FLIPS; k++) {
      const at = Math.floor(((k + 0.5) / FLIPS) * size);
      flip(file, at);
      const { faults, faultCount } = await inspect(dir);
      const [fault] = faults;
      assert.ok(faultCount >= 1, `${name} at ${at}`);
      assert.ok(fault !== undefined && (fault.kind === 'log' || fault.kind === 'torn_tail') && fault.file === name, JSON.stringify(fault));
      assert.ok(fault.toByte === 0 || (fault.fromByte <= at && at < fault.toByte), `${at} in ${JSON.stringify(fault)}`);
      flip(file, at);
    }
  }
});

test('a flipped bit anywhere in pages.db never brings a wrong value: it is found, or nothing of ours stood there', async (t) => {
  const dir = await written(t);
  const file = path.join(dir, PAGES_FILE);
  const whole = fs.readFileSync(file);
  const store = await open(dir);
  const expected = await contentsOf(store);
  await store.close();
  let reported = 0;
  for (let k = 0; k < FLIPS; k++) {
    fs.writeFileSync(file, whole);
    flip(file, Math.floor(((k + 0.5) / FLIPS) * whole.length));
    const seen = await inspect(dir).then(
      ({ faults }) => faults.length > 0,
      (thrown) => thrown instanceof StoreUnavailable || assert.fail(thrown as Error),
    );
    if (seen) reported++;
    const damaged = await open(dir).catch((thrown: unknown) => {
      assert.ok(thrown instanceof StoreUnavailable, String(thrown));
      return undefined;
    });
    if (damaged === undefined) continue;
    let missing = 0;
    const contents = await contentsOf(damaged).catch((thrown: unknown) => {
      assert.ok(thrown instanceof StoreUnavailable, String(thrown));
      return undefined;
    });
    if (contents !== undefined) {
      for (const [key, samples] of contents)
        for (const [atMs, bits] of samples) assert.equal(bits, expected.get(key)?.get(atMs), `an invented value of ${key}`);
      for (const [key, samples] of expected) missing += samples.size - (contents.get(key)?.size ?? 0);
      if (missing > 0) assert.ok(seen || damaged.stats().damage.corruptPages > 0, `${missing} samples went without a word`);
    }
    await damaged.close();
  }
  assert.ok(reported > FLIPS / 2, `${reported} of ${FLIPS} were found`);
});

test('a damaged page is named with its window, metrics and number of samples', async (t) => {
  const dir = await written(t);
  const db = new Database(path.join(dir, PAGES_FILE));
  const row = db
    .prepare<[], { id: number; samples: number; data: Uint8Array }>('SELECT id, samples, data FROM pages ORDER BY id LIMIT 1')
    .get();
  assert.ok(row !== undefined);
  row.data[20] = (row.data[20] ?? 0) ^ 1;
  db.prepare('UPDATE pages SET data = ? WHERE id = ?').run(row.data, row.id);
  db.prepare('UPDATE pages SET to_ms = to_ms - 120000 WHERE id = ?').run(row.id + 1);
  db.close();
  const { faults, pages } = await inspect(dir);
  const [first, second] = faults;
  assert.ok(first?.kind === 'page' && second?.kind === 'page' && faults.length === 2, JSON.stringify(faults));
  assert.deepEqual([first.id, first.windowMs, first.samples, first.metricFrom], [row.id, T0, row.samples, 'load']);
  assert.match(first.problem, /checksum does not hold; its samples are lost/);
  assert.match(second.problem, /queries may miss them/);
  assert.ok(pages >= 4);
});

test('an emptied or missing pages.db beside its log is refused, and nothing is touched', async (t) => {
  const dir = await written(t);
  const file = path.join(dir, PAGES_FILE);
  const aside = fs.readFileSync(file);
  const checkpoint = fs.readdirSync(dir).find((name) => name.startsWith('checkpoint-'));
  assert.ok(checkpoint !== undefined);
  for (const damage of [() => fs.rmSync(file), () => fs.writeFileSync(file, '')]) {
    damage();
    await assert.rejects(
      open(dir),
      (thrown: unknown) => thrown instanceof StoreUnavailable && /pages\.db is missing, empty or older/.test(thrown.message),
    );
    assert.ok(fs.existsSync(path.join(dir, checkpoint)));
    const { faults } = await inspect(dir);
    assert.ok(
      faults.some(({ kind }) => kind === 'lost'),
      JSON.stringify(faults),
    );
    assert.ok(faults.some(({ kind }) => kind === 'orphans'));
    for (const name of [PAGES_FILE, `${PAGES_FILE}-wal`, `${PAGES_FILE}-shm`]) fs.rmSync(path.join(dir, name), { force: true });
  }
  fs.writeFileSync(file, aside);
  const store = await open(dir);
  assert.equal((await contentsOf(store)).size, HOSTS.length);
  await store.close();
});

test('imported pages that went with the end of pages.db-wal are missed, by the doctor and at the start', async (t) => {
  const dir = await written(t);
  const store = await open(dir);
  const at = (minute: number): number => T0 - DAY + minute * 60_000;
  const importing = store.backfill(epochMs(T0 + 500 * 60_000));
  const samples = Array.from({ length: 600 }, (_, minute) => ({
    series: { __name__: 'imported' },
    atMs: at(minute),
    bits: bitsOfNumber(minute),
  }));
  await importing.add(batchOf(samples));
  assert.equal((await importing.finish()).stored, samples.length);
  // As after a power cut, because whoever closes the store takes its write-ahead file over.
  const cut = (keep: (bytes: number) => number): string => {
    const copy = fs.mkdtempSync(path.join(os.tmpdir(), 'nines-inspect-'));
    t.after(() => fs.rmSync(copy, { recursive: true, force: true }));
    fs.cpSync(dir, copy, { recursive: true, filter: (name) => !name.endsWith('-shm') });
    const wal = path.join(copy, `${PAGES_FILE}-wal`);
    fs.truncateSync(wal, Math.floor(keep(fs.statSync(wal).size)));
    return copy;
  };
  assert.deepEqual((await inspect(cut((bytes) => bytes))).faults, []);
  for (const keep of [(bytes: number) => bytes - 4096, (bytes: number) => bytes / 2, () => 0]) {
    const copy = cut(keep);
    const { faults } = await inspect(copy);
    assert.equal(faults[0]?.kind, 'lost', JSON.stringify(faults));
    assert.match(faults[0].problem, /pages\.db is .*without the end of its -wal file: the log knows of page \d+/);
    await assert.rejects(open(copy), /the end of its -wal file is gone/);
  }
  await store.close();
});

test('a log that was removed beside its pages is reported, and samples after it are kept', async (t) => {
  const dir = await written(t);
  for (const name of fs.readdirSync(dir)) if (/^(log|checkpoint)-/.test(name)) fs.rmSync(path.join(dir, name));
  let store = await open(dir);
  assert.match(store.stats().damage.places.join(), /^log-/);
  const atMs = epochMs(T0 + 3 * WINDOW_MS + 119 * 60_000 + 30_000);
  const late = HOSTS.map((series) => ({ series, atMs, bits: bitsOfNumber(7) }));
  assert.equal((await append(store, late, atMs)).accepted, HOSTS.length);
  await store.close();
  store = await open(dir);
  for (const held of (await contentsOf(store)).values()) assert.equal(held.get(atMs), bitsOfNumber(7));
  await store.close();
});

test('a damaged lock file keeps nobody out, and a second process still is', async (t) => {
  const dir = await written(t);
  fs.writeFileSync(path.join(dir, 'lock'), 'not a database, but long enough to look like one '.repeat(40));
  const store = await open(dir);
  assert.equal((await contentsOf(store)).size, HOSTS.length);
  await assert.rejects(open(dir), /already open/);
  await store.close();
});
