import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mustMatcher } from '@nines/base/matcher.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, epochMs } from '@nines/base/units.ts';
import type { RollupUse, SeriesColumns } from '@nines/model/storage.ts';
import type { Store } from '../contract.ts';
import type { RetentionPolicy } from '../retention/policy.ts';
import { openStore } from '../store.ts';
import { FaultDisk } from '../testing/fault-disk.ts';
import { STALE_BITS, append, bitsOfNumber, collectingLogger, openOnFaultDisk } from '../testing/samples.ts';

/** A Monday, 00:00 UTC. */
const MONDAY = 1_750_032_000_000;
const NOW = epochMs(MONDAY + 3 * DAY_MS);
const ROLLED: RetentionPolicy = {
  rules: [{ matchers: [], samplesMs: 30 * DAY_MS, rollupMs: { 300000: 90 * DAY_MS, 3600000: 365 * DAY_MS } }],
};

const open = (disk: FaultDisk, retention = ROLLED): Promise<Store> => openOnFaultDisk(disk, { retention, outOfOrderWindowMs: 10 * DAY_MS });

/** Writes `x` every minute from the hour `from` to the hour `to`, all with one value. */
async function write(store: Store, [from, to]: readonly [number, number], value: number): Promise<void> {
  const samples = [];
  for (let atMs = MONDAY + from * HOUR_MS; atMs < MONDAY + to * HOUR_MS; atMs += MINUTE_MS)
    samples.push({ series: { __name__: 'x' }, atMs, bits: bitsOfNumber(value) });
  const outcome = await append(store, samples, NOW);
  assert.equal(outcome.refusedCount, 0);
}

const use = (statistic: RollupUse['statistic']): RollupUse => ({
  statistic,
  firstEndMs: MONDAY + HOUR_MS,
  stepMs: HOUR_MS,
  rangeMs: HOUR_MS,
});

async function read(store: Store, statistic: RollupUse['statistic']): Promise<SeriesColumns | undefined> {
  const range = { fromMs: MONDAY + 1, toMs: MONDAY + DAY_MS };
  return [...(await store.select([mustMatcher('__name__', '=', 'x')], range, { rollups: use(statistic) }))][0];
}

/** Hours of Monday (by their end) and how many samples each has, by rollups. */
async function hours(store: Store): Promise<readonly (readonly [hour: number, count: number])[]> {
  const found = await read(store, 'count');
  assert.ok(found?.rolled?.exact, 'not from rollups');
  const counts = new Map<number, number>();
  found.times.forEach((time, i) => {
    const hour = Math.ceil((time - MONDAY) / HOUR_MS);
    counts.set(hour, (counts.get(hour) ?? 0) + (found.values[i] ?? 0));
  });
  return [...counts];
}

test('a day that is over is rolled up once', async () => {
  const store = await open(new FaultDisk());
  await write(store, [1, 3], 5);
  await store.flush(NOW, { all: true });
  // The day must be over for as long as samples may be late.
  assert.deepEqual(await store.rollUp(epochMs(MONDAY + DAY_MS + HOUR_MS)), { days: 0, series: 0 });
  assert.deepEqual(await store.rollUp(epochMs(MONDAY + 12 * DAY_MS)), { days: 1, series: 1 });
  assert.deepEqual(await store.rollUp(epochMs(MONDAY + 12 * DAY_MS)), { days: 0, series: 0 });
  // 01:00 itself belongs to the hour that ends there.
  assert.deepEqual(await hours(store), [
    [1, 1],
    [2, 60],
    [3, 59],
  ]);
  const { pages, rollupPages, pageSamples } = store.stats();
  assert.deepEqual([pages > 0, rollupPages, pageSamples], [true, 2, 120]);
  await store.close();
});

test('samples that come late for a day are told by samples until the day is rolled up again', async () => {
  const store = await open(new FaultDisk());
  await write(store, [2, 3], 5);
  await store.flush(NOW, { all: true });
  const later = epochMs(MONDAY + 12 * DAY_MS);
  await store.rollUp(later);
  await write(store, [1, 2], 7);
  await store.flush(NOW, { all: true });
  assert.equal((await read(store, 'count'))?.rolled, undefined);
  assert.deepEqual(await store.rollUp(later), { days: 1, series: 1 });
  assert.deepEqual(await hours(store), [
    [1, 1],
    [2, 60],
    [3, 59],
  ]);
  await store.close();
});

test('a deletion takes whole buckets out of the rollups at once, also where samples have expired', async () => {
  const store = await open(new FaultDisk());
  await write(store, [1, 6], 5);
  await store.flush(NOW, { all: true });
  const later = epochMs(MONDAY + 12 * DAY_MS);
  await store.rollUp(later);
  await store.deleteBefore(epochMs(MONDAY + 8 * HOUR_MS));
  const range = { fromMs: MONDAY + 3 * HOUR_MS + 10 * MINUTE_MS, toMs: MONDAY + 4 * HOUR_MS };
  assert.deepEqual((await store.deleteSeries([mustMatcher('__name__', '=', 'x')], range)).series, 1);
  // Five minutes are the finest that is left: 03:01 to 03:05 stay.
  assert.deepEqual(await hours(store), [
    [1, 1],
    [2, 60],
    [3, 60],
    [4, 5],
    [5, 60],
    [6, 59],
  ]);
  // What is left is carried over, since there is nothing to make it from.
  await store.rollUp(later);
  assert.deepEqual(await hours(store), [
    [1, 1],
    [2, 60],
    [3, 60],
    [5, 60],
    [6, 59],
  ]);
  await store.close();
});

test('a bucket of which samples have expired keeps what it said when its day is rolled up again', async () => {
  const store = await open(new FaultDisk());
  await write(store, [1, 6], 5);
  await store.flush(NOW, { all: true });
  const later = epochMs(MONDAY + 12 * DAY_MS);
  await store.rollUp(later);
  await store.deleteBefore(epochMs(MONDAY + 4 * HOUR_MS));
  await write(store, [6, 7], 9);
  await store.flush(NOW, { all: true });
  assert.deepEqual(await store.rollUp(later), { days: 1, series: 1 });
  assert.deepEqual(
    (await hours(store)).map(([, count]) => count),
    [1, 60, 60, 60, 60, 60, 59],
  );
  await store.close();
});

test('a series is listed for a time of which only rollups are left', async () => {
  const store = await open(new FaultDisk());
  await write(store, [1, 3], 5);
  await store.flush(NOW, { all: true });
  await store.rollUp(epochMs(MONDAY + 12 * DAY_MS));
  await store.deleteBefore(epochMs(MONDAY + DAY_MS));
  const monday = { fromMs: MONDAY + HOUR_MS, toMs: MONDAY + 2 * HOUR_MS };
  const tuesday = { fromMs: MONDAY + DAY_MS + HOUR_MS, toMs: MONDAY + 2 * DAY_MS };
  const matchers = [mustMatcher('__name__', '=', 'x')];
  assert.deepEqual([(await store.series(matchers, monday)).length, (await store.series(matchers, tuesday)).length], [1, 0]);
  assert.deepEqual(await store.labelValues('__name__', [], monday), ['x']);
  // Whoever reads samples gets none.
  assert.deepEqual([...(await store.select(matchers, monday))], []);
  await store.close();
});

test('a marker that ends a bucket ends the series for an instant selector, and is no sample for the rest', async () => {
  const store = await open(new FaultDisk());
  await write(store, [1, 2], 5);
  const marker = { series: { __name__: 'x' }, atMs: MONDAY + 2 * HOUR_MS - 1_000, bits: STALE_BITS };
  await append(store, [marker], NOW);
  await store.flush(NOW, { all: true });
  await store.rollUp(epochMs(MONDAY + 12 * DAY_MS));
  const newest = await read(store, 'newest');
  assert.deepEqual(newest?.times.at(-1), marker.atMs);
  assert.ok(Number.isNaN(newest?.values.at(-1)));
  const counted = await read(store, 'count');
  assert.deepEqual([counted?.times.at(-1), counted?.values.at(-1)], [MONDAY + 2 * HOUR_MS - MINUTE_MS, 59]);
  await store.close();
});

test('a policy that begins to roll a series up has the days done that still have samples', async () => {
  const disk = new FaultDisk();
  const none = { matchers: [mustMatcher('__name__', '=', 'x')], samplesMs: 30 * DAY_MS, rollupMs: { 300000: 0, 3600000: 0 } };
  const before = await open(disk, { rules: [none, ...ROLLED.rules] });
  await write(before, [1, 3], 5);
  await before.flush(NOW, { all: true });
  const later = epochMs(MONDAY + 12 * DAY_MS);
  assert.deepEqual(await before.rollUp(later), { days: 1, series: 0 });
  assert.equal((await read(before, 'count'))?.rolled, undefined);
  await before.close();
  const after = await open(disk);
  assert.deepEqual(await after.rollUp(later), { days: 1, series: 1 });
  assert.equal((await hours(after)).length, 3);
  await after.close();
});

test('wherever a crash ends the rolling up of a day, the next attempt tells the same', async () => {
  for (let commits = 0; commits < 12; commits++) {
    const disk = new FaultDisk();
    const store = await open(disk);
    await write(store, [1, 6], 5);
    await store.flush(NOW, { all: true });
    const later = epochMs(MONDAY + 12 * DAY_MS);
    await store.rollUp(later);
    await write(store, [6, 8], 5);
    await store.flush(NOW, { all: true });
    const { pageStore } = disk;
    let left = commits;
    const failing: typeof pageStore = Object.assign(Object.create(pageStore), {
      commit: (change: Parameters<typeof pageStore.commit>[0]) => {
        if (left-- === 0) throw Object.assign(new Error('the power is gone'), { code: 'EIO' });
        pageStore.commit(change);
      },
    });
    await store.close();
    const again = await openStore({
      dir: 'memory',
      disk,
      pageStore: failing,
      retentionMs: 30 * DAY_MS,
      retention: ROLLED,
      outOfOrderWindowMs: 10 * DAY_MS,
      logger: collectingLogger(),
    });
    const whole = await again.rollUp(later).then(
      () => true,
      () => false,
    );
    left = -1;
    await again.rollUp(later);
    assert.deepEqual(
      (await hours(again)).map(([, count]) => count),
      [1, 60, 60, 60, 60, 60, 60, 59],
      `after ${commits} commits`,
    );
    await again.close();
    if (whole) return;
  }
  assert.fail('the rolling up never came to its end');
});
