import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mustMatcher } from '@nines/base/matcher.ts';
import { epochMs } from '@nines/base/units.ts';
import Database from 'better-sqlite3';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { StoreUnavailable } from '@nines/model/storage.ts';
import { WINDOW_MS } from './contract.ts';
import { FILE_HEADER_BYTES, FrameBuffer, fileHeader } from './log/frame.ts';
import { segmentFile } from './log/log-writer.ts';
import { PAGES_FILE } from './page-store.ts';
import { openStore } from './store.ts';
import { FaultDisk } from './testing/fault-disk.ts';
import {
  DAY,
  type Sample,
  T0,
  append,
  bitsOfNumber,
  collectingLogger,
  contentsOf,
  keyOf,
  openOnFaultDisk,
  testCipher,
} from './testing/samples.ts';

const hosts = ['a', 'b', 'c'].map((host) => ({ __name__: 'up', host }));
const scrape = (k: number): Sample[] => hosts.map((series) => ({ series, atMs: T0 + k * 1000, bits: bitsOfNumber(k) }));

/** A store that was written to `count` times, one frame after the definitions each, and lost its power. */
async function written(count: number): Promise<FaultDisk> {
  const disk = new FaultDisk();
  const store = await openOnFaultDisk(disk);
  for (let k = 0; k < count; k++) await append(store, scrape(k), epochMs(T0 + k * 1000));
  disk.crash();
  return disk;
}

test('a log cut short at any byte opens, serves all whole frames, and says what was cut', async () => {
  const whole = await (await written(6)).read('log-00000001');
  for (let length = 0; length <= whole.length; length++) {
    const disk = await written(6);
    await disk.truncate('log-00000001', length);
    const logger = collectingLogger();
    const store = await openOnFaultDisk(disk, { logger });
    const contents = await contentsOf(store);
    const samples = [...contents.values()].map((held) => [...held.keys()]);
    for (const times of samples) assert.deepEqual(times, samples[0]);
    assert.deepEqual(
      samples[0] ?? [],
      Array.from({ length: samples[0]?.length ?? 0 }, (_, k) => T0 + k * 1000),
    );
    const { damage } = store.stats();
    assert.equal(damage.corruptFrames, 0);
    assert.deepEqual(logger.warnings, damage.tornTails === 1 ? ['log tail was cut'] : []);
    if (length === whole.length) assert.deepEqual([damage.tornTails, samples[0]?.length], [0, 6]);
    await append(store, scrape(10), epochMs(T0 + 10_000));
    disk.crash();
    const again = await openOnFaultDisk(disk);
    assert.deepEqual([...((await contentsOf(again)).get(keyOf(hosts[0] ?? {}))?.keys() ?? [])], [...(samples[0] ?? []), T0 + 10_000]);
    assert.equal(again.stats().damage.tornTails, 0);
    await again.close();
  }
});

test('a flipped bit anywhere in the log costs one frame at most, and its reach is reported', async () => {
  const { length } = await (await written(6)).read('log-00000001');
  for (let at = 0; at < length; at++) {
    const disk = await written(6);
    disk.flip('log-00000001', at);
    const store = await openOnFaultDisk(disk);
    const { damage } = store.stats();
    assert.equal(damage.corruptFrames + damage.tornTails, 1, `byte ${at}`);
    if (damage.corruptFrames === 1) {
      const [, from, to] = /^log-00000001:(\d+)-(\d+)$/.exec(damage.places[0] ?? '') ?? [];
      assert.ok(Number(from) <= at && at < Number(to), damage.places.join());
    }
    const kept = [...(await contentsOf(store)).values()].map((held) => held.size);
    // The definitions stand in a frame of their own: without it all samples are orphans, counted.
    if (damage.orphanSamples === 0) assert.ok(kept.length === 3 && kept.every((size) => size >= 5), `byte ${at}: ${kept.join()}`);
    else assert.equal(damage.orphanSamples, 18);
    await store.close();
  }
});

test('a reference whose definition was lost is not given to another series', async () => {
  const disk = await written(3);
  disk.flip('log-00000001', 40);
  let store = await openOnFaultDisk(disk);
  assert.equal(store.stats().damage.orphanSamples, 9);
  await append(store, [{ series: { __name__: 'other' }, atMs: T0 + 9000, bits: 1n }], epochMs(T0 + 9000));
  disk.crash();
  for (let round = 0; round < 2; round++) {
    store = await openOnFaultDisk(disk);
    assert.deepEqual([...(await contentsOf(store))], [[keyOf({ __name__: 'other' }), new Map([[T0 + 9000, 1n]])]]);
    await store.flush(epochMs(T0 + DAY));
    disk.crash();
  }
});

test('frames with valid checksums and arbitrary contents are reported and stepped over', async () => {
  const payload = fc.tuple(fc.integer({ min: 0, max: 6 }), fc.uint8Array({ maxLength: 60 }));
  await fc.assert(
    fc.asyncProperty(fc.array(payload, { minLength: 1, maxLength: 10 }), async (payloads) => {
      const disk = await written(2);
      const frames = new FrameBuffer();
      for (const [kind, bytes] of payloads) {
        frames.frame((writer) => {
          writer.byte(kind);
          writer.raw(bytes);
        });
      }
      const file = await disk.create('log-00000002');
      const log = segmentFile(2, testCipher());
      await file.append(fileHeader(log));
      await file.append(frames.seal(log, FILE_HEADER_BYTES));
      const store = await openOnFaultDisk(disk);
      const { corruptFrames, places } = store.stats().damage;
      assert.equal(places.filter((place) => place.startsWith('log-00000002:')).length, corruptFrames);
      await contentsOf(store);
      await store.close();
    }),
  );
});

test('zeros behind the last frame are unused space', async () => {
  const disk = await written(3);
  const bytes = await disk.read('log-00000001');
  const padded = await disk.create('log-00000001');
  await padded.append(bytes);
  await padded.append(new Uint8Array(5000));
  const store = await openOnFaultDisk(disk);
  assert.deepEqual(
    { ...store.stats().damage, places: [] },
    { tornTails: 0, tornBytes: 0, corruptFrames: 0, corruptBytes: 0, orphanSamples: 0, corruptPages: 0, places: [] },
  );
  assert.equal((await contentsOf(store)).size, 3);
  await store.close();
});

test('a flipped bit anywhere in a checkpoint is reported with its place, and the store opens and takes samples', async () => {
  const checkpointed = async (): Promise<FaultDisk> => {
    const disk = await written(20);
    const store = await openOnFaultDisk(disk);
    await append(store, [{ series: { __name__: 'old' }, atMs: T0 - WINDOW_MS, bits: 1n }], epochMs(T0 + 20_000));
    await store.flush(epochMs(T0 + 20 * 60_000));
    disk.crash();
    return disk;
  };
  const name = (await (await checkpointed()).list()).find((file) => file.startsWith('checkpoint'));
  assert.ok(name !== undefined);
  const { length } = await (await checkpointed()).read(name);
  for (let at = 0; at < length; at += 3) {
    const disk = await checkpointed();
    disk.flip(name, at);
    const store = await openOnFaultDisk(disk);
    const { damage } = store.stats();
    assert.ok(damage.corruptFrames >= 1, `byte ${at}`);
    assert.ok(damage.places[0]?.startsWith(name), damage.places.join());
    await append(store, scrape(3000), epochMs(T0 + 3_000_000));
    for (const { host } of hosts)
      assert.equal((await contentsOf(store)).get(keyOf({ __name__: 'up', host }))?.get(T0 + 3_000_000), bitsOfNumber(3000));
    assert.equal((await contentsOf(store)).get(keyOf({ __name__: 'old' }))?.size, 1, 'pages do not depend on the checkpoint');
    await store.close();
  }
});

test('a checkpoint cut down to its header is counted as damage, not taken for an empty one', async () => {
  const disk = await written(20);
  const store = await openOnFaultDisk(disk);
  await append(store, [{ series: { __name__: 'old' }, atMs: T0 - WINDOW_MS, bits: 1n }], epochMs(T0 + 20_000));
  await store.flush(epochMs(T0 + 20 * 60_000));
  disk.crash();
  const name = (await disk.list()).find((file) => file.startsWith('checkpoint'));
  assert.ok(name !== undefined);
  await disk.truncate(name, FILE_HEADER_BYTES);
  const again = await openOnFaultDisk(disk);
  assert.equal(again.stats().damage.corruptFrames, 1);
  assert.deepEqual(again.stats().damage.places, [name]);
  await again.close();
});

test('a damaged page is reported with its place and costs only itself', async () => {
  const dir = await fs.mkdtemp(path.join(os.tmpdir(), 'nines-damage-'));
  try {
    const open = () => openStore({ dir, retentionMs: 30 * DAY, logger: collectingLogger(), cipher: testCipher() });
    let store = await open();
    for (let k = 0; k < 4; k++) {
      const atMs = T0 + k * WINDOW_MS;
      await append(
        store,
        hosts.map((series) => ({ series, atMs, bits: bitsOfNumber(k) })),
        epochMs(atMs),
      );
    }
    await store.flush(T0, { all: true });
    await store.close();
    const db = new Database(path.join(dir, PAGES_FILE));
    const row = db.prepare<[], { id: number; data: Uint8Array }>('SELECT id, data FROM pages ORDER BY id LIMIT 1 OFFSET 1').get();
    assert.ok(row !== undefined);
    row.data[row.data.length - 1] = (row.data[row.data.length - 1] ?? 0) ^ 1;
    db.prepare('UPDATE pages SET data = ? WHERE id = ?').run(row.data, row.id);
    db.close();
    store = await open();
    const told: string[] = [];
    const everything = { fromMs: T0, toMs: T0 + DAY };
    for (const _ of await store.select([mustMatcher('__name__', '=', 'up')], everything, { onDamage: (problem) => told.push(problem) }));
    assert.deepEqual(told, [`page ${row.id} of the store is damaged, its samples are missing here; see nines doctor`]);
    for (let round = 0; round < 2; round++) {
      for (const held of (await contentsOf(store)).values())
        assert.deepEqual([...held.keys()], [T0, T0 + 2 * WINDOW_MS, T0 + 3 * WINDOW_MS]);
    }
    assert.deepEqual(store.stats().damage, {
      tornTails: 0,
      tornBytes: 0,
      corruptFrames: 0,
      corruptBytes: 0,
      orphanSamples: 0,
      corruptPages: 1,
      places: [`page ${row.id}`],
    });
    await store.deleteSeries([mustMatcher('host', '=', 'a')], { fromMs: 0, toMs: T0 + DAY });
    assert.equal((await contentsOf(store)).size, 2);
    await store.close();
  } finally {
    await fs.rm(dir, { recursive: true });
  }
});

test('while pages cannot be written memory grows to its limit, then samples are refused, and taken again after a flush', async () => {
  const disk = new FaultDisk();
  const { pageStore } = disk;
  let full = true;
  const failing = {
    ...pageStore,
    commit: (change: Parameters<typeof pageStore.commit>[0]) => {
      if (full) throw new StoreUnavailable('disk_full', 'The disk is full.');
      pageStore.commit(change);
    },
  };
  const store = await openStore({
    dir: 'memory',
    retentionMs: 30 * DAY,
    logger: collectingLogger(),
    disk,
    pageStore: failing,
    maxGrowthBytes: 256 * 1024,
  });
  const write = (k: number) => append(store, [{ series: { __name__: 'up', k: String(k) }, atMs: T0 + k, bits: 1n }], epochMs(T0 + k));
  await write(0);
  await assert.rejects(store.flush(T0, { all: true }), /disk is full/);
  let taken = 1;
  let refusal: unknown;
  for (; refusal === undefined && taken < 100_000; taken++) await write(taken).catch((thrown: unknown) => (refusal = thrown));
  assert.ok(refusal instanceof StoreUnavailable && refusal.reason === 'disk_full', String(refusal));
  assert.match(refusal.message, /^Memory for samples is used up/);
  full = false;
  await store.flush(T0, { all: true });
  await write(200_000);
  assert.equal((await contentsOf(store)).size, taken);
  await store.close();
});
