import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mustMatcher } from '@nines/base/matcher.ts';
import { epochMs } from '@nines/base/units.ts';
import { type Histogram, withHints } from '@nines/model/histogram.ts';
import { anyHistogram, counted } from '@nines/model/testing/histograms.ts';
import fc from 'fast-check';
import { type BackfillReport, type Store, WINDOW_MS } from '../contract.ts';
import { FaultDisk } from '../testing/fault-disk.ts';
import { DAY, STALE_BITS, type Sample, T0, append, batchOf, bitsOfNumber, openOnFaultDisk } from '../testing/samples.ts';

const MINUTE = 60_000;
const NOW = epochMs(T0 + 10 * WINDOW_MS);
const LATENCY = { __name__: 'latency', host: 'a' };
const at = (atMs: number, histogram: Histogram): Sample => ({ series: LATENCY, atMs, bits: 0n, histogram });
const number = (atMs: number, value: number): Sample => ({ series: LATENCY, atMs, bits: bitsOfNumber(value) });

async function backfill(store: Store, samples: readonly Sample[]): Promise<BackfillReport> {
  const session = store.backfill(NOW);
  for (let i = 0; i < samples.length; i += 7) await session.add(batchOf(samples.slice(i, i + 7)));
  return session.finish();
}

type Held = readonly (readonly [number, bigint | Histogram])[];
async function held(store: Store): Promise<Held> {
  const everything = { fromMs: Number.NEGATIVE_INFINITY, toMs: Number.POSITIVE_INFINITY };
  const [series, ...others] = [...(await store.select([mustMatcher('__name__', '=', 'latency')], everything))];
  assert.deepEqual(others, []);
  const bits = new BigUint64Array(series?.values.slice().buffer ?? new ArrayBuffer(0));
  return Array.from(series?.times ?? [], (time, i) => [time, series?.histograms?.[i] ?? bits[i] ?? 0n] as const);
}

/** As they come back: of an instant the first, with hints that follow from one another. */
function expected(samples: readonly Sample[]): Held {
  const first = new Map<number, Sample>();
  for (const sample of samples) if (!first.has(sample.atMs)) first.set(sample.atMs, sample);
  const sorted = [...first.values()].sort((a, b) => a.atMs - b.atMs);
  const histograms = withHints(sorted.map(({ histogram }) => histogram));
  return sorted.map(({ atMs, bits }, i) => [atMs, histograms[i] ?? bits] as const);
}

const OLD: readonly Sample[] = [
  at(T0 + 3 * MINUTE, counted(3)),
  at(T0, counted(1)),
  number(T0 + MINUTE, 7),
  { ...number(T0 + 2 * MINUTE, 0), bits: STALE_BITS },
  at(T0 + WINDOW_MS, counted(5, { sum: Number.NaN })),
];

test('old histograms stand among old numbers and beside live ones, and a repetition changes nothing', async () => {
  const disk = new FaultDisk();
  let store = await openOnFaultDisk(disk);
  await append(store, [at(NOW, counted(9))], NOW);
  const report = await backfill(store, OLD);
  assert.deepEqual([report.samples, report.stored, report.repeated, report.refusedCount], [5, 5, 0, 0]);
  const want = expected([...OLD, at(NOW, counted(9))]);
  assert.deepEqual(await held(store), want);
  const again = await backfill(store, OLD);
  assert.deepEqual([again.stored, again.repeated], [0, 5]);
  const other = await backfill(store, [at(T0, counted(2)), number(T0, 1), at(T0 + MINUTE, counted(1)), at(NOW, counted(9))]);
  assert.deepEqual([other.stored, other.repeated, other.refusedBy], [0, 1, { duplicate: 3 }]);
  await store.close();
  store = await openOnFaultDisk(disk);
  assert.deepEqual(await held(store), want, 'after a restart');
  await store.close();
});

test('a series that only a backfill brought has its histograms after a power cut', async () => {
  const disk = new FaultDisk();
  const store = await openOnFaultDisk(disk);
  const long = Array.from({ length: 700 }, (_, i) => at(T0 + i * 15_000, counted(i + 1)));
  assert.equal((await backfill(store, long)).stored, 700);
  disk.crash();
  const again = await openOnFaultDisk(disk);
  assert.deepEqual(await held(again), expected(long));
  await again.close();
});

type Op = { readonly kind: 'append' | 'backfill'; readonly samples: readonly Sample[] } | { readonly kind: 'flush' | 'restart' };

test('whatever comes in whatever order, the first sample of an instant stays', async () => {
  const samples = fc.array(
    fc
      .record({
        atMs: fc.integer({ min: 0, max: 20 }).map((i) => T0 + i * 30 * MINUTE),
        histogram: fc.option(
          fc.oneof(
            anyHistogram(),
            fc.integer({ min: 1, max: 3 }).map((i) => counted(i)),
          ),
          { nil: undefined },
        ),
        bits: fc.constantFrom(bitsOfNumber(1), STALE_BITS),
      })
      .map(({ histogram, ...rest }): Sample => (histogram === undefined ? { series: LATENCY, ...rest } : at(rest.atMs, histogram))),
    { minLength: 1, maxLength: 30 },
  );
  const op: fc.Arbitrary<Op> = fc.oneof(
    { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('append' as const, 'backfill' as const), samples }) },
    { weight: 1, arbitrary: fc.constantFrom('flush' as const, 'restart' as const).map((kind): Op => ({ kind })) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(op, { maxLength: 8 }), async (ops) => {
      const disk = new FaultDisk();
      const open = (): Promise<Store> => openOnFaultDisk(disk, { outOfOrderWindowMs: DAY, backfillBytes: 5_000 });
      let store = await open();
      const all: Sample[] = [];
      for (const one of ops) {
        if (one.kind === 'append') await append(store, one.samples, NOW);
        else if (one.kind === 'backfill') await backfill(store, one.samples);
        else if (one.kind === 'flush') await store.flush(NOW, { all: true });
        else {
          await store.close();
          store = await open();
        }
        // An append takes the numbers of a batch first.
        if (one.kind === 'append')
          all.push(...one.samples.toSorted((a, b) => Number(a.histogram !== undefined) - Number(b.histogram !== undefined)));
        else if (one.kind === 'backfill') all.push(...one.samples);
      }
      assert.deepEqual(await held(store), expected(all));
      await store.close();
    }),
    { numRuns: process.env['NINES_FULL'] === undefined ? 50 : 2000 },
  );
});
