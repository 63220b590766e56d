import assert from 'node:assert/strict';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { mustMatcher } from '@nines/base/matcher.ts';
import { epochMs } from '@nines/base/units.ts';
import fc from 'fast-check';
import { type Store, windowOf } from './contract.ts';
import { openStore } from './store.ts';
import { bits64 } from './testing/arbitraries.ts';
import { FaultDisk } from './testing/fault-disk.ts';
import {
  type Contents,
  DAY,
  type Sample,
  T0,
  append,
  collectingLogger,
  contentsOf,
  keyOf,
  openOnFaultDisk,
  testCipher,
} from './testing/samples.ts';

/**
 * The store against a plain map. Times lie on a grid of ten minutes over twelve hours (six windows), values are drawn from
 * few, so that repetitions and conflicts are common; lateness is allowed without limit here and tested by itself.
 */
const STEP = 600_000;
const GRID = 72;
const NOW = epochMs(T0 + GRID * STEP);
const SERIES = [
  { __name__: 'a', host: 'x' },
  { __name__: 'a', host: 'y' },
  { __name__: 'b', host: 'x' },
  { __name__: 'b', host: 'x', mode: 'idle' },
  { __name__: 'c' },
];
/** Series that come and go: after a deletion others take their places in memory. */
const PASSING = Array.from({ length: 40 }, (_, n) => ({
  __name__: n % 2 === 0 ? 'a' : 'passing',
  host: n % 3 === 0 ? 'x' : 'z',
  n: `${n}`,
}));
const anySeries = fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...SERIES) }, { weight: 2, arbitrary: fc.constantFrom(...PASSING) });

type Operation =
  | { readonly kind: 'append'; readonly samples: readonly Sample[] }
  | { readonly kind: 'flush'; readonly at: number; readonly all: boolean }
  | { readonly kind: 'delete'; readonly host: string; readonly from: number; readonly to: number }
  | { readonly kind: 'retain'; readonly at: number }
  | { readonly kind: 'compact' }
  | { readonly kind: 'reopen'; readonly crash: boolean };

const sample = (values: fc.Arbitrary<bigint>): fc.Arbitrary<Sample> =>
  fc.record({
    series: anySeries,
    atMs: fc.integer({ min: 0, max: GRID }).map((i) => T0 + i * STEP),
    bits: values,
  });
/** A scrape: rising times as in life, so that chunks grow long. */
const burst = (values: fc.Arbitrary<bigint>): fc.Arbitrary<Sample[]> =>
  fc
    .record({
      series: anySeries,
      from: fc.integer({ min: 0, max: GRID - 10 }),
      count: fc.integer({ min: 5, max: 60 }),
      value: values,
    })
    .map(({ series, from, count, value }) =>
      Array.from({ length: count }, (_, i) => ({ series, atMs: T0 + from * STEP + i * 60_000, bits: value + BigInt(i % 3) })),
    );

const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .array(sample(fc.oneof(fc.constantFrom(0n, 1n << 62n), bits64())), { minLength: 1, maxLength: 8 })
      .map((samples) => ({ kind: 'append', samples })),
  },
  { weight: 3, arbitrary: burst(bits64().map((bits) => bits & ((1n << 63n) - 4n))).map((samples) => ({ kind: 'append', samples })) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('flush'), at: fc.integer({ min: 0, max: GRID }), all: fc.boolean() }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('delete'),
      host: fc.constantFrom('x', 'y', 'z', ''),
      from: fc.integer({ min: -5, max: GRID }),
      to: fc.integer({ min: 0, max: GRID + 5 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('retain'), at: fc.integer({ min: 0, max: GRID / 2 }) }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'compact' as const }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('reopen'), crash: fc.boolean() }) },
) as fc.Arbitrary<Operation>;

class Model {
  readonly contents: Contents = new Map();
  /** Instants that a series ever had. */
  readonly ever = new Map<string, number[]>();
  retainedFromMs = Number.NEGATIVE_INFINITY;

  /** What the store should say of each sample. */
  append(samples: readonly Sample[]): { accepted: number; reasons: string[] } {
    let accepted = 0;
    const reasons: string[] = [];
    for (const { series, atMs, bits } of samples) {
      const key = keyOf(series);
      const held = this.contents.get(key) ?? new Map<number, bigint>();
      const known = held.get(atMs);
      if (atMs < this.retainedFromMs) reasons.push('too_old');
      else if (known !== undefined && known !== bits) reasons.push('duplicate');
      else {
        accepted++;
        held.set(atMs, bits);
        this.ever.set(key, [...(this.ever.get(key) ?? []), atMs]);
        this.contents.set(key, held);
      }
    }
    return { accepted, reasons: reasons.sort() };
  }

  remove(wanted: (key: string, atMs: number) => boolean): void {
    for (const [key, held] of this.contents) {
      for (const atMs of held.keys()) if (wanted(key, atMs)) held.delete(atMs);
      if (held.size === 0) this.contents.delete(key);
    }
  }
}

async function run(operations: readonly Operation[], open: () => Promise<Store>, crash: (store: Store) => Promise<void>): Promise<void> {
  const model = new Model();
  let store = await open();
  try {
    for (const step of operations) {
      if (step.kind === 'append') {
        const expected = model.append(step.samples);
        const outcome = await append(store, step.samples, NOW);
        assert.equal(outcome.accepted, expected.accepted);
        assert.deepEqual(outcome.refused.map(({ reason }) => reason).sort(), expected.reasons);
      } else if (step.kind === 'flush') await store.flush(epochMs(T0 + step.at * STEP), { all: step.all });
      else if (step.kind === 'compact') await store.compact(NOW);
      else if (step.kind === 'delete') {
        const range = { fromMs: T0 + step.from * STEP, toMs: T0 + step.to * STEP };
        await store.deleteSeries([mustMatcher('host', '=', step.host)], range);
        const keys = new Set([...SERIES, ...PASSING].filter((series) => ('host' in series ? series.host : '') === step.host).map(keyOf));
        model.remove((key, atMs) => keys.has(key) && atMs >= range.fromMs && atMs <= range.toMs);
      } else if (step.kind === 'retain') {
        const cutoff = epochMs(T0 + step.at * STEP);
        await store.deleteBefore(cutoff);
        model.retainedFromMs = Math.max(model.retainedFromMs, cutoff);
        model.remove((_, atMs) => atMs < cutoff);
      } else {
        await (step.crash ? crash(store) : store.close());
        store = await open();
      }
      assert.deepEqual(sorted(await contentsOf(store)), sorted(model.contents));
    }
    const { damage } = store.stats();
    assert.deepEqual(
      { ...damage, places: [] },
      { corruptBytes: 0, corruptFrames: 0, corruptPages: 0, orphanSamples: 0, tornBytes: 0, tornTails: 0, places: [] },
    );
    await rangesAgree(store, model);
  } finally {
    await store.close();
  }
}

/** Selection by range and labels, the label lists included. */
async function rangesAgree(store: Store, { contents, ever }: Model): Promise<void> {
  for (const from of [0, 13, 40]) {
    const range = { fromMs: T0 + from * STEP, toMs: T0 + (from + 9) * STEP };
    const expected = new Map<string, number>();
    for (const [key, held] of contents) {
      const count = [...held.keys()].filter((atMs) => atMs >= range.fromMs && atMs <= range.toMs).length;
      if (count > 0 && key.includes('host')) expected.set(key, count);
    }
    const actual = new Map<string, number>();
    for (const { labels, times } of await store.select([mustMatcher('host', '=~', '.+')], range))
      actual.set(labels.join('\u0000'), times.length);
    assert.deepEqual(new Map([...actual].sort(byKey)), new Map([...expected].sort(byKey)));
    const listed = (await store.series([mustMatcher('host', '!=', '')], range)).map((labels) => labels.join('\u0000'));
    for (const key of expected.keys()) assert.ok(listed.includes(key));
    for (const key of listed) {
      // A page or chunk whose ends surround the range may lack samples within it, or hold some that retention hides.
      const times = ever.get(key) ?? [];
      assert.ok(times.some((atMs) => windowOf(atMs) <= range.toMs && windowOf(atMs) + 7_200_000 > range.fromMs));
    }
  }
}

const byKey = ([a]: readonly [string, number], [b]: readonly [string, number]): number => (a < b ? -1 : 1);

const sorted = (contents: Contents): [string, [number, bigint][]][] =>
  [...contents]
    .map(([key, held]): [string, [number, bigint][]] => [key, [...held].sort(([a], [b]) => a - b)])
    .sort(([a], [b]) => (a < b ? -1 : 1));

const options = { outOfOrderWindowMs: 30 * DAY };

test('after any appends, flushes, deletions, reopenings and power cuts the store holds what a map would', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { minLength: 1, maxLength: 30 }), async (operations) => {
      const disk = new FaultDisk();
      await run(
        operations,
        () => openOnFaultDisk(disk, options),
        async () => disk.crash(),
      );
    }),
    { numRuns: process.env['NINES_FULL'] === '1' ? 3000 : 250 },
  );
});

test('the same on a real directory', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { minLength: 1, maxLength: 25 }), async (operations) => {
      const dir = await fs.mkdtemp(path.join(os.tmpdir(), 'nines-model-'));
      try {
        await run(
          operations,
          () => openStore({ dir, retentionMs: 30 * DAY, logger: collectingLogger(), cipher: testCipher(), ...options }),
          (store) => store.close(),
        );
      } finally {
        await fs.rm(dir, { recursive: true });
      }
    }),
    { numRuns: 10 },
  );
});
