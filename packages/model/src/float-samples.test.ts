import assert from 'node:assert/strict';
import { test } from 'node:test';
import { floatsOf } from './float-samples.ts';
import { EMPTY_HISTOGRAM } from './histogram.ts';
import { bitsOf, isStale, setStale } from './stale.ts';

test('the floats between histograms are left, staleness markers to the last bit', () => {
  const values = Float64Array.of(1, 7, 0, -0);
  setStale(values, 2);
  const floats = floatsOf({
    labels: [],
    times: Float64Array.of(1, 2, 3, 4),
    values,
    histograms: [undefined, EMPTY_HISTOGRAM, undefined, undefined],
  });
  assert.deepEqual([...floats.times], [1, 3, 4]);
  assert.ok(isStale(bitsOf(floats.values), 1));
  assert.ok(Object.is(floats.values[2], -0));
});

test('a series of floats is handed on as it is', () => {
  const series = { labels: [], times: Float64Array.of(1), values: Float64Array.of(2) };
  assert.equal(floatsOf(series).values, series.values);
  assert.equal(floatsOf({ ...series, histograms: [undefined] }).values, series.values);
});
