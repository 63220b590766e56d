import { type Bucket, type Histogram, bucketsOf, inclusiveEnds } from '@nines/model/histogram.ts';
import { formatValue } from '@nines/promql/value.ts';

/**
 * A native histogram in Prometheus' JSON: `{"count":"4","sum":"5","buckets":[[rule,"lower","upper","count"]]}`, populated
 * buckets only. The rule says which bounds are inclusive: 0 the upper, 1 the lower, 2 neither, 3 both. Source: prometheus
 * util/jsonutil.MarshalHistogram.
 */
export function encodeHistogram(h: Histogram): string {
  const buckets = Array.from(bucketsOf(h), (bucket) => encodeBucket(h, bucket));
  const list = buckets.length === 0 ? '' : `,"buckets":[${buckets.join(',')}]`;
  return `{"count":"${formatValue(h.count)}","sum":"${formatValue(h.sum)}"${list}}`;
}

function encodeBucket(h: Histogram, bucket: Bucket): string {
  const inclusive = inclusiveEnds(h, bucket);
  const rule = inclusive.lower ? (inclusive.upper ? 3 : 1) : inclusive.upper ? 0 : 2;
  return `[${rule},"${formatValue(bucket.lower)}","${formatValue(bucket.upper)}","${formatValue(bucket.count)}"]`;
}
