import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Regression, multipleRegression, polynomialRegression } from './regression.ts';
import { filip, longley, norris, pontius, wampler1, wampler2, wampler3, wampler4, wampler5 } from './testing/nist.ts';

/** How many leading digits of the worst value are right: NIST's log relative error. */
const digitsOf = (found: readonly number[], certified: readonly number[]): number =>
  Math.min(...found.map((value, i) => -Math.log10(Math.max(1e-16, Math.abs(value / (certified[i] ?? Number.NaN) - 1)))));

const fitted = (x: readonly number[], y: readonly number[], degree: number): Regression => {
  const answer = polynomialRegression(x, y, degree);
  assert.ok(answer.ok, answer.ok ? '' : answer.error.message);
  return answer.value;
};
const reasonOf = (x: readonly number[], y: readonly number[], degree: number): string => {
  const answer = polynomialRegression(x, y, degree);
  return answer.ok ? 'answered' : answer.error.reason;
};

for (const set of [norris, pontius, wampler1, wampler2, wampler3, wampler4, wampler5, filip])
  test(`${set.name} of NIST to ${set.digits} digits`, () => {
    const found = fitted(set.x, set.y, set.degree);
    const check = (name: string, values: readonly number[], certified: readonly number[], digits: number): void => {
      const right = digitsOf(values, certified);
      assert.ok(right >= digits, `${name}: ${right.toFixed(1)} digits, ${digits} are needed`);
    };
    check('coefficients', found.coefficients, set.coefficients, set.digits);
    if (set.standardErrors !== undefined) check('standard errors', found.standardErrors, set.standardErrors, Math.min(set.digits, 9));
    if (set.residualSquares !== undefined) check('RSS', [found.residualSquares], [set.residualSquares], Math.min(set.digits, 9));
    if (set.residualSd !== undefined) check('residual sd', [found.residualSd], [set.residualSd], 9);
    if (set.r2 !== undefined) check('R²', [found.r2], [set.r2], 12);
    if (set.f !== undefined) check('F', [found.f.statistic], [set.f], 9);
  });

test('Longley of NIST, six columns that nearly depend on each other', () => {
  const answer = multipleRegression(longley.variables, longley.y);
  assert.ok(answer.ok);
  assert.ok(digitsOf(answer.value.coefficients, longley.coefficients) >= longley.digits);
  assert.ok(digitsOf(answer.value.standardErrors, longley.standardErrors) >= 9);
  assert.ok(digitsOf([answer.value.residualSquares], [longley.residualSquares]) >= 9);
});

test('what cannot be told is refused, each with its reason', () => {
  const ramp = [0, 1, 2, 3, 4, 5, 6, 7];
  assert.equal(reasonOf([], [], 1), 'empty');
  assert.equal(reasonOf([1, 2], [3, 4], 1), 'too_few_points');
  assert.equal(reasonOf([1, 2, 3], [3, 4, 5], 2), 'too_few_points');
  assert.equal(reasonOf([5, 5, 5, 5], [1, 2, 3, 4], 1), 'x_does_not_vary');
  assert.equal(reasonOf([1, 1, 2, 2, 1, 2], [1, 2, 3, 4, 5, 6], 2), 'too_few_distinct_x');
  assert.equal(reasonOf([1, 2, Number.NaN, 4], [1, 2, 3, 4], 1), 'not_finite');
  assert.equal(reasonOf([1, 2, 3, 4], [1, 2, Number.POSITIVE_INFINITY, 4], 1), 'not_finite');
  assert.equal(reasonOf([1, 2, 3], [1, 2], 1), 'lengths_differ');
  assert.equal(reasonOf(ramp, ramp, 40), 'bad_degree');
  const days = ramp.map((day) => 1.7e12 + 86_400_000 * day);
  assert.equal(
    reasonOf(
      days,
      ramp.map((day) => Math.sin(day)),
      4,
    ),
    'digits_lost',
    'milliseconds since 1970 to the fourth',
  );
  const twice = multipleRegression([ramp, ramp.map((value) => 2 * value + 1)], ramp);
  assert.equal(twice.ok ? '' : twice.error.reason, 'ill_conditioned');
});

test('a flat y is a flat line that explains nothing', () => {
  const found = fitted([1, 2, 3, 4], [7, 7, 7, 7], 1);
  assert.deepEqual(found.coefficients.map(Math.abs), [7, 0]);
  assert.deepEqual([found.r2, found.residualSd, found.f.p], [0, 0, 1]);
});

test('moving and stretching x moves and stretches the coefficients', () => {
  const points = fc.array(fc.tuple(fc.integer({ min: -1000, max: 1000 }), fc.integer({ min: -1000, max: 1000 })), {
    minLength: 6,
    maxLength: 40,
  });
  fc.assert(
    fc.property(points, fc.integer({ min: -500, max: 500 }), fc.integer({ min: 1, max: 50 }), (pairs, shift, stretch) => {
      const [x, y] = [pairs.map(([one]) => one), pairs.map(([, one]) => one)];
      const [plain, moved] = [
        polynomialRegression(x, y, 1),
        polynomialRegression(
          x.map((one) => one * stretch + shift),
          y,
          1,
        ),
      ];
      assert.equal(plain.ok, moved.ok);
      if (!plain.ok || !moved.ok) return;
      const slope = (moved.value.coefficients[1] ?? 0) * stretch;
      assert.ok(Math.abs(slope - (plain.value.coefficients[1] ?? 0)) <= 1e-7 * (1 + Math.abs(slope)));
      assert.ok(Math.abs(plain.value.r2 - moved.value.r2) < 1e-9);
    }),
    { numRuns: 100, seed: 8 },
  );
});
