import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CUSTOM_BUCKETS, EMPTY_HISTOGRAM, bucketsFrom } from '@nines/model/histogram.ts';
import { encodeAnswer } from './encode.ts';
import { encodeHistogram } from './encode-histogram.ts';

const NO_REMARKS = { warnings: [], infos: [] };

test('buckets say which of their bounds belong to them', () => {
  const histogram = {
    ...EMPTY_HISTOGRAM,
    count: 6,
    sum: 5.5,
    zeroCount: 1,
    zeroThreshold: 0.001,
    positive: bucketsFrom([1, 0, 3]),
    negative: bucketsFrom([1]),
  };
  assert.deepEqual(JSON.parse(encodeHistogram(histogram)), {
    count: '6',
    sum: '5.5',
    buckets: [
      [1, '-1', '-0.5', '1'],
      [3, '-0.001', '0.001', '1'],
      [0, '0.5', '1', '1'],
      [0, '2', '4', '3'],
    ],
  });
});

test('custom buckets are open below, and an empty histogram has none', () => {
  const custom = { ...EMPTY_HISTOGRAM, schema: CUSTOM_BUCKETS, count: 3, bounds: [-5, 5], positive: bucketsFrom([1, 0, 2]) };
  assert.deepEqual(JSON.parse(encodeHistogram(custom)).buckets, [
    [0, '-Inf', '-5', '1'],
    [0, '5', '+Inf', '2'],
  ]);
  assert.equal(encodeHistogram(EMPTY_HISTOGRAM), '{"count":"0","sum":"0"}');
});

test('a series of floats and histograms has both lists, each with its own times', () => {
  const histogram = { ...EMPTY_HISTOGRAM, count: 1, sum: 2 };
  const series = {
    labels: ['__name__', 'up'],
    times: Float64Array.of(1000, 2000),
    values: Float64Array.of(7, Number.NaN),
    histograms: [undefined, histogram],
  };
  const text = [...encodeAnswer({ kind: 'matrix', series: [series] }, { limit: 0, remarks: NO_REMARKS })].join('');
  assert.deepEqual(JSON.parse(text).data.result, [
    { metric: { __name__: 'up' }, values: [[1, '7']], histograms: [[2, { count: '1', sum: '2' }]] },
  ]);
  const element = { labels: ['__name__', 'up'], atMs: 1000, value: Number.NaN, histogram };
  const vector = [...encodeAnswer({ kind: 'vector', elements: [element] }, { limit: 0, remarks: NO_REMARKS })].join('');
  assert.deepEqual(JSON.parse(vector).data.result, [{ metric: { __name__: 'up' }, histogram: [1, { count: '1', sum: '2' }] }]);
});
