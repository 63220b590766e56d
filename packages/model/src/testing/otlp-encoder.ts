/** OTLP requests as protobuf, from what would be sent as JSON. Enums are numbers, 64-bit integers bigints or decimal text. */
type Kind =
  | 'string'
  | 'bool'
  | 'uint32'
  | 'sint32'
  | 'fixed64'
  | 'sfixed64'
  | 'uint64s'
  | 'fixed64s'
  | 'doubles'
  | 'double'
  | 'int64'
  | 'bytes'
  | 'hex';
type Schema = { readonly [key: string]: readonly [field: number, kind: Kind | (() => Schema), repeated?: 'repeated'] };

const ANY_VALUE: Schema = {
  stringValue: [1, 'string'],
  boolValue: [2, 'bool'],
  intValue: [3, 'int64'],
  doubleValue: [4, 'double'],
  arrayValue: [5, () => ({ values: [1, () => ANY_VALUE, 'repeated'] })],
  kvlistValue: [6, () => ({ values: [1, () => KEY_VALUE, 'repeated'] })],
  bytesValue: [7, 'bytes'],
};
const KEY_VALUE: Schema = { key: [1, 'string'], value: [2, () => ANY_VALUE] };
const EXEMPLAR: Schema = {
  timeUnixNano: [2, 'fixed64'],
  asDouble: [3, 'double'],
  spanId: [4, 'hex'],
  traceId: [5, 'hex'],
  asInt: [6, 'sfixed64'],
  filteredAttributes: [7, () => KEY_VALUE, 'repeated'],
};
const NUMBER: Schema = {
  startTimeUnixNano: [2, 'fixed64'],
  timeUnixNano: [3, 'fixed64'],
  asDouble: [4, 'double'],
  exemplars: [5, () => EXEMPLAR, 'repeated'],
  asInt: [6, 'sfixed64'],
  attributes: [7, () => KEY_VALUE, 'repeated'],
  flags: [8, 'uint32'],
};
const HISTOGRAM: Schema = {
  startTimeUnixNano: [2, 'fixed64'],
  timeUnixNano: [3, 'fixed64'],
  count: [4, 'fixed64'],
  sum: [5, 'double'],
  bucketCounts: [6, 'fixed64s'],
  explicitBounds: [7, 'doubles'],
  exemplars: [8, () => EXEMPLAR, 'repeated'],
  attributes: [9, () => KEY_VALUE, 'repeated'],
  flags: [10, 'uint32'],
};
const BUCKETS: Schema = { offset: [1, 'sint32'], bucketCounts: [2, 'uint64s'] };
const EXPONENTIAL: Schema = {
  attributes: [1, () => KEY_VALUE, 'repeated'],
  startTimeUnixNano: [2, 'fixed64'],
  timeUnixNano: [3, 'fixed64'],
  count: [4, 'fixed64'],
  sum: [5, 'double'],
  scale: [6, 'sint32'],
  zeroCount: [7, 'fixed64'],
  positive: [8, () => BUCKETS],
  negative: [9, () => BUCKETS],
  flags: [10, 'uint32'],
  exemplars: [11, () => EXEMPLAR, 'repeated'],
  zeroThreshold: [14, 'double'],
};
const SUMMARY: Schema = {
  startTimeUnixNano: [2, 'fixed64'],
  timeUnixNano: [3, 'fixed64'],
  count: [4, 'fixed64'],
  sum: [5, 'double'],
  quantileValues: [6, () => ({ quantile: [1, 'double'], value: [2, 'double'] }), 'repeated'],
  attributes: [7, () => KEY_VALUE, 'repeated'],
  flags: [8, 'uint32'],
};
const data = (point: Schema): Schema => ({
  dataPoints: [1, () => point, 'repeated'],
  aggregationTemporality: [2, 'uint32'],
  isMonotonic: [3, 'bool'],
});
const METRIC: Schema = {
  name: [1, 'string'],
  description: [2, 'string'],
  unit: [3, 'string'],
  gauge: [5, () => data(NUMBER)],
  sum: [7, () => data(NUMBER)],
  histogram: [9, () => data(HISTOGRAM)],
  exponentialHistogram: [10, () => data(EXPONENTIAL)],
  summary: [11, () => data(SUMMARY)],
};
const SCOPE: Schema = { name: [1, 'string'], version: [2, 'string'], attributes: [3, () => KEY_VALUE, 'repeated'] };
const SCOPE_METRICS: Schema = { scope: [1, () => SCOPE], metrics: [2, () => METRIC, 'repeated'], schemaUrl: [3, 'string'] };
const RESOURCE_METRICS: Schema = {
  resource: [1, () => ({ attributes: [1, () => KEY_VALUE, 'repeated'] })],
  scopeMetrics: [2, () => SCOPE_METRICS, 'repeated'],
};
const REQUEST: Schema = { resourceMetrics: [1, () => RESOURCE_METRICS, 'repeated'] };

export const encodeOtlp = (request: unknown): Uint8Array => Uint8Array.from(message(request, REQUEST));

function message(value: unknown, schema: Schema): number[] {
  return Object.entries(value as Record<string, unknown>).flatMap(([key, content]) => {
    const entry = schema[key];
    if (entry === undefined) throw new Error(`the encoder does not know ${key}`);
    const [field, kind, repeated] = entry;
    return (repeated === undefined ? [content] : (content as unknown[])).flatMap((one) => encoded(field, kind, one));
  });
}

function encoded(field: number, kind: Kind | (() => Schema), value: unknown): number[] {
  if (typeof kind === 'function') return delimited(field, message(value, kind()));
  const list = value as readonly (string | number)[];
  if (kind === 'string') return delimited(field, [...new TextEncoder().encode(value as string)]);
  if (kind === 'bytes') return delimited(field, [...Buffer.from(value as string, 'base64')]);
  if (kind === 'hex') return delimited(field, [...Buffer.from(value as string, 'hex')]);
  if (kind === 'doubles') return delimited(field, list.flatMap(double));
  if (kind === 'fixed64s') return delimited(field, list.flatMap(fixed64));
  if (kind === 'uint64s')
    return delimited(
      field,
      list.flatMap((one) => varint(BigInt(one))),
    );
  if (kind === 'double') return [...varint(BigInt(field * 8 + 1)), ...double(value)];
  if (kind === 'fixed64' || kind === 'sfixed64') return [...varint(BigInt(field * 8 + 1)), ...fixed64(value)];
  const whole = BigInt(value as number | string);
  return [...varint(BigInt(field * 8)), ...varint(kind === 'sint32' ? (whole < 0n ? -2n * whole - 1n : 2n * whole) : whole)];
}

const delimited = (field: number, content: readonly number[]): number[] => [
  ...varint(BigInt(field * 8 + 2)),
  ...varint(BigInt(content.length)),
  ...content,
];

const double = (value: unknown): number[] => [...new Uint8Array(new Float64Array([Number(value)]).buffer)];
const fixed64 = (value: unknown): number[] => [...new Uint8Array(new BigUint64Array([BigInt.asUintN(64, BigInt(value as string))]).buffer)];

function varint(value: bigint): number[] {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  bytes.push(Number(rest));
  return bytes;
}
