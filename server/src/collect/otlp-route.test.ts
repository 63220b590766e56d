import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import type { Clock } from '@nines/base/clock.ts';
import { mustMatcher } from '@nines/base/matcher.ts';
import { labelValue } from '@nines/model/labels.ts';
import { FULL_SCOPE, StoreUnavailable } from '@nines/model/storage.ts';
import { encodeOtlp } from '@nines/model/testing/otlp-encoder.ts';
import { createEngine } from '@nines/promql/engine.ts';
import { OTLPMetricExporter as JsonExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPMetricExporter as ProtobufExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AggregationTemporality,
  AggregationType,
  type IMetricReader,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { openSqliteForTest } from '../../../test/harness/databases.ts';
import { manualClock } from '../../../test/harness/manual-clock.ts';
import { poll } from '../../../test/harness/poll.ts';
import { realClock } from '../platform/clock.ts';
import { type OtlpConfig, otlpConfig } from './contract.ts';
import { MAX_OTLP_BYTES, type OtlpAnswer, createOtlpReceiver } from './otlp-route.ts';
import { serve } from './testing/serve.ts';
import { type World, openWorld, selfValue } from './testing/world.ts';

const EXPORTERS = { protobuf: ProtobufExporter, json: JsonExporter };
const RESOURCE = resourceFromAttributes({
  'service.name': 'cart',
  'service.namespace': 'shop',
  'service.instance.id': 'i1',
  'host.name': 'h',
});

type Sdk = AsyncDisposable & { readonly provider: MeterProvider; readonly reader: IMetricReader };

/** OpenTelemetry's own SDK, sending to the server when it is flushed. */
function sdk(base: string, encoding: keyof typeof EXPORTERS, temporality: AggregationTemporality): Sdk {
  const exporter = new EXPORTERS[encoding]({ url: `${base}/api/v1/otlp/v1/metrics`, temporalityPreference: temporality });
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const views = [{ instrumentName: 'exponential', aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM } as const }];
  const provider = new MeterProvider({ resource: RESOURCE, readers: [reader], views });
  return { provider, reader, [Symbol.asyncDispose]: () => provider.shutdown() };
}

/** The values of a metric's series in the order of time, without their instants. */
async function valuesOf(world: World, metric: string): Promise<readonly string[]> {
  const lines = await world.samplesOf(metric);
  const atMs = (line: string): number => Number(line.slice(line.lastIndexOf('@') + 1));
  return lines.toSorted((a, b) => atMs(a) - atMs(b)).map((line) => line.slice(0, line.lastIndexOf('@')));
}

for (const encoding of ['protobuf', 'json'] as const)
  for (const temporality of [AggregationTemporality.CUMULATIVE, AggregationTemporality.DELTA]) {
    const isDelta = temporality === AggregationTemporality.DELTA;
    test(`the JavaScript SDK's metrics arrive: ${encoding}, ${isDelta ? 'delta' : 'cumulative'}`, async () => {
      await using world = await openWorld(realClock);
      await using served = await serve(world, realClock);
      await using client = sdk(served.base, encoding, temporality);
      const meter = client.provider.getMeter('lib', '1.0');
      const counter = meter.createCounter('orders', { description: 'Orders.', unit: '{order}' });
      const upDown = meter.createUpDownCounter('queue.length');
      const histogram = meter.createHistogram('request.duration', { unit: 's', advice: { explicitBucketBoundaries: [0.1, 1] } });
      meter.createObservableGauge('temperature', { unit: 'Cel' }).addCallback((result) => result.observe(21.5, { room: 'a' }));
      counter.add(3, { 'shop.city': 'Köln' });
      upDown.add(4);
      histogram.record(0.05);
      histogram.record(5);
      await client.reader.forceFlush();
      const flushedMs = realClock.now();
      await poll('the next millisecond', () => realClock.now() > flushedMs);
      counter.add(4, { 'shop.city': 'Köln' });
      upDown.add(-6);
      histogram.record(0.5);
      await client.reader.forceFlush();

      const who = 'instance="i1", job="shop/cart"';
      const totals = async (series: string): Promise<readonly string[]> => {
        const values = await valuesOf(world, series.slice(0, series.indexOf('{')));
        // A total that the server adds up may begin with a 0.
        return values.filter((value) => !(isDelta && value.endsWith(' 0')));
      };
      const counted = async (series: string, ...values: readonly number[]): Promise<void> =>
        assert.deepEqual(
          await totals(series),
          values.map((value) => `${series} ${value}`),
        );
      await counted(`orders_total{${who}, shop_city="Köln"}`, 3, 7);
      assert.deepEqual(await valuesOf(world, 'queue_length'), [`queue_length{${who}} 4`, `queue_length{${who}} -2`]);
      const gauge = `temperature_celsius{${who}, room="a"} 21.5`;
      assert.deepEqual(await valuesOf(world, 'temperature_celsius'), [gauge, gauge]);
      await counted(`request_duration_seconds_count{${who}}`, 2, 3);
      await counted(`request_duration_seconds_sum{${who}}`, 5.05, 5.55);
      const buckets = await valuesOf(world, 'request_duration_seconds_bucket');
      assert.deepEqual(buckets.slice(-3).sort(), [
        `request_duration_seconds_bucket{${who}, le="+Inf"} 3`,
        `request_duration_seconds_bucket{${who}, le="0.1"} 1`,
        `request_duration_seconds_bucket{${who}, le="1"} 2`,
      ]);
      assert.match((await world.samplesOf('target_info'))[0] ?? '', /^target_info\{host_name="h", instance="i1", job="shop\/cart"\} 1@/);
      assert.deepEqual(world.metadata.get('orders_total'), { type: 'counter', help: 'Orders.', unit: '', source: 'otlp' });
      assert.equal(world.metadata.get('request_duration_seconds')?.unit, 'seconds');
      assert.equal(selfValue(world.self, 'nines_otlp_requests_total{status="200"}'), 2);
    });
  }

const PROTOBUF = { 'content-type': 'application/x-protobuf' };
const JSON_HEADERS = { 'content-type': 'application/json' };
const textOf = ({ body }: OtlpAnswer): string => new TextDecoder().decode(body);

type Receive = (headers: Readonly<Record<string, string>>, body: Uint8Array | string) => Promise<OtlpAnswer>;

function receiverOf(world: World, clock: Pick<Clock, 'now'>, config: Partial<OtlpConfig> = {}): Receive {
  const deps = { clock, ingest: world.ingest, metadata: world.metadata, metrics: world.self };
  const receive = createOtlpReceiver({ ...deps, config: { ...otlpConfig.parse({}), ...config } });
  return (headers, body) => receive(headers, typeof body === 'string' ? new TextEncoder().encode(body) : body);
}

const requestOf = (...metrics: readonly unknown[]): object => ({ resourceMetrics: [{ scopeMetrics: [{ metrics }] }] });
const gauge = (name: string, ...points: readonly (readonly [atMs: number, value: number])[]): object => ({
  name,
  gauge: { dataPoints: points.map(([atMs, asDouble]) => ({ timeUnixNano: `${atMs}000000`, asDouble })) },
});

test('compressed bodies are read, a bomb and what is no such body are refused', async () => {
  const clock = manualClock();
  await using world = await openWorld(clock);
  const receive = receiverOf(world, clock);
  const plain = encodeOtlp(requestOf(gauge('g', [clock.now(), 1])));
  const bodies = { identity: plain, gzip: gzipSync(plain), zstd: zstdCompressSync(plain) };
  for (const [encoding, body] of Object.entries(bodies)) {
    const answer = await receive({ ...PROTOBUF, 'content-encoding': encoding }, body);
    assert.deepEqual([answer.status, answer.body.length], [200, 0], encoding);
  }
  const zeros = new Uint8Array(MAX_OTLP_BYTES + 1);
  for (const [encoding, bomb] of [
    ['gzip', gzipSync(zeros)],
    ['zstd', zstdCompressSync(zeros)],
  ] as const) {
    const answer = await receive({ ...JSON_HEADERS, 'content-encoding': encoding }, bomb);
    assert.deepEqual(
      [answer.status, JSON.parse(textOf(answer))],
      [413, { code: 8, message: `body over the limit of ${MAX_OTLP_BYTES} bytes when decompressed` }],
    );
    const damaged = await receive({ ...JSON_HEADERS, 'content-encoding': encoding }, 'plain');
    assert.equal(damaged.status, 400);
    assert.match(textOf(damaged), new RegExp(`the body is not ${encoding}`));
  }
  assert.equal((await receive({ ...JSON_HEADERS, 'content-encoding': 'br' }, '{}')).status, 415);
  assert.equal((await receive({ 'content-type': 'text/plain' }, '{}')).status, 415);
});

test('a malformed request stores nothing and is told where it goes wrong, in its own encoding', async () => {
  const clock = manualClock();
  await using world = await openWorld(clock);
  const receive = receiverOf(world, clock);
  const json = await receive(JSON_HEADERS, JSON.stringify(requestOf(gauge('g', [clock.now(), 1]), { name: 7 })));
  assert.equal(json.status, 400);
  assert.equal(json.contentType, 'application/json');
  assert.deepEqual(JSON.parse(textOf(json)), {
    code: 3,
    message: 'malformed request at resourceMetrics[0].scopeMetrics[0].metrics[1].name: not text',
  });
  const broken = await receive(PROTOBUF, Uint8Array.of(0x0a, 0x05, 0x01));
  assert.equal(broken.status, 400);
  assert.equal(broken.contentType, 'application/x-protobuf');
  assert.match(textOf(broken), /malformed request at byte 2/);
  assert.equal((await receive(JSON_HEADERS, '{')).status, 400);
  assert.deepEqual(await world.samplesOf('g'), []);
});

test('good points are stored and the answer counts the others, those of the store included', async () => {
  const clock = manualClock();
  await using world = await openWorld(clock);
  const receive = receiverOf(world, clock);
  const atMs = clock.now();
  const ahead = atMs + 3_600_000;
  const exponential = {
    name: 'e',
    exponentialHistogram: { aggregationTemporality: 2, dataPoints: [{ timeUnixNano: `${atMs}000000`, count: 1, scale: -9 }] },
  };
  const sent = requestOf(gauge('g', [atMs, 1], [ahead, 2]), gauge('...', [atMs, 1]), exponential);
  const answer = await receive(JSON_HEADERS, JSON.stringify(sent));
  assert.equal(answer.status, 200);
  const { partialSuccess } = JSON.parse(textOf(answer));
  assert.equal(partialSuccess.rejectedDataPoints, '3');
  assert.match(partialSuccess.errorMessage, /^3 of 4 data points were refused, the others are stored\n/);
  assert.match(partialSuccess.errorMessage, /"\.\.\." leaves no metric name \(invalid_metric_name\)/);
  assert.match(partialSuccess.errorMessage, /scale -9; it can be -4 to 32 \(unsupported_scale\)/);
  assert.match(partialSuccess.errorMessage, new RegExp(`g at ${ahead}: .*\\(too_far_ahead\\)`));
  assert.deepEqual(await world.samplesOf('g'), [`g 1@${atMs}`]);
  assert.equal(selfValue(world.self, 'nines_otlp_refused_points_total{reason="store"}'), 1);
  const asProtobuf = await receive(PROTOBUF, encodeOtlp(sent));
  // partial_success, 1: rejected_data_points, 2: error_message
  assert.equal(asProtobuf.body[0], 0x0a);
  assert.match(textOf(asProtobuf), /3 of 4 data points were refused/);
});

test('exponential histograms are stored as native ones, deltas added up', async () => {
  const clock = manualClock();
  await using world = await openWorld(clock);
  const receive = receiverOf(world, clock);
  const send = async (startMs: number, atMs: number): Promise<void> => {
    const times = { startTimeUnixNano: `${startMs}000000`, timeUnixNano: `${atMs}000000` };
    const point = { ...times, count: 5, sum: 3, zeroCount: 1, positive: { offset: 0, bucketCounts: [1, 3] } };
    const sent = requestOf({ name: 'e', unit: 's', exponentialHistogram: { aggregationTemporality: 1, dataPoints: [point] } });
    const answer = await receive(JSON_HEADERS, JSON.stringify(sent));
    assert.deepEqual([answer.status, textOf(answer)], [200, '{}']);
  };
  const atMs = clock.now();
  await send(atMs - 2_000, atMs - 1_000);
  await send(atMs - 1_000, atMs);
  const found: (readonly [atMs: number, count: number | undefined, buckets: readonly number[]])[] = [];
  for (const { times, histograms } of await world.store.select([mustMatcher('__name__', '=', 'e_seconds')], { fromMs: 0, toMs: atMs }))
    times.forEach((time, i) => found.push([time, histograms?.[i]?.count, histograms?.[i]?.positive.counts ?? []]));
  assert.deepEqual(found, [
    [atMs - 1_999, 0, []],
    [atMs - 1_000, 5, [1, 3]],
    [atMs, 10, [2, 6]],
  ]);
});

test('exemplars are kept beside the samples they belong to, in both encodings', async (t) => {
  const clock = manualClock();
  const { db } = await openSqliteForTest(t);
  await using world = await openWorld(clock, db.kysely);
  const receive = receiverOf(world, clock);
  const atMs = clock.now();
  const nanos = (ms: number): string => `${ms}000000`;
  const exemplar = (value: number, letter: string, more: object = {}): object => ({
    timeUnixNano: nanos(atMs - 5),
    asDouble: value,
    traceId: letter.repeat(32),
    spanId: letter.repeat(16),
    ...more,
  });
  const attribute = (stringValue: string): object => ({ filteredAttributes: [{ key: 'user.id', value: { stringValue } }] });
  const times = { timeUnixNano: nanos(atMs) };
  const cumulative = { aggregationTemporality: 2 };
  const requestAs = (prefix: string): object =>
    requestOf(
      {
        name: `${prefix}.sum`,
        sum: { ...cumulative, isMonotonic: true, dataPoints: [{ ...times, asInt: '4', exemplars: [exemplar(1, 'a', attribute('u'))] }] },
      },
      {
        name: `${prefix}.buckets`,
        histogram: {
          ...cumulative,
          dataPoints: [
            {
              ...times,
              count: '3',
              sum: 7,
              bucketCounts: ['1', '1', '1'],
              explicitBounds: [1, 2],
              exemplars: [exemplar(9, 'b', attribute('x'.repeat(90))), exemplar(1, 'c'), exemplar(1.5, '0')],
            },
          ],
        },
      },
      {
        name: `${prefix}.native`,
        exponentialHistogram: { ...cumulative, dataPoints: [{ ...times, count: '1', zeroCount: '1', exemplars: [{ asInt: '7' }, {}] }] },
      },
    );
  assert.equal((await receive(JSON_HEADERS, JSON.stringify(requestAs('j')))).status, 200);
  assert.equal((await receive(PROTOBUF, encodeOtlp(requestAs('p')))).status, 200);
  const kept = (metric: string): unknown =>
    world.exemplars
      ?.select([[mustMatcher('__name__', '=', metric)]], { fromMs: 0, toMs: atMs })
      .map(({ labels, exemplars }) => [labelValue(labels, 'le'), ...exemplars.map((one) => [one.value, one.atMs, one.labels.join(' ')])]);
  const trace = (letter: string): string => `span_id ${letter.repeat(16)} trace_id ${letter.repeat(32)}`;
  for (const prefix of ['j', 'p']) {
    assert.deepEqual(kept(`${prefix}_sum_total`), [['', [1, atMs - 5, `${trace('a')} user.id u`]]]);
    // Attributes that do not fit beside the trace are dropped, ids of zeros are none.
    assert.deepEqual(kept(`${prefix}_buckets_bucket`), [
      ['+Inf', [9, atMs - 5, trace('b')]],
      ['1', [1, atMs - 5, trace('c')]],
      ['2', [1.5, atMs - 5, '']],
    ]);
    assert.deepEqual(kept(`${prefix}_native`), [['', [7, atMs, '']]]);
  }
  const wrong = requestOf({ name: 'w', gauge: { dataPoints: [{ ...times, asDouble: 1, exemplars: [{ traceId: 'xyz' }] }] } });
  assert.match(textOf(await receive(JSON_HEADERS, JSON.stringify(wrong))), /exemplars\[0\]\.traceId: not hexadecimal/);
});

for (const encoding of ['protobuf', 'json'] as const)
  for (const temporality of [AggregationTemporality.CUMULATIVE, AggregationTemporality.DELTA])
    test(`an exponential histogram of the JavaScript SDK is read back by query: ${encoding}, ${AggregationTemporality[temporality]}`, async () => {
      await using world = await openWorld(realClock);
      await using served = await serve(world, realClock);
      await using client = sdk(served.base, encoding, temporality);
      const histogram = client.provider.getMeter('lib').createHistogram('exponential', { unit: 's' });
      for (let i = 1; i <= 100; i++) histogram.record(i / 100, { path: '/' });
      await client.reader.forceFlush();
      const flushedMs = realClock.now();
      await poll('the next millisecond', () => realClock.now() > flushedMs);
      histogram.record(0, { path: '/' });
      await client.reader.forceFlush();
      const engine = createEngine({ limits: { maxSamples: 1e6 }, yieldNow: () => undefined });
      const ask = async (query: string): Promise<number> => {
        const found = await engine.instant(query, { queryable: world.store, atMs: realClock.now(), scope: FULL_SCOPE });
        assert.ok(found.ok && found.value.value.kind === 'vector', query);
        assert.equal(found.value.value.elements.length, 1, query);
        return found.value.value.elements[0]?.value ?? Number.NaN;
      };
      const selector = 'exponential_seconds{job="shop/cart", path="/"}';
      assert.equal(await ask(`histogram_count(${selector})`), 101);
      assert.ok(Math.abs((await ask(`histogram_sum(${selector})`)) - 50.5) < 1e-9);
      // The SDK keeps 160 buckets of its own scale; each is a few percent wide.
      assert.ok(Math.abs((await ask(`histogram_quantile(0.9, ${selector})`)) - 0.9) < 0.05);
      assert.ok(Math.abs((await ask(`histogram_fraction(0, 0.5, ${selector})`)) - 51 / 101) < 0.05);
    });

test('names are kept as they are when the configuration says so', async () => {
  const clock = manualClock();
  await using world = await openWorld(clock);
  const receive = receiverOf(world, clock, { translation_strategy: 'NoTranslation' });
  const point = { timeUnixNano: `${clock.now()}000000`, asInt: '2', attributes: [{ key: 'http.method', value: { stringValue: 'GET' } }] };
  const sum = { aggregationTemporality: 2, isMonotonic: true, dataPoints: [point] };
  assert.equal((await receive(JSON_HEADERS, JSON.stringify(requestOf({ name: 'http.requests', unit: 's', sum })))).status, 200);
  assert.deepEqual(await world.samplesOf('http.requests'), [`http.requests{http.method="GET"} 2@${clock.now()}`]);
});

test('while the store is unavailable a sender is told to come back, and its deltas add up once', async () => {
  const clock = manualClock();
  await using world = await openWorld(clock);
  let isFull = false;
  const append: World['ingest']['append'] = (batch) =>
    isFull ? Promise.reject(new StoreUnavailable('disk_full', 'the disk is full')) : world.ingest.append(batch);
  const receive = receiverOf({ ...world, ingest: { ...world.ingest, append } }, clock);
  const send = (atMs: number, asInt: number): Promise<OtlpAnswer> => {
    const dataPoints = [{ timeUnixNano: `${atMs}000000`, asInt }];
    return receive(
      JSON_HEADERS,
      JSON.stringify(requestOf({ name: 'c', sum: { aggregationTemporality: 1, isMonotonic: true, dataPoints } })),
    );
  };
  const atMs = clock.now();
  await send(atMs - 2_000, 5);
  isFull = true;
  const refused = await send(atMs - 1_000, 2);
  assert.deepEqual([refused.status, refused.retryAfterSeconds, JSON.parse(textOf(refused)).code], [503, 5, 14]);
  isFull = false;
  const both = await Promise.all([send(atMs - 1_000, 2), send(atMs, 1)]);
  assert.deepEqual(
    both.map(({ status }) => status),
    [200, 200],
  );
  assert.deepEqual(await world.samplesOf('c_total'), [`c_total 5@${atMs - 2_000}`, `c_total 7@${atMs - 1_000}`, `c_total 8@${atMs}`]);
});

test("the configuration takes Prometheus' keys and says which contradict each other", () => {
  assert.equal(otlpConfig.parse({ promote_resource_attributes: ['a'] }).translation_strategy, 'UnderscoreEscapingWithSuffixes');
  for (const wrong of [
    { promote_all_resource_attributes: true, promote_resource_attributes: ['a'] },
    { ignore_resource_attributes: ['a'] },
    { promote_resource_attributes: ['a', 'a'] },
    { promote_resource_attributes: [''] },
    { translation_strategy: 'Other' },
  ])
    assert.equal(otlpConfig.safeParse(wrong).success, false, JSON.stringify(wrong));
});
