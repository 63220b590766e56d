import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  chiSquareCdf,
  chiSquareQuantile,
  chiSquareUpper,
  fUpper,
  kolmogorovSampleUpper,
  kolmogorovUpper,
  normalCdf,
  normalQuantile,
  normalUpper,
  tCdf,
  tHalfWidth,
  tTwoSided,
} from './distributions.ts';
import { incompleteBeta, logGamma } from './special.ts';

/** Reference values were computed with SciPy 1.17.1. */
const close = (found: number, expected: number, relative = 1e-12): void =>
  assert.ok(Math.abs(found / expected - 1) <= relative, `${found} is not ${expected}`);

test('reference values, far into the tails', () => {
  for (const [z, p] of [
    [0.5, 0.3085375387259869],
    [2, 0.022750131948179195],
    [5, 2.866515718791933e-7],
    [9, 1.1285884059538324e-19],
    [20, 2.7536241186061556e-89],
    [37, 5.7255712225239266e-300],
  ] as const)
    close(normalUpper(z), p);
  for (const [p, z] of [
    [1e-300, -37.0470962993612],
    [1e-10, -6.361340902404056],
    [0.001, -3.090232306167813],
    [0.3, -0.5244005127080409],
    [0.975, 1.959963984540054],
  ] as const)
    close(normalQuantile(p), z, 4e-15);
  for (const [t, dof, p] of [
    [2, 3, 0.13932596855884305],
    [12, 5, 7.089492517161522e-5],
    [3.3, 1e6, 0.0009668820793400051],
    [40, 200, 2.2487396535202197e-97],
    [0.1, 0.7, 0.9413093831519195],
  ] as const)
    close(tTwoSided(t, dof), p, 1e-10);
  for (const [x, dof, p] of [
    [3, 2, 0.22313016014842982],
    [200, 5, 2.8406228986415534e-41],
    [1100, 1000, 0.014614408126295192],
    [50, 1, 1.537459794428033e-12],
    [0.01, 9, 0.9999999999991591],
  ] as const)
    close(chiSquareUpper(x, dof), p);
  for (const [f, dof1, dof2, p] of [
    [4, 3, 20, 0.022076999662362404],
    [100, 2, 1000, 2.566711025705332e-40],
    [0.5, 7, 9, 0.8135033547725571],
    [30, 1, 1, 0.11496411795103316],
  ] as const)
    close(fUpper(f, dof1, dof2), p, 1e-11);
});

test('half-widths of Student, with few degrees, broken ones, and far out', () => {
  for (const [twoSided, dof, t] of [
    [0.05, 1, 12.706204736174707],
    [0.05, 2, 4.302652729749464],
    [0.05, 10, 2.2281388519862735],
    [0.01, 10, 3.16927267261695],
  ] as const)
    close(tHalfWidth(twoSided, dof), t, 1e-11);
  for (const twoSided of [1e-100, 1e-12, 0.01, 0.5, 0.7, 0.999])
    for (const dof of [0.7, 1, 2.5, 30, 1e5]) close(tTwoSided(tHalfWidth(twoSided, dof), dof), twoSided, 1e-8);
});

test('Kolmogorov: the limit and finite samples', () => {
  for (const [x, p] of [
    [0.3, 0.9999906941986655],
    [0.6, 0.8642827790506042],
    [0.8, 0.5441424115741981],
    [1, 0.26999967167735456],
    [2, 0.0006709252557796953],
    [4, 2.532833109818835e-14],
  ] as const)
    close(kolmogorovUpper(x), p);
  for (const [n, d, p, relative] of [
    [4, 0.625, 0.04931640625, 1e-12],
    [500, 0.128, 1.3346339751235053e-7, 1e-9],
    [10, 0.3, 0.27053557479999946, 1e-10],
    [100, 0.08, 0.5182193645480672, 1e-10],
    [500, 0.03, 0.7473166700457021, 1e-6],
    [1000, 0.05, 0.013012074781090332, 1e-6],
    [5000, 0.015, 0.20846142096186204, 1e-4],
    [20, 0.1, 0.976255094592155, 1e-10],
    [3, 0.4, 0.5946666666666665, 1e-12],
  ] as const)
    close(kolmogorovSampleUpper(n, d), p, relative);
});

test('logarithm of gamma and incomplete beta', () => {
  for (const [x, value] of [
    [0.1, 2.252712651734206],
    [1.5, -0.12078223763524526],
    [3.3, 0.9870985778947343],
    [50.5, 146.51925549072064],
    [1e6, 12815504.569147611],
  ] as const)
    close(logGamma(x), value, 1e-13);
  for (const [a, b, x, value] of [
    [0.5, 0.5, 0.2, 0.2951672353008665],
    [30, 2, 0.8, 0.008665580274997673],
    [1000, 1200, 0.45, 0.33466234267154027],
    [1e5, 3, 0.9999, 0.0027680339601161104],
  ] as const)
    close(incompleteBeta({ a, b }, x).lower, value, 1e-11);
});

test('quantiles undo the distributions, and both tails make one', () => {
  fc.assert(
    fc.property(fc.double({ min: 1e-12, max: 1 - 1e-12, noNaN: true }), fc.integer({ min: 1, max: 400 }), (p, dof) => {
      assert.ok(Math.abs(normalCdf(normalQuantile(p)) - p) < 1e-13);
      assert.ok(Math.abs(tTwoSided(tHalfWidth(p, dof), dof) / p - 1) < 1e-9);
      assert.ok(Math.abs(chiSquareUpper(chiSquareQuantile(p, dof), dof) / p - 1) < 1e-8);
    }),
    { numRuns: 200, seed: 8 },
  );
  fc.assert(
    fc.property(fc.double({ min: -8, max: 8, noNaN: true }), fc.integer({ min: 1, max: 400 }), (x, dof) => {
      assert.ok(Math.abs(normalCdf(x) + normalUpper(x) - 1) < 1e-15);
      assert.ok(Math.abs(tCdf(x, dof) + tCdf(-x, dof) - 1) < 1e-14);
      assert.ok(Math.abs(chiSquareCdf(x * x, dof) + chiSquareUpper(x * x, dof) - 1) < 1e-14);
    }),
    { numRuns: 200, seed: 8 },
  );
});
