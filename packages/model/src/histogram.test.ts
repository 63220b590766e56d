import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  CUSTOM_BUCKETS,
  EMPTY_HISTOGRAM,
  type Histogram,
  added,
  atSchema,
  bucketsFrom,
  bucketsOf,
  divided,
  exponentialBound,
  sameHistogram,
  scaled,
  subtracted,
  wasReset,
} from './histogram.ts';
import { histogramFraction, histogramQuantile, trimmed } from './histogram-figures.ts';

const counts = fc.array(fc.nat(50), { maxLength: 12 });

/** A histogram as a client would make it: its count is what its buckets hold. */
const exponential: fc.Arbitrary<Histogram> = fc
  .record({
    schema: fc.integer({ min: -4, max: 8 }),
    zeroCount: fc.nat(20),
    positive: counts,
    negative: counts,
    offset: fc.integer({ min: -5, max: 5 }),
  })
  .map(({ schema, zeroCount, positive, negative, offset }) => ({
    ...EMPTY_HISTOGRAM,
    schema,
    zeroCount,
    zeroThreshold: 2 ** -128,
    positive: bucketsFrom(positive, offset),
    negative: bucketsFrom(negative, offset),
    count: [...positive, ...negative].reduce((sum, count) => sum + count, zeroCount),
    sum: positive.length - negative.length,
  }));

const custom: fc.Arbitrary<Histogram> = fc
  .record({ bounds: fc.uniqueArray(fc.integer({ min: -20, max: 20 }), { maxLength: 6 }), counts: fc.array(fc.nat(50), { maxLength: 7 }) })
  .map(({ bounds, counts: written }) => {
    const kept = written.slice(0, bounds.length + 1);
    return {
      ...EMPTY_HISTOGRAM,
      schema: CUSTOM_BUCKETS,
      bounds: bounds.sort((a, b) => a - b),
      positive: bucketsFrom(kept),
      count: kept.reduce((sum, count) => sum + count, 0),
      sum: kept.length,
    };
  });

const inBuckets = (h: Histogram): number => [...bucketsOf(h)].reduce((sum, { count }) => sum + count, 0);

test('bounds double every 2 ** schema buckets, to the last bit at powers of two', () => {
  assert.equal(exponentialBound(0, 10), 1024);
  assert.equal(exponentialBound(3, 8), 2);
  assert.equal(exponentialBound(3, -8), 0.5);
  assert.equal(exponentialBound(-2, 1), 16);
  assert.equal(exponentialBound(0, 1024), Number.MAX_VALUE);
  assert.equal(exponentialBound(0, 1025), Number.POSITIVE_INFINITY);
  assert.ok(Math.abs(exponentialBound(1, 1) - Math.SQRT2) < 1e-15);
});

test('no observation is lost when histograms are added, in whatever buckets they are', () => {
  fc.assert(
    fc.property(fc.oneof(fc.tuple(exponential, exponential), fc.tuple(custom, custom)), ([a, b]) => {
      const sum = added(a, b);
      assert.ok(sum !== undefined);
      assert.equal(inBuckets(sum), inBuckets(a) + inBuckets(b));
      assert.equal(sum.count, a.count + b.count);
      const other = added(b, a);
      assert.ok(other !== undefined && sameHistogram(sum, other));
    }),
  );
});

test('what was added can be taken away again', () => {
  fc.assert(
    fc.property(exponential, exponential, (a, b) => {
      const sum = added(a, b);
      assert.ok(sum !== undefined);
      const rest = subtracted(sum, b);
      assert.ok(rest !== undefined && sameHistogram(rest, atSchema(a, rest.schema)));
    }),
  );
});

test('exponential and custom buckets have no sum', () => {
  fc.assert(fc.property(exponential, custom, (a, b) => assert.equal(added(a, b), undefined)));
});

test('a counter that only grew was not reset, one that lost an observation was', () => {
  fc.assert(
    fc.property(exponential, exponential, (a, b) => {
      const later = added(a, { ...b, schema: a.schema });
      assert.ok(later !== undefined);
      assert.equal(wasReset(later, a), false);
      if (b.count > 0) assert.equal(wasReset(a, later), true);
    }),
  );
});

test('scaling scales every figure, and dividing by zero leaves no buckets', () => {
  fc.assert(
    fc.property(exponential, (h) => {
      assert.equal(inBuckets(scaled(h, 4)), 4 * inBuckets(h));
      assert.equal(scaled(h, -1).hint, 'gauge');
      const over = divided({ ...h, count: 1 }, 0);
      assert.deepEqual([over.count, over.positive.counts.length], [Number.POSITIVE_INFINITY, 0]);
    }),
  );
});

test('quantiles rise, and the fraction below a quantile is that quantile', () => {
  fc.assert(
    fc.property(
      exponential,
      fc.double({ min: 0.01, max: 0.99, noNaN: true }),
      fc.double({ min: 0.01, max: 0.99, noNaN: true }),
      (h, p, q) => {
        fc.pre(h.count > 0);
        const [low, high] = [histogramQuantile(Math.min(p, q), h).value, histogramQuantile(Math.max(p, q), h).value];
        assert.ok(low <= high + 1e-9 * Math.abs(high));
        const share = histogramFraction(Number.NEGATIVE_INFINITY, low, h);
        // Between populated buckets nothing lies, so the share may stop short of the rank there but never run past it.
        assert.ok(share <= Math.min(p, q) + 1e-9);
      },
    ),
  );
});

test('what is below a value and what is above it is everything', () => {
  fc.assert(
    fc.property(exponential, fc.double({ min: -100, max: 100, noNaN: true }), (h, value) => {
      const [below, above] = [trimmed(h, value, 'below'), trimmed(h, value, 'above')];
      assert.ok(Math.abs(below.count + above.count - h.count) < 1e-6 * Math.max(1, h.count));
      if (h.count > 0) assert.ok(Math.abs(below.count - histogramFraction(Number.NEGATIVE_INFINITY, value, h) * h.count) < 1e-6 * h.count);
    }),
  );
});
