import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { mustMatcher } from '@nines/base/matcher.ts';
import { epochMs } from '@nines/base/units.ts';
import { labelsOf } from '@nines/model/labels.ts';
import { bitsOf, isStale } from '@nines/model/stale.ts';
import { NO_SERIES, type WriteBatch } from '@nines/model/storage.ts';
import { createBatchBuilder } from '@nines/model/write-batch.ts';
import { type Store, StoreLocked, WINDOW_MS } from './contract.ts';
import { STORE_LIMITS } from './head/limits.ts';
import { openStore } from './store.ts';
import { FaultDisk } from './testing/fault-disk.ts';
import {
  DAY,
  STALE_BITS,
  type Sample,
  T0,
  append,
  batchOf,
  bitsOfNumber,
  collectingLogger,
  contentsOf,
  keyOf,
  openOnFaultDisk,
  testCipher,
} from './testing/samples.ts';

const MINUTE = 60_000;
const UP = { __name__: 'up', host: 'a' };
const at = (atMs: number, value: number, series: Sample['series'] = UP): Sample => ({ series, atMs, bits: bitsOfNumber(value) });

async function withStore(
  run: (store: Store, disk: FaultDisk) => Promise<void>,
  options: Parameters<typeof openOnFaultDisk>[1] = {},
): Promise<void> {
  const disk = new FaultDisk();
  const store = await openOnFaultDisk(disk, options);
  try {
    await run(store, disk);
  } finally {
    await store.close();
  }
}

async function withDirectory(run: (dir: string) => Promise<void>): Promise<void> {
  const dir = await fs.mkdtemp(path.join(os.tmpdir(), 'nines-store-'));
  try {
    await run(dir);
  } finally {
    await fs.rm(dir, { recursive: true });
  }
}

const openIn = (dir: string): Promise<Store> => openStore({ dir, retentionMs: 30 * DAY, logger: collectingLogger(), cipher: testCipher() });

test('a second store on the same directory is refused with one sentence, in this process and in another', async () => {
  await withDirectory(async (dir) => {
    const store = await openIn(dir);
    await assert.rejects(openIn(dir), { name: 'StoreLocked', message: `The data directory ${dir} is already open in another process.` });
    const script = `import { openStore } from '${new URL('store.ts', import.meta.url).href}';
      const logger = { debug() {}, info() {}, warn() {}, error() {}, child() { return logger; } };
      openStore({ dir: ${JSON.stringify(dir)}, retentionMs: 1e9, logger }).catch((e) => { console.log(e.message); process.exit(7); });`;
    const other = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
      encoding: 'utf8',
      cwd: fileURLToPath(new URL('.', import.meta.url)),
    });
    assert.equal(other.status, 7, other.stderr);
    assert.equal(other.stdout.trim(), new StoreLocked(dir).message);
    await store.close();
    await (await openIn(dir)).close();
  });
});

test('a directory that cannot be made is refused as unavailable', async () => {
  await withDirectory(async (dir) => {
    await fs.writeFile(path.join(dir, 'file'), '');
    await assert.rejects(openIn(path.join(dir, 'file', 'tsdb')), { name: 'StoreUnavailable' });
    const store = await openIn(path.join(dir, 'a', 'b', 'c'));
    await append(store, [at(T0, 1)], T0);
    await store.close();
  });
});

test('appends that come together share one sync', async () => {
  await withStore(async (store, disk) => {
    await append(store, [at(T0, 1)], T0);
    const before = disk.steps;
    await Promise.all(Array.from({ length: 50 }, (_, i) => append(store, [at(T0 + i + 1, i)], epochMs(T0 + 100))));
    assert.equal(disk.steps - before, 2, 'one write and one sync');
    assert.equal((await contentsOf(store)).get(keyOf(UP))?.size, 51);
  });
});

test('each sample that cannot be taken is refused with its reason and the others are stored', async () => {
  await withStore(async (store) => {
    const now = epochMs(T0 + 3 * 3_600_000);
    await append(store, [at(now, 1)], now);
    const outcome = await append(
      store,
      [
        at(now - 2 * 3_600_000, 2),
        at(now + 10 * MINUTE, 3),
        at(now + 10 * MINUTE + 1, 4),
        at(now, 1),
        at(now, 9),
        at(now - 31 * DAY, 1, { __name__: 'first' }),
        at(now - 29 * DAY, 1, { __name__: 'first' }),
        at(now, 1, { host: 'nameless' }),
        at(now, 5, { __name__: 'other' }),
      ],
      now,
    );
    assert.deepEqual(
      outcome.refused.map(({ series, reason, labels }) => [series, reason, labels]),
      [
        [0, 'too_old', 'up{host="a"}'],
        [2, 'too_far_ahead', 'up{host="a"}'],
        [4, 'duplicate', 'up{host="a"}'],
        [5, 'too_old', 'first'],
        [7, 'invalid_labels', ''],
      ],
    );
    assert.equal(outcome.accepted, 4);
    assert.equal(outcome.refusedCount, 5);
    assert.deepEqual(
      [...outcome.refs].map((ref) => (ref === NO_SERIES ? '-' : store.labelsOfRef(ref).join(' '))),
      ['-', '__name__ up host a', '-', '__name__ up host a', '-', '-', '__name__ first', '-', '__name__ other'],
    );
  });
});

test('a sample may be late by the configured window against its own series, also after the newest ones moved to pages', async () => {
  await withStore(
    async (store) => {
      const newest = T0 + 3 * WINDOW_MS;
      await append(store, [at(newest, 1)], epochMs(newest));
      await store.flush(epochMs(newest), { all: true });
      const outcome = await append(
        store,
        [at(newest - 5 * MINUTE, 2), at(newest - 5 * MINUTE - 1, 3), at(newest - DAY, 4, { __name__: 'new' })],
        epochMs(newest),
      );
      assert.deepEqual(
        outcome.refused.map(({ reason, atMs }) => [reason, atMs]),
        [['too_old', newest - 5 * MINUTE - 1]],
      );
      const again = await append(store, [at(newest, 1), at(newest, 2), at(newest - 5 * MINUTE, 2)], epochMs(newest));
      assert.deepEqual(
        again.refused.map(({ reason }) => reason),
        ['duplicate'],
      );
    },
    { outOfOrderWindowMs: 5 * MINUTE },
  );
});

test('beyond the limit new series are refused and the old ones keep working', async () => {
  await withStore(
    async (store) => {
      await append(store, [at(T0, 1), at(T0, 1, { __name__: 'b' })], T0);
      const outcome = await append(store, [at(T0 + 1, 1, { __name__: 'c' }), at(T0 + 1, 2)], epochMs(T0 + 1));
      assert.deepEqual(
        outcome.refused.map(({ reason, detail }) => [reason, detail]),
        [
          [
            'series_limit',
            'the store holds its limit of 2 series (this one is of c); new series are refused until there are fewer or limits.series is raised',
          ],
        ],
      );
      assert.equal(outcome.accepted, 1);
    },
    { limits: () => ({ ...STORE_LIMITS, series: 2 }) },
  );
});

test('labels that are too many, too long, doubled, nameless, or not text are refused one by one', async () => {
  await withStore(async (store) => {
    const many = Object.fromEntries(Array.from({ length: 64 }, (_, i) => [`l${i}`, 'x']));
    const bad: Record<string, Record<string, string>> = {
      'is 64': { __name__: 'm', ...many },
      'more than 1024': { __name__: 'm', ['n'.repeat(1025)]: 'x' },
      'more than 16384': { __name__: 'm', v: 'é'.repeat(8193) },
      'no __name__': { a: 'b' },
    };
    for (const [detail, series] of Object.entries(bad)) {
      const outcome = await append(store, [at(T0, 1, series), at(T0, 1, { __name__: 'good' })], T0);
      assert.equal(outcome.accepted, 1);
      assert.match(outcome.refused[0]?.detail ?? '', new RegExp(detail));
    }
    const raw = (bytes: readonly number[]): WriteBatch => ({
      ...batchOf([at(T0, 1)]),
      bytes: Uint8Array.from(bytes),
      labelsFrom: Uint32Array.of(0),
      labelsTo: Uint32Array.of(bytes.length),
    });
    const label = (name: string, value: readonly number[]): number[] => [
      0x0a,
      name.length + value.length + 4,
      0x0a,
      name.length,
      ...Buffer.from(name),
      0x12,
      value.length,
      ...value,
    ];
    const name = label('__name__', [...Buffer.from('up')]);
    for (const bytes of [
      [...name, ...name],
      [...name, ...label('x', [0xff])],
      [...name, ...label('', [65])],
      [...name, 1, 2, 3],
      [0x0a, 200],
      [],
    ]) {
      const outcome = await store.append(raw(bytes), T0);
      assert.deepEqual([outcome.accepted, outcome.refused[0]?.reason], [0, 'invalid_labels'], String(bytes));
    }
    assert.equal((await store.series([], { fromMs: 0, toMs: T0 })).length, 1);
  });
});

test('other orders of the same labels, and empty labels, are the same series', async () => {
  await withStore(async (store) => {
    const builder = createBatchBuilder();
    const orders = [
      ['__name__', 'up', 'a', '1', 'b', '2'],
      ['b', '2', '__name__', 'up', 'a', '1'],
      ['a', '1', 'b', '2', 'c', '', '__name__', 'up'],
    ];
    for (let round = 0; round < 3; round++) {
      builder.reset();
      orders.forEach((labels, i) => builder.add(labels, T0 + round * 1000 + i, 1));
      const outcome = await store.append(builder.batch(), epochMs(T0 + 10_000));
      assert.equal(new Set(outcome.refs).size, 1);
    }
    assert.equal((await contentsOf(store)).get(keyOf({ __name__: 'up', a: '1', b: '2' }))?.size, 9);
  });
});

test('staleness markers, payloads of NaN, zeros of both signs and infinities keep their bits in memory, log and pages', async () => {
  const bits = [
    STALE_BITS,
    0x7ff8000000000001n,
    0xfff0000000000123n,
    bitsOfNumber(-0),
    0n,
    bitsOfNumber(Infinity),
    bitsOfNumber(-Infinity),
    1n,
    STALE_BITS,
  ];
  const disk = new FaultDisk();
  let store = await openOnFaultDisk(disk);
  await append(
    store,
    bits.map((value, i) => ({ series: UP, atMs: T0 + i * 1000, bits: value })),
    epochMs(T0 + MINUTE),
  );
  const check = async (): Promise<void> => assert.deepEqual([...((await contentsOf(store)).get(keyOf(UP))?.values() ?? [])], bits);
  await check();
  disk.crash();
  store = await openOnFaultDisk(disk);
  await check();
  await store.flush(T0, { all: true });
  await check();
  for (const { values } of await store.select([], { fromMs: T0, toMs: T0 })) assert.ok(isStale(bitsOf(values), 0));
  await store.close();
});

test('a selection can be walked while samples move to pages, and misses and repeats nothing', async () => {
  await withStore(async (store) => {
    const hosts = Array.from({ length: 40 }, (_, i) => ({ __name__: `m${i % 3}`, host: String(i) }));
    for (let k = 0; k < 30; k++)
      await append(
        store,
        hosts.map((series) => at(T0 + k * 15 * MINUTE, k, series)),
        epochMs(T0 + k * 15 * MINUTE),
      );
    let walked = 0;
    for (const { times } of await store.select([mustMatcher('host', '!=', '')], { fromMs: 0, toMs: T0 + DAY })) {
      assert.deepEqual(
        [...times],
        Array.from({ length: 30 }, (_, k) => T0 + k * 15 * MINUTE),
      );
      if (walked++ === 5) await store.flush(epochMs(T0 + 5 * 3_600_000));
      if (walked === 20) await store.flush(T0, { all: true });
    }
    assert.equal(walked, 40);
  });
});

test('an aborted signal ends a walk with its reason', async () => {
  await withStore(async (store) => {
    await append(store, [at(T0, 1), at(T0, 1, { __name__: 'b' })], T0);
    const controller = new AbortController();
    const walk = await store.select([], { fromMs: 0, toMs: T0 }, { signal: controller.signal });
    const reason = new Error('enough');
    assert.throws(() => {
      for (const _ of walk) controller.abort(reason);
    }, reason);
    await assert.rejects(store.select([], { fromMs: 0, toMs: T0 }, { signal: controller.signal }), reason);
  });
});

test('matchers, scope and label lists', async () => {
  await withStore(async (store) => {
    const all = [
      { __name__: 'cpu', host: 'a', mode: 'idle' },
      { __name__: 'cpu', host: 'b', mode: 'user' },
      { __name__: 'cpu', host: 'c' },
      { __name__: 'mem', host: 'a' },
    ];
    await append(
      store,
      all.map((series) => at(T0, 1, series)),
      T0,
    );
    const range = { fromMs: T0, toMs: T0 };
    const names = async (...matchers: [string, '=' | '!=' | '=~' | '!~', string][]): Promise<string[]> =>
      (
        await store.series(
          matchers.map(([name, op, value]) => mustMatcher(name, op, value)),
          range,
        )
      ).map((labels) => labels.filter((_, i) => i % 2 === 1).join(' '));
    assert.deepEqual(await names(['__name__', '=', 'cpu'], ['mode', '!=', '']), ['cpu a idle', 'cpu b user']);
    assert.deepEqual(await names(['__name__', '=', 'cpu'], ['mode', '=', '']), ['cpu c']);
    assert.deepEqual(await names(['host', '=~', 'a|c']), ['cpu a idle', 'cpu c', 'mem a']);
    assert.deepEqual(await names(['host', '!~', 'a|b']), ['cpu c']);
    assert.deepEqual(await names(['mode', '=~', '(idle)?']), ['cpu a idle', 'cpu c', 'mem a']);
    assert.deepEqual(await names(['host', '=', 'nobody']), []);
    assert.deepEqual(await names(), ['cpu a idle', 'cpu b user', 'cpu c', 'mem a']);
    const scope = { matchers: [mustMatcher('host', '=', 'a')] };
    assert.deepEqual(await store.labelValues('__name__', [], range, { scope }), ['cpu', 'mem']);
    assert.deepEqual(await store.labelNames([mustMatcher('__name__', '=', 'mem')], range), ['__name__', 'host']);
    assert.deepEqual(await store.labelValues('host', [], { fromMs: T0 + 1, toMs: T0 + 2 }), []);
    assert.deepEqual((await store.series([], range, { scope })).length, 2);
    assert.deepEqual(await store.series([], { fromMs: 0, toMs: T0 - 1 }), []);
    assert.deepEqual(labelsOf(UP).length, 4);
  });
});

test('retention removes samples, pages and series, also when the log still holds them', async () => {
  const disk = new FaultDisk();
  let store = await openOnFaultDisk(disk);
  const gone = { __name__: 'gone' };
  for (let k = 0; k < 5; k++)
    await append(store, [at(T0 + k * WINDOW_MS, k), ...(k < 2 ? [at(T0 + k * WINDOW_MS, k, gone)] : [])], epochMs(T0 + k * WINDOW_MS));
  await store.flush(epochMs(T0 + 2 * WINDOW_MS + 10 * MINUTE));
  assert.equal(store.stats().pages, 2);
  const cutoff = epochMs(T0 + 3 * WINDOW_MS);
  assert.deepEqual(await store.deleteBefore(cutoff), { series: 1, samples: 5 });
  const left = [T0 + 3 * WINDOW_MS, T0 + 4 * WINDOW_MS];
  for (let round = 0; round < 2; round++) {
    assert.deepEqual([...((await contentsOf(store)).get(keyOf(UP))?.keys() ?? [])], left);
    assert.deepEqual([store.stats().pages, store.stats().series], [0, 1]);
    const late = await append(store, [at(cutoff - 1, 1, gone)], cutoff);
    assert.equal(late.refused[0]?.reason, 'too_old');
    disk.crash();
    store = await openOnFaultDisk(disk);
    assert.deepEqual([store.stats().damage.orphanSamples, store.stats().headSamples], [0, 2]);
  }
  await append(store, [at(cutoff, 7, gone)], cutoff);
  disk.crash();
  store = await openOnFaultDisk(disk);
  assert.deepEqual([...((await contentsOf(store)).get(keyOf(gone)) ?? [])], [[cutoff, bitsOfNumber(7)]]);
  await store.close();
});

test('windows are flushed after a clock that jumped ahead came back', async () => {
  await withStore(async (store) => {
    await append(store, [at(T0, 1)], T0);
    assert.equal((await store.flush(epochMs(T0 + 400 * DAY))).samples, 1);
    await append(store, [at(T0 + MINUTE, 2)], T0);
    assert.equal((await store.flush(epochMs(T0 + 2 * WINDOW_MS))).samples, 1);
  });
});

test('retention gives the space on disk back', async () => {
  await withDirectory(async (dir) => {
    let store = await openIn(dir);
    let state = 1n;
    const noise = (): bigint => {
      state = (state * 6364136223846793005n + 1442695040888963407n) & (2n ** 64n - 1n);
      return state >> 8n;
    };
    const samples = Array.from({ length: 40_000 }, (_, i): Sample => ({ series: UP, atMs: T0 + i * 150, bits: noise() }));
    await append(store, samples, epochMs(T0 + WINDOW_MS));
    await store.flush(T0, { all: true });
    await store.close();
    const size = async (): Promise<number> => (await fs.stat(path.join(dir, 'pages.db'))).size;
    assert.ok((await size()) > 280_000, `${await size()} bytes`);
    store = await openIn(dir);
    await store.deleteBefore(epochMs(T0 + 2 * WINDOW_MS));
    await store.close();
    assert.ok((await size()) < 200_000, `${await size()} bytes`);
  });
});

test('a series is not forgotten while a sample of it is on its way to the disk', async () => {
  await withStore(async (store) => {
    await append(store, [at(T0, 1)], T0);
    await store.flush(T0, { all: true });
    const cutoff = epochMs(T0 + WINDOW_MS);
    await Promise.all([append(store, [at(cutoff, 2)], cutoff), store.deleteBefore(cutoff)]);
    assert.deepEqual([...((await contentsOf(store)).get(keyOf(UP)) ?? [])], [[cutoff, bitsOfNumber(2)]]);
  });
});

test('a closed store refuses everything and closing twice is fine', async () => {
  const disk = new FaultDisk();
  const store = await openOnFaultDisk(disk);
  await store.close();
  await store.close();
  const refusal = { name: 'StoreUnavailable', reason: 'closed' };
  await assert.rejects(append(store, [at(T0, 1)], T0), refusal);
  await assert.rejects(store.select([], { fromMs: 0, toMs: 1 }), refusal);
  await assert.rejects(store.flush(T0), refusal);
});

test('references stay what they were over restarts, and are never given twice', async () => {
  const disk = new FaultDisk();
  let store = await openOnFaultDisk(disk);
  const [first] = (await append(store, [at(T0, 1)], T0)).refs;
  await append(store, [at(T0, 1, { __name__: 'b' })], T0);
  await store.flush(T0, { all: true });
  await store.deleteSeries([mustMatcher('__name__', '=', 'b')], { fromMs: 0, toMs: T0 });
  disk.crash();
  store = await openOnFaultDisk(disk);
  const later = await append(store, [at(T0 + 1, 1), at(T0 + 1, 1, { __name__: 'c' })], epochMs(T0 + 1));
  assert.equal(later.refs[0], first);
  assert.equal(later.refs[1], 2);
  await store.close();
});

test('with asynchronous durability an append is acknowledged before the sync, and a process crash loses nothing', async () => {
  await withDirectory(async (dir) => {
    const open = (): Promise<Store> =>
      openStore({ dir, retentionMs: 30 * DAY, durability: 'async', logger: collectingLogger(), cipher: testCipher() });
    let store = await open();
    for (let i = 0; i < 20; i++) await append(store, [at(T0 + i, i)], epochMs(T0 + i));
    await store.close();
    store = await open();
    assert.equal((await contentsOf(store)).get(keyOf(UP))?.size, 20);
    await store.close();
  });
});

test('small pages of a window are joined, and nothing else changes', async () => {
  await withStore(
    async (store) => {
      for (let k = 0; k < 6; k++) {
        await append(
          store,
          ['a', 'b'].map((host) => at(T0 + ((k * 7) % 6) * MINUTE, k, { __name__: 'up', host })),
          epochMs(T0 + DAY),
        );
        await store.flush(T0, { all: true });
      }
      const before = await contentsOf(store);
      assert.equal(store.stats().pages, 6);
      assert.equal(await store.compact(epochMs(T0 + WINDOW_MS)), 0, 'the window is not over');
      assert.equal(await store.compact(epochMs(T0 + DAY)), 5);
      assert.equal(store.stats().pages, 1);
      assert.deepEqual(await contentsOf(store), before);
      assert.equal(await store.compact(epochMs(T0 + DAY)), 0);
    },
    { outOfOrderWindowMs: DAY },
  );
});
