import { type Result, err, ok } from '@nines/base/result.ts';
import {
  type Attributes,
  type AttributeValue,
  type DataPoint,
  type ExemplarFields,
  type ExponentialBuckets,
  MAX_ATTRIBUTES,
  MAX_ATTRIBUTE_DEPTH,
  MAX_BUCKETS,
  type ExponentialPoint,
  type HistogramPoint,
  type InstrumentationScope,
  type MetricData,
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

/**
 * Decodes the JSON encoding, given what `JSON.parse` made of it. 64-bit integers are numbers or decimal text, bytes are base64,
 * enums are numbers or names, absent and null are the default. Unknown keys are skipped.
 */
export function decodeOtlpJson(json: unknown): Result<OtlpRequest, OtlpFault> {
  try {
    return ok(new JsonDecoder().request({ value: json, key: '', parent: undefined }));
  } catch (thrown) {
    if (thrown instanceof OtlpMalformed) return err(thrown.fault);
    throw thrown;
  }
}

/** A value and how it was reached, so that a fault can say where it is. */
type Node = { readonly value: unknown; readonly key: string | number; readonly parent: Node | undefined };

function placeOf(node: Node): string {
  if (node.parent === undefined) return 'the request';
  const step = typeof node.key === 'number' ? `[${node.key}]` : node.key;
  if (node.parent.parent === undefined) return step;
  return `${placeOf(node.parent)}${typeof node.key === 'number' ? '' : '.'}${step}`;
}

const bad = (node: Node, message: string): OtlpMalformed => new OtlpMalformed(placeOf(node), message);
const isAbsent = ({ value }: Node): boolean => value === undefined || value === null;

function child(node: Node, key: string): Node {
  if (typeof node.value !== 'object' || node.value === null || Array.isArray(node.value)) throw bad(node, 'not an object');
  const value: unknown = Object.hasOwn(node.value, key) ? (node.value as Record<string, unknown>)[key] : undefined;
  return { value, key, parent: node };
}

function items(node: Node, most = Number.POSITIVE_INFINITY): readonly Node[] {
  if (isAbsent(node)) return [];
  if (!Array.isArray(node.value)) throw bad(node, 'not a list');
  if (node.value.length > most) throw bad(node, `more than ${most} elements`);
  return node.value.map((value: unknown, key) => ({ value, key, parent: node }));
}

function text(node: Node): string {
  if (isAbsent(node)) return '';
  if (typeof node.value !== 'string') throw bad(node, 'not text');
  if (!node.value.isWellFormed()) throw bad(node, 'text with half a surrogate pair');
  return node.value;
}

function bool(node: Node): boolean {
  if (isAbsent(node)) return false;
  if (typeof node.value !== 'boolean') throw bad(node, 'not true or false');
  return node.value;
}

const SPECIAL: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  '-Infinity': Number.NEGATIVE_INFINITY,
};

function double(node: Node): number {
  const { value } = node;
  if (isAbsent(node)) return 0;
  if (typeof value === 'number') return value;
  if (typeof value === 'string') {
    if (Object.hasOwn(SPECIAL, value)) return SPECIAL[value] ?? Number.NaN;
    if (/^-?\d+(\.\d+)?([eE][+-]?\d{1,4})?$/.test(value)) return Number(value);
  }
  throw bad(node, 'not a number');
}

const UINT64 = { least: 0n, most: 2n ** 64n - 1n };
const INT64 = { least: -(2n ** 63n), most: 2n ** 63n - 1n };

function int64(node: Node, { least, most }: typeof UINT64): bigint {
  const { value } = node;
  if (isAbsent(node)) return 0n;
  const isInteger = typeof value === 'number' ? Number.isInteger(value) : typeof value === 'string' && /^-?\d{1,20}$/.test(value);
  if (isInteger) {
    const whole = BigInt(value as number | string);
    if (whole >= least && whole <= most) return whole;
  }
  throw bad(node, `not an integer from ${least} to ${most}`);
}

const uint64 = (node: Node): number => Number(int64(node, UINT64));
const nanosAsMs = (node: Node): number => Number(int64(node, UINT64) / 1_000_000n);
const int32 = (node: Node): number => Number(int64(node, { least: -(2n ** 31n), most: 2n ** 31n - 1n }));

/** `DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK`. */
const NO_RECORDED_VALUE = 1n;

function temporalityOf(node: Node): Temporality {
  if (typeof node.value === 'string' && node.value.startsWith('AGGREGATION_TEMPORALITY_')) {
    const named = node.value.slice('AGGREGATION_TEMPORALITY_'.length).toLowerCase();
    return TEMPORALITIES.find((one) => one === named) ?? 'unspecified';
  }
  return TEMPORALITIES[int32(node)] ?? 'unspecified';
}

class JsonDecoder {
  readonly #parts = new PartBudget();

  #take(node: Node): void {
    this.#parts.take(() => placeOf(node));
  }

  #list<T>(node: Node, read: (item: Node) => T, most?: number): T[] {
    return items(node, most).map((item) => {
      this.#take(item);
      return read(item);
    });
  }

  request(node: Node): OtlpRequest {
    return { resources: this.#list(child(node, 'resourceMetrics'), (item) => this.#resource(item)) };
  }

  #resource(node: Node): ResourceMetrics {
    const resource = child(node, 'resource');
    return {
      attributes: isAbsent(resource) ? [] : this.#attributes(child(resource, 'attributes')),
      scopes: this.#list(child(node, 'scopeMetrics'), (item) => this.#scopeMetrics(item)),
    };
  }

  #scopeMetrics(node: Node): ScopeMetrics {
    const scope = child(node, 'scope');
    return {
      scope: this.#scope(isAbsent(scope) ? { ...scope, value: {} } : scope, text(child(node, 'schemaUrl'))),
      metrics: this.#list(child(node, 'metrics'), (item) => this.#metric(item)),
    };
  }

  #scope(node: Node, schemaUrl: string): InstrumentationScope {
    const attributes = this.#attributes(child(node, 'attributes'));
    return { name: text(child(node, 'name')), version: text(child(node, 'version')), schemaUrl, attributes };
  }

  #metric(node: Node): OtlpMetric {
    return {
      name: text(child(node, 'name')),
      description: text(child(node, 'description')),
      unit: text(child(node, 'unit')),
      data: this.#data(node),
    };
  }

  #data(node: Node): MetricData {
    const kinds = ['gauge', 'sum', 'histogram', 'exponentialHistogram', 'summary'] as const;
    const kind = kinds.find((name) => !isAbsent(child(node, name)));
    if (kind === undefined) return { kind: 'none' };
    const data = child(node, kind);
    const points = <P extends DataPoint>(read: (item: Node) => P): P[] => this.#list(child(data, 'dataPoints'), read);
    if (kind === 'gauge') return { kind, points: points((item) => this.#numberPoint(item)) };
    if (kind === 'summary') return { kind, points: points((item) => this.#summaryPoint(item)) };
    const temporality = temporalityOf(child(data, 'aggregationTemporality'));
    if (kind === 'histogram') return { kind, points: points((item) => this.#histogramPoint(item)), temporality };
    if (kind === 'exponentialHistogram')
      return { kind: 'exponential_histogram', points: points((item) => this.#exponentialPoint(item)), temporality };
    return { kind, points: points((item) => this.#numberPoint(item)), temporality, monotonic: bool(child(data, 'isMonotonic')) };
  }

  #point(node: Node): Omit<NumberPoint, 'value'> {
    const atMs = nanosAsMs(child(node, 'timeUnixNano'));
    return {
      attributes: this.#attributes(child(node, 'attributes')),
      startMs: nanosAsMs(child(node, 'startTimeUnixNano')),
      atMs,
      ended: (int64(child(node, 'flags'), UINT64) & NO_RECORDED_VALUE) !== 0n,
      exemplars: exemplarsOf(
        this.#list(child(node, 'exemplars'), (item) => this.#exemplar(item)),
        atMs,
      ),
    };
  }

  #exemplar(node: Node): ExemplarFields {
    return {
      attributes: this.#attributes(child(node, 'filteredAttributes')),
      value: numberOf(node),
      atMs: nanosAsMs(child(node, 'timeUnixNano')),
      traceId: hexadecimal(child(node, 'traceId')),
      spanId: hexadecimal(child(node, 'spanId')),
    };
  }

  #numberPoint(node: Node): NumberPoint {
    return { ...this.#point(node), value: numberOf(node) };
  }

  #histogramPoint(node: Node): HistogramPoint {
    return {
      ...this.#point(node),
      ...countAndSum(node),
      bucketCounts: items(child(node, 'bucketCounts'), MAX_BUCKETS + 1).map(uint64),
      bounds: items(child(node, 'explicitBounds'), MAX_BUCKETS).map(double),
    };
  }

  #exponentialPoint(node: Node): ExponentialPoint {
    return {
      ...this.#point(node),
      ...countAndSum(node),
      scale: int32(child(node, 'scale')),
      zeroCount: uint64(child(node, 'zeroCount')),
      zeroThreshold: double(child(node, 'zeroThreshold')),
      positive: this.#buckets(child(node, 'positive')),
      negative: this.#buckets(child(node, 'negative')),
    };
  }

  #buckets(node: Node): ExponentialBuckets {
    if (isAbsent(node)) return { offset: 0, counts: [] };
    return { offset: int32(child(node, 'offset')), counts: items(child(node, 'bucketCounts'), MAX_BUCKETS).map(uint64) };
  }

  #summaryPoint(node: Node): SummaryPoint {
    const read = (item: Node): readonly [number, number] => [double(child(item, 'quantile')), double(child(item, 'value'))];
    const { count, sum = 0 } = countAndSum(node);
    return { ...this.#point(node), count, sum, quantiles: this.#list(child(node, 'quantileValues'), read, MAX_BUCKETS) };
  }

  #attributes(node: Node): Attributes {
    return this.#list(
      node,
      (item): readonly [string, string] => {
        const [key, value] = this.#keyValue(item, 0);
        return [key, attributeText(value)];
      },
      MAX_ATTRIBUTES,
    );
  }

  #keyValue(node: Node, depth: number): readonly [key: string, value: AttributeValue] {
    return [text(child(node, 'key')), this.#value(child(node, 'value'), depth)];
  }

  #value(node: Node, depth: number): AttributeValue {
    if (isAbsent(node)) return null;
    if (depth > MAX_ATTRIBUTE_DEPTH) throw bad(node, `an attribute nested deeper than ${MAX_ATTRIBUTE_DEPTH}`);
    this.#take(node);
    const kinds = ['stringValue', 'boolValue', 'intValue', 'doubleValue', 'arrayValue', 'kvlistValue', 'bytesValue'] as const;
    const kind = kinds.find((name) => !isAbsent(child(node, name)));
    if (kind === undefined) return null;
    const value = child(node, kind);
    if (kind === 'stringValue' || kind === 'bytesValue') return text(value);
    if (kind === 'boolValue') return bool(value);
    if (kind === 'doubleValue') return double(value);
    if (kind === 'arrayValue') return this.#list(child(value, 'values'), (item) => this.#value(item, depth + 1));
    if (kind === 'kvlistValue') return this.#map(child(value, 'values'), depth + 1);
    const whole = int64(value, INT64);
    return Number.isSafeInteger(Number(whole)) ? Number(whole) : whole;
  }

  #map(node: Node, depth: number): { readonly [key: string]: AttributeValue } {
    const map: Record<string, AttributeValue> = Object.create(null);
    for (const [key, value] of this.#list(node, (item) => this.#keyValue(item, depth))) map[key] = value;
    return map;
  }
}

/** The value of a point or an exemplar. */
function numberOf(node: Node): number | undefined {
  const asInt = child(node, 'asInt');
  if (!isAbsent(asInt)) return Number(int64(asInt, INT64));
  const asDouble = child(node, 'asDouble');
  return isAbsent(asDouble) ? undefined : double(asDouble);
}

/** Unlike other bytes, ids are hexadecimal. */
function hexadecimal(node: Node): string {
  const written = text(node);
  if (!/^(?:[0-9a-fA-F]{2})*$/.test(written)) throw bad(node, 'not hexadecimal');
  return written.toLowerCase();
}

function countAndSum(node: Node): { readonly count: number; readonly sum: number | undefined } {
  const sum = child(node, 'sum');
  return { count: uint64(child(node, 'count')), sum: isAbsent(sum) ? undefined : double(sum) };
}
