import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { quantileOf } from './quantile.ts';

test('quantiles interpolate and put NaN lowest', () => {
  assert.equal(quantileOf(0.5, Float64Array.of(3, 1, 2, 4)), 2.5);
  assert.equal(quantileOf(1, Float64Array.of(Number.NaN, 1)), 1);
  assert.equal(quantileOf(0, Float64Array.of(Number.NaN, 1)), Number.NaN);
});

test('outside 0 to 1 they are infinite, of nothing they are NaN', () => {
  assert.equal(quantileOf(-0.1, Float64Array.of(1)), Number.NEGATIVE_INFINITY);
  assert.equal(quantileOf(1.1, Float64Array.of(1)), Number.POSITIVE_INFINITY);
  assert.equal(quantileOf(Number.NaN, Float64Array.of(1)), Number.NaN);
  assert.equal(quantileOf(0.5, new Float64Array(0)), Number.NaN);
});

test('they are what sorting everything gives', () => {
  const value = fc.oneof(fc.integer({ min: -20, max: 20 }), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.constant(Number.NaN));
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 120 }), fc.double({ min: 0, max: 1, noNaN: true }), (values, phi) => {
      const sorted = [...values.filter((each) => each !== each), ...values.filter((each) => each === each).sort((a, b) => a - b)];
      const rank = phi * (sorted.length - 1);
      const at = (index: number): number => sorted[Math.min(index, sorted.length - 1)] ?? 0;
      const weight = rank - Math.floor(rank);
      const want = at(Math.floor(rank)) * (1 - weight) + at(Math.floor(rank) + 1) * weight;
      // Adding zero takes the sign from a negative zero, of which sorting knows nothing.
      assert.equal(quantileOf(phi, Float64Array.from(values)) + 0, want + 0);
    }),
    { numRuns: 2000 },
  );
});
