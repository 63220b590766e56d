import { type Histogram, MAX_SCHEMA, MIN_SCHEMA, atSchema, hasCustomBuckets } from '@nines/model/histogram.ts';

/** 0 is no limit. */
export type HistogramLimits = { readonly maxBuckets: number; readonly minBucketFactor: number };

/**
 * The histogram in buckets as coarse as they must be, or why even the coarsest are too many. Source: prometheus scrape/target.go,
 * bucketLimitAppender and maxSchemaAppender.
 */
export function fittedHistogram(histogram: Histogram, { maxBuckets, minBucketFactor }: HistogramLimits): Histogram | string {
  let fitted = minBucketFactor > 1 ? atSchema(histogram, schemaOfFactor(minBucketFactor)) : histogram;
  if (maxBuckets === 0) return fitted;
  for (;;) {
    const count = fitted.positive.indexes.length + fitted.negative.indexes.length;
    if (count <= maxBuckets) return fitted;
    if (hasCustomBuckets(fitted) || fitted.schema === MIN_SCHEMA)
      return `${count} buckets of a histogram are over native_histogram_bucket_limit ${maxBuckets}`;
    fitted = atSchema(fitted, fitted.schema - 1);
  }
}

/** The finest schema whose buckets are `factor` apart or more. */
function schemaOfFactor(factor: number): number {
  const coarseness = Math.floor(Math.log2(Math.log2(factor)));
  return Math.max(MIN_SCHEMA, Math.min(MAX_SCHEMA, 0 - coarseness));
}
