import assert from 'node:assert/strict';
import { test } from 'node:test';
import { capacityOf, leakOf, trendOf } from './capacity.ts';
import { changePoints } from './change-points.ts';
import { adjustedPairs, correlate, pearson, spearman } from './correlation.ts';
import { concurrencyOf, fitScalability, throughputAt, throughputOf } from './load.ts';
import { at, ranksOf } from './numbers.ts';
import { randomFrom } from './random.ts';
import type { Answer } from './refusal.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const value = <T>(answer: Answer<T>): T => {
  assert.ok(answer.ok, answer.ok ? '' : answer.error.message);
  return answer.value;
};
const near = (found: number, expected: number, share = 0.1): void =>
  assert.ok(Math.abs(found - expected) <= share * Math.abs(expected), `${found} is not about ${expected}`);

test('Pearson and Spearman with ties', () => {
  assert.ok(Math.abs(pearson([1, 2, 3, 4, 5], [2, 4, 6, 8, 11]) - 0.9958932064677041) < 1e-12);
  assert.deepEqual([...ranksOf([10, 20, 20, 5])], [2, 3.5, 3.5, 1]);
  assert.equal(spearman([1, 2, 3, 4], [1, 8, 27, 64]), 1);
  assert.equal(pearson([1, 1, 1], [1, 2, 3]), 0);
});

test('two daily cycles are not related for that; what really follows is found with its lag', () => {
  const random = randomFrom(1);
  const n = 24 * 20;
  const cycle = (i: number): number => 10 * Math.sin((2 * Math.PI * i) / 24);
  const cause = Float64Array.from({ length: n }, (_, i) => cycle(i) + random.normal());
  const other = Float64Array.from({ length: n }, (_, i) => cycle(i) + random.normal());
  const effect = Float64Array.from({ length: n }, (_, i) => 2 * at(cause, Math.max(0, i - 3)) + 0.5 * random.normal());
  const options = { maxLag: 6, periods: [24] };
  const unrelated = value(correlate(cause, other, options));
  assert.ok(unrelated.p > 0.05 && pearson(cause, other) > 0.9, `p ${unrelated.p}`);
  const related = value(correlate(cause, effect, options));
  assert.equal(related.lag, 3);
  assert.ok(related.p < 1e-6 && related.spearman > 0.8);
  const [adjusted] = adjustedPairs([related, unrelated, unrelated]);
  assert.ok((adjusted?.p ?? 0) >= related.p);
  const refused = correlate([1, 2], [1, 2]);
  assert.equal(refused.ok ? '' : refused.error.reason, 'too_few_points');
  assert.equal(correlate(new Float64Array(50), cause.subarray(0, 50)).ok, false);
});

test('independent wandering series are called related about as often as promised', () => {
  let related = 0;
  for (let seed = 1; seed <= 200; seed++) {
    const random = randomFrom(seed);
    let [a, b] = [0, 0];
    const x = Float64Array.from({ length: 200 }, () => (a += random.normal()));
    const y = Float64Array.from({ length: 200 }, () => (b += random.normal()));
    if (value(correlate(x, y)).p < 0.05) related += 1;
  }
  assert.ok(related <= 20, `${related} of 200`);
});

test('changes of level are found where they are, and none in noise, alone or following itself', () => {
  const random = randomFrom(2);
  const stepped = Float64Array.from({ length: 300 }, (_, i) => (i < 100 ? 0 : i < 220 ? 5 : 2) + random.normal());
  const changes = changePoints(stepped);
  assert.equal(changes.length, 2);
  near(changes[0]?.index ?? 0, 100, 0.03);
  near(changes[1]?.index ?? 0, 220, 0.03);
  near(changes[0]?.after ?? 0, 5);
  let false_ = 0;
  for (let seed = 1; seed <= 40; seed++) {
    const source = randomFrom(seed);
    let own = 0;
    const rho = seed % 2 === 0 ? 0 : 0.5;
    false_ += changePoints(Float64Array.from({ length: 300 }, () => (own = rho * own + source.normal()))).length;
  }
  assert.ok(false_ <= 4, `${false_} in 40 series`);
  assert.deepEqual(changePoints(Float64Array.of(1, 1, 1, 1, 1, 1, 4, 4, 4, 4, 4, 4)), [{ index: 6, before: 1, after: 4 }]);
  assert.deepEqual(changePoints([1, 2]), []);
});

test('the interval of the days until a limit holds the true day, also of many values', () => {
  let held = 0;
  for (let seed = 1; seed <= 40; seed++) {
    const source = randomFrom(seed);
    const perDay = seed % 8 === 0 ? 96 : 24;
    let own = 0;
    const values = Float64Array.from({ length: 14 * perDay }, (_, i) => {
      own = 0.5 * own + source.normal();
      return 100 + i / perDay + 3 * Math.sin((2 * Math.PI * i) / perDay) + own;
    });
    const { days } = value(capacityOf(values, { stepMs: DAY_MS / perDay, limit: 117 }));
    const truth = 3 + 1 / perDay;
    if (days !== null && days.earliest <= truth && (days.latest === null || days.latest >= truth)) held += 1;
  }
  assert.ok(held >= 35, `${held} of 40`);
});

test('days until a limit with their interval; no trend is said, not a date', () => {
  const random = randomFrom(3);
  const growing = Float64Array.from({ length: 24 * 14 }, (_, i) => 100 + i / 24 + 3 * Math.sin((2 * Math.PI * i) / 24) + random.normal());
  const full = value(capacityOf(growing, { stepMs: HOUR_MS, limit: 130 }));
  assert.equal(full.state, 'approaching');
  near(full.days?.expected ?? 0, 16);
  assert.ok((full.days?.earliest ?? 0) < (full.days?.expected ?? 0) && (full.days?.latest ?? 0) > (full.days?.expected ?? 0));
  const flat = growing.map((one, i) => one - i / 24);
  assert.equal(value(capacityOf(flat, { stepMs: HOUR_MS, limit: 130 })).state, 'no_trend');
  assert.equal(value(capacityOf(growing, { stepMs: HOUR_MS, limit: 90, side: 'above' })).state, 'reached');
  assert.equal(value(capacityOf(growing, { stepMs: HOUR_MS, limit: 1000 })).state, 'too_far');
  assert.equal(value(capacityOf(growing, { stepMs: HOUR_MS, limit: 50 })).state, 'no_trend');
  const refused = capacityOf([1, 2], { stepMs: HOUR_MS, limit: 5 });
  assert.equal(refused.ok ? '' : refused.error.reason, 'too_few_points');
  let trends = 0;
  for (let seed = 1; seed <= 100; seed++) {
    const source = randomFrom(seed);
    let own = 0;
    const noise = Float64Array.from({ length: 300 }, () => (own = 0.7 * own + source.normal()));
    if (value(trendOf(noise, HOUR_MS)).direction !== 'none') trends += 1;
  }
  assert.ok(trends <= 5, `${trends} of 100 without a trend`);
});

test('a leak is found; a garbage collector’s sawtooth, a warm-up and a daily season are none', () => {
  const stepMs = 60_000;
  const series = (make: (i: number) => number): Float64Array => {
    const random = randomFrom(9);
    return Float64Array.from({ length: 720 }, (_, i) => make(i) + 2 * random.normal());
  };
  const leaking = (values: Float64Array): boolean => value(leakOf(values, stepMs)).leaking;
  assert.equal(leaking(series((i) => 500 + 0.2 * i)), true, 'a line');
  assert.equal(leaking(series((i) => 500 + 0.1 * i + 3 * (i % 40))), true, 'a sawtooth whose floor rises');
  for (const cycle of [15, 40, 90, 130, 200]) assert.equal(leaking(series((i) => 500 + 2 * (i % cycle))), false, `a sawtooth of ${cycle}`);
  assert.equal(leaking(series(() => 500)), false, 'noise');
  assert.equal(leaking(series((i) => 500 + 100 * (1 - Math.exp(-i / 30)))), false, 'a warm-up');
  const days = Float64Array.from({ length: 24 * 5 }, (_, i) => 100 + 20 * Math.sin((2 * Math.PI * i) / 24));
  assert.equal(value(leakOf(days, HOUR_MS)).leaking, false);
  const short = leakOf(new Float64Array(100), stepMs);
  assert.equal(short.ok ? '' : short.error.reason, 'too_short');
});

test('Little’s law and the Universal Scalability Law', () => {
  assert.equal(concurrencyOf(50, 0.2), 10);
  assert.equal(throughputOf(10, 0.2), 50);
  const law = { gamma: 1000, alpha: 0.03, beta: 0.0004 };
  const counts = [1, 2, 4, 8, 16, 32, 64];
  const exact = value(
    fitScalability(
      counts,
      counts.map((count) => throughputAt(law, count)),
    ),
  );
  near(exact.gamma, 1000, 1e-6);
  near(exact.alpha, 0.03, 1e-4);
  near(exact.beta, 0.0004, 1e-4);
  near(exact.peak ?? 0, Math.sqrt(0.97 / 0.0004), 1e-3);
  const linear = value(
    fitScalability(
      counts,
      counts.map((count) => 10 * count),
    ),
  );
  assert.equal(linear.peak, null);
  const refused = fitScalability([1, 2, 3], [1, 2, 3]);
  assert.equal(refused.ok ? '' : refused.error.reason, 'too_few_points');
});
