import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import * as accuracy from './accuracy.ts';
import { andersonDarling } from './anderson-darling.ts';
import { anomaliesOf } from './anomaly.ts';
import { capacityOf, leakOf, trendOf } from './capacity.ts';
import { changePoints } from './change-points.ts';
import { goodnessOfFit, homogeneity } from './contingency.ts';
import { correlate, pearson, spearman } from './correlation.ts';
import { METHODS } from './detectors.ts';
import { driftOf } from './drift.ts';
import { armOf, chanceToWin, relativeLift, sampleRatio, student, twoProportions, welch } from './experiment.ts';
import { forecast } from './forecast.ts';
import { isolationForest } from './isolation-forest.ts';
import { kolmogorovSmirnov } from './kolmogorov-smirnov.ts';
import { fitScalability } from './load.ts';
import { multipleRegression, polynomialRegression } from './regression.ts';
import { type Point, regularSeries } from './regular-series.ts';
import { fitRenewals } from './retention.ts';
import { theilSen } from './robust.ts';
import { decompose, seasonsOf } from './season.ts';

/**
 * Whatever series come: a refusal with a reason and a sentence, or an answer in which every number is finite. Those functions that state
 * that their values are finite are given what `regularSeries` lets through, as the service does.
 */
const HOUR_MS = 3_600_000;

const EDGES = [0, -0, 1, -1, 5e-324, -5e-324, 2.2e-308, 1e-200, 1e100, -1e100, 9.9e99, 1e300, -1e300, Number.MAX_VALUE, 1e-9, 1e9, 2 ** 53];
const WRONG = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
const anyNumber = fc.oneof(
  { weight: 6, arbitrary: fc.double({ min: -1000, max: 1000, noNaN: true }) },
  { weight: 3, arbitrary: fc.integer({ min: -3, max: 3 }) },
  { weight: 2, arbitrary: fc.constantFrom(...EDGES) },
  { weight: 1, arbitrary: fc.constantFrom(...WRONG) },
);
/** Nothing, one, two, constant, ramps, steps, one spike in a constant, anything. */
const anySeries = fc.oneof(
  fc.array(anyNumber, { maxLength: 70 }),
  fc.array(fc.constantFrom(...EDGES), { minLength: 12, maxLength: 60 }),
  fc.tuple(anyNumber, fc.integer({ min: 0, max: 90 })).map(([value, n]) => Array.from({ length: n }, () => value)),
  fc.tuple(anyNumber, anyNumber, fc.integer({ min: 0, max: 90 })).map(([a, b, n]) => Array.from({ length: n }, (_, i) => a + b * i)),
  fc
    .tuple(anyNumber, anyNumber, fc.integer({ min: 2, max: 90 }))
    .map(([a, b, n]) => Array.from({ length: n }, (_, i) => (i === n >> 1 ? b : a))),
  fc
    .tuple(anyNumber, anyNumber, fc.integer({ min: 2, max: 90 }))
    .map(([a, b, n]) => Array.from({ length: n }, (_, i) => (i % 2 === 0 ? a : b))),
);

/** Where a number in an answer is not finite. */
function faultIn(answer: unknown, path = ''): string | undefined {
  if (typeof answer === 'number') return Number.isFinite(answer) ? undefined : `${path} is ${answer}`;
  if (answer === null || typeof answer !== 'object') return undefined;
  const entries =
    answer instanceof Map ? [...answer] : ArrayBuffer.isView(answer) ? [...(answer as Float64Array).entries()] : Object.entries(answer);
  for (const [key, value] of entries) {
    const fault = faultIn(value, `${path}.${String(key)}`);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function judged(name: string, answer: unknown): void {
  const result = answer as { readonly ok?: boolean; readonly error?: { readonly reason: string; readonly message: string } };
  if (result !== null && typeof result === 'object' && result.ok === false) {
    assert.match(result.error?.reason ?? '', /^[a-z0-9_]+$/, `${name}: a reason`);
    assert.ok((result.error?.message.length ?? 0) > 15, `${name}: a sentence`);
    return;
  }
  const fault = faultIn(answer);
  assert.equal(fault, undefined, `${name}: ${fault}`);
}

const RUNS = process.env['NINES_FULL'] === '1' ? 3000 : 250;
const check = <T>(input: fc.Arbitrary<T>, body: (value: T) => void, runs = RUNS): void =>
  fc.assert(fc.property(input, body), { numRuns: runs, seed: 12 });

const periods = [4, 12];
const HANDLED: Readonly<Record<string, (x: readonly number[], y: readonly number[]) => unknown>> = {
  polynomialRegression: (x, y) => polynomialRegression(x, y, 1),
  'polynomialRegression of degree 3': (x, y) => polynomialRegression(x, y, 3),
  multipleRegression: (x, y) => multipleRegression([x, y], y),
  theilSen: (x, y) => theilSen(x, y),
  trendOf: (x) => trendOf(x, HOUR_MS),
  capacityOf: (x, y) => capacityOf(x, { stepMs: HOUR_MS, limit: y[0] ?? 5 }),
  leakOf: (x) => leakOf(x, HOUR_MS),
  correlate: (x, y) => correlate(x, y, { maxLag: 3, periods }),
  fitScalability: (x, y) => fitScalability(x, y),
  fitRenewals: (x) => fitRenewals(x),
  welch: (x, y) => welch(armOf(x), armOf(y)),
  student: (x, y) => student(armOf(x), armOf(y)),
  relativeLift: (x, y) => relativeLift(armOf(x), armOf(y)),
  chanceToWin: (x, y) => chanceToWin(armOf(x), armOf(y)),
  isolationForest: (x, y) => {
    const forest = isolationForest(
      x.map((one, i) => [one, y[i] ?? 0]),
      { seed: 1, trees: 10 },
    );
    return forest.ok ? forest.value.score([x[0] ?? 0, y[0] ?? 0]) : forest;
  },
  driftOf: (x, y) => driftOf(new Map([['a', x]]), new Map([['a', y]])),
};

for (const [name, call] of Object.entries(HANDLED))
  test(`${name}: any numbers get a reason or finite figures`, () => {
    check(fc.tuple(anySeries, anySeries), ([x, y]) => {
      judged(name, call(x, y));
      const n = Math.min(x.length, y.length);
      judged(name, call(x.slice(0, n), y.slice(0, n)));
    });
  });

const anyPoints = fc.oneof(
  fc.tuple(anySeries, fc.integer({ min: 0, max: 2 })).map(([values, kind]) => {
    const points = values.map((value, i): Point => [1.7e12 + i * HOUR_MS, i % 7 === 3 && kind === 1 ? null : value]);
    return kind === 2 ? points.toReversed() : points;
  }),
  fc.array(fc.tuple(fc.oneof(fc.integer({ min: 0, max: 50 }), fc.double()), fc.option(anyNumber)), { maxLength: 60 }) as fc.Arbitrary<
    Point[]
  >,
);

test('points of any kind become a regular series or a reason, and everything made of it is finite', () => {
  check(
    anyPoints,
    (points) => {
      const regular = regularSeries(points);
      judged('regularSeries', regular);
      if (!regular.ok) return;
      const { values, stepMs } = regular.value;
      assert.ok(values.length <= 40_001 && stepMs > 0);
      for (const method of METHODS) judged(method, anomaliesOf(values, { method, periods, seed: 1 }));
      judged('forecast', forecast(values, { stepMs, horizon: 6, level: 0.95 }));
      judged('seasonsOf', seasonsOf(values, stepMs));
      judged(
        'decompose',
        decompose(
          values,
          [4].filter((period) => values.length >= 2 * period),
        ),
      );
      judged('changePoints', changePoints(values));
      judged('trendOf', trendOf(values, stepMs));
      judged('leakOf', leakOf(values, stepMs));
    },
    RUNS / 2,
  );
});

test('forecasts and anomalies of values that are no series are refused', () => {
  check(
    anySeries,
    (values) => {
      judged('forecast', forecast(Float64Array.from(values), { stepMs: HOUR_MS, horizon: 5, level: 0.95 }));
      for (const method of METHODS) judged(method, anomaliesOf(values, { method, periods, seed: 1 }));
    },
    RUNS / 2,
  );
});

const bounded = fc.array(fc.oneof(fc.double({ min: -1e100, max: 1e100, noNaN: true }), fc.integer({ min: -2, max: 2 })), {
  minLength: 1,
  maxLength: 40,
});
const counts = fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: 3, maxLength: 3 }).filter((row) => row.some((count) => count > 0));

test('comparisons of samples and of counts are finite, their p between 0 and 1', () => {
  check(fc.tuple(bounded, bounded), ([x, y]) => {
    const [ks, ad] = [kolmogorovSmirnov(x, y), andersonDarling([x, y])];
    judged('kolmogorovSmirnov', ks);
    judged('andersonDarling', ad);
    assert.ok(ks.p >= 0 && ks.p <= 1 && ad.p > 0 && ad.p <= 0.25);
    const n = Math.min(x.length, y.length);
    for (const r of [pearson(x.slice(0, n), y.slice(0, n)), spearman(x.slice(0, n), y.slice(0, n))]) assert.ok(r >= -1 && r <= 1, `${r}`);
    judged('symmetricError', accuracy.symmetricError(x.slice(0, n), y.slice(0, n)));
  });
  check(fc.tuple(counts, counts), ([x, y]) => {
    judged('homogeneity', homogeneity(x, y));
    judged('sampleRatio', sampleRatio(x, [1, 1, 1]));
    judged('goodnessOfFit', goodnessOfFit(x, [1, 2, 3]));
    judged('twoProportions', twoProportions({ hits: 1, n: 1 + (x[0] ?? 0) }, { hits: 1, n: 1 + (y[0] ?? 0) }));
  });
});
