import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatDuration, parseDuration } from './duration.ts';

test('a duration is read as Prometheus reads it', () => {
  const reads = (text: string, lengthMs: number): void => assert.deepEqual(parseDuration(text), { ok: true, value: lengthMs });
  reads('0', 0);
  reads('0s', 0);
  reads('500ms', 500);
  reads('1s', 1_000);
  reads('1m', 60_000);
  reads('1h30m', 5_400_000);
  reads('1d', 86_400_000);
  reads('1w', 604_800_000);
  reads('1y', 31_536_000_000);
  reads('1h0m5s1ms', 3_605_001);
});

test('what is no duration is refused with an example of one', () => {
  for (const text of ['', '1', 's', '1x', '-1s', '1.5h', '1m1h', '1s1s', ' 1s', '1s ', '9999999999999999y']) {
    const read = parseDuration(text);
    assert.equal(read.ok, false, text);
    if (!read.ok) assert.match(read.error, /not a duration: .* \(write for example 30s/);
  }
});

test('a printed duration reads back to the same length', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 10 ** 13 }), (lengthMs) =>
      assert.deepEqual(parseDuration(formatDuration(lengthMs)), { ok: true, value: lengthMs }),
    ),
  );
});

test('weeks and years are printed only when they divide the whole', () => {
  assert.equal(formatDuration(7 * 86_400_000), '1w');
  assert.equal(formatDuration(8 * 86_400_000), '8d');
  assert.equal(formatDuration(90_000), '1m30s');
  assert.equal(formatDuration(-1_500), '-1s500ms');
});
