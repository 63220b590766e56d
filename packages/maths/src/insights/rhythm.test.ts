import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomFrom } from '../stats/random.ts';
import { findRhythm } from './rhythm.ts';

const HOUR_MS = 3_600_000;
/** A Monday. */
const START_MS = Date.UTC(2026, 9, 26);

test('a week with days in it is told with both: its highest and lowest hours are those of the values', () => {
  const random = randomFrom(5);
  const valueAt = (i: number): number => {
    const weekend = Math.floor(i / 24) % 7 >= 5 ? 0.6 : 1;
    return 40 * weekend * (1 + 0.6 * Math.sin((2 * Math.PI * (i - 8)) / 24));
  };
  const values = Float64Array.from({ length: 28 * 24 }, (_, i) => valueAt(i) + 0.5 * random.normal());
  const { found } = findRhythm({ values, startMs: START_MS, role: 'load', leastChange: 0 });
  assert.ok(found !== undefined);
  assert.equal(found.name, 'weekly');
  assert.ok(Math.abs(found.high - 64) < 3 && Math.abs(found.low - 9.6) < 3, `${found.high}, ${found.low}`);
  const [high, low] = [new Date(found.highAtMs), new Date(found.lowAtMs)];
  assert.ok(high.getUTCDay() >= 1 && high.getUTCDay() <= 5 && Math.abs(high.getUTCHours() - 14) <= 1, high.toISOString());
  assert.ok([0, 6].includes(low.getUTCDay()) && Math.abs(low.getUTCHours() - 2) <= 1, low.toISOString());
  for (const [atMs, value] of found.line)
    assert.ok(Math.abs(value - valueAt((atMs - START_MS) / HOUR_MS)) < 4, new Date(atMs).toISOString());
});
