import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomFrom } from './random.ts';
import { madOf, medianOf, quantileOf, robustScale, theilSen } from './robust.ts';

test('quantiles as NumPy has them, and a deviation that outliers do not move', () => {
  assert.equal(quantileOf([1, 2, 3, 4], 0.25), 1.75);
  assert.equal(medianOf([5, 1, 9, 3]), 4);
  assert.ok(Number.isNaN(quantileOf([], 0.5)) && Number.isNaN(medianOf([])));
  assert.equal(medianOf([9, 10, 11, 10, 9, 11, 10, 1e9, 1e9, 1e9]), 10.5);
  const random = randomFrom(1);
  const values = Array.from({ length: 5000 }, (_, i) => (i % 5 === 0 ? 1e6 : 10 + 2 * random.normal()));
  assert.ok(Math.abs(madOf(values) - 2) < 0.8);
  assert.equal(robustScale([7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8]), 0);
  assert.ok(robustScale([7, 7, 7, 7, 7, 7, 9, 9, 5, 5]) > 0);
});

test('Theil–Sen finds the slope with a quarter of the points wrong, and its interval holds it', () => {
  let held = 0;
  for (let seed = 1; seed <= 60; seed++) {
    const random = randomFrom(seed);
    const x = Array.from({ length: 80 }, (_, i) => i);
    const y = x.map((one) => 3 + 0.5 * one + random.normal() + (random.next() < 0.25 ? 60 * random.next() : 0));
    const line = theilSen(x, y);
    assert.ok(line.ok);
    assert.ok(Math.abs(line.value.slope - 0.5) < 0.25 && line.value.p < 1e-3);
    if (line.value.lower <= 0.5 && line.value.upper >= 0.5) held += 1;
  }
  assert.ok(held >= 50, `${held} of 60`);
});

test('Theil–Sen in noise finds nothing, and refuses what it cannot tell', () => {
  let found = 0;
  for (let seed = 1; seed <= 200; seed++) {
    const random = randomFrom(seed);
    const line = theilSen(
      Array.from({ length: 40 }, (_, i) => i),
      Array.from({ length: 40 }, () => random.normal()),
    );
    assert.ok(line.ok);
    if (line.value.p < 0.05) found += 1;
  }
  assert.ok(found >= 2 && found <= 20, `${found} of 200`);
  const reason = (x: number[], y: number[]): string => {
    const answer = theilSen(x, y);
    return answer.ok ? 'answered' : answer.error.reason;
  };
  assert.equal(reason([1, 2, 3], [1, 2, 3]), 'too_few_points');
  assert.equal(reason([1, 1, 1, 1], [1, 2, 3, 4]), 'x_does_not_vary');
  assert.equal(reason([1, 2, 3, 4], [1, 2, 3, Number.NaN]), 'not_finite');
});

test('the random source repeats itself and is even', () => {
  const [one, other] = [randomFrom(42), randomFrom(42)];
  assert.deepEqual(
    Array.from({ length: 5 }, () => one.next()),
    Array.from({ length: 5 }, () => other.next()),
  );
  const normals = Array.from({ length: 20_000 }, () => one.normal());
  const mean = normals.reduce((sum, value) => sum + value, 0) / normals.length;
  const variance = normals.reduce((sum, value) => sum + (value - mean) ** 2, 0) / normals.length;
  assert.ok(Math.abs(mean) < 0.03 && Math.abs(variance - 1) < 0.04);
  const counts = [0, 0, 0, 0, 0, 0];
  for (let i = 0; i < 6000; i++) counts[one.below(6)] = (counts[one.below(6)] ?? 0) + 1;
  assert.ok(counts.every((count) => count > 800));
});
