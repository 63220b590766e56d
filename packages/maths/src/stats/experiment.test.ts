import assert from 'node:assert/strict';
import { test } from 'node:test';
import { armOf, chanceToWin, relativeLift, sampleRatio, sequentialHalfWidth, student, twoProportions, welch } from './experiment.ts';
import type { Answer } from './refusal.ts';

/** Reference values come from the tests of GrowthBook, with the digits that these leave out from SciPy 1.10.1. */
const close = (found: number, expected: number, absolute = 1e-9): void =>
  assert.ok(Math.abs(found - expected) <= absolute, `${found} is not ${expected}`);
const value = <T>(answer: Answer<T>): T => {
  assert.ok(answer.ok, answer.ok ? '' : answer.error.message);
  return answer.value;
};

test('relative lift with the delta method and Welch degrees of freedom', () => {
  const lift = value(relativeLift({ n: 3407, mean: 0.41, sd: 3.9 }, { n: 3461, mean: 0.7, sd: 6.2 }));
  close(lift.difference, 0.7073170731707317);
  close(lift.standardError, 0.3787943616681428);
  close(lift.lower, -0.03526008906611777);
  close(lift.upper, 1.449894235407581);
  close(lift.p, 0.06191182745618358);
});

test('two samples by Student and by Welch', () => {
  const [first, second] = [
    armOf([38.7, 41.5, 43.8, 44.5, 45.5, 46.0, 47.7, 58.0]),
    armOf([39.2, 39.3, 39.7, 41.4, 41.8, 42.9, 43.3, 45.8]),
  ];
  const [pooled, apart] = [value(student(first, second)), value(welch(first, second))];
  close(pooled.difference / pooled.standardError, -1.8594523396226919);
  close(pooled.p, 0.08410572024397052);
  close(apart.p, 0.0951205647234383);
  assert.equal(pooled.dof, 14);
  assert.equal(student({ ...first, n: 1 }, second).ok, false);
});

test('chance to win, sample ratio and two proportions', () => {
  close(value(chanceToWin({ n: 10, mean: 10, sd: 0.5 }, { n: 10, mean: 10.5, sd: 1 })), 0.924266117699374);
  const ratio = sampleRatio([5200, 4800], [0.5, 0.5]);
  close(ratio.statistic, 16, 1e-9);
  close(ratio.p, 6.334248366623988e-5, 1e-14);
  assert.equal(ratio.mismatch, true);
  const shares = twoProportions({ hits: 200, n: 2000 }, { hits: 250, n: 2000 });
  close(shares.z, 2.501955416802671, 1e-12);
  close(shares.p, 0.012350947711191423, 1e-12);
});

test('looking at any time costs width, least near the size that was tuned for', () => {
  const fixed = (n: number): number => 1.96 / Math.sqrt(n);
  const ratios = [100, 5000, 500_000].map((n) => sequentialHalfWidth(1, n, { alpha: 0.05 }) / fixed(n));
  assert.ok(ratios.every((ratio) => ratio > 1.2));
  assert.ok((ratios[1] ?? 0) < (ratios[0] ?? 0) && (ratios[1] ?? 0) < (ratios[2] ?? 0));
});

test('what cannot be compared is refused', () => {
  const arm = { n: 10, mean: 1, sd: 1 };
  assert.equal(welch({ ...arm, n: 1 }, arm).ok, false);
  assert.equal(welch({ ...arm, sd: 0 }, { ...arm, sd: 0 }).ok, false);
  assert.equal(relativeLift({ ...arm, mean: 0 }, arm).ok, false);
  assert.equal(chanceToWin({ ...arm, mean: -1 }, arm).ok, false);
  close(value(welch(arm, { ...arm, mean: 2 })).dof, 18, 1e-9);
});
