import { type Result, err, ok } from '@nines/base/result.ts';
import { base64 } from './base64.ts';
import {
  type Attributes,
  type AttributeValue,
  type DataPoint,
  type ExemplarFields,
  type ExponentialBuckets,
  type ExponentialPoint,
  type HistogramPoint,
  type InstrumentationScope,
  MAX_ATTRIBUTES,
  MAX_ATTRIBUTE_DEPTH,
  MAX_BUCKETS,
  type MetricData,
  NO_EXPONENTIAL,
  NO_SCOPE,
  type NumberPoint,
  type OtlpFault,
  OtlpMalformed,
  type OtlpMetric,
  type OtlpRequest,
  PartBudget,
  type ResourceMetrics,
  type ScopeMetrics,
  type SummaryPoint,
  TEMPORALITIES,
  type Temporality,
  attributeText,
  exemplarsOf,
} from './data.ts';
import { WireReader } from './wire.ts';

/** Decodes the protobuf encoding. Unknown fields are skipped; anything else that does not fit refuses the whole request. */
export function decodeOtlpProtobuf(bytes: Uint8Array): Result<OtlpRequest, OtlpFault> {
  try {
    return ok(new ProtobufDecoder(bytes).request());
  } catch (thrown) {
    if (thrown instanceof OtlpMalformed) return err(thrown.fault);
    throw thrown;
  }
}

/** What all kinds of points have, under different field numbers. */
type PointFields = { attributes: [string, string][]; startMs: number; atMs: number; ended: boolean; exemplars: ExemplarFields[] };
const newPoint = (): PointFields => ({ attributes: [], startMs: 0, atMs: 0, ended: false, exemplars: [] });
const finished = (point: PointFields) => ({ ...point, exemplars: exemplarsOf(point.exemplars, point.atMs) });
const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
/** `DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK`. */
const NO_RECORDED_VALUE = 1;

class ProtobufDecoder {
  readonly #reader: WireReader;
  readonly #parts = new PartBudget();
  readonly #place = (): string => this.#reader.place;

  constructor(bytes: Uint8Array) {
    this.#reader = new WireReader(bytes);
  }

  request(): OtlpRequest {
    const resources: ResourceMetrics[] = [];
    while (this.#reader.next()) {
      if (this.#reader.field === 1) resources.push(this.#resource());
      else this.#reader.skip();
    }
    return { resources };
  }

  /** An embedded message that counts as a part; `each` returns false for a field that it does not know. */
  #message(each: (field: number) => unknown): void {
    this.#parts.take(this.#place);
    this.#reader.message(() => {
      if (each(this.#reader.field) === false) this.#reader.skip();
    });
  }

  #resource(): ResourceMetrics {
    let attributes: Attributes = [];
    const scopes: ScopeMetrics[] = [];
    this.#message((field) => {
      if (field === 1) attributes = this.#resourceAttributes();
      else if (field === 2) scopes.push(this.#scopeMetrics());
      else return false;
    });
    return { attributes, scopes };
  }

  #resourceAttributes(): Attributes {
    const attributes: [string, string][] = [];
    this.#message((field) => (field === 1 ? this.#attribute(attributes) : false));
    return attributes;
  }

  #scopeMetrics(): ScopeMetrics {
    let scope = NO_SCOPE;
    let schemaUrl = '';
    const metrics: OtlpMetric[] = [];
    this.#message((field) => {
      if (field === 1) scope = this.#scope();
      else if (field === 2) metrics.push(this.#metric());
      else if (field === 3) schemaUrl = this.#reader.text();
      else return false;
    });
    return { scope: { ...scope, schemaUrl }, metrics };
  }

  #scope(): InstrumentationScope {
    let name = '';
    let version = '';
    const attributes: [string, string][] = [];
    this.#message((field) => {
      if (field === 1) name = this.#reader.text();
      else if (field === 2) version = this.#reader.text();
      else if (field === 3) this.#attribute(attributes);
      else return false;
    });
    return { name, version, schemaUrl: '', attributes };
  }

  #metric(): OtlpMetric {
    let name = '';
    let description = '';
    let unit = '';
    let data: MetricData = { kind: 'none' };
    this.#message((field) => {
      if (field === 1) name = this.#reader.text();
      else if (field === 2) description = this.#reader.text();
      else if (field === 3) unit = this.#reader.text();
      else {
        const read = this.#data(field);
        if (read === undefined) return false;
        data = read;
      }
    });
    return { name, description, unit, data };
  }

  #data(field: number): MetricData | undefined {
    if (field === 5) return { kind: 'gauge', points: this.#points(() => this.#numberPoint()).points };
    if (field === 7) return { kind: 'sum', ...this.#points(() => this.#numberPoint()) };
    if (field === 9) {
      const { points, temporality } = this.#points(() => this.#histogramPoint());
      return { kind: 'histogram', points, temporality };
    }
    if (field === 10) {
      const { points, temporality } = this.#points(() => this.#exponentialPoint());
      return { kind: 'exponential_histogram', points, temporality };
    }
    if (field === 11) return { kind: 'summary', points: this.#points(() => this.#summaryPoint()).points };
    return undefined;
  }

  /** Gauge, Sum, Histogram, ExponentialHistogram and Summary have the same fields as far as they have them. */
  #points<P extends DataPoint>(read: () => P): { points: P[]; temporality: Temporality; monotonic: boolean } {
    const points: P[] = [];
    let temporality: Temporality = 'unspecified';
    let monotonic = false;
    this.#message((field) => {
      if (field === 1) points.push(read());
      else if (field === 2) temporality = TEMPORALITIES[this.#reader.uint32()] ?? 'unspecified';
      else if (field === 3) monotonic = this.#reader.bool();
      else return false;
    });
    return { points, temporality, monotonic };
  }

  #times(field: number, point: PointFields): boolean {
    if (field === 2) point.startMs = this.#reader.nanosAsMs();
    else if (field === 3) point.atMs = this.#reader.nanosAsMs();
    else return false;
    return true;
  }

  #flags(point: PointFields): void {
    point.ended = (this.#reader.uint32() & NO_RECORDED_VALUE) !== 0;
  }

  #exemplar(point: PointFields): void {
    const attributes: [string, string][] = [];
    const read = { value: undefined as number | undefined, atMs: 0, traceId: '', spanId: '' };
    this.#message((field) => {
      if (field === 2) read.atMs = this.#reader.nanosAsMs();
      else if (field === 3) read.value = this.#reader.double();
      else if (field === 4) read.spanId = hex(this.#reader.raw());
      else if (field === 5) read.traceId = hex(this.#reader.raw());
      else if (field === 6) read.value = this.#reader.sfixed64();
      else if (field === 7) this.#attribute(attributes);
      else return false;
    });
    point.exemplars.push({ attributes, ...read });
  }

  #numberPoint(): NumberPoint {
    const point = newPoint();
    let value: number | undefined;
    this.#message((field) => {
      if (field === 4) value = this.#reader.double();
      else if (field === 6) value = this.#reader.sfixed64();
      else if (field === 5) this.#exemplar(point);
      else if (field === 7) this.#attribute(point.attributes);
      else if (field === 8) this.#flags(point);
      else return this.#times(field, point);
    });
    return { ...finished(point), value };
  }

  #histogramPoint(): HistogramPoint {
    const point = newPoint();
    let count = 0;
    let sum: number | undefined;
    const bucketCounts: number[] = [];
    const bounds: number[] = [];
    this.#message((field) => {
      if (field === 4) count = this.#reader.fixed64();
      else if (field === 5) sum = this.#reader.double();
      else if (field === 6) this.#reader.fixed64s(bucketCounts, MAX_BUCKETS + 1);
      else if (field === 7) this.#reader.doubles(bounds, MAX_BUCKETS);
      else if (field === 8) this.#exemplar(point);
      else if (field === 9) this.#attribute(point.attributes);
      else if (field === 10) this.#flags(point);
      else return this.#times(field, point);
    });
    return { ...finished(point), count, sum, bucketCounts, bounds };
  }

  #exponentialPoint(): ExponentialPoint {
    const point = newPoint();
    const read = { count: 0, sum: undefined as number | undefined, scale: 0, zeroCount: 0, zeroThreshold: 0 };
    let positive = NO_EXPONENTIAL;
    let negative = NO_EXPONENTIAL;
    this.#message((field) => {
      if (field === 1) this.#attribute(point.attributes);
      else if (field === 4) read.count = this.#reader.fixed64();
      else if (field === 5) read.sum = this.#reader.double();
      else if (field === 6) read.scale = this.#reader.sint32();
      else if (field === 7) read.zeroCount = this.#reader.fixed64();
      else if (field === 8) positive = this.#buckets();
      else if (field === 9) negative = this.#buckets();
      else if (field === 10) this.#flags(point);
      else if (field === 11) this.#exemplar(point);
      else if (field === 14) read.zeroThreshold = this.#reader.double();
      else return this.#times(field, point);
    });
    return { ...finished(point), ...read, positive, negative };
  }

  #buckets(): ExponentialBuckets {
    let offset = 0;
    const counts: number[] = [];
    this.#message((field) => {
      if (field === 1) offset = this.#reader.sint32();
      else if (field === 2) this.#reader.uint64s(counts, MAX_BUCKETS);
      else return false;
    });
    return { offset, counts };
  }

  #summaryPoint(): SummaryPoint {
    const point = newPoint();
    let count = 0;
    let sum = 0;
    const quantiles: (readonly [number, number])[] = [];
    this.#message((field) => {
      if (field === 4) count = this.#reader.fixed64();
      else if (field === 5) sum = this.#reader.double();
      else if (field === 6) {
        if (quantiles.length >= MAX_BUCKETS) throw this.#reader.bad(`more than ${MAX_BUCKETS} quantiles`);
        quantiles.push(this.#quantile());
      } else if (field === 7) this.#attribute(point.attributes);
      else if (field === 8) this.#flags(point);
      else return this.#times(field, point);
    });
    return { ...finished(point), count, sum, quantiles };
  }

  #quantile(): readonly [quantile: number, value: number] {
    let quantile = 0;
    let value = 0;
    this.#message((field) => {
      if (field === 1) quantile = this.#reader.double();
      else if (field === 2) value = this.#reader.double();
      else return false;
    });
    return [quantile, value];
  }

  #attribute(into: [string, string][]): void {
    if (into.length >= MAX_ATTRIBUTES) throw this.#reader.bad(`more than ${MAX_ATTRIBUTES} attributes`);
    const [key, value] = this.#keyValue(0);
    into.push([key, attributeText(value)]);
  }

  #keyValue(depth: number): readonly [key: string, value: AttributeValue] {
    let key = '';
    let value: AttributeValue = null;
    this.#message((field) => {
      if (field === 1) key = this.#reader.text();
      else if (field === 2) value = this.#value(depth);
      else return false;
    });
    return [key, value];
  }

  #value(depth: number): AttributeValue {
    if (depth > MAX_ATTRIBUTE_DEPTH) throw this.#reader.bad(`an attribute nested deeper than ${MAX_ATTRIBUTE_DEPTH}`);
    let value: AttributeValue = null;
    this.#message((field) => {
      if (field === 1) value = this.#reader.text();
      else if (field === 2) value = this.#reader.bool();
      else if (field === 3) value = this.#reader.int64();
      else if (field === 4) value = this.#reader.double();
      else if (field === 5) value = this.#array(depth + 1);
      else if (field === 6) value = this.#map(depth + 1);
      else if (field === 7) value = base64(this.#reader.raw());
      else return false;
    });
    return value;
  }

  #array(depth: number): readonly AttributeValue[] {
    const items: AttributeValue[] = [];
    this.#message((field) => (field === 1 ? items.push(this.#value(depth)) : false));
    return items;
  }

  #map(depth: number): { readonly [key: string]: AttributeValue } {
    const map: Record<string, AttributeValue> = Object.create(null);
    this.#message((field) => {
      if (field !== 1) return false;
      const [key, value] = this.#keyValue(depth);
      map[key] = value;
    });
    return map;
  }
}
