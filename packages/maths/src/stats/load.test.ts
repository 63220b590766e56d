import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concurrencyFor, fitScalability, predictLoad, throughputAt } from './load.ts';
import { randomFrom } from './random.ts';

const LAW = { gamma: 100, alpha: 0.05, beta: 0.001 };

test('intervals of the law’s predictions hold what comes, and standard errors are the spread of refits', () => {
  const random = randomFrom(17);
  const counts = Array.from({ length: 60 }, (_, i) => 1 + (i % 30));
  const [gammas, alphas, said] = [[], [], { gamma: 0, alpha: 0 }] as [number[], number[], { gamma: number; alpha: number }];
  let inside = 0;
  const runs = 300;
  for (let run = 0; run < runs; run++) {
    const measured = (count: number): number => throughputAt(LAW, count) * (1 + 0.04 * random.normal());
    const fit = fitScalability(counts, counts.map(measured));
    assert.ok(fit.ok);
    gammas.push(fit.value.gamma);
    alphas.push(fit.value.alpha);
    said.gamma += fit.value.errors.gamma / runs;
    said.alpha += fit.value.errors.alpha / runs;
    const { lower, upper } = predictLoad(fit.value, 45).throughput;
    const next = measured(45);
    inside += next >= lower && next <= upper ? 1 : 0;
  }
  const spread = (values: readonly number[]): number => {
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
  };
  assert.ok(inside / runs > 0.91 && inside / runs <= 1, `${inside} of ${runs}`);
  assert.ok(Math.abs(said.gamma / spread(gammas) - 1) < 0.2, `${said.gamma} ${spread(gammas)}`);
  assert.ok(Math.abs(said.alpha / spread(alphas) - 1) < 0.25, `${said.alpha} ${spread(alphas)}`);
});

test('the concurrency of a throughput, below the peak; none beyond it', () => {
  for (const count of [1, 5, 20, 30]) assert.ok(Math.abs((concurrencyFor(LAW, throughputAt(LAW, count)) ?? 0) - count) < 1e-9);
  assert.equal(concurrencyFor(LAW, 10_000), undefined);
  assert.equal(concurrencyFor({ gamma: 10, alpha: 0, beta: 0 }, 55), 5.5);
  assert.equal(concurrencyFor({ gamma: 10, alpha: 0.5, beta: 0 }, 25), undefined, 'contention alone has a ceiling of γ / α');
});

test('bad input is refused or answered, never NaN', () => {
  for (const [x, y] of [
    [[], []],
    [
      [1, 2, 3, 4],
      [1, 1, 1, 0],
    ],
    [
      [1, 1, 1, 1],
      [1, 1, 1, 1],
    ],
    [
      [1, 2, 3, Number.NaN],
      [1, 2, 3, 4],
    ],
  ] as const)
    assert.ok(!fitScalability(x, y).ok);
  const huge = fitScalability([1e50, 2e50, 3e50, 4e50], [1, 1, 1, 1]);
  if (huge.ok) assert.ok(Object.values(predictLoad(huge.value, 1e50).throughput).every(Number.isFinite));
  const falling = fitScalability([1, 2, 3, 4, 5], [100, 50, 20, 10, 5]);
  assert.ok(falling.ok && falling.value.peak === 1);
});
