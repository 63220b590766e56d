import assert from 'node:assert/strict';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import Database from 'better-sqlite3';
import type { NewPage, Resolution } from './contract.ts';
import { openPageFile } from './page-store.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** A Monday, 00:00 UTC. */
const MONDAY = 1_750_032_000_000;
const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

const page = (fromMs: number, toMs: number, { resolutionMs = 0 }: { readonly resolutionMs?: Resolution } = {}): NewPage => ({
  resolutionMs,
  windowMs: resolutionMs === 0 ? Math.floor(fromMs / (2 * HOUR)) * 2 * HOUR : MONDAY,
  fromMs,
  toMs,
  metricFrom: 'a',
  metricTo: 'b',
  segment: 0,
  samples: 3,
  refs: bytes(2),
  data: bytes(1, 2, 3),
});

/** The tables of version 1, as they were. */
const VERSION_1 = `
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE labels (id INTEGER PRIMARY KEY AUTOINCREMENT, series INTEGER NOT NULL, block BLOB NOT NULL) STRICT;
CREATE TABLE series (
  ref INTEGER PRIMARY KEY, labels_id INTEGER NOT NULL, oldest_ms INTEGER NOT NULL, newest_ms INTEGER NOT NULL) STRICT;
CREATE TABLE pages (
  id INTEGER PRIMARY KEY AUTOINCREMENT, window_ms INTEGER NOT NULL, from_ms INTEGER NOT NULL, to_ms INTEGER NOT NULL,
  metric_from TEXT NOT NULL, metric_to TEXT NOT NULL, segment INTEGER NOT NULL, samples INTEGER NOT NULL,
  bytes INTEGER NOT NULL, refs BLOB NOT NULL, data BLOB NOT NULL) STRICT;
CREATE INDEX pages_by_window ON pages (window_ms, metric_from, metric_to, bytes);
CREATE INDEX pages_by_segment ON pages (segment);
CREATE TABLE totals (id INTEGER PRIMARY KEY CHECK (id = 1), pages INTEGER NOT NULL, samples INTEGER NOT NULL, bytes INTEGER NOT NULL) STRICT;
INSERT INTO totals VALUES (1, 2, 6, 8);
INSERT INTO meta VALUES ('next_ref', '7');
PRAGMA user_version = 1;
`;

async function withFile(run: (file: string) => void): Promise<void> {
  const dir = await fs.mkdtemp(path.join(os.tmpdir(), 'nines-pages-'));
  try {
    run(path.join(dir, 'pages.db'));
  } finally {
    await fs.rm(dir, { recursive: true });
  }
}

test('a file of version 1 keeps its pages, and every day of them is due to be rolled up', () =>
  withFile((file) => {
    const old = new Database(file);
    old.exec(VERSION_1);
    const insert = old.prepare('INSERT INTO pages VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
    insert.run(MONDAY, MONDAY, MONDAY + HOUR, 'a', 'b', 4, 3, 4, bytes(2), bytes(1, 2, 3));
    insert.run(MONDAY + 2 * HOUR, MONDAY + 2 * HOUR, MONDAY + 3 * HOUR, 'a', 'b', 5, 3, 4, bytes(4), bytes(9));
    old.close();
    for (const opening of ['the first time', 'again']) {
      const store = openPageFile(file);
      const found = store.find({ fromMs: MONDAY, toMs: MONDAY + DAY });
      assert.deepEqual(
        found.map(({ id, resolutionMs, segment, refs }) => ({ id, resolutionMs, segment, refs: [...refs] })),
        [
          { id: 1, resolutionMs: 0, segment: 4, refs: [2] },
          { id: 2, resolutionMs: 0, segment: 5, refs: [4] },
        ],
        opening,
      );
      assert.deepEqual([...(store.read(1) ?? [])], [1, 2, 3]);
      assert.deepEqual(store.totals(0), { pages: 2, samples: 6, bytes: 8 });
      assert.equal(store.meta('next_ref'), '7');
      // The sample at 00:00 belongs to the day before.
      assert.deepEqual(store.days(), [
        { dayMs: MONDAY - DAY, current: false },
        { dayMs: MONDAY, current: false },
      ]);
      store.close();
    }
  }));

test('a file of a later version is refused with both versions named', () =>
  withFile((file) => {
    const later = new Database(file);
    later.pragma('user_version = 9');
    later.close();
    assert.throws(() => openPageFile(file), /format 9, this program knows 1 to 3/);
  }));

test('pages of one resolution are not found when another is asked for, and are counted apart', () => {
  const store = openPageFile(':memory:');
  store.commit({ addPages: [page(MONDAY + 1, MONDAY + HOUR), page(MONDAY + 1, MONDAY + DAY, { resolutionMs: 300_000 })] });
  const range = { fromMs: MONDAY + 23 * HOUR, toMs: MONDAY + DAY };
  assert.deepEqual([store.find(range).length, store.find({ ...range, resolutionMs: 300_000 }).length], [0, 1]);
  const counts = () => [0, 300_000, 3_600_000].map((resolution) => store.totals(resolution as Resolution).pages);
  assert.deepEqual(counts(), [1, 1, 0]);
  store.commit({ removePages: [1], addPages: [page(MONDAY + 1, MONDAY + DAY, { resolutionMs: 3_600_000 })] });
  assert.deepEqual(counts(), [0, 1, 1]);
  store.close();
});

test('a day is due when its samples change, current when it was rolled up since, and due again after a change meanwhile', () => {
  const store = openPageFile(':memory:');
  const state = () => store.days().map(({ dayMs, current }) => [(dayMs - MONDAY) / DAY, current]);
  store.commit({ addPages: [page(MONDAY + 1, MONDAY + HOUR)] });
  assert.deepEqual(state(), [[0, false]]);
  store.commit({ beginDay: MONDAY });
  store.commit({ addPages: [page(MONDAY + 1, MONDAY + DAY, { resolutionMs: 300_000 })] });
  assert.deepEqual(state(), [[0, false]]);
  store.commit({ endDay: MONDAY });
  assert.deepEqual(state(), [[0, true]]);
  // Joining pages changes no samples; a deletion does.
  store.commit({ removePages: [1], addPages: [page(MONDAY + 1, MONDAY + HOUR)], keepsRollups: true });
  assert.deepEqual(state(), [[0, true]]);
  store.commit({ removePages: [3] });
  assert.deepEqual(state(), [[0, false]]);
  store.commit({ beginDay: MONDAY });
  store.commit({ addPages: [page(MONDAY + 5, MONDAY + 6)] });
  store.commit({ endDay: MONDAY });
  assert.deepEqual(state(), [[0, false]]);
  store.close();
});

test('rolling a day up again replaces its rollup pages at the end; what a crash left of an attempt goes at the next', () => {
  const store = openPageFile(':memory:');
  const rolled = () => store.find({ resolutionMs: 300_000, fromMs: MONDAY, toMs: MONDAY + DAY }).map(({ id }) => id);
  const add = () => store.commit({ addPages: [page(MONDAY + 1, MONDAY + DAY, { resolutionMs: 300_000 })] });
  store.commit({ addPages: [page(MONDAY + 1, MONDAY + HOUR)] });
  store.commit({ beginDay: MONDAY });
  add();
  store.commit({ endDay: MONDAY });
  assert.deepEqual(rolled(), [2]);
  store.commit({ beginDay: MONDAY });
  add();
  assert.deepEqual(rolled(), [2, 3]);
  // A crash here. The next attempt begins anew.
  store.commit({ beginDay: MONDAY });
  assert.deepEqual(rolled(), [2]);
  add();
  store.commit({ endDay: MONDAY });
  assert.deepEqual(rolled(), [4]);
  assert.deepEqual(store.totals(300_000), { pages: 1, samples: 3, bytes: 4 });
  store.close();
});
