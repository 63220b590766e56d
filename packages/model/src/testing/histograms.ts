import fc from 'fast-check';
import { type Buckets, CUSTOM_BUCKETS, EMPTY_HISTOGRAM, type Histogram } from '../histogram.ts';

/** Counters of `observations` in the first buckets of schema 0, as a client would have them. */
export function counted(observations: number, more: Partial<Histogram> = {}): Histogram {
  const counts = [observations, 2 * observations, observations].filter((count) => count !== 0);
  return {
    ...EMPTY_HISTOGRAM,
    count: 5 * observations,
    sum: 2.5 * observations,
    zeroCount: observations,
    zeroThreshold: 0.001,
    positive: { indexes: counts.map((_, i) => [-2, 0, 1][i] ?? 0), counts },
    ...more,
  };
}

const bucketsOf = (count: fc.Arbitrary<number>): fc.Arbitrary<Buckets> =>
  fc.uniqueArray(fc.tuple(fc.integer({ min: -1000, max: 1000 }), count), { maxLength: 12, selector: ([index]) => index }).map((pairs) => {
    const sorted = pairs.filter(([, each]) => each !== 0).sort(([a], [b]) => a - b);
    return { indexes: sorted.map(([index]) => index), counts: sorted.map(([, each]) => each) };
  });

/** Any that can be: whole and broken counts, negative ones of gauges, NaN and infinite sums, custom buckets. */
export const anyHistogram = (): fc.Arbitrary<Histogram> =>
  fc
    .record({
      isCustom: fc.boolean(),
      isWhole: fc.boolean(),
      schema: fc.integer({ min: -4, max: 8 }),
      sum: fc.oneof(fc.double(), fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, -0)),
      zeroThreshold: fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }),
      hint: fc.constantFrom('unknown' as const, 'reset' as const, 'not_reset' as const, 'gauge' as const),
      bounds: fc.uniqueArray(fc.double({ noNaN: true, noDefaultInfinity: true }), { maxLength: 8 }),
    })
    .chain(({ isCustom, isWhole, bounds, schema, ...rest }) => {
      const count = isWhole ? fc.oneof(fc.integer({ min: -5, max: 100 }), fc.maxSafeNat()) : fc.double();
      return fc.record({ count, zeroCount: count, positive: bucketsOf(count), negative: bucketsOf(count) }).map((counts) => ({
        ...rest,
        ...counts,
        schema: isCustom ? CUSTOM_BUCKETS : schema,
        bounds: isCustom ? bounds.sort((a, b) => a - b) : [],
      }));
    });
