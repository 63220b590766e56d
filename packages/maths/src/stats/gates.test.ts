import assert from 'node:assert/strict';
import { test } from 'node:test';
import { meanAbsoluteError, naiveScale } from './accuracy.ts';
import { andersonDarling } from './anderson-darling.ts';
import { capacityOf, trendOf } from './capacity.ts';
import { changePoints } from './change-points.ts';
import { homogeneity } from './contingency.ts';
import { adjustedPairs, correlate } from './correlation.ts';
import { countInBins, populationStability, quantileEdges, stabilityP } from './distances.ts';
import { welch, armOf } from './experiment.ts';
import { forecast } from './forecast.ts';
import { kolmogorovSmirnov } from './kolmogorov-smirnov.ts';
import { adjustedForDiscovery } from './multiple-tests.ts';
import { at } from './numbers.ts';
import { type Random, randomFrom } from './random.ts';
import type { Answer } from './refusal.ts';
import { type Point, regularSeries } from './regular-series.ts';
import { polynomialRegression } from './regression.ts';
import { theilSen } from './robust.ts';
import { seasonsOf } from './season.ts';
import { FAMILIES, type Family, seriesOf } from './testing/series-families.ts';

/** How often the statistics are right when nothing is there, and when something is. Limits are four deviations of the count wide. */
const FULL = process.env['NINES_FULL'] === '1';
const HOUR_MS = 3_600_000;

const valueOf = <T>(answer: Answer<T>): T => {
  assert.ok(answer.ok, answer.ok ? '' : answer.error.message);
  return answer.value;
};

/** How many of `runs` seeds it is true for. */
function timesIn(runs: number, isTrue: (random: Random) => boolean): number {
  let count = 0;
  for (let seed = 1; seed <= runs; seed++) if (isTrue(randomFrom(7_000_000 + seed))) count += 1;
  return count;
}
const most = (runs: number, share: number): number => runs * share + 4 * Math.sqrt(runs * share * (1 - share));
const least = (runs: number, share: number): number => runs * share - 4 * Math.sqrt(runs * share * (1 - share));
function within(count: number, runs: number, share: number): void {
  assert.ok(count >= least(runs, share) && count <= most(runs, share), `${count} of ${runs}, promised are ${share * runs}`);
}

const normals = (random: Random, n: number, shift = 0): number[] => Array.from({ length: n }, () => random.normal() + shift);
/** Each value keeps `rho` of the one before. */
function following(random: Random, n: number, rho: number): Float64Array {
  let own = random.normal() / Math.sqrt(1 - rho * rho);
  return Float64Array.from({ length: n }, () => (own = rho * own + random.normal()));
}

test('without a difference the tests of two samples say so as often as their level', () => {
  const runs = FULL ? 4000 : 800;
  for (const [name, p] of [
    ['Kolmogorov–Smirnov', (a: number[], b: number[]) => kolmogorovSmirnov(a, b).p],
    ['Anderson–Darling', (a: number[], b: number[]) => andersonDarling([a, b]).p],
    ['Welch', (a: number[], b: number[]) => valueOf(welch(armOf(a), armOf(b))).p],
  ] as const) {
    const count = timesIn(runs, (random) => p(normals(random, 90), normals(random, 60)) <= 0.05);
    // Of few values Kolmogorov and Smirnov's p takes few values, and stays below the level.
    assert.ok(count <= most(runs, 0.05) && count >= least(runs, 0.03), `${name}: ${count} of ${runs}`);
  }
});

test('categories of two samples are compared as two samples: the level is kept at equal sizes', () => {
  const runs = FULL ? 4000 : 800;
  const counts = (random: Random, n: number): number[] => {
    const row = [0, 0, 0, 0, 0];
    for (let i = 0; i < n; i++) {
      const k = random.below(5);
      row[k] = (row[k] ?? 0) + 1;
    }
    return row;
  };
  within(
    timesIn(runs, (random) => homogeneity(counts(random, 500), counts(random, 500)).p < 0.05),
    runs,
    0.05,
  );
});

test('PSI is judged by its size under no drift: at 1000 and 200 rows its 95 % point is at 0.1', () => {
  const runs = FULL ? 2000 : 400;
  const count = timesIn(runs, (random) => {
    const [r, c] = [normals(random, 1000), normals(random, 200)];
    const edges = quantileEdges(r, 10);
    const psi = populationStability(countInBins(r, edges), countInBins(c, edges));
    return stabilityP(psi, { n: 1000, m: 200, bins: 10 }) <= 0.05;
  });
  assert.ok(count <= most(runs, 0.065), `${count} of ${runs}`);
});

test('false discoveries stay below their share, with and without something to find', () => {
  const runs = FULL ? 1000 : 250;
  let [wrong, found] = [0, 0];
  const any = timesIn(runs, (random) => {
    const p = Array.from(
      { length: 40 },
      (_, i) => valueOf(welch(armOf(normals(random, 40)), armOf(normals(random, 40, i < 10 ? 1 : 0)))).p,
    );
    const hits = adjustedForDiscovery(p).map((one) => one <= 0.05);
    wrong += hits.slice(10).filter(Boolean).length / Math.max(1, hits.filter(Boolean).length);
    found += hits.slice(0, 10).filter(Boolean).length;
    return adjustedForDiscovery(p.slice(10)).some((one) => one <= 0.05);
  });
  assert.ok(wrong / runs <= 0.06, `${wrong / runs}`);
  assert.ok(found / runs > 8, `${found / runs} of 10`);
  assert.ok(any <= most(runs, 0.05), `${any} of ${runs}`);
});

test('series that follow themselves and have a common day: none of the pairs is related more often than promised', () => {
  const runs = FULL ? 300 : 40;
  const options = { maxLag: 4, periods: [24] };
  const related = timesIn(runs, (random) => {
    const series = Array.from({ length: 5 }, (_, k) =>
      following(random, 240, [0, 0.5, 0.8, 0.95, 0.99][k] ?? 0).map((value, i) => value + 5 * Math.sin((2 * Math.PI * i) / 24)),
    );
    const pairs = series.flatMap((x, i) => series.slice(i + 1).map((y) => valueOf(correlate(x, y, options))));
    return adjustedPairs(pairs).some(({ p }) => p <= 0.05);
  });
  assert.ok(related <= most(runs, 0.05), `${related} of ${runs}`);
});

test('Theil–Sen holds the slope with 29 % of the points wrong, all on one side', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = randomFrom(seed);
    const x = Array.from({ length: 200 }, (_, i) => i);
    const wrong = new Set(x.toSorted(() => random.next() - 0.5).slice(0, 57));
    const y = x.map((one) => 2 * one + random.normal() + (wrong.has(one) ? 1e4 + 300 * one : 0));
    const line = valueOf(theilSen(x, y));
    assert.ok(Math.abs(line.slope) < 100 && line.slope > 1.9, `${line.slope}`);
    const plain = valueOf(polynomialRegression(x, y, 1)).coefficients[1] ?? 0;
    assert.ok(Math.abs(line.slope - 2) < Math.abs(plain - 2) / 3, `${line.slope} beside ${plain}`);
  }
});

test('without a trend there is none, and no date, whatever follows itself', () => {
  const runs = FULL ? 800 : 60;
  for (const rho of [0, 0.5, 0.9]) {
    let dates = 0;
    const trends = timesIn(runs, (random) => {
      const values = following(random, 336, rho).map((value) => 50 + value);
      if (valueOf(capacityOf(values, { stepMs: HOUR_MS, limit: 75 })).days !== null) dates += 1;
      return valueOf(trendOf(values, HOUR_MS)).direction !== 'none';
    });
    assert.ok(trends <= most(runs, 0.02), `${trends} of ${runs} at ${rho}`);
    assert.ok(dates <= most(runs, 0.02), `${dates} dates of ${runs} at ${rho}`);
  }
});

test('no season in noise, white or following itself; one that is there is found', () => {
  const runs = FULL ? 600 : 120;
  for (const [rho, share] of [
    [0, 0.01],
    [0.6, 0.02],
    [0.95, 0.05],
  ] as const)
    for (const stepMs of [HOUR_MS, 7 * 60_000]) {
      const count = timesIn(runs, (random) => seasonsOf(following(random, 500, rho), stepMs).length > 0);
      assert.ok(count <= most(runs, share), `${count} of ${runs} at ${rho}, ${stepMs} ms`);
    }
  const seen = timesIn(runs, (random) => {
    const values = following(random, 500, 0.5).map((value, i) => value + 2 * Math.sin((2 * Math.PI * i) / 24));
    return seasonsOf(values, HOUR_MS)[0]?.period.length === 24;
  });
  assert.ok(seen >= 0.98 * runs, `${seen} of ${runs}`);
});

test('no change of level in noise, white or following itself; three that are there are found where they are', () => {
  const runs = FULL ? 800 : 100;
  for (const rho of [0, 0.4, 0.8]) {
    const count = timesIn(runs, (random) => changePoints(following(random, 400, rho)).length > 0);
    assert.ok(count <= most(runs, 0.05), `${count} of ${runs} at ${rho}`);
  }
  const exact = timesIn(runs, (random) => {
    const level = (i: number): number => [0, 5, 1, -4][Math.floor(i / 100)] ?? 0;
    const found = changePoints(Float64Array.from({ length: 400 }, (_, i) => level(i) + random.normal()));
    return found.length === 3 && found.every(({ index }, k) => Math.abs(index - 100 * (k + 1)) <= 3);
  });
  assert.ok(exact >= 0.95 * runs, `${exact} of ${runs}`);
});

type Held = { readonly ratio: number; readonly coverage: number };

/** Mean absolute error beside the seasonal naive's, and the share of what came that lay inside 95 % intervals, over `count` series. */
function held(family: Family, count: number): Held {
  let [own, naive, inside] = [0, 0, 0];
  for (let k = 0; k < count; k++) {
    const { values, stepMs, missing } = seriesOf(family, 410_000 + k * 31 + FAMILIES.indexOf(family));
    const [known, actual] = [values.subarray(0, family.length), values.subarray(family.length)];
    const points = Array.from(known, (value, i): Point => [1.7e12 + i * stepMs, missing.has(i) ? null : value]);
    const history = valueOf(regularSeries(points)).values;
    const found = valueOf(forecast(history, { stepMs, horizon: family.horizon, level: 0.95 }));
    const scale = naiveScale(history, family.period);
    own += meanAbsoluteError(actual, found.values) / scale;
    naive +=
      meanAbsoluteError(
        actual,
        actual.map((_, j) => at(history, history.length - family.period + (j % family.period))),
      ) / scale;
    inside += actual.filter((value, j) => value >= at(found.lower, j) && value <= at(found.upper, j)).length / family.horizon;
  }
  return { ratio: own / naive, coverage: inside / count };
}

test('forecasts of many families: better than the seasonal naive, and 95 % intervals hold 93 to 97 %', () => {
  const [every, count] = FULL ? [1, 60] : [3, 4];
  let [ratios, coverages, families] = [0, 0, 0];
  for (const family of FAMILIES.filter((_, i) => i % every === 0)) {
    const { ratio, coverage } = held(family, count);
    if (FULL) assert.ok(ratio < 1 && coverage >= 0.92 && coverage <= 0.98, `${family.name}: ${ratio.toFixed(3)}, ${coverage.toFixed(3)}`);
    ratios += ratio;
    coverages += coverage;
    families += 1;
  }
  assert.ok(ratios / families < 0.9, `error beside the naive's: ${ratios / families}`);
  const [low, high] = FULL ? [0.93, 0.97] : [0.9, 0.99];
  assert.ok(coverages / families >= low && coverages / families <= high, `coverage ${coverages / families}`);
});
