import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Anomalies, anomaliesOf } from './anomaly.ts';
import { METHODS, type Method, scoreOf } from './detectors.ts';
import { isolationForest, meanDepth } from './isolation-forest.ts';
import { at, ranksOf } from './numbers.ts';
import { randomFrom } from './random.ts';
import { madOf } from './robust.ts';
import { RollingMoments, RollingSorted } from './rolling.ts';
import { anomalousStream } from './testing/anomalous-streams.ts';
import { type OutlierSet, outlierSets } from './testing/outlier-sets.ts';
import { PROFILES, normalised, numentaScore, probationOf } from './testing/numenta.ts';

const found = (values: ArrayLike<number>, method: Method, periods: readonly number[] = []): Anomalies => {
  const answer = anomaliesOf(values, { method, periods, seed: 1 });
  assert.ok(answer.ok, answer.ok ? '' : answer.error.message);
  return answer.value;
};

/** Least normalised score of each method and profile; what was found on other streams is in docs/analytics.md. */
const GATES: Readonly<Record<Method, readonly [standard: number, lowFalsePositives: number, lowFalseNegatives: number]>> = {
  zscore: [70, 68, 72],
  robust_zscore: [58, 55, 60],
  seasonal: [70, 66, 72],
  isolation_forest: [60, 55, 62],
};

test('Numenta rules on generated streams, one setting for all: windows are found and little else is said', () => {
  const raw = new Map<string, number>();
  let windows = 0;
  const seeds = process.env['NINES_FULL'] === '1' ? 100 : 12;
  for (let seed = 50_001; seed <= 50_000 + seeds; seed++) {
    const stream = anomalousStream(seed);
    windows += stream.windows.length;
    for (const method of METHODS) {
      const detections = found(stream.values, method, [stream.period]).episodes.map(({ from }) => from);
      for (const [name, profile] of Object.entries(PROFILES)) {
        const score = numentaScore(detections, stream.windows, { profile, probation: probationOf(stream.values.length) });
        raw.set(`${method} ${name}`, (raw.get(`${method} ${name}`) ?? 0) + score);
      }
    }
  }
  for (const method of METHODS)
    Object.entries(PROFILES).forEach(([name, profile], i) => {
      const score = normalised(raw.get(`${method} ${name}`) ?? 0, windows, profile);
      assert.ok(score > at(GATES[method], i), `${method}, ${name}: ${score.toFixed(1)}`);
    });
});

test('every score is made of the values up to its own: what comes later changes none', () => {
  const { values, period } = anomalousStream(3);
  const short = values.subarray(1000, 1700);
  for (const method of METHODS) {
    const [whole, part] = [found(short, method, [period]), found(short.subarray(0, 450), method, [period])];
    part.scores.forEach((score, i) => assert.equal(score, whole.scores[i], `${method} at ${i}`));
    assert.ok(whole.scores.every((score) => score >= 0 && score <= 1));
  }
});

test('one event is one episode with its ends, its score and a reason', () => {
  const random = randomFrom(2);
  const values = Float64Array.from({ length: 600 }, (_, i) => 10 + random.normal() + (i >= 400 && i < 430 ? 25 : 0));
  for (const method of ['zscore', 'robust_zscore', 'seasonal', 'isolation_forest'] as const) {
    const { episodes } = found(values, method);
    const hit = episodes.find(({ from, to }) => from <= 429 && to >= 400);
    assert.ok(hit !== undefined && hit.from === 400, `${method}: ${JSON.stringify(episodes)}`);
    assert.ok(hit.score >= 0.95 && hit.reason.length > 20);
  }
  const { episodes } = found(values, 'robust_zscore');
  assert.deepEqual(
    episodes.map(({ from, to }) => [from, to]),
    [[400, 429]],
  );
});

test('an odd hour of a daily season is odd only where the season is known', () => {
  const random = randomFrom(8);
  const values = Float64Array.from({ length: 24 * 30 }, (_, i) => 100 + 40 * Math.sin((2 * Math.PI * i) / 24) + 2 * random.normal());
  values[24 * 20 + 18] = 125;
  const episodes = found(values, 'seasonal', [24]).episodes;
  assert.deepEqual(
    episodes.map(({ from }) => from),
    [24 * 20 + 18],
  );
  assert.deepEqual(found(values, 'robust_zscore').episodes, []);
});

test('quiet, constant and heavy-tailed series raise little', () => {
  const random = randomFrom(4);
  const noise = Float64Array.from({ length: 3000 }, () => random.normal());
  const heavy = Float64Array.from({ length: 3000 }, () => random.normal() / Math.max(0.05, Math.abs(random.normal())));
  for (const method of METHODS) {
    const { length } = found(noise, method).episodes;
    assert.ok(length <= (method === 'isolation_forest' ? 10 : 3), `${method} in noise: ${length}`);
    assert.deepEqual(found(new Float64Array(200).fill(5), method).episodes, [], method);
  }
  assert.ok(found(heavy, 'robust_zscore').episodes.length <= 25);
  const stepped = new Float64Array(200).fill(5).fill(6, 150);
  assert.equal(found(stepped, 'robust_zscore').episodes[0]?.from, 150);
  const short = anomaliesOf([1, 2, 3], { method: 'zscore' });
  assert.equal(short.ok ? '' : short.error.reason, 'too_few_points');
});

/** Mean area under the curve over ten seeds of scikit-learn 1.2.1's IsolationForest(n_estimators=100) on `outlierSets(1)`. */
const SCIKIT: Readonly<Record<string, number>> = {
  'one cluster': 0.986,
  'three clusters': 0.966,
  'a ring': 0.8904,
  'twenty columns': 0.999,
  'few columns matter': 0.8366,
  'a cluster of outliers': 0.9673,
  'long tails': 0.9798,
  'fewer rows than a sample': 0.9992,
};

function areaUnderCurve({ rows, inner }: OutlierSet, seed: number): number {
  const forest = isolationForest(rows, { seed });
  assert.ok(forest.ok);
  const ranks = ranksOf(rows.map((row) => forest.value.score(row)));
  const outer = rows.length - inner;
  return (ranks.subarray(inner).reduce((sum, rank) => sum + rank, 0) - (outer * (outer + 1)) / 2) / (inner * outer);
}

test('the isolation forest ranks as scikit-learn does, within 0.02 of its area under the curve on every set', () => {
  const seeds = process.env['NINES_FULL'] === '1' ? 20 : 6;
  for (const set of outlierSets(1)) {
    const areas = Array.from({ length: seeds }, (_, seed) => areaUnderCurve(set, seed + 1));
    const mean = areas.reduce((sum, area) => sum + area, 0) / seeds;
    assert.ok(Math.abs(mean - at([SCIKIT[set.name] ?? 0], 0)) < 0.02, `${set.name}: ${mean.toFixed(4)}`);
  }
  const [cluster] = outlierSets(2);
  assert.ok(cluster !== undefined && areaUnderCurve(cluster, 7) === areaUnderCurve(cluster, 7));
  assert.ok(Math.abs(meanDepth(256) - 10.2448) < 1e-3);
  assert.equal(meanDepth(2), 1);
  assert.equal(isolationForest([[1]], { seed: 1 }).ok, false);
});

test('distances become scores between 0 and 1, and none is out of reach', () => {
  assert.ok(scoreOf(4.5) > 0.9499 && scoreOf(4.5) < 0.9501 && scoreOf(0) === 0 && scoreOf(1e9) < 1);
});

test('rolling order and moments are those of the last values', () => {
  const random = randomFrom(7);
  const [sorted, moments] = [new RollingSorted(50), new RollingMoments(50)];
  const values = Array.from({ length: 333 }, () => Math.round(random.normal() * 4));
  values.forEach((value, i) => {
    sorted.push(value);
    moments.push(value);
    const last = values.slice(Math.max(0, i - 49), i + 1);
    const ordered = Float64Array.from(last).sort();
    assert.equal(sorted.quantile(0), at(ordered, 0));
    if (last.length % 2 === 1) assert.ok(Math.abs(sorted.deviation() - madOf(last)) < 1e-12);
    const mean = last.reduce((sum, one) => sum + one, 0) / last.length;
    assert.ok(Math.abs(moments.mean() - mean) < 1e-9);
    if (last.length > 1)
      assert.ok(Math.abs(moments.sd() ** 2 - last.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (last.length - 1)) < 1e-9);
  });
});
