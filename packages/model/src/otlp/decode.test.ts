import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeOtlp } from '../testing/otlp-encoder.ts';
import { MAX_ATTRIBUTES, MAX_ATTRIBUTE_DEPTH, MAX_BUCKETS } from './data.ts';
import { decodeOtlpJson } from './decode-json.ts';
import { decodeOtlpProtobuf } from './decode-protobuf.ts';

const name = fc.string({ unit: 'grapheme', maxLength: 12 });
const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String);
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String);
const double = fc.double({ noNaN: true, noDefaultInfinity: true });
const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });

const { value: anyValue } = fc.letrec<{ value: object }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', maxDepth: 3 },
    fc.record({ stringValue: name }),
    fc.record({ boolValue: fc.boolean() }),
    fc.record({ intValue: int64 }),
    fc.record({ doubleValue: double }),
    fc.record({ bytesValue: fc.uint8Array({ maxLength: 7 }).map((bytes) => Buffer.from(bytes).toString('base64')) }),
    fc.record({ arrayValue: fc.record({ values: fc.array(tie('value'), { maxLength: 3 }) }) }),
    fc.record({
      kvlistValue: fc.record({ values: fc.array(fc.record({ key: name, value: tie('value') }), { maxLength: 3 }) }),
    }),
  ),
}));
const attributes = fc.array(fc.record({ key: name, value: anyValue }), { maxLength: 4 });
const common = { attributes, startTimeUnixNano: uint64, timeUnixNano: uint64, flags: fc.nat(3) };
const optional = { requiredKeys: [] as never[] };
const id = (length: number): fc.Arbitrary<string> =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((bytes) => Buffer.from(bytes).toString('hex'));
const traced = { timeUnixNano: uint64, traceId: id(16), spanId: id(8), filteredAttributes: attributes };
const exemplars = fc.array(
  fc.oneof(fc.record({ ...traced, asDouble: double }, optional), fc.record({ ...traced, asInt: int64 }, optional)),
  { maxLength: 2 },
);
const numberPoint = fc.oneof(
  fc.record({ ...common, exemplars, asDouble: double }, optional),
  fc.record({ ...common, asInt: int64 }, optional),
);
const histogramPoint = fc.record(
  { ...common, exemplars, count: uint64, sum: double, bucketCounts: fc.array(uint64), explicitBounds: fc.array(double) },
  optional,
);
const buckets = fc.record({ offset: int32, bucketCounts: fc.array(uint64) }, optional);
const exponentialPoint = fc.record(
  {
    ...common,
    exemplars,
    count: uint64,
    sum: double,
    scale: int32,
    zeroCount: uint64,
    zeroThreshold: double,
    positive: buckets,
    negative: buckets,
  },
  optional,
);
const quantileValues = fc.array(fc.record({ quantile: double, value: double }, optional), { maxLength: 3 });
const summaryPoint = fc.record({ ...common, count: uint64, sum: double, quantileValues }, optional);
const temporality = { aggregationTemporality: fc.nat(3) };
const described = { name, description: name, unit: name };
const points = (point: fc.Arbitrary<object>): fc.Arbitrary<object[]> => fc.array(point, { maxLength: 3 });
const metric = fc.oneof(
  fc.record({ ...described, gauge: fc.record({ dataPoints: points(numberPoint) }) }, optional),
  fc.record({ ...described, sum: fc.record({ dataPoints: points(numberPoint), ...temporality, isMonotonic: fc.boolean() }, optional) }),
  fc.record({ ...described, histogram: fc.record({ dataPoints: points(histogramPoint), ...temporality }, optional) }),
  fc.record({ ...described, exponentialHistogram: fc.record({ dataPoints: points(exponentialPoint), ...temporality }, optional) }),
  fc.record({ ...described, summary: fc.record({ dataPoints: points(summaryPoint) }) }),
);
const scope = fc.record({ name, version: name, attributes }, optional);
const scopeMetrics = fc.record({ scope, schemaUrl: name, metrics: fc.array(metric, { maxLength: 3 }) }, optional);
const request = fc.record({
  resourceMetrics: fc.array(
    fc.record({ resource: fc.record({ attributes }, optional), scopeMetrics: fc.array(scopeMetrics, { maxLength: 2 }) }, optional),
    { maxLength: 2 },
  ),
});

test('a request says the same in protobuf and in JSON', () => {
  fc.assert(
    fc.property(request, (sent) => {
      const fromJson = decodeOtlpJson(JSON.parse(JSON.stringify(sent)));
      const fromProtobuf = decodeOtlpProtobuf(encodeOtlp(sent));
      assert.ok(fromJson.ok && fromProtobuf.ok);
      // Not deepStrictEqual on the results alone: JSON has no -0, which protobuf keeps.
      assert.deepEqual(JSON.parse(JSON.stringify(fromProtobuf.value)), JSON.parse(JSON.stringify(fromJson.value)));
    }),
    { numRuns: process.env['NINES_FULL'] === '1' ? 5_000 : 300 },
  );
});

test('damaged and arbitrary bytes are decoded or refused with the byte, never anything else', () => {
  const judge = (bytes: Uint8Array): void => {
    const result = decodeOtlpProtobuf(bytes);
    if (!result.ok) assert.match(result.error.place, /^byte \d+$/);
  };
  const numRuns = process.env['NINES_FULL'] === '1' ? 20_000 : 500;
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), judge), { numRuns });
  const hits = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(request, hits, fc.nat(), (sent, damage, cut) => {
      const bytes = encodeOtlp(sent);
      for (const [at, byte] of damage) if (bytes.length > 0) bytes[at % bytes.length] = byte;
      judge(bytes.subarray(0, bytes.length - (cut % (bytes.length + 1))));
    }),
    { numRuns },
  );
});

test('arbitrary JSON is decoded or refused with its place', () => {
  const shape = fc.jsonValue({ maxDepth: 4 });
  fc.assert(
    fc.property(shape, shape, (metrics, value) => {
      for (const json of [value, { resourceMetrics: metrics }, { resourceMetrics: [{ scopeMetrics: [{ metrics }], resource: value }] }]) {
        const result = decodeOtlpJson(json);
        if (!result.ok) assert.match(result.error.place, /^(the request|resourceMetrics.*)$/);
      }
    }),
    { numRuns: 500 },
  );
});

test('a fault names its place', () => {
  const faultOf = (json: unknown): string => {
    const result = decodeOtlpJson(json);
    assert.ok(!result.ok);
    return `${result.error.place}: ${result.error.message}`;
  };
  const withPoint = (point: unknown): unknown => ({
    resourceMetrics: [{ scopeMetrics: [{ metrics: [{ name: 'm', gauge: { dataPoints: [{}, point] } }] }] }],
  });
  const place = 'resourceMetrics[0].scopeMetrics[0].metrics[0].gauge.dataPoints[1]';
  assert.equal(faultOf(withPoint({ asDouble: 'one' })), `${place}.asDouble: not a number`);
  assert.equal(
    faultOf(withPoint({ asInt: '9223372036854775808' })),
    `${place}.asInt: not an integer from ${-(2n ** 63n)} to ${2n ** 63n - 1n}`,
  );
  assert.equal(faultOf(withPoint([])), `${place}: not an object`);
  assert.equal(faultOf([]), 'the request: not an object');
  const cut = decodeOtlpProtobuf(encodeOtlp({ resourceMetrics: [{ scopeMetrics: [{ schemaUrl: 'https://x' }] }] }).subarray(0, 8));
  assert.deepEqual(cut, { ok: false, error: { place: 'byte 2', message: 'field 1 is longer than what holds it' } });
});

test('depth, attributes and buckets have limits in both encodings', () => {
  const nested = (depth: number): unknown => (depth === 0 ? { intValue: 1 } : { arrayValue: { values: [nested(depth - 1)] } });
  const gauge = (list: unknown): unknown => ({
    resourceMetrics: [{ scopeMetrics: [{ metrics: [{ gauge: { dataPoints: [{ attributes: list }] } }] }] }],
  });
  const histogram = (explicitBounds: unknown): unknown => ({
    resourceMetrics: [{ scopeMetrics: [{ metrics: [{ histogram: { dataPoints: [{ explicitBounds }] } }] }] }],
  });
  const many = (length: number): unknown => Array.from({ length }, (_, i) => ({ key: `k${i}`, value: { intValue: i } }));
  const cases: readonly (readonly [sent: unknown, message: RegExp | undefined])[] = [
    [gauge([{ key: 'a', value: nested(MAX_ATTRIBUTE_DEPTH) }]), undefined],
    [gauge([{ key: 'a', value: nested(MAX_ATTRIBUTE_DEPTH + 1) }]), /nested deeper than 16/],
    [gauge([{ key: 'a', value: nested(100) }]), /nested deeper than 16/],
    [gauge(many(MAX_ATTRIBUTES)), undefined],
    [gauge(many(MAX_ATTRIBUTES + 1)), /more than 256/],
    [histogram(Array.from({ length: MAX_BUCKETS }, (_, i) => i)), undefined],
    [histogram(Array.from({ length: MAX_BUCKETS + 1 }, (_, i) => i)), /more than 4096/],
  ];
  for (const [sent, message] of cases) {
    for (const result of [decodeOtlpJson(sent), decodeOtlpProtobuf(encodeOtlp(sent))]) {
      assert.equal(result.ok, message === undefined);
      if (!result.ok && message !== undefined) assert.match(result.error.message, message);
    }
  }
});

test('instants are cut to whole milliseconds without a rounding error', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (nanos) => {
      const decoded = decodeOtlpProtobuf(
        encodeOtlp({ resourceMetrics: [{ scopeMetrics: [{ metrics: [{ gauge: { dataPoints: [{ timeUnixNano: nanos }] } }] }] }] }),
      );
      assert.ok(decoded.ok);
      const data = decoded.value.resources[0]?.scopes[0]?.metrics[0]?.data;
      assert.ok(data?.kind === 'gauge');
      assert.equal(data.points[0]?.atMs, Number(nanos / 1_000_000n));
    }),
  );
});
