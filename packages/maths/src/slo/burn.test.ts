import assert from 'node:assert/strict';
import { test } from 'node:test';
import { burnPairs, burnRate, burnsAbove, readPair } from './burn.ts';
import { exact } from './testing/exact.ts';

test('burn pairs of 28 days are the well-known ones and scale with the window', () => {
  const { pairs } = burnPairs(28 * 86_400_000, exact('0.999'), 60_000);
  assert.deepEqual(
    pairs.map((pair) => [pair.longMs / 60_000, pair.shortMs / 60_000, pair.factor, pair.severity]),
    [
      [60, 5, 14, 'critical'],
      [360, 30, 7, 'critical'],
      [1440, 120, 2, 'warning'],
      [5760, 360, 1, 'warning'],
    ],
  );
  const week = burnPairs(7 * 86_400_000, exact('0.999'), 1_000).pairs;
  assert.deepEqual(week[0], { longMs: 900_000, shortMs: 75_000, factor: 14, severity: 'critical' });
});

test('a pair shorter than two evaluations is not generated, nor one whose factor a total outage cannot exceed', () => {
  const day = burnPairs(86_400_000, exact('0.999'), 300_000);
  assert.deepEqual(
    day.pairs.map((pair) => pair.shortMs),
    [771_428],
  );
  assert.deepEqual(
    day.dropped.map(({ reason }) => reason),
    Array(3).fill('shorter_than_two_evaluations'),
  );
  const loose = burnPairs(28 * 86_400_000, exact('0.9'), 1_000);
  // A total outage burns at exactly 10.
  assert.deepEqual(
    loose.pairs.map((pair) => pair.factor),
    [7, 2, 1],
  );
  assert.equal(loose.dropped[0]?.reason, 'factor_out_of_reach');
  assert.deepEqual(burnPairs(86_400_000, exact('1'), 1_000).pairs, []);
});

test('the rate of a pair is the smaller of its two, and null before a full long window was observed', () => {
  const pair = { longMs: 1_000, shortMs: 100, factor: 14, severity: 'critical' as const };
  const long = { goodMs: 980, badMs: 20 };
  const short = { goodMs: 50, badMs: 50 };
  const target = exact('0.999');
  assert.deepEqual(readPair(pair, target, { long, short, observedMs: 1_000 }), { ...pair, rate: 20, firing: true });
  assert.deepEqual(readPair(pair, target, { long, short, observedMs: 999 }), { ...pair, rate: null, firing: null });
  assert.deepEqual(readPair(pair, target, { long, short: { goodMs: 0, badMs: 0 }, observedMs: 1_000 }).rate, null);
  const calm = readPair(pair, target, { long, short: { goodMs: 100, badMs: 0 }, observedMs: 1_000 });
  assert.deepEqual([calm.rate, calm.firing], [0, false]);
});

test('a rate that equals the factor is not above it', () => {
  assert.equal(burnsAbove({ goodMs: 986, badMs: 14 }, exact('0.999'), 14), false);
  assert.equal(burnsAbove({ goodMs: 985, badMs: 15 }, exact('0.999'), 14), true);
  assert.equal(burnRate({ goodMs: 986, badMs: 14 }, exact('0.999')), 14);
});
