import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PROFILES, normalised, numentaScore, probationOf, scaledSigmoid } from './numenta.ts';

const close = (found: number, expected: number, absolute: number): void =>
  assert.ok(Math.abs(found - expected) <= absolute, `${found} is not ${expected}`);

const { standard } = PROFILES;
const even = { falsePositive: 1, falseNegative: 1 };
const scored = (detections: readonly number[], windows: readonly (readonly [number, number])[], profile = even): number =>
  numentaScore(
    detections,
    windows.map(([from, to]) => ({ from, to })),
    { profile, probation: 0 },
  );

test('the sigmoid at the places that the rules name', () => {
  close(scaledSigmoid(-1), 0.98661, 1e-5);
  close(scaledSigmoid(-0.5), 0.84828, 1e-5);
  assert.equal(scaledSigmoid(0), 0);
  close(scaledSigmoid(1), -0.98661, 1e-5);
  assert.equal(scaledSigmoid(3), -1);
});

test('the example of the paper: one before, two inside of which the first counts, two behind, 0.6909 in all', () => {
  // 0.9999, -0.8093 and -1 are what the places earn: at the left edge, 0.45 of a window behind it, and far behind.
  close(scored([10, 1000, 1300, 1680 + 306, 9000], [[1000, 1680]], standard), 0.6909, 2e-4);
});

test('inside a window the earliest counts, at once earns one whatever the width, at its end next to nothing', () => {
  assert.equal(scored([4], [[4, 5]]), 1);
  assert.equal(scored([4], [[4, 6]]), 1);
  assert.ok(scored([4], [[4, 5]]) > scored([5], [[4, 5]]));
  assert.equal(scored([4, 5], [[4, 5]]), scored([4], [[4, 5]]));
  close(scored([549], [[450, 549]]) + scored([550], [[450, 549]]) + 1, 0, 1e-3);
});

test('outside a window each costs, the less the closer behind one', () => {
  assert.equal(scored([0], []), -1);
  assert.ok(scored([0, 1], [[500, 509]]) < scored([0], [[500, 509]]));
  assert.ok(scored([6], [[4, 5]]) > scored([7], [[4, 5]]));
});

test('probation, and what a score is worth', () => {
  assert.equal(probationOf(100), 15);
  assert.equal(probationOf(6000), 750);
  const window = [{ from: 2, to: 9 }];
  assert.equal(numentaScore([5], window, { profile: even, probation: 10 }), 0, 'a window in probation is none');
  for (const profile of Object.values(PROFILES)) {
    assert.equal(normalised(scored([4], [[4, 5]], profile), 1, profile), 100);
    assert.equal(normalised(scored([], [[4, 5]], profile), 1, profile), 0);
  }
});
