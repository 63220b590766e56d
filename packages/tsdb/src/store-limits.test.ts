import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mustMatcher } from '@nines/base/matcher.ts';
import { epochMs } from '@nines/base/units.ts';
import { STORE_LIMITS, type SeriesLimits } from './head/limits.ts';
import { FaultDisk } from './testing/fault-disk.ts';
import { type Sample, T0, append, bitsOfNumber, openOnFaultDisk } from './testing/samples.ts';

const MINUTE = 60_000;
const one = (name: string, n: number, atMs: number): Sample => ({ series: { __name__: name, n: String(n) }, atMs, bits: bitsOfNumber(n) });
const many = (name: string, from: number, to: number, atMs: number): Sample[] =>
  Array.from({ length: to - from }, (_, i) => one(name, from + i, atMs));

test('one metric that grows without bound leaves room for the others, and its own old series keep working', async () => {
  const store = await openOnFaultDisk(new FaultDisk(), { limits: () => ({ ...STORE_LIMITS, seriesPerMetric: 100 }) });
  const outcome = await append(store, [...many('wild', 0, 150, T0), ...many('calm', 0, 20, T0)], T0);
  assert.deepEqual([outcome.accepted, outcome.refusedCount, outcome.refusedBy], [120, 50, { metric_series_limit: 50 }]);
  const again = await append(store, many('wild', 0, 100, T0 + 1), epochMs(T0 + 1));
  assert.equal(again.accepted, 100);
  const report = store.cardinality.report(T0);
  assert.deepEqual([report.series, report.refusedSamples.seriesPerMetric, report.refusedSamples.series], [120, 50, 0]);
  assert.equal(report.lastRefusal?.refusal.metric, 'wild');
  assert.deepEqual(await store.cardinality.metrics([], 10, T0), [
    { name: 'wild', series: 100, newInMinute: 100, newInHour: 100, refusedSamples: 50 },
    { name: 'calm', series: 20, newInMinute: 20, newInHour: 20, refusedSamples: 0 },
  ]);
  assert.deepEqual(
    (await store.cardinality.metrics([mustMatcher('n', '=~', '1.|99')], 1, T0)).map(({ name, series }) => [name, series]),
    [['wild', 11]],
  );
  await store.close();
});

test('new series per minute start anew with each minute of the clock; deleted series make room', async () => {
  let limits: SeriesLimits = { ...STORE_LIMITS, newSeriesPerMinute: 10, newSeriesPerMetricPerMinute: 4 };
  const store = await openOnFaultDisk(new FaultDisk(), { limits: () => limits });
  const first = await append(store, [...many('a', 0, 6, T0), ...many('b', 0, 4, T0), ...many('c', 0, 4, T0)], T0);
  assert.deepEqual(first.refusedBy, { metric_new_series_limit: 2, new_series_limit: 2 });
  const next = epochMs(T0 + MINUTE);
  const second = await append(store, [...many('a', 0, 6, next), ...many('c', 0, 4, next)], next);
  assert.equal(second.refusedCount, 0);
  const report = store.cardinality.report(next);
  assert.deepEqual([report.newInMinute, report.newInHour], [4, 14]);
  assert.deepEqual((({ newInMinute, newInHour }) => [newInMinute, newInHour])(store.cardinality.report(epochMs(T0 + 61 * MINUTE))), [0, 0]);

  limits = { ...STORE_LIMITS, series: 14 };
  assert.equal((await append(store, [one('d', 0, next)], next)).refusedBy.series_limit, 1);
  await store.deleteSeries([mustMatcher('__name__', '=', 'a')], { fromMs: 0, toMs: next });
  assert.equal((await append(store, many('d', 0, 6, next), next)).refusedCount, 0);
  await store.close();
});

test('a series that is there is written whatever the limits are lowered to, also after a restart', async () => {
  const disk = new FaultDisk();
  const series = { __name__: 'm', label: 'x'.repeat(300), b: '1' };
  const store = await openOnFaultDisk(disk);
  await append(store, [{ series, atMs: T0, bits: 0n }], T0);
  await store.close();
  const tight = {
    ...STORE_LIMITS,
    series: 1,
    seriesPerMetric: 1,
    labelsPerSeries: 1,
    labelNameBytes: 1,
    labelValueBytes: 1,
    newSeriesPerMinute: 1,
  };
  const lowered = await openOnFaultDisk(disk, { limits: () => tight });
  const outcome = await append(lowered, [{ series, atMs: T0 + 1, bits: 0n }, one('m', 1, T0 + 1)], epochMs(T0 + 1));
  assert.deepEqual([outcome.accepted, outcome.refusedBy], [1, { label_count_limit: 1 }]);
  await lowered.close();
});

test('the census counts series by metric, label and pair as Prometheus does', async () => {
  const store = await openOnFaultDisk(new FaultDisk());
  await append(
    store,
    [
      { series: { __name__: 'up', job: 'node', zone: 'zürich' }, atMs: T0, bits: 0n },
      { series: { __name__: 'up', job: 'web' }, atMs: T0 + 5, bits: 0n },
      { series: { __name__: 'down', job: 'node' }, atMs: T0 + 9, bits: 0n },
    ],
    epochMs(T0 + 9),
  );
  assert.deepEqual(await store.cardinality.census(2), {
    series: 3,
    labelPairs: 5,
    chunks: 3,
    oldestMs: T0,
    newestMs: T0 + 9,
    seriesByMetric: [
      { name: 'up', count: 2 },
      { name: 'down', count: 1 },
    ],
    valuesByLabel: [
      { name: '__name__', count: 2 },
      { name: 'job', count: 2 },
    ],
    bytesByLabel: [
      { name: 'job', count: 11 },
      { name: '__name__', count: 8 },
    ],
    seriesByPair: [
      { name: '__name__=up', count: 2 },
      { name: 'job=node', count: 2 },
    ],
  });
  assert.deepEqual(
    (await store.cardinality.census(9)).bytesByLabel.find(({ name }) => name === 'zone'),
    { name: 'zone', count: 7 },
  );
  await store.close();
});
