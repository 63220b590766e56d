import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mustMatcher } from '@nines/base/matcher.ts';
import { type EpochMs, epochMs } from '@nines/base/units.ts';
import fc from 'fast-check';
import { type BackfillReport, type Store, WINDOW_MS } from '../contract.ts';
import { STORE_LIMITS } from '../head/limits.ts';
import { bits64 } from '../testing/arbitraries.ts';
import { type Cut, FaultDisk } from '../testing/fault-disk.ts';
import { DAY, STALE_BITS, type Sample, T0, append, batchOf, bitsOfNumber, contentsOf, keyOf, openOnFaultDisk } from '../testing/samples.ts';

const MINUTE = 60_000;
const NOW = epochMs(T0 + 20 * DAY);
const at = (atMs: number, value: number, host = 'a'): Sample => ({
  series: { __name__: 'up', host },
  atMs,
  bits: bitsOfNumber(value),
});

async function backfill(store: Store, samples: readonly Sample[], nowMs: EpochMs = NOW): Promise<BackfillReport> {
  const session = store.backfill(nowMs);
  for (let i = 0; i < samples.length; i += 100) await session.add(batchOf(samples.slice(i, i + 100)));
  return session.finish();
}

test('old samples stand beside live ones, a repetition changes nothing, and neither moves anything in the head', async () => {
  const disk = new FaultDisk();
  const store = await openOnFaultDisk(disk);
  await append(store, [at(NOW, 1)], NOW);
  const before = store.stats();
  const old = Array.from({ length: 500 }, (_, i) => at(T0 + i * MINUTE, i, i % 2 === 0 ? 'a' : 'b'));
  const first = await backfill(store, old);
  const windowsMs = [0, 1, 2, 3, 4].map((i) => T0 + i * WINDOW_MS);
  assert.deepEqual(first, { samples: 500, stored: 500, repeated: 0, refusedCount: 0, refusedBy: {}, refused: [], windowsMs });
  const after = store.stats();
  // Of each window the log learns which page was the last, in one frame.
  const logged = after.logBytes - before.logBytes;
  assert.ok(logged > 0 && logged <= windowsMs.length * 64, `${logged} bytes were logged`);
  assert.deepEqual([after.headSamples, after.pageSamples], [before.headSamples, 500]);
  const contents = await contentsOf(store);
  assert.deepEqual(await backfill(store, old), { ...first, stored: 0, repeated: 500, windowsMs: [] });
  assert.deepEqual(await contentsOf(store), contents);
  assert.deepEqual(store.stats(), after);
  await store.close();
  const again = await openOnFaultDisk(disk);
  assert.deepEqual(await contentsOf(again), contents);
  await append(again, [at(NOW + MINUTE, 2)], epochMs(NOW + MINUTE));
  assert.equal((await contentsOf(again)).get(keyOf({ __name__: 'up', host: 'a' }))?.size, 252);
  await again.close();
});

test('the first sample of an instant stays, wherever it is, and the conflict is counted and named', async () => {
  const store = await openOnFaultDisk(new FaultDisk());
  await append(store, [at(NOW - MINUTE, 1), at(NOW, 2)], NOW);
  const report = await backfill(store, [at(NOW - MINUTE, 1), at(NOW, 3), at(T0, 4), at(T0, 5), at(NOW + 1, 6)]);
  assert.deepEqual([report.stored, report.repeated, report.refusedBy], [2, 1, { duplicate: 2 }]);
  assert.deepEqual(
    report.refused.map(({ labels, atMs, reason }) => [labels, atMs, reason]),
    [
      ['up{host="a"}', T0, 'duplicate'],
      ['up{host="a"}', NOW, 'duplicate'],
    ],
  );
  const live = await append(store, [at(NOW + 1, 7), at(NOW + 2, 8)], NOW);
  assert.deepEqual([live.accepted, live.refused[0]?.reason], [1, 'duplicate']);
  const held = (await contentsOf(store)).get(keyOf({ __name__: 'up', host: 'a' }));
  assert.deepEqual(
    [...(held ?? [])],
    [
      [T0, bitsOfNumber(4)],
      [NOW - MINUTE, bitsOfNumber(1)],
      [NOW, bitsOfNumber(2)],
      [NOW + 1, bitsOfNumber(6)],
      [NOW + 2, bitsOfNumber(8)],
    ],
  );
  await store.close();
});

test('what retention would remove, what lies ahead, what has no name and series over the limit are refused by reason', async () => {
  const store = await openOnFaultDisk(new FaultDisk(), { limits: () => ({ ...STORE_LIMITS, series: 2, newSeriesPerMinute: 1 }) });
  const nameless: Sample = { series: { host: 'a' }, atMs: T0, bits: 0n };
  const samples = [
    at(NOW - 31 * DAY, 1),
    at(NOW + 11 * MINUTE, 2),
    at(T0, 3),
    at(T0, 3, 'b'),
    at(T0, 4, 'c'),
    at(T0 + 1, 4, 'c'),
    nameless,
  ];
  const report = await backfill(store, samples);
  assert.equal(report.stored, 2);
  assert.deepEqual(report.refusedBy, { invalid_labels: 1, too_old: 1, too_far_ahead: 1, series_limit: 2 });
  assert.deepEqual([report.samples, report.refusedCount], [7, 5]);
  await store.close();
});

test('retention that moves on during a backfill takes its samples along', async () => {
  const store = await openOnFaultDisk(new FaultDisk());
  const session = store.backfill(NOW);
  await session.add(batchOf([at(T0, 1), at(T0 + DAY, 2)]));
  await store.deleteBefore(epochMs(T0 + MINUTE));
  const report = await session.finish();
  assert.deepEqual([report.stored, report.refusedBy.too_old], [1, 1]);
  await store.close();
});

test('a deletion that the next start repeats does not take what was backfilled after it', async () => {
  const disk = new FaultDisk();
  const store = await openOnFaultDisk(disk);
  await append(store, [at(NOW, 1)], NOW);
  await store.flush(NOW, { all: true });
  const deleting = store.deleteSeries([mustMatcher('__name__', '=', 'up')], { fromMs: 0, toMs: NOW });
  const session = store.backfill(NOW);
  await session.add(batchOf([at(T0, 1), at(NOW, 2)]));
  assert.equal((await deleting).samples, 1);
  await session.finish();
  const contents = await contentsOf(store);
  assert.equal(contents.get(keyOf(at(0, 0).series))?.size, 2);
  disk.crash();
  const again = await openOnFaultDisk(disk);
  assert.deepEqual(await contentsOf(again), contents);
  await again.close();
});

test('a power cut at any write of a backfill loses no live sample; what was finished is there, and doing it again adds the rest', async () => {
  const old = Array.from({ length: 60 }, (_, i) => at(T0 + i * 10 * MINUTE, i, ['a', 'b', 'c'][i % 3]));
  const run = async (disk: FaultDisk): Promise<BackfillReport> => {
    const store = await openOnFaultDisk(disk, { backfillBytes: 4000 });
    await append(store, [at(NOW, 1)], NOW);
    return backfill(store, old);
  };
  const whole = new FaultDisk();
  assert.equal((await run(whole)).stored, 60);
  const want = await openOnFaultDisk(restarted(whole)).then(contentsOf);
  for (let step = 0; step < whole.steps; step++) {
    for (const how of ['before', 'half', 'after'] as const satisfies readonly Cut['how'][]) {
      const disk = new FaultDisk();
      disk.cutAt({ step, how });
      const finished = await run(disk).catch(() => undefined);
      const store = await openOnFaultDisk(restarted(disk));
      const contents = await contentsOf(store);
      for (const [key, held] of contents) for (const [atMs, bits] of held) assert.equal(bits, want.get(key)?.get(atMs));
      if (finished !== undefined) assert.deepEqual(contents, want);
      await append(store, [at(NOW, 1)], NOW);
      await backfill(store, old);
      assert.deepEqual(await contentsOf(store), want, `cut ${how} write ${step}`);
      assert.equal(store.stats().damage.corruptPages, 0);
      await store.close();
    }
  }
});

function restarted(disk: FaultDisk): FaultDisk {
  disk.crash();
  return disk;
}

type Op =
  | { readonly kind: 'append' | 'backfill'; readonly samples: readonly Sample[] }
  | { readonly kind: 'flush' | 'compact' | 'restart' };

const samplesArb = (fromMs: number, spanMs: number): fc.Arbitrary<readonly Sample[]> =>
  fc.array(
    fc.record({
      series: fc.constantFrom(...['a', 'b', 'c'].map((host) => ({ __name__: host === 'c' ? 'load' : 'up', host }))),
      atMs: fc.integer({ min: 0, max: 30 }).map((i) => fromMs + Math.floor((i * spanMs) / 30)),
      bits: fc.oneof(fc.constantFrom(bitsOfNumber(1), STALE_BITS, bitsOfNumber(-0)), bits64()),
    }),
    { minLength: 1, maxLength: 40 },
  );

test('however live samples, backfills, flushes, joins and restarts follow one another, each instant has the sample that came first', async () => {
  const nowMs = T0 + 10 * WINDOW_MS;
  const op: fc.Arbitrary<Op> = fc.oneof(
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('append' as const), samples: samplesArb(nowMs - WINDOW_MS, WINDOW_MS) }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('backfill' as const), samples: samplesArb(T0, 10 * WINDOW_MS) }) },
    { weight: 2, arbitrary: fc.constantFrom('flush', 'compact', 'restart').map((kind): Op => ({ kind })) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(op, { maxLength: 12 }), fc.constantFrom(2000, 1e6), async (ops, backfillBytes) => {
      const disk = new FaultDisk();
      const open = (): Promise<Store> => openOnFaultDisk(disk, { backfillBytes, outOfOrderWindowMs: 10 * WINDOW_MS });
      let store = await open();
      const model = new Map<string, Map<number, bigint>>();
      for (const one of ops) {
        if (one.kind === 'append') await append(store, one.samples, epochMs(nowMs));
        else if (one.kind === 'backfill') await backfill(store, one.samples, epochMs(nowMs));
        else if (one.kind === 'flush') await store.flush(epochMs(nowMs), { all: true });
        else if (one.kind === 'compact') await store.compact(epochMs(nowMs + 2 * WINDOW_MS));
        else {
          disk.crash();
          store = await open();
        }
        if (!('samples' in one)) continue;
        for (const { series, atMs, bits } of one.samples) {
          const held = model.get(keyOf(series)) ?? new Map<number, bigint>();
          model.set(keyOf(series), held);
          if (!held.has(atMs)) held.set(atMs, bits);
        }
      }
      const sorted = [...model].map(([key, held]) => [key, [...held].sort(([a], [b]) => a - b)] as const);
      const contents = await contentsOf(store);
      assert.deepEqual(new Map([...contents].map(([key, held]) => [key, [...held]])), new Map(sorted));
      await store.close();
    }),
    { numRuns: process.env['NINES_FULL'] === undefined ? 150 : 2000 },
  );
});

test('live samples are taken and queries answered while a large backfill is written', async () => {
  const disk = new FaultDisk();
  const store = await openOnFaultDisk(disk, { backfillBytes: 200_000 });
  const session = store.backfill(NOW);
  let turns = 0;
  const importing = (async () => {
    for (let day = 0; day < 10; day++) {
      const samples = Array.from({ length: 3000 }, (_, i) => at(T0 + day * DAY + Math.floor(i / 10) * MINUTE, i, `h${i % 10}`));
      await session.add(batchOf(samples));
    }
    return session.finish();
  })();
  let done = false;
  void importing.finally(() => {
    done = true;
  });
  for (let i = 0; !done; i++) {
    const outcome = await append(store, [at(NOW + i, i, 'live')], NOW);
    assert.equal(outcome.accepted, 1);
    turns++;
    await disk.yield();
  }
  assert.equal((await importing).stored, 30_000);
  assert.ok(turns > 3, `${turns} appends`);
  const contents = await contentsOf(store);
  assert.equal(contents.get(keyOf({ __name__: 'up', host: 'live' }))?.size, turns);
  await store.close();
});
