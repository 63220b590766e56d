import assert from 'node:assert/strict';
import { test } from 'node:test';
import { andersonDarling } from './anderson-darling.ts';
import { goodnessOfFit, homogeneity } from './contingency.ts';
import { countInBins, hellinger, jensenShannon, populationStability, quantileEdges, sturgesEdges, wasserstein } from './distances.ts';
import { kolmogorovSampleUpper, normalQuantile } from './distributions.ts';
import { type Cell, driftOf, levelFor } from './drift.ts';
import { kolmogorovSmirnov } from './kolmogorov-smirnov.ts';
import { adjustedForDiscovery } from './multiple-tests.ts';
import { varianceOf } from './numbers.ts';
import { randomFrom } from './random.ts';

/** Reference values come from SciPy 1.17.1 and 1.10.1, and from the tests of Evidently. */
const close = (found: number, expected: number, relative = 1e-9): void =>
  assert.ok(Math.abs(found - expected) <= relative * Math.abs(expected), `${found} is not ${expected}`);

const A = [38.7, 41.5, 43.8, 44.5, 45.5, 46.0, 47.7, 58.0];
const B = [39.2, 39.3, 39.7, 41.4, 41.8, 42.9, 43.3, 45.8];
const X = Array.from({ length: 1000 }, (_, i) => normalQuantile((i + 0.5) / 1000));
const Y = X.map((x) => 1.2 * x + 0.3);

test('Wasserstein distances, weighted too', () => {
  const between = (a: number[], b: number[], wa?: number[], wb?: number[]) =>
    wasserstein({ values: a, ...(wa && { weights: wa }) }, { values: b, ...(wb && { weights: wb }) });
  close(between([0, 1, 3], [5, 6, 8]), 5);
  close(between([0, 1], [0, 1], [3, 1], [2, 2]), 0.25);
  close(between([3.4, 3.9, 7.5, 7.8], [4.5, 1.4], [1.4, 0.9, 3.1, 7.2], [3.2, 3.5]), 4.078133143804786);
  close(between(X, Y), 0.3116874197051159);
  close(between(X, Y) / Math.sqrt(varianceOf(X, 0)), 0.3118903299412958);
});

test('Jensen–Shannon, Hellinger and PSI', () => {
  close(jensenShannon([1, 0, 0], [0, 1, 0], 2), 1);
  close(jensenShannon([1, 0], [0.5, 0.5], Math.E), 0.46450140402245893);
  close(hellinger([16, 18, 16, 14, 12, 12], [16, 16, 16, 16, 16, 8]), 0.06812774370983354);
  close(populationStability([0.2, 0.2, 0.2, 0.2, 0.2], [0.1, 0.15, 0.2, 0.25, 0.3]), 0.13540251005511);
  const [before, after] = [
    [16, 18, 16, 14, 12, 12],
    [16, 16, 16, 16, 16, 8],
  ] as const;
  close(jensenShannon(before, after, Math.E), 0.06804819617703867);
  close(jensenShannon(before, after, 2), 0.08173421330573757);
  const equal = sturgesEdges(X, Y);
  assert.equal(equal.length + 1, 12);
  close(populationStability(countInBins(X, equal), countInBins(Y, equal)), 0.1379322052);
  close(jensenShannon(countInBins(X, equal), countInBins(Y, equal), Math.E), 0.1280369286);
  const tenths = quantileEdges(X, 10);
  close(populationStability(countInBins(X, tenths), countInBins(Y, tenths)), 0.1104853689);
});

test('chi-square: tables and fits', () => {
  const table = homogeneity([10, 10, 20], [20, 20, 20]);
  close(table.statistic, 2.7777777777777777);
  close(table.p, 0.24935220877729622);
  assert.equal(table.dof, 2);
  close(table.g, 2.768858761678132);
  close(table.gP, 0.25046668010954165);
  const even = goodnessOfFit([16, 18, 16, 14, 12, 12], [1, 1, 1, 1, 1, 1]);
  close(even.statistic, 2);
  close(even.p, 0.8491450360846096);
  const uneven = goodnessOfFit([16, 18, 16, 14, 12, 12], [16, 16, 16, 16, 16, 8]);
  close(uneven.statistic, 3.5);
  close(uneven.p, 0.6233876277495822);
  const turned = goodnessOfFit([16, 16, 16, 16, 16, 8], [16, 18, 16, 14, 12, 12]);
  close(turned.statistic, 3.1746031746031744);
  close(turned.p, 0.6730876006966301);
});

test('two-sample Kolmogorov–Smirnov: with eight values each the exact p says the opposite of the limit', () => {
  const small = kolmogorovSmirnov(A, B);
  close(small.statistic, 0.625);
  close(small.p, 0.08702408702408701);
  close(kolmogorovSampleUpper(4, 0.625), 0.04931640625);
  const large = kolmogorovSmirnov(X, Y);
  close(large.statistic, 0.128);
  close(large.p, 1.4776675436423948e-7);
  close(kolmogorovSampleUpper(500, 0.128), 1.3346339751235053e-7);
  assert.deepEqual(kolmogorovSmirnov([1, 1, 1], [1, 1, 1]), { statistic: 0, p: 1, method: 'exact' });
  assert.equal(kolmogorovSmirnov(new Float64Array(3000), new Float64Array(3000)).p, 1);
});

test('Anderson–Darling of two and of three samples, with and without equal values', () => {
  const two = andersonDarling([A, B]);
  close(two.statistic, 1.7183096744360893);
  close(two.p, 0.06351467728760844);
  const three = andersonDarling([A, B, [34, 35, 39, 40, 43, 43, 44, 45]]);
  close(three.statistic, 1.8046103742186417);
  close(three.p, 0.05778220268573848);
  const far = andersonDarling([X, Y]);
  close(far.statistic, 27.10852315418796);
  assert.equal(far.p, 0.001);
  assert.deepEqual(andersonDarling([same(3), same(3)]), { statistic: 0, p: 0.25 });
  assert.deepEqual(andersonDarling([A, []]), { statistic: 0, p: 0.25 });
});

test('Benjamini–Hochberg adjusts upwards and keeps the order', () => {
  const adjusted = adjustedForDiscovery([0.01, 0.04, 0.03, 0.005]);
  [0.02, 0.04, 0.04, 0.02].forEach((value, i) => close(adjusted[i] ?? 0, value));
  close(levelFor(20, 90), 5.5556e-4, 1e-4);
});

const same = <T>(cell: T): T[] => Array.from({ length: 500 }, () => cell);
const columns = (entries: Record<string, readonly Cell[]>): Map<string, readonly Cell[]> => new Map(Object.entries(entries));

test('drift needs to be significant, large, and seen on enough rows', () => {
  const random = randomFrom(5);
  const normal = (n: number, mean = 0, sd = 1): number[] => Array.from({ length: n }, () => mean + sd * random.normal());
  const letters = (n: number, shares: readonly number[]): string[] =>
    Array.from({ length: n }, () => {
      const u = random.next();
      let sum = 0;
      return 'abcde'[shares.findIndex((share) => (sum += share) > u)] ?? 'e';
    });
  const even = [0.2, 0.2, 0.2, 0.2, 0.2];
  const report = driftOf(
    columns({
      same: normal(1000),
      moved: normal(1000),
      wider: normal(1000),
      slight: normal(20_000),
      few: normal(100),
      plan: letters(800, even),
      flat: same(3),
      none: same(null),
    }),
    columns({
      same: normal(1000),
      moved: normal(1000, 0.5),
      wider: normal(1000, 0, 1.6),
      slight: normal(20_000, 0.03),
      few: normal(100, 2),
      plan: letters(800, [0.4, 0.2, 0.2, 0.1, 0.1]),
      flat: same(3),
      none: normal(500),
    }),
  );
  const states = Object.fromEntries([...report.features].map(([name, { state }]) => [name, state]));
  assert.deepEqual(states, {
    same: 'stable',
    moved: 'drifted',
    wider: 'drifted',
    slight: 'stable',
    few: 'insufficient',
    plan: 'drifted',
    flat: 'stable',
    none: 'insufficient',
  });
  assert.match(report.features.get('slight')?.reason ?? '', /less than matters/);
  assert.equal(report.drifted, true);
  assert.equal(report.share, 0.5);
});

test('without drift few runs say otherwise, of numbers and of categories', () => {
  const random = randomFrom(11);
  let false_ = 0;
  for (let run = 0; run < 100; run++) {
    const numbers = (): number[] => Array.from({ length: 1000 }, () => random.normal());
    const words = (): string[] => Array.from({ length: 1000 }, () => 'abcde'[random.below(5)] ?? 'a');
    const { drifted } = driftOf(columns({ a: numbers(), b: words() }), columns({ a: numbers(), b: words() }));
    if (drifted) false_ += 1;
  }
  assert.ok(false_ <= 5, `${false_} of 100`);
});

test('a critical feature alone makes the whole drift, and so do gone values', () => {
  const random = randomFrom(7);
  const normal = (n: number): number[] => Array.from({ length: n }, () => random.normal());
  const holes = normal(1000).map((value) => (random.next() < 0.4 ? null : value));
  const others = { b: normal(500), c: normal(500), d: normal(500) };
  const after = { b: normal(500), c: normal(500), d: normal(500) };
  const [reference, current] = [columns({ a: normal(1000), ...others }), columns({ a: holes, ...after })];
  assert.equal(driftOf(reference, current).features.get('a')?.state, 'drifted');
  assert.equal(driftOf(reference, current).drifted, false);
  assert.equal(driftOf(reference, current, { critical: new Set(['a']) }).drifted, true);
  assert.equal(driftOf(reference, current, { importance: new Map([['a', 5]]) }).drifted, true);
});
