import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatValue } from '@nines/promql/value.ts';
import fc from 'fast-check';
import { formatTime } from './encode.ts';
import { JsonBytes } from './json-bytes.ts';

function written(value: number): string {
  const json = new JsonBytes();
  json.value(value);
  return json.take().toString();
}

test('values are written as their shortest text, whatever they are', () => {
  for (const value of [0, -0, 1, -1, 0.5, 1e9, 1e9 - 1, 999_999_999.999, 1e12, 1e15, 1e21, 1e-6, 1e-7, 123_456_789.123_456, 5e-324])
    assert.equal(written(value), formatValue(value));
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) assert.equal(written(value), formatValue(value));
  const decimals = fc.tuple(fc.maxSafeInteger(), fc.integer({ min: 0, max: 12 })).map(([mantissa, places]) => mantissa / 10 ** places);
  const values = fc.oneof(decimals, fc.double(), fc.integer(), fc.double({ min: -1e6, max: 1e6 }));
  fc.assert(
    fc.property(values, (value) => assert.equal(written(value), formatValue(value))),
    { numRuns: 20_000 },
  );
});

test('points have the time of `formatTime`', () => {
  const times = fc.oneof(fc.integer({ min: -10_000_000, max: 10_000_000 }), fc.integer({ min: -8e15, max: 8e15 }));
  fc.assert(
    fc.property(times, (atMs) => {
      const json = new JsonBytes();
      json.point(atMs, 0.5, true);
      json.point(atMs, 2, false);
      assert.equal(json.take().toString(), `[${formatTime(atMs)},"0.5"],[${formatTime(atMs)},"2"]`);
    }),
    { numRuns: 5_000 },
  );
});

test('texts of any length stand behind each other', () => {
  const json = new JsonBytes();
  const long = 'ä€😀'.repeat(30_000);
  json.text(long);
  json.text('!');
  assert.equal(json.take().toString(), `${long}!`);
  assert.equal(json.length, 0);
});
