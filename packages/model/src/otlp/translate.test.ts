import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Histogram, bucketsOf } from '../histogram.ts';
import { formatLabels } from '../labels.ts';
import { bitsOf, isStale } from '../stale.ts';
import { decodeLabels } from '../write-batch.ts';
import { decodeOtlpJson } from './decode-json.ts';
import { DELTA_IDLE_MS, DeltaStreams, MAX_DELTA_STREAMS } from './deltas.ts';
import type { OtlpSettings } from './series-labels.ts';
import { type Translated, translateOtlp } from './translate.ts';

const SETTINGS: OtlpSettings = {
  strategy: 'UnderscoreEscapingWithSuffixes',
  underscoreSanitization: true,
  preserveMultipleUnderscores: true,
  promoteAllResourceAttributes: false,
  promoteResourceAttributes: [],
  ignoreResourceAttributes: [],
  keepIdentifyingResourceAttributes: false,
  convertHistogramsToNhcb: false,
  promoteScopeMetadata: false,
};
const text = (values: Readonly<Record<string, string>>): unknown[] =>
  Object.entries(values).map(([key, stringValue]) => ({ key, value: { stringValue } }));
const nanos = (ms: number): string => `${ms}000000`;

type Sent = { readonly resource?: Readonly<Record<string, string>>; readonly scope?: unknown; readonly metrics: readonly unknown[] };

function translate(sent: Sent, changes: Partial<OtlpSettings> = {}, deltas = new DeltaStreams(), nowMs = 0): Translated {
  const { resource = {}, scope = {}, metrics } = sent;
  const request = decodeOtlpJson({ resourceMetrics: [{ resource: { attributes: text(resource) }, scopeMetrics: [{ scope, metrics }] }] });
  assert.ok(request.ok, JSON.stringify(request));
  deltas.begin(nowMs);
  return translateOtlp(request.value, { settings: { ...SETTINGS, ...changes }, deltas, nowMs });
}

function samples({ batch }: Translated): readonly string[] {
  const bits = bitsOf(batch.values);
  return Array.from({ length: batch.seriesCount }, (_, i) => {
    const labels = decodeLabels(batch.bytes, batch.labelsFrom[i] ?? 0, batch.labelsTo[i] ?? 0);
    assert.ok(labels.ok);
    return `${formatLabels(labels.value)} ${isStale(bits, i) ? 'stale' : batch.values[i]}@${batch.times[i]}`;
  });
}

const histogramOf = ({ batch }: Translated): Histogram => batch.histograms?.find((one) => one !== undefined) ?? assert.fail('no histogram');

const gauge = (attributes: Readonly<Record<string, string>>, value = 1): unknown => ({
  name: 'g',
  gauge: { dataPoints: [{ timeUnixNano: nanos(5), asDouble: value, attributes: text(attributes) }] },
});

test('a resource becomes job, instance and target_info; what is promoted becomes labels', () => {
  const resource = {
    'service.name': 'cart',
    'service.namespace': 'shop',
    'service.instance.id': 'i1',
    'host.name': 'h',
    'os.type': 'linux',
  };
  const sent = { resource, metrics: [gauge({ zone: 'z' })] };
  assert.deepEqual(samples(translate(sent)), [
    'g{instance="i1", job="shop/cart", zone="z"} 1@5',
    'target_info{host_name="h", instance="i1", job="shop/cart", os_type="linux"} 1@5',
  ]);
  assert.equal(
    samples(translate(sent, { promoteResourceAttributes: ['host.name', 'absent'] }))[0],
    'g{host_name="h", instance="i1", job="shop/cart", zone="z"} 1@5',
  );
  assert.equal(
    samples(translate(sent, { promoteAllResourceAttributes: true, ignoreResourceAttributes: ['os.type', 'service.namespace'] }))[0],
    'g{host_name="h", instance="i1", job="shop/cart", service_instance_id="i1", service_name="cart", zone="z"} 1@5',
  );
  assert.match(samples(translate(sent, { keepIdentifyingResourceAttributes: true }))[1] ?? '', /service_name="cart"/);
  assert.deepEqual(samples(translate({ resource: { 'service.name': 'cart' }, metrics: [gauge({})] })), ['g{job="cart"} 1@5']);
  assert.deepEqual(samples(translate({ resource: { 'host.name': 'h' }, metrics: [gauge({})] })), ['g 1@5']);
});

test('target_info lasts from the oldest to the newest point', () => {
  const points = [1_000, 400_000].map((atMs) => ({ timeUnixNano: nanos(atMs), asInt: 1 }));
  const sent = { resource: { 'service.name': 's', a: 'b' }, metrics: [{ name: 'g', gauge: { dataPoints: points } }] };
  assert.deepEqual(
    samples(translate(sent)).filter((line) => line.startsWith('target_info')),
    [1_000, 100_000, 250_000, 400_000].map((atMs) => `target_info{a="b", job="s"} 1@${atMs}`),
  );
});

test('a scope becomes labels when it is to', () => {
  const scope = { name: 'lib', version: '1.2', attributes: text({ 'build.id': '7' }) };
  const sent = { scope, metrics: [gauge({})] };
  assert.deepEqual(samples(translate(sent)), ['g 1@5']);
  assert.deepEqual(samples(translate(sent, { promoteScopeMetadata: true })), [
    'g{otel_scope_build_id="7", otel_scope_name="lib", otel_scope_version="1.2"} 1@5',
  ]);
});

test('attributes whose labels collide are joined, those that leave no label refuse the point', () => {
  assert.deepEqual(samples(translate({ metrics: [gauge({ 'a.b': '2', 'a-b': '1' })] })), ['g{a_b="1;2"} 1@5']);
  const refused = translate({ metrics: [gauge({ '': 'x' })] });
  assert.deepEqual([...refused.refusedBy], [['invalid_attribute', 1]]);
  assert.equal(refused.batch.seriesCount, 0);
});

test('explicit buckets become classic series, or a native histogram with custom buckets', () => {
  const point = { timeUnixNano: nanos(9), count: '6', sum: 12.5, bucketCounts: ['1', '2', '3'], explicitBounds: [0.5, 1e21] };
  const sent = { metrics: [{ name: 'h', unit: 's', histogram: { aggregationTemporality: 2, dataPoints: [point] } }] };
  assert.deepEqual(samples(translate(sent)), [
    'h_seconds_sum 12.5@9',
    'h_seconds_count 6@9',
    'h_seconds_bucket{le="0.5"} 1@9',
    'h_seconds_bucket{le="1000000000000000000000"} 3@9',
    'h_seconds_bucket{le="+Inf"} 6@9',
  ]);
  assert.deepEqual([...translate(sent).metadata], [['h_seconds', { type: 'histogram', help: '', unit: 'seconds' }]]);
  const native = histogramOf(translate(sent, { convertHistogramsToNhcb: true }));
  assert.deepEqual(
    [...bucketsOf(native)].map(({ upper, count }) => [upper, count]),
    [
      [0.5, 1],
      [1e21, 2],
      [Number.POSITIVE_INFINITY, 3],
    ],
  );
  const broken = { metrics: [{ name: 'h', histogram: { aggregationTemporality: 2, dataPoints: [{ ...point, explicitBounds: [2, 1] }] } }] };
  assert.deepEqual(translate(broken).messages, ['h: bounds must rise, which bound 1 does not (malformed_histogram)']);
});

test('exponential buckets keep their bounds, above scale 8 in coarser buckets', () => {
  const exponential = (changes: object): Translated => {
    const point = { timeUnixNano: nanos(9), count: 5, sum: 3, zeroCount: 1, positive: { offset: -1, bucketCounts: [1, 0, 3] }, ...changes };
    return translate({ metrics: [{ name: 'e', exponentialHistogram: { aggregationTemporality: 2, dataPoints: [point] } }] });
  };
  assert.deepEqual(
    [...bucketsOf(histogramOf(exponential({ scale: 0 })))],
    [
      { lower: -1e-128, upper: 1e-128, count: 1 },
      { lower: 0.5, upper: 1, count: 1 },
      { lower: 2, upper: 4, count: 3 },
    ],
  );
  assert.equal(histogramOf(exponential({ scale: 12 })).schema, 8);
  assert.deepEqual([...exponential({ scale: -5 }).refusedBy], [['unsupported_scale', 1]]);
});

test('a coarser scale counts the same observations around the same values', () => {
  const counts = fc.array(fc.nat(9), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(fc.integer({ min: -900, max: 900 }), counts, fc.integer({ min: 9, max: 20 }), (offset, bucketCounts, scale) => {
      const point = { count: 1, scale, positive: { offset, bucketCounts } };
      const sent = { metrics: [{ name: 'e', exponentialHistogram: { aggregationTemporality: 2, dataPoints: [point] } }] };
      const histogram = histogramOf(translate(sent));
      const base = 2 ** (2 ** -scale);
      for (const { lower, upper } of bucketsOf(histogram)) {
        const inside = bucketCounts.reduce((sum, count, i) => {
          const middle = base ** (offset + i + 0.5);
          return lower < middle && middle <= upper ? sum + count : sum;
        }, 0);
        const found = [...bucketsOf(histogram)].find((bucket) => bucket.lower === lower)?.count;
        assert.equal(found, inside);
      }
    }),
    { numRuns: 50 },
  );
});

test('summaries, series that ended, and points that say nothing', () => {
  const quantileValues = [
    { quantile: 0.5, value: 2 },
    { quantile: 1, value: 9 },
  ];
  const summary = { name: 's', summary: { dataPoints: [{ timeUnixNano: nanos(3), count: 4, sum: 10, quantileValues }] } };
  assert.deepEqual(samples(translate({ metrics: [summary] })), [
    's_sum 10@3',
    's_count 4@3',
    's{quantile="0.5"} 2@3',
    's{quantile="1"} 9@3',
  ]);
  const ended = { name: 'g', gauge: { dataPoints: [{ timeUnixNano: nanos(3), flags: 1 }, { timeUnixNano: nanos(4) }] } };
  const translated = translate({ metrics: [ended] });
  assert.deepEqual(samples(translated), ['g stale@3']);
  assert.deepEqual([...translated.refusedBy], [['no_value', 1]]);
});

const delta = (startMs: number, atMs: number, asInt: number, monotonic = true): Sent => {
  const point = { startTimeUnixNano: nanos(startMs), timeUnixNano: nanos(atMs), asInt };
  return { metrics: [{ name: 'c', sum: { aggregationTemporality: 1, isMonotonic: monotonic, dataPoints: [point] } }] };
};

test('deltas add up; a total that begins is preceded by a zero', () => {
  const deltas = new DeltaStreams();
  assert.deepEqual(samples(translate(delta(10, 20, 5), {}, deltas)), ['c_total 0@11', 'c_total 5@20']);
  assert.deepEqual(samples(translate(delta(20, 30, 2), {}, deltas)), ['c_total 7@30']);
  assert.deepEqual(samples(translate(delta(20, 30, 2), {}, deltas)), [], 'sent again');
  assert.deepEqual(samples(translate(delta(30, 30, 1), {}, deltas)), ['c_total 8@30'], 'another one within the millisecond');
  assert.deepEqual([...translate(delta(10, 20, 5), {}, deltas).refusedBy], [['delta_out_of_order', 1]]);
  assert.deepEqual(samples(translate(delta(30, 40, 1), {}, new DeltaStreams())), ['c_total 0@31', 'c_total 1@40'], 'after a restart');
  assert.deepEqual(samples(translate(delta(10, 20, -5, false))), ['c -5@20'], 'an up-down counter has no reset');
});

test('what could not be stored is taken back and adds up once when it is sent again', () => {
  const deltas = new DeltaStreams();
  translate(delta(10, 20, 5), {}, deltas);
  translate(delta(20, 30, 2), {}, deltas);
  deltas.rollBack();
  assert.deepEqual(samples(translate(delta(20, 30, 2), {}, deltas)), ['c_total 7@30']);
  deltas.rollBack();
  deltas.rollBack();
  assert.deepEqual(samples(translate(delta(20, 30, 2), {}, deltas)), ['c_total 7@30']);
});

test('histograms of deltas add up until their bounds change', () => {
  const deltas = new DeltaStreams();
  const send = (startMs: number, atMs: number, bounds: readonly number[]): readonly string[] => {
    const times = { startTimeUnixNano: nanos(startMs), timeUnixNano: nanos(atMs) };
    const point = { ...times, count: 3, sum: 4, bucketCounts: bounds.length === 0 ? [3] : [1, 2], explicitBounds: bounds };
    return samples(
      translate({ metrics: [{ name: 'h', histogram: { aggregationTemporality: 1, dataPoints: [point] } }] }, {}, deltas),
    ).filter((line) => /_count|le="1"/.test(line));
  };
  assert.deepEqual(send(10, 20, [1]), ['h_count 0@11', 'h_bucket{le="1"} 0@11', 'h_count 3@20', 'h_bucket{le="1"} 1@20']);
  assert.deepEqual(send(20, 30, [1]), ['h_count 6@30', 'h_bucket{le="1"} 2@30']);
  assert.deepEqual(send(30, 40, []), ['h_count 0@31', 'h_count 3@40']);
});

test('streams of deltas are bounded, and forgotten when idle', () => {
  const deltas = new DeltaStreams();
  deltas.begin(0);
  const one = { kind: 'number', value: 1 } as const;
  for (let i = 0; i < MAX_DELTA_STREAMS; i++) assert.equal(deltas.add(`s${i}`, one, { startMs: 0, atMs: 1, nowMs: 0 }).kind, 'total');
  assert.equal(deltas.add('more', one, { startMs: 0, atMs: 1, nowMs: 0 }).kind, 'refused');
  assert.equal(deltas.add('s0', one, { startMs: 0, atMs: 2, nowMs: 10 }).kind, 'total', 'a known one goes on');
  deltas.begin(DELTA_IDLE_MS + 1);
  assert.equal(deltas.size, 1);
  assert.deepEqual(deltas.add('s0', one, { startMs: 0, atMs: 3, nowMs: 20 }), {
    kind: 'total',
    total: { kind: 'number', value: 3 },
    begins: false,
  });
});
