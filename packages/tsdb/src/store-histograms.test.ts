import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { mustMatcher } from '@nines/base/matcher.ts';
import { epochMs } from '@nines/base/units.ts';
import { type Histogram, withHints } from '@nines/model/histogram.ts';
import type { SeriesColumns } from '@nines/model/storage.ts';
import { anyHistogram, counted } from '@nines/model/testing/histograms.ts';
import { type Store, WINDOW_MS } from './contract.ts';
import { FaultDisk } from './testing/fault-disk.ts';
import { DAY, STALE_BITS, type Sample, T0, append, bitsOfNumber, openOnFaultDisk } from './testing/samples.ts';

const MINUTE = 60_000;
const LATENCY = { __name__: 'latency', host: 'a' };
const at = (atMs: number, histogram: Histogram, series: Sample['series'] = LATENCY): Sample => ({ series, atMs, bits: 0n, histogram });
const number = (atMs: number, value: number): Sample => ({ series: LATENCY, atMs, bits: bitsOfNumber(value) });
const stale = (atMs: number): Sample => ({ series: LATENCY, atMs, bits: STALE_BITS });

const EVERYTHING = { fromMs: Number.NEGATIVE_INFINITY, toMs: Number.POSITIVE_INFINITY };

async function seriesOf(store: Store, range = EVERYTHING): Promise<readonly SeriesColumns[]> {
  return [...(await store.select([mustMatcher('__name__', '=', 'latency')], range))];
}

/** What a store holds of the one series: bits, or the histogram. */
async function samplesOf(store: Store, range = EVERYTHING): Promise<readonly (readonly [number, bigint | Histogram])[]> {
  const [series, ...others] = await seriesOf(store, range);
  assert.deepEqual(others, []);
  if (series === undefined) return [];
  const bits = new BigUint64Array(series.values.slice().buffer);
  return Array.from(series.times, (time, i) => [time, series.histograms?.[i] ?? bits[i] ?? 0n] as const);
}

/** As they are to come back: with hints that follow from one another. */
function expected(samples: readonly Sample[]): readonly (readonly [number, bigint | Histogram])[] {
  const sorted = samples.toSorted((a, b) => a.atMs - b.atMs);
  const histograms = withHints(sorted.map(({ histogram }) => histogram));
  return sorted.map(({ atMs, bits }, i) => [atMs, histograms[i] ?? bits] as const);
}

const open = (disk: FaultDisk, options: Parameters<typeof openOnFaultDisk>[1] = {}): Promise<Store> =>
  openOnFaultDisk(disk, { outOfOrderWindowMs: DAY, ...options });

async function reopened(store: Store, disk: FaultDisk): Promise<Store> {
  await store.close();
  return open(disk);
}

const SAMPLES: readonly Sample[] = [
  at(T0, counted(1)),
  at(T0 + MINUTE, counted(2)),
  number(T0 + 2 * MINUTE, 7),
  at(T0 + 3 * MINUTE, counted(3)),
  stale(T0 + 4 * MINUTE),
  at(T0 + 5 * MINUTE, counted(1, { sum: Number.NaN })),
  at(T0 + WINDOW_MS, counted(-2, { hint: 'gauge' })),
  at(T0 + WINDOW_MS + MINUTE, counted(4)),
];
const NOW = epochMs(T0 + WINDOW_MS + 2 * MINUTE);

test('histograms come back among numbers and staleness markers from memory, the log, a checkpoint and pages', async () => {
  const disk = new FaultDisk();
  let store = await open(disk);
  const outcome = await append(store, SAMPLES, NOW);
  assert.equal(outcome.accepted, SAMPLES.length);
  assert.equal(outcome.histograms, 6);
  assert.deepEqual(await samplesOf(store), expected(SAMPLES));
  assert.deepEqual(
    (await seriesOf(store))[0]?.histograms?.map((histogram) => histogram?.hint),
    ['unknown', 'not_reset', undefined, 'unknown', undefined, 'unknown', 'gauge', 'unknown'],
  );
  store = await reopened(store, disk);
  assert.deepEqual(await samplesOf(store), expected(SAMPLES), 'from the log');
  await store.flush(epochMs(T0 + WINDOW_MS + 20 * MINUTE));
  assert.equal(store.stats().headSamples, 2);
  assert.deepEqual(await samplesOf(store), expected(SAMPLES), 'from a page and memory');
  store = await reopened(store, disk);
  assert.deepEqual(await samplesOf(store), expected(SAMPLES), 'from a page and a checkpoint');
  await store.flush(NOW, { all: true });
  assert.equal(store.stats().headSamples, 0);
  store = await reopened(store, disk);
  assert.deepEqual(await samplesOf(store), expected(SAMPLES), 'from pages');
  const range = { fromMs: T0 + MINUTE, toMs: T0 + 3 * MINUTE };
  assert.deepEqual(await samplesOf(store, range), expected(SAMPLES.slice(1, 4)));
  await store.close();
});

test('an acknowledged histogram survives a power cut', async () => {
  const disk = new FaultDisk();
  const store = await open(disk);
  await append(store, SAMPLES, NOW);
  disk.crash();
  const again = await open(disk);
  assert.deepEqual(await samplesOf(again), expected(SAMPLES));
  await again.close();
});

test('a histogram that is there already is accepted, another one at its instant refused, also when it lies on a page', async () => {
  const disk = new FaultDisk();
  const store = await open(disk);
  await append(store, SAMPLES, NOW);
  const again = [at(T0, counted(1)), at(T0, counted(2)), number(T0 + MINUTE, 1), at(T0 + 2 * MINUTE, counted(2))];
  for (let round = 0; round < 2; round++) {
    const { accepted, histograms, refusedBy } = await append(store, again, NOW);
    assert.deepEqual({ accepted, histograms, refusedBy }, { accepted: 1, histograms: 1, refusedBy: { duplicate: 3 } });
    assert.deepEqual(await samplesOf(store), expected(SAMPLES));
    await store.flush(NOW, { all: true });
  }
  await store.close();
});

test('deleted histograms are gone from memory and pages, the others stay', async () => {
  for (const flushed of [false, true]) {
    const disk = new FaultDisk();
    let store = await open(disk);
    await append(store, SAMPLES, NOW);
    if (flushed) await store.flush(NOW, { all: true });
    const range = { fromMs: T0 + MINUTE, toMs: T0 + 3 * MINUTE };
    assert.equal((await store.deleteSeries([mustMatcher('host', '=', 'a')], range)).samples, 3);
    const left = SAMPLES.filter(({ atMs }) => atMs < range.fromMs || atMs > range.toMs);
    assert.deepEqual(await samplesOf(store), expected(left));
    await append(store, [number(T0 + MINUTE, 5)], NOW);
    assert.deepEqual(await samplesOf(store), expected([...left, number(T0 + MINUTE, 5)]));
    store = await reopened(store, disk);
    assert.deepEqual(await samplesOf(store), expected([...left, number(T0 + MINUTE, 5)]));
    await store.deleteBefore(epochMs(T0 + WINDOW_MS));
    assert.deepEqual(await samplesOf(store), expected(SAMPLES.slice(6)));
    await store.close();
  }
});

test('pages of histograms that came late are joined with those that were there', async () => {
  const disk = new FaultDisk();
  const store = await open(disk);
  for (const each of SAMPLES.toReversed()) {
    await append(store, [each], NOW);
    await store.flush(NOW, { all: true });
  }
  assert.equal(store.stats().pages, SAMPLES.length);
  await store.compact(epochMs(NOW + DAY));
  assert.equal(store.stats().pages, 2);
  assert.deepEqual(await samplesOf(store), expected(SAMPLES));
  await store.close();
});

test('series with histograms are read as samples where others are rolled up', async () => {
  const disk = new FaultDisk();
  const rules = [{ matchers: [], samplesMs: 30 * DAY, rollupMs: { 300000: 90 * DAY, 3600000: 365 * DAY } }];
  const store = await open(disk, { retention: { rules } });
  const samples = Array.from({ length: 6 * 24 }, (_, i) => at(T0 + i * 10 * MINUTE, counted(i + 1)));
  for (const each of samples)
    await append(store, [each, number(each.atMs + 1, 1)].slice(0, each.atMs < T0 + DAY / 2 ? 2 : 1), epochMs(each.atMs));
  const later = epochMs(T0 + 4 * DAY);
  await store.flush(later, { all: true });
  assert.ok((await store.rollUp(later)).days > 0);
  const use = { statistic: 'increase' as const, firstEndMs: T0 + DAY, stepMs: 3_600_000, rangeMs: 3_600_000 };
  const [series] = [...(await store.select([mustMatcher('__name__', '=', 'latency')], EVERYTHING, { rollups: use }))];
  assert.equal(series?.rolled, undefined);
  assert.deepEqual(
    series?.histograms?.filter((histogram) => histogram !== undefined).map(({ count }) => count),
    samples.map(({ histogram }) => histogram?.count),
  );
  await store.close();
});

test('whatever is appended, flushed, deleted and reopened, the store holds what a map would', async () => {
  const sample = fc.tuple(fc.nat(400), fc.oneof(anyHistogram(), fc.constant('stale' as const), fc.integer()));
  const step = fc.oneof(
    { weight: 5, arbitrary: fc.array(sample, { minLength: 1, maxLength: 12 }).map((add) => ({ kind: 'add' as const, add })) },
    { weight: 1, arbitrary: fc.constantFrom({ kind: 'flush' as const }, { kind: 'reopen' as const }, { kind: 'compact' as const }) },
    { weight: 1, arbitrary: fc.tuple(fc.nat(400), fc.nat(60)).map(([from, length]) => ({ kind: 'delete' as const, from, length })) },
  );
  const now = epochMs(T0 + 400 * MINUTE);
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
      const disk = new FaultDisk();
      let store = await open(disk);
      const held = new Map<number, Sample>();
      for (const one of steps) {
        if (one.kind === 'flush') await store.flush(now, { all: true });
        else if (one.kind === 'compact') await store.compact(epochMs(now + DAY));
        else if (one.kind === 'reopen') {
          await store.close();
          store = await open(disk);
        } else if (one.kind === 'delete') {
          const range = { fromMs: T0 + one.from * MINUTE, toMs: T0 + (one.from + one.length) * MINUTE };
          await store.deleteSeries([mustMatcher('host', '=', 'a')], range);
          for (const time of held.keys()) if (time >= range.fromMs && time <= range.toMs) held.delete(time);
        } else {
          for (const [minute, what] of one.add) {
            const atMs = T0 + minute * MINUTE;
            const made = typeof what === 'number' ? number(atMs, what) : what === 'stale' ? stale(atMs) : at(atMs, what);
            await append(store, [made], now);
            if (!held.has(atMs)) held.set(atMs, made);
          }
        }
        assert.deepEqual(await samplesOf(store), expected([...held.values()]));
      }
      await store.close();
    }),
    { numRuns: process.env['NINES_FULL'] === '1' ? 1000 : 40 },
  );
});
