import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseInstant } from './instant.ts';

const read = (text: string) => {
  const parsed = parseInstant(text);
  return parsed.ok ? parsed.value : parsed.error;
};

test('an instant is RFC 3339 or Unix seconds with a fraction', () => {
  assert.equal(read('2026-11-21T02:00:00Z'), 1_795_226_400_000);
  assert.equal(read('2026-11-21T03:00:00.250+01:00'), 1_795_226_400_250);
  assert.equal(read('1795226400'), 1_795_226_400_000);
  assert.equal(read('1795226400.25'), 1_795_226_400_250);
  assert.equal(read('1.7952264e9'), 1_795_226_400_000);
});

test('a number that looks like milliseconds is refused with the hint', () => {
  assert.match(String(read('1795226400000')), /looks like milliseconds/);
  assert.match(String(read('1e11')), /looks like milliseconds/);
});

test('a day that its month does not have is refused, not taken for one of the next month', () => {
  for (const text of ['2026-02-29T00:00:00Z', '2024-02-30T12:00:00Z', '2026-04-31T00:00:00+02:00'])
    assert.match(String(read(text)), /not an instant/, text);
  assert.equal(read('2024-02-29T00:00:00Z'), 1_709_164_800_000);
});

test('anything else is refused with an example', () => {
  for (const text of ['', 'yesterday', '2026-11-21', '2026-13-21T00:00:00Z', '12:00', 'NaN', '0x10']) {
    assert.match(String(read(text)), /not an instant/, text);
  }
});
