/**
 * One `ExportMetricsServiceRequest` of OTLP 1.x, decoded. Both encodings give the same: protobuf in decode-protobuf.ts, JSON in
 * decode-json.ts. Source: opentelemetry-proto, `metrics/v1/metrics.proto` and the OTLP specification.
 */
import { type Exemplar, isOverLabelLimit } from '../exemplar.ts';
import { labelsFrom } from '../labels.ts';

/** Keys as they were sent; values as text (arrays, maps and bytes as JSON and base64). In the sender's order, repeats possible. */
export type Attributes = readonly (readonly [key: string, value: string])[];

export type OtlpRequest = { readonly resources: readonly ResourceMetrics[] };
export type ResourceMetrics = { readonly attributes: Attributes; readonly scopes: readonly ScopeMetrics[] };
export type InstrumentationScope = {
  readonly name: string;
  readonly version: string;
  readonly schemaUrl: string;
  readonly attributes: Attributes;
};
export type ScopeMetrics = { readonly scope: InstrumentationScope; readonly metrics: readonly OtlpMetric[] };

export type Temporality = 'unspecified' | 'delta' | 'cumulative';

export type MetricData =
  | { readonly kind: 'gauge'; readonly points: readonly NumberPoint[] }
  | { readonly kind: 'sum'; readonly points: readonly NumberPoint[]; readonly temporality: Temporality; readonly monotonic: boolean }
  | { readonly kind: 'histogram'; readonly points: readonly HistogramPoint[]; readonly temporality: Temporality }
  | { readonly kind: 'exponential_histogram'; readonly points: readonly ExponentialPoint[]; readonly temporality: Temporality }
  | { readonly kind: 'summary'; readonly points: readonly SummaryPoint[] }
  /** A metric without data, or with data of a kind that this version does not know. */
  | { readonly kind: 'none' };

export type OtlpMetric = { readonly name: string; readonly description: string; readonly unit: string; readonly data: MetricData };

type Point = {
  readonly attributes: Attributes;
  /** Unix milliseconds, rounded down; 0 where the sender does not say. */
  readonly startMs: number;
  readonly atMs: number;
  /** The series has no value any more: its staleness is to be marked. */
  readonly ended: boolean;
  /** Those that have a value. */
  readonly exemplars: readonly Exemplar[];
};
/** `value` is undefined when the point has none, which the specification forbids unless it `ended`. */
export type NumberPoint = Point & { readonly value: number | undefined };
/** `bucketCounts` has one entry more than `bounds`, or both are empty. Counts are of the bucket alone. */
export type HistogramPoint = Point & {
  readonly count: number;
  readonly sum: number | undefined;
  readonly bucketCounts: readonly number[];
  readonly bounds: readonly number[];
};
/** Bucket `i` counts values in `(base ** (offset + i), base ** (offset + i + 1)]` with `base = 2 ** (2 ** -scale)`. */
export type ExponentialBuckets = { readonly offset: number; readonly counts: readonly number[] };
export type ExponentialPoint = Point & {
  readonly count: number;
  readonly sum: number | undefined;
  readonly scale: number;
  readonly zeroCount: number;
  readonly zeroThreshold: number;
  readonly positive: ExponentialBuckets;
  readonly negative: ExponentialBuckets;
};
export type SummaryPoint = Point & {
  readonly count: number;
  readonly sum: number;
  readonly quantiles: readonly (readonly [quantile: number, value: number])[];
};
export type DataPoint = NumberPoint | HistogramPoint | ExponentialPoint | SummaryPoint;

/** Resources, scopes, metrics, points, attributes and values of one request. A collector's batch of 8192 points has some 100 000. */
export const MAX_OTLP_PARTS = 1_000_000;
/** How deep an attribute's arrays and maps may be nested. */
export const MAX_ATTRIBUTE_DEPTH = 16;
/** Attributes of one resource, scope or point. */
export const MAX_ATTRIBUTES = 256;
/** Buckets, or quantiles, of one point; SDKs keep 160 exponential ones. */
export const MAX_BUCKETS = 4_096;

/** Where a request went wrong: `byte 17`, or a path such as `resourceMetrics[0].scopeMetrics[1]`. */
export type OtlpFault = { readonly place: string; readonly message: string };

/** Thrown by the decoders' readers and turned into an `OtlpFault` before anybody outside sees it. */
export class OtlpMalformed {
  readonly fault: OtlpFault;
  constructor(place: string, message: string) {
    this.fault = { place, message };
  }
}

export const NO_SCOPE: InstrumentationScope = { name: '', version: '', schemaUrl: '', attributes: [] };
export const NO_EXPONENTIAL: ExponentialBuckets = { offset: 0, counts: [] };

/** By the number on the wire. */
export const TEMPORALITIES: readonly Temporality[] = ['unspecified', 'delta', 'cumulative'];

/** A structured attribute value, before it becomes text: what JSON can hold, with integers beyond 2^53 as bigints. */
export type AttributeValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | readonly AttributeValue[]
  | { readonly [key: string]: AttributeValue };

/** A value as a label shows it: text as it is, everything structured as JSON. */
export const attributeText = (value: AttributeValue): string => (typeof value === 'string' ? value : jsonText(value));

function jsonText(value: AttributeValue): string {
  if (value === null) return '';
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
  if (typeof value !== 'object') return String(value);
  return inner(value);
}

/** Inside an array or a map, where text is quoted and nothing is `null`. Keys are sorted, so that the same map is the same text. */
function inner(value: AttributeValue): string {
  if (value === null) return 'null';
  if (typeof value === 'string') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(inner).join(',')}]`;
  if (typeof value !== 'object') return typeof value === 'number' && !Number.isFinite(value) ? `"${jsonText(value)}"` : jsonText(value);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${inner(item)}`).join(',')}}`;
}

/** Counts the parts of one request against `MAX_OTLP_PARTS`. */
export class PartBudget {
  #left = MAX_OTLP_PARTS;

  take(place: () => string): void {
    if (--this.#left < 0) throw new OtlpMalformed(place(), `more than ${MAX_OTLP_PARTS} parts; send smaller requests`);
  }
}

/** What is read of an exemplar; ids in hexadecimal, absent or all zeros where there is no trace. */
export type ExemplarFields = {
  readonly attributes: Attributes;
  readonly value: number | undefined;
  readonly atMs: number;
  readonly traceId: string;
  readonly spanId: string;
};
export const NO_EXEMPLARS: readonly Exemplar[] = [];

/**
 * The exemplar with its trace as labels, and its attributes where all of them fit beside it; nothing without a value. One without
 * a time gets that of its point. Source: prometheus otlptranslator/prometheusremotewrite, getPromExemplars.
 */
export function exemplarsOf(read: readonly ExemplarFields[], pointAtMs: number): readonly Exemplar[] {
  if (read.length === 0) return NO_EXEMPLARS;
  return read.flatMap(({ attributes, value, atMs, traceId, spanId }) => {
    if (value === undefined) return [];
    const trace: (readonly [string, string])[] = [];
    if (/[^0]/.test(traceId)) trace.push(['trace_id', traceId]);
    if (/[^0]/.test(spanId)) trace.push(['span_id', spanId]);
    const all = labelsFrom([...attributes.filter(([key]) => key !== ''), ...trace]);
    return [{ labels: isOverLabelLimit(all) ? labelsFrom(trace) : all, value, atMs: atMs === 0 ? pointAtMs : atMs }];
  });
}
