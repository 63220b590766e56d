import assert from 'node:assert/strict';
import { test } from 'node:test';
import { minimise } from './minimise.ts';
import { chanceAlive, expectedPurchases, fitRenewals, retentionAt, survivalAt } from './retention.ts';

const close = (found: number, expected: number, absolute: number): void =>
  assert.ok(Math.abs(found - expected) <= absolute, `${found} is not ${expected}`);

test('the published cohorts of Fader and Hardie', () => {
  const fitted = (left: readonly number[]) => {
    const answer = fitRenewals(left);
    assert.ok(answer.ok);
    return answer.value;
  };
  const high = fitted([100, 86.9, 74.3, 65.3, 59.3, 55.1, 51.7, 49.1]);
  close(high.alpha, 0.6680882, 1e-5);
  close(high.beta, 3.80609389, 1e-4);
  const regular = fitted([100, 63.1, 46.8, 38.2, 32.6, 28.9, 26.2, 24.1]);
  close(regular.alpha, 0.70407731, 1e-5);
  close(regular.beta, 1.18204308, 1e-4);
  close(survivalAt(high, 3) / survivalAt(high, 2), retentionAt(high, 3), 1e-12);
  assert.ok(retentionAt(high, 8) > retentionAt(high, 1));
});

test('a cohort that tells nothing is refused', () => {
  const reason = (left: readonly number[]): string => {
    const answer = fitRenewals(left);
    return answer.ok ? 'answered' : answer.error.reason;
  };
  assert.equal(reason([100, 90]), 'too_few_points');
  assert.equal(reason([100, 100, 100]), 'does_not_vary');
  assert.equal(reason([100, 90, 95]), 'not_falling');
  assert.equal(reason([100, Number.NaN, 95]), 'not_finite');
});

test('the published customer of CDNOW: chance to be alive and purchases to come', () => {
  const law = { r: 0.243, alpha: 4.414, a: 0.793, b: 2.426 };
  const customer = { repeats: 2, lastAt: 30.43, known: 38.86 };
  close(chanceAlive(law, customer), 0.726578570080673, 1e-9);
  close(expectedPurchases(law, customer, 39), 1.226028174767135, 1e-9);
  assert.equal(chanceAlive(law, { repeats: 0, lastAt: 0, known: 50 }), 1);
});

test('the search finds the bottom of a bent valley', () => {
  const [x = 0, y = 0] = minimise(([a = 0, b = 0]) => (1 - a) ** 2 + 100 * (b - a * a) ** 2, [-1.2, 1]);
  close(x, 1, 1e-4);
  close(y, 1, 1e-4);
});
