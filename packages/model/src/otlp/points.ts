import { type Result, err, ok } from '@nines/base/result.ts';
import {
  type Buckets,
  CUSTOM_BUCKETS,
  EMPTY_HISTOGRAM,
  type Histogram,
  MAX_SCHEMA,
  MIN_SCHEMA,
  atSchema,
  bucketsFrom,
} from '../histogram.ts';
import type { DataPoint, ExponentialBuckets, ExponentialPoint, HistogramPoint, MetricData, SummaryPoint } from './data.ts';
import type { Total } from './deltas.ts';

/** What one point says, whatever its labels are. */
export type PointSum = Total | (Pick<SummaryPoint, 'count' | 'sum' | 'quantiles'> & { readonly kind: 'summary' });

export type PointFault = { readonly reason: 'no_value' | 'malformed_histogram' | 'unsupported_scale'; readonly message: string };

/** Prometheus' zero bucket where the sender names none. */
const DEFAULT_ZERO_THRESHOLD = 1e-128;
/** OpenTelemetry's SDKs begin at 20. Beyond 32 bits of resolution, indexes mean nothing. */
const MAX_SCALE = 32;
const MAX_INDEX = 2 ** 31 - 1;

/** The content of a point of that kind, checked; explicit buckets become a native histogram when `asNative`. */
export function readTotal(kind: MetricData['kind'], point: DataPoint, asNative: boolean): Result<PointSum, PointFault> {
  if (kind === 'summary' && 'quantiles' in point) return ok({ kind, count: point.count, sum: point.sum, quantiles: point.quantiles });
  if (kind === 'histogram' && 'bounds' in point) return explicit(point, asNative);
  if (kind === 'exponential_histogram' && 'scale' in point) return exponential(point);
  if ('value' in point) {
    if (point.value === undefined && !point.ended) return err({ reason: 'no_value', message: 'a point without a value' });
    return ok({ kind: 'number', value: point.value ?? 0 });
  }
  throw new Error(`BUG: a point of ${kind} expected, found ${Object.keys(point).join(', ')}`);
}

function explicit({ count, sum, bucketCounts, bounds }: HistogramPoint, asNative: boolean): Result<Total, PointFault> {
  const fault = (message: string): Result<Total, PointFault> => err({ reason: 'malformed_histogram', message });
  if (bucketCounts.length !== bounds.length + 1 && (bucketCounts.length > 0 || bounds.length > 0))
    return fault(`${bucketCounts.length} bucket counts for ${bounds.length} bounds; there must be one more than bounds`);
  for (let i = 0; i < bounds.length; i++) {
    const bound = bounds[i] ?? Number.NaN;
    if (Number.isNaN(bound) || (i > 0 && bound <= (bounds[i - 1] ?? 0))) return fault(`bounds must rise, which bound ${i} does not`);
  }
  if (!asNative) return ok({ kind: 'buckets', count, sum, bucketCounts, bounds });
  const finite = bounds.filter(Number.isFinite);
  if (finite.length < bounds.length - (bounds.at(-1) === Number.POSITIVE_INFINITY ? 1 : 0)) return fault('a bound of -Inf');
  const positive = bucketsFrom(bucketCounts.length === 0 ? [count] : bucketCounts);
  return ok({ kind: 'native', histogram: { ...EMPTY_HISTOGRAM, schema: CUSTOM_BUCKETS, count, sum: sum ?? 0, positive, bounds: finite } });
}

function exponential(point: ExponentialPoint): Result<Total, PointFault> {
  const { scale, count, sum, zeroCount, positive, negative } = point;
  if (scale < MIN_SCHEMA || scale > MAX_SCALE)
    return err({ reason: 'unsupported_scale', message: `scale ${scale}; it can be ${MIN_SCHEMA} to ${MAX_SCALE}` });
  const zeroThreshold = point.zeroThreshold === 0 ? DEFAULT_ZERO_THRESHOLD : point.zeroThreshold;
  if (!(zeroThreshold > 0 && Number.isFinite(zeroThreshold)))
    return err({ reason: 'malformed_histogram', message: `zero threshold ${zeroThreshold}` });
  if (beyond(positive) || beyond(negative)) return err({ reason: 'malformed_histogram', message: 'a bucket index beyond 32 bits' });
  const histogram: Histogram = {
    ...EMPTY_HISTOGRAM,
    schema: scale,
    count,
    sum: sum ?? 0,
    zeroCount,
    zeroThreshold,
    positive: shifted(positive),
    negative: shifted(negative),
  };
  return ok({ kind: 'native', histogram: atSchema(histogram, MAX_SCHEMA) });
}

const beyond = ({ offset, counts }: ExponentialBuckets): boolean => Math.abs(offset) + counts.length + 1 > MAX_INDEX;

/** OpenTelemetry's bucket 0 is `(1, base]`, Prometheus' bucket 1. */
const shifted = ({ offset, counts }: ExponentialBuckets): Buckets => bucketsFrom(counts, offset + 1);

/** The same series at 0. */
export function zeroOf(total: Total): Total {
  if (total.kind === 'number') return { kind: 'number', value: 0 };
  if (total.kind === 'native') {
    const { schema, zeroThreshold, bounds } = total.histogram;
    return { kind: 'native', histogram: { ...EMPTY_HISTOGRAM, schema, zeroThreshold, bounds } };
  }
  return { ...total, count: 0, sum: total.sum === undefined ? undefined : 0, bucketCounts: total.bucketCounts.map(() => 0) };
}
