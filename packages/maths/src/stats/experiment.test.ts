import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chanceToWin, relativeLift, sampleRatio, sequentialHalfWidth, twoProportions, welch } from './experiment.ts';
import type { Answer } from './refusal.ts';

/** Reference values come from the tests of GrowthBook and from SciPy. */
const close = (found: number, expected: number, absolute = 6e-6): void =>
  assert.ok(Math.abs(found - expected) <= absolute, `${found} is not ${expected}`);
const value = <T>(answer: Answer<T>): T => {
  assert.ok(answer.ok, answer.ok ? '' : answer.error.message);
  return answer.value;
};

test('relative lift with the delta method and Welch degrees of freedom', () => {
  const lift = value(relativeLift({ n: 3407, mean: 0.41, sd: 3.9 }, { n: 3461, mean: 0.7, sd: 6.2 }));
  close(lift.difference, 0.70732);
  close(lift.standardError, 0.37879);
  close(lift.lower, -0.03526);
  close(lift.upper, 1.44989);
  close(lift.p, 0.06191);
});

test('chance to win, sample ratio and two proportions', () => {
  close(value(chanceToWin({ n: 10, mean: 10, sd: 0.5 }, { n: 10, mean: 10.5, sd: 1 })), 0.92427);
  const ratio = sampleRatio([5200, 4800], [0.5, 0.5]);
  close(ratio.statistic, 16, 1e-9);
  close(ratio.p, 6.33e-5, 1e-7);
  assert.equal(ratio.mismatch, true);
  const shares = twoProportions({ hits: 200, n: 2000 }, { hits: 250, n: 2000 });
  close(shares.z, 2.501955416802671, 1e-12);
  close(shares.p, 0.012350947711, 1e-12);
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
