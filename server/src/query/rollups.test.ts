import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { DAY_MS, HOUR_MS, MINUTE_MS, epochMs } from '@nines/base/units.ts';
import { labelsOf } from '@nines/model/labels.ts';
import { setStale } from '@nines/model/stale.ts';
import type { Queryable, WriteBatch } from '@nines/model/storage.ts';
import { encodeLabels } from '@nines/model/write-batch.ts';
import { createEngine } from '@nines/promql/engine.ts';
import type { Store } from '@nines/tsdb/contract.ts';
import { openStore } from '@nines/tsdb/store.ts';
import fc from 'fast-check';
import { silentLogger } from '../../../test/harness/logs.ts';

/**
 * The promise of docs/retention.md: over windows made of whole buckets, rollups tell what samples tell. Every answer here is
 * asked for twice, from a reader that rollups are kept from and from one that may use them, and once more when the samples have
 * expired.
 */
const FULL = process.env['NINES_FULL'] === '1';
/** A Monday, 00:00 UTC. */
const T0 = 1_750_032_000_000;
const DAYS = 3;
const NOW = epochMs(T0 + 5 * DAY_MS);
const KEEP = { 300000: 200 * DAY_MS, 3600000: 700 * DAY_MS };

type Point = { readonly atMs: number; readonly value: number | 'stale' };

/** Three days of a series: a scrape every so often, with gaps, jitter, restarts, staleness markers, NaN and infinities. */
const series = (): fc.Arbitrary<readonly Point[]> =>
  fc
    .record({
      everyMs: fc.constantFrom(47_000, 60_000, 290_000, 300_000, 900_000, 5_000_000),
      phaseMs: fc.integer({ min: 0, max: 47_000 }),
      counter: fc.boolean(),
      fraction: fc.boolean(),
      noise: fc.array(fc.integer({ min: 0, max: 999 }), { minLength: 40, maxLength: 40 }),
    })
    .map(({ everyMs, phaseMs, counter, fraction, noise }) => {
      const points: Point[] = [];
      let level = 0;
      for (let i = 0, atMs = T0 + phaseMs; atMs <= T0 + DAYS * DAY_MS; atMs += everyMs, i++) {
        const luck = (noise[i % 40] ?? 0) * 7919 + i * 104_729;
        const kind = (luck >>> 3) % 200;
        if (kind === 0) atMs += 3 * HOUR_MS;
        level = counter ? (kind === 1 ? 0 : level + (luck % 50)) : (luck % 2001) - 1000;
        const value = fraction ? level / 7 : level;
        const special = kind === 2 ? Number.NaN : kind === 3 && !counter ? Number.POSITIVE_INFINITY : value;
        const exact = luck % 11 === 0 ? Math.round(atMs / MINUTE_MS) * MINUTE_MS : atMs;
        if (exact > (points.at(-1)?.atMs ?? 0)) points.push({ atMs: exact, value: kind < 6 && kind > 3 ? 'stale' : special });
      }
      return points.filter(({ atMs }) => atMs <= T0 + DAYS * DAY_MS);
    });

function batchOf(name: string, points: readonly Point[]): WriteBatch {
  const bytes = encodeLabels(labelsOf({ __name__: name }));
  const values = Float64Array.from(points, ({ value }) => (value === 'stale' ? 0 : value));
  points.forEach(({ value }, i) => value === 'stale' && setStale(values, i));
  return {
    bytes,
    seriesCount: 1,
    labelsFrom: Uint32Array.of(0),
    labelsTo: Uint32Array.of(bytes.length),
    samplesFrom: Uint32Array.of(0, points.length),
    times: Float64Array.from(points, ({ atMs }) => atMs),
    values,
  };
}

async function withStore(run: (store: Store) => Promise<void>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'nines-rollups-'));
  const rule = { matchers: [], samplesMs: 30 * DAY_MS, rollupMs: KEEP };
  const store = await openStore({ dir, retentionMs: 30 * DAY_MS, retention: { rules: [rule] }, durability: 'async', logger: silentLogger });
  try {
    await run(store);
  } finally {
    await store.close();
    await rm(dir, { recursive: true });
  }
}

/** A reader that rollups are kept from. */
const samplesOnly = (store: Store): Queryable => ({
  select: (matchers, range, options = {}) => {
    const { rollups, ...others } = options;
    assert.ok(rollups !== undefined, 'the engine did not say what it makes of the samples');
    return store.select(matchers, range, others);
  },
  series: (...args) => store.series(...args),
  labelNames: (...args) => store.labelNames(...args),
  labelValues: (...args) => store.labelValues(...args),
});

const engine = createEngine({ features: { experimentalFunctions: true } });
const FUNCTIONS = ['min', 'max', 'sum', 'count', 'avg', 'last', 'first', 'present', 'ts_of_first', 'ts_of_last']
  .map((name) => `${name}_over_time`)
  .concat('rate', 'increase', 'delta');

type Asked = { readonly query: string; readonly startMs: number; readonly endMs: number; readonly stepMs: number };
type Answer = { readonly points: ReadonlyMap<number, number>; readonly infos: readonly string[] };

async function ask(queryable: Queryable, { query, ...range }: Asked): Promise<Answer> {
  const result = await engine.range(query, { queryable, ...range });
  assert.ok(result.ok, result.ok ? '' : result.error.message);
  assert.ok(result.value.value.series.length <= 1);
  const [found] = result.value.value.series;
  const points = new Map<number, number>();
  found?.times.forEach((time, i) => points.set(time, found.values[i] ?? 0));
  return { points, infos: result.value.infos };
}

/** Sums are added up in another order: equal but for the last digits. */
function same(actual: Answer, expected: Answer, message: string): void {
  assert.deepEqual([...actual.points.keys()], [...expected.points.keys()], message);
  for (const [time, value] of expected.points) {
    const other = actual.points.get(time) ?? 0;
    const close =
      Object.is(value, other) || value === other || Math.abs(value - other) <= 1e-9 * Math.max(1, Math.abs(value), Math.abs(other));
    assert.ok(close, `${message} at ${time}: ${other}, and from samples ${value}`);
  }
}

const asked: fc.Arbitrary<Asked> = fc
  .record({
    func: fc.constantFrom(...FUNCTIONS, 'selector', 'timestamp', 'absent'),
    resolution: fc.constantFrom(5 * MINUTE_MS, HOUR_MS),
    steps: fc.integer({ min: 1, max: 7 }),
    ranges: fc.integer({ min: 1, max: 9 }),
    from: fc.integer({ min: 0, max: 60 }),
    count: fc.integer({ min: 1, max: 40 }),
  })
  .map(({ func, resolution, steps, ranges, from, count }) => {
    const range = `x[${(ranges * resolution) / MINUTE_MS}m]`;
    const query =
      func === 'selector'
        ? 'x'
        : func === 'timestamp'
          ? 'timestamp(x)'
          : func === 'absent'
            ? `absent_over_time(${range})`
            : `${func}(${range})`;
    const startMs = T0 + from * HOUR_MS;
    return { query, startMs, endMs: startMs + count * steps * resolution, stepMs: steps * resolution };
  });

const isRolled = ({ infos }: Answer): boolean => infos.some((text) => text.includes('answered from'));
const isApproximate = ({ infos }: Answer): boolean => infos.some((text) => text.includes('approximated from'));

it('gives the same from rollups as from samples, over windows of whole buckets, also when the samples have expired', async () => {
  let rolled = 0;
  await fc.assert(
    fc.asyncProperty(series(), fc.array(asked, { minLength: 12, maxLength: 12 }), (points, questions) =>
      withStore(async (store) => {
        await store.append(batchOf('x', points), epochMs(T0 + DAYS * DAY_MS));
        await store.flush(NOW, { all: true });
        await store.rollUp(NOW);
        const expected = await Promise.all(questions.map((question) => ask(samplesOnly(store), question)));
        for (const [i, question] of questions.entries()) {
          const actual = await ask(store, question);
          same(actual, expected[i] as Answer, `${JSON.stringify(question)}`);
          assert.equal(isApproximate(actual), false);
          if (isRolled(actual)) rolled++;
        }
        // Half of the samples expire, then all of them.
        for (const cutMs of [T0 + DAY_MS + 2 * HOUR_MS, T0 + DAYS * DAY_MS + HOUR_MS]) {
          await store.deleteBefore(epochMs(cutMs));
          for (const [i, question] of questions.entries())
            same(await ask(store, question), expected[i] as Answer, `samples before ${cutMs} gone, ${JSON.stringify(question)}`);
        }
      }),
    ),
    { numRuns: FULL ? 400 : 25 },
  );
  assert.ok(rolled > 50, `only ${rolled} answers came from rollups`);
});
