import assert from 'node:assert/strict';
import { createConnection } from 'node:net';
import { once } from 'node:events';
import { test } from 'node:test';
import { DAY_MS } from '@nines/base/units.ts';
import { parseExposition } from '@nines/model/exposition.ts';
import { labelsOf } from '@nines/model/labels.ts';
import { encodeSnappy } from '@nines/model/snappy.ts';
import { StoreUnavailable } from '@nines/model/storage.ts';
import { counted } from '@nines/model/testing/histograms.ts';
import {
  type WireHistogramSample,
  type WireSeries,
  type WireSeries2,
  encodeWriteRequest,
  encodeWriteRequest2,
} from '@nines/model/testing/remote-write-encoder.ts';
import { manualClock } from '../../../test/harness/manual-clock.ts';
import { poll } from '../../../test/harness/poll.ts';
import type { SampleQuery } from './contract.ts';
import { serve } from './testing/serve.ts';
import { openWorld, selfValue } from './testing/world.ts';

const WRITE = { 'content-type': 'application/x-protobuf', 'content-encoding': 'snappy', 'x-prometheus-remote-write-version': '0.1.0' };
const STALE = Uint8Array.from([2, 0, 0, 0, 0, 0, 0xf0, 0x7f]);

const WRITE_2 = {
  ...WRITE,
  'content-type': 'application/x-protobuf;proto=io.prometheus.write.v2.Request',
  'x-prometheus-remote-write-version': '2.0.0',
};
const write = (base: string, body: Uint8Array, headers: Record<string, string> = WRITE): Promise<Response> =>
  fetch(`${base}/api/v1/write`, { method: 'POST', headers, body: new Uint8Array(body) });
const up = (instance: string, ...samples: WireSeries['samples']): WireSeries => ({
  labels: [
    ['__name__', 'up'],
    ['instance', instance],
  ],
  samples,
});

test('a remote write is stored, answered 204 without a body, and wakes the rules once', async () => {
  const clock = manualClock();
  await using world = await openWorld(clock);
  await using served = await serve(world, clock);
  const nowMs = clock.now();
  const body = encodeWriteRequest(
    [up('a', [nowMs - 5_000, 1], [nowMs, 0]), up('b', [nowMs, STALE])],
    [{ name: 'up', type: 'gauge', help: 'Up.', unit: '' }],
  );
  for (let repeat = 0; repeat < 2; repeat++) {
    const answer = await write(served.base, encodeSnappy(body));
    assert.equal(answer.status, 204);
    assert.equal(await answer.text(), '');
  }
  assert.deepEqual(await world.samplesOf('up'), [
    `up{instance="a"} 0@${nowMs}`,
    `up{instance="a"} 1@${nowMs - 5_000}`,
    `up{instance="b"} stale@${nowMs}`,
  ]);
  assert.equal(world.committed.length, 2);
  assert.equal(world.committed[0]?.length, 2);
  const metadata = await (await fetch(`${served.base}/api/v1/metadata?metric=up`)).json();
  assert.deepEqual(metadata, { status: 'success', data: { up: [{ type: 'gauge', help: 'Up.', unit: '' }] } });
});

const mismatched = (atMs: number): WireHistogramSample => ({ atMs, histogram: counted(1, { count: 9 }) });

test('good samples are stored although others are refused, and the refused are named', async () => {
  const clock = manualClock();
  await using world = await openWorld(clock);
  await using served = await serve(world, clock);
  const nowMs = clock.now();
  const body = encodeWriteRequest([
    up('good', [nowMs, 1]),
    up('ahead', [nowMs + 3_600_000, 1]),
    { labels: [['job', 'nameless']], samples: [[nowMs, 1]] },
    { labels: [['__name__', 'h']], samples: [], histograms: [{ atMs: nowMs, histogram: counted(1) }, mismatched(nowMs)] },
    up('old', [nowMs - 90 * DAY_MS, 1]),
  ]);
  const answer = await write(served.base, encodeSnappy(body));
  const text = await answer.text();
  assert.equal(answer.status, 400);
  assert.match(answer.headers.get('content-type') ?? '', /^text\/plain/);
  assert.match(text, /3 of 5 samples were refused/);
  assert.match(text, /1 native histograms were refused, the others are stored/);
  assert.match(text, /^h at \d+: invalid_histogram: a count of 9 with 5 observations in buckets$/m);
  assert.match(text, /up\{instance="ahead"\} at \d+: too_far_ahead/);
  assert.match(text, /up\{instance="old"\} at \d+: too_old/);
  assert.match(text, /invalid_labels/);
  assert.deepEqual(await world.samplesOf('up'), [`up{instance="good"} 1@${nowMs}`]);
  assert.equal(selfValue(world.self, 'nines_ingest_refused_samples_total{reason="too_far_ahead"}'), 1);
});

test('remote write 2.0 stores its good samples and says in the headers how many', async () => {
  const clock = manualClock();
  await using world = await openWorld(clock);
  await using served = await serve(world, clock);
  const now = clock.now();
  const send = async (series: readonly WireSeries2[]) => {
    const answer = await write(served.base, encodeSnappy(encodeWriteRequest2(series)), WRITE_2);
    const written = ['samples', 'histograms', 'exemplars'].map((kind) => answer.headers.get(`x-prometheus-remote-write-${kind}-written`));
    return { status: answer.status, text: await answer.text(), written };
  };
  const metadata = { type: 'gauge', help: 'Whether it answers.', unit: '' } as const;
  assert.deepEqual(await send([{ ...up('a', [now, 1]), metadata }]), { status: 204, text: '', written: ['1', '0', '0'] });
  assert.deepEqual(world.metadata.get('up'), { ...metadata, source: 'remote_write' });
  const partial = await send([
    up('b', [now, 1]),
    { labels: [['x', 'y']], samples: [[now, 1]] },
    { labels: [], refs: [1], samples: [[now, 1]] },
    { ...up('c', [now, 1]), histograms: [{ atMs: now - 1, histogram: counted(1) }, mismatched(now)] },
  ]);
  assert.equal(partial.status, 400);
  assert.deepEqual(partial.written, ['2', '1', '0']);
  assert.match(partial.text, /2 of 5 samples were refused, the others are stored/);
  assert.match(partial.text, /1 native histograms were refused/);
  assert.match(partial.text, /malformed_references: 1 references/);
  assert.match(partial.text, /invalid_labels/);
  assert.match(partial.text, /instance="c".*invalid_histogram/);
  assert.equal((await world.samplesOf('up')).length, 4);
  const second = await write(served.base, encodeSnappy(encodeWriteRequest([up('d', [now, 1])])), WRITE_2);
  assert.equal(second.status, 400);
  assert.match(await second.text(), /only version 1\.0/);
});

test('what is not remote write is answered 415 with the reason, and nothing is stored', async () => {
  const clock = manualClock();
  await using world = await openWorld(clock);
  await using served = await serve(world, clock);
  const body = encodeSnappy(encodeWriteRequest([up('a', [clock.now(), 1])]));
  const refused: readonly (readonly [Record<string, string>, RegExp])[] = [
    [{ ...WRITE, 'content-type': 'application/json' }, /application\/json is not supported/],
    [{ ...WRITE, 'content-type': 'text/plain' }, /text\/plain is not supported/],
    [
      { ...WRITE, 'content-type': 'application/x-protobuf;proto=io.prometheus.write.v3.Request' },
      /io\.prometheus\.write\.v3\.Request is not supported/,
    ],
    [{ ...WRITE, 'content-encoding': 'gzip' }, /gzip is not supported/],
    [{ ...WRITE, 'content-encoding': 'deflate' }, /deflate is not supported/],
  ];
  for (const [headers, reason] of refused) {
    const answer = await write(served.base, body, headers);
    assert.equal(answer.status, 415, JSON.stringify(headers));
    assert.match(await answer.text(), reason);
  }
  assert.deepEqual(await world.samplesOf('up'), []);
  for (const type of [
    'application/x-protobuf;proto=prometheus.WriteRequest',
    'application/x-protobuf; proto=prometheus.WriteRequest',
    'Application/X-Protobuf',
  ]) {
    assert.equal((await write(served.base, body, { ...WRITE, 'content-type': type })).status, 204, type);
  }
});

test('malformed and oversized bodies are refused and the next request is served', async () => {
  const clock = manualClock();
  await using world = await openWorld(clock);
  await using served = await serve(world, clock);
  const good = encodeWriteRequest([up('a', [clock.now(), 1])]);
  const expect = async (body: Uint8Array, status: number, reason: RegExp): Promise<void> => {
    const answer = await write(served.base, body);
    assert.equal(answer.status, status);
    assert.match(await answer.text(), reason);
  };
  await expect(Buffer.from('not snappy at all'), 400, /snappy/);
  await expect(Buffer.alloc(0), 400, /snappy/);
  await expect(encodeSnappy(Buffer.from('not protobuf')), 400, /malformed request at byte \d+/);
  await expect(encodeSnappy(good.subarray(0, good.length - 3)), 400, /malformed/);
  await expect(Buffer.concat([Buffer.from([0xff, 0xff, 0xff, 0x7f]), Buffer.alloc(40)]), 400, /over the limit/);
  await expect(Buffer.alloc(33 * 1024 * 1024), 413, /over the limit/);
  assert.deepEqual(await world.samplesOf('up'), []);
  assert.equal((await write(served.base, encodeSnappy(good))).status, 204);
  assert.equal(selfValue(world.self, 'nines_remote_write_in_flight_bytes'), 0);
});

test('a sender that breaks off harms nothing and holds no memory', async () => {
  const clock = manualClock();
  await using world = await openWorld(clock);
  await using served = await serve(world, clock);
  const { port } = new URL(served.base);
  const socket = createConnection({ host: '127.0.0.1', port: Number(port) });
  await once(socket, 'connect');
  socket.write(
    'POST /api/v1/write HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-protobuf\r\nContent-Encoding: snappy\r\nContent-Length: 1000\r\n\r\nhalf',
  );
  await poll('the request to be under way', () =>
    Promise.resolve(selfValue(world.self, 'nines_remote_write_in_flight_bytes') === 1000 || undefined),
  );
  socket.destroy();
  await poll('its memory to be released', () =>
    Promise.resolve(selfValue(world.self, 'nines_remote_write_in_flight_bytes') === 0 || undefined),
  );
  assert.deepEqual(world.warnings, []);
});

test('a store that cannot take samples answers 503 with when to come back', async () => {
  const clock = manualClock();
  await using world = await openWorld(clock);
  const ingest = { ...world.ingest, append: () => Promise.reject(new StoreUnavailable('disk_full', 'the disk is full')) };
  await using served = await serve(world, clock, { ingest });
  const answer = await write(served.base, encodeSnappy(encodeWriteRequest([up('a', [clock.now(), 1])])));
  assert.equal(answer.status, 503);
  assert.equal(answer.headers.get('retry-after'), '5');
  assert.match(await answer.text(), /the disk is full/);
  const pushed = await fetch(`${served.base}/api/metrics`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"metrics":[{"name":"a","value":1}]}',
  });
  assert.equal(pushed.status, 503);
  assert.equal(pushed.headers.get('retry-after'), '5');
});

test('pushed metrics are stored with their metadata; refused items are answered one by one', async () => {
  const clock = manualClock();
  await using world = await openWorld(clock);
  await using served = await serve(world, clock);
  const nowMs = clock.now();
  const push = (metrics: readonly unknown[]): Promise<Response> =>
    fetch(`${served.base}/api/metrics`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ metrics }),
    });
  const orders = {
    name: 'orders_total',
    value: 3,
    labels: { shop: 'a' },
    at_ms: nowMs - 1_000,
    type: 'counter',
    unit: '',
    help: 'Orders.',
    category: 'business',
    metadata: { owner: 'sales' },
  };
  assert.equal((await push([orders, { name: 'queue.length', value: '+Inf' }])).status, 204);
  assert.equal((await push([orders])).status, 204, 'a repetition changes nothing');
  const answer = await push([
    { name: 'good', value: 1 },
    { name: 'bad', value: 'three' },
    { value: 1 },
    'text',
    { name: 'bad', value: 1, labels: { __name__: 'other' } },
    { name: 'bad', value: 1, timestamp: 5 },
    { name: 'bad', value: 1, at_ms: nowMs + 3_600_000 },
  ]);
  assert.equal(answer.status, 400);
  const problem = (await answer.json()) as { code: string; details: { index: number; code: string; detail: string }[] };
  assert.equal(problem.code, 'metrics_refused');
  assert.deepEqual(
    problem.details.map(({ index, code }) => [index, code]),
    [
      [1, 'invalid_item'],
      [2, 'invalid_item'],
      [3, 'invalid_item'],
      [4, 'invalid_labels'],
      [5, 'invalid_item'],
      [6, 'too_far_ahead'],
    ],
  );
  assert.match(problem.details[0]?.detail ?? '', /^value/);
  assert.deepEqual(await world.samplesOf('good'), [`good 1@${nowMs}`]);
  assert.deepEqual(await world.samplesOf('orders_total'), [`orders_total{shop="a"} 3@${nowMs - 1_000}`]);
  assert.deepEqual(await world.samplesOf('queue.length'), [`queue.length Infinity@${nowMs}`]);
  assert.deepEqual(world.metadata.get('orders_total'), {
    type: 'counter',
    help: 'Orders.',
    unit: '',
    category: 'business',
    attributes: { owner: 'sales' },
    source: 'push',
  });
});

test('every refused item is answered, also beyond what the store lists at once', async () => {
  const clock = manualClock();
  await using world = await openWorld(clock);
  await using served = await serve(world, clock);
  const metrics = Array.from({ length: 700 }, (_, i) => ({
    name: 'm',
    labels: { i: String(i) },
    value: i,
    at_ms: clock.now() + (i % 2) * 3_600_000,
  }));
  const answer = await fetch(`${served.base}/api/metrics`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ metrics }),
  });
  assert.equal(answer.status, 400);
  const { details } = (await answer.json()) as { details: { index: number }[] };
  assert.deepEqual(
    details.map(({ index }) => index),
    Array.from({ length: 350 }, (_, i) => 2 * i + 1),
  );
  assert.equal((await world.samplesOf('m')).length, 350);
});

test('own figures are served in the format that is asked for', async () => {
  const clock = manualClock();
  await using world = await openWorld(clock);
  await using served = await serve(world, clock);
  world.self.counter('nines_test_total', 'A "test".').add(2, { kind: 'a\nb' });
  const text = await fetch(`${served.base}/metrics`);
  assert.equal(text.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
  const parsed = parseExposition(await text.text(), 'text');
  assert.ok(parsed.ok);
  const found = parsed.value.samples.find(({ name }) => name === 'nines_test_total');
  assert.deepEqual(found?.labels, labelsOf({ __name__: 'nines_test_total', kind: 'a\nb' }));
  const accept = 'application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.2,*/*;q=0.1';
  const open = await fetch(`${served.base}/metrics`, { headers: { accept } });
  assert.match(open.headers.get('content-type') ?? '', /^application\/openmetrics-text/);
  assert.ok(parseExposition(await open.text(), 'openmetrics').ok);
});

test('current figures, histories and values are projections of the query engine', async () => {
  const clock = manualClock();
  await using world = await openWorld(clock);
  const asked: string[] = [];
  const query: SampleQuery = {
    instant: async (expr) => {
      asked.push(expr);
      if (expr.startsWith('100 * (1 - node_memory'))
        return [
          { labels: labelsOf({ instance: 'other' }), value: 99 },
          { labels: labelsOf({ instance: 'box' }), value: 41 },
        ];
      if (expr.startsWith('100 * (node_filesystem')) return [{ labels: labelsOf({ instance: 'box', mountpoint: '/' }), value: 22 }];
      if (expr === '{__name__!=""}')
        return [
          { labels: labelsOf({ __name__: 'b' }), value: Number.NaN },
          { labels: labelsOf({ __name__: 'a', x: '1' }), value: 1 },
        ];
      return [];
    },
    range: async (expr, { fromMs, toMs, stepMs }) => {
      asked.push(`${expr} ${toMs - fromMs} ${stepMs}`);
      return [{ labels: labelsOf({ instance: 'box' }), times: [fromMs, toMs], values: [1, Number.NaN] }];
    },
  };
  await using served = await serve(world, clock, { query });
  const get = async <T>(path: string): Promise<T> => (await (await fetch(served.base + path)).json()) as T;
  const current = await get<{ cpu: { percent: null }; memory: { percent: number }; disk: unknown; load: unknown; network: unknown }>(
    '/api/metrics/current',
  );
  assert.equal(current.cpu.percent, null);
  assert.equal(current.memory.percent, 41);
  assert.deepEqual(current.disk, [{ mount: '/', percent: 22, used_bytes: null, total_bytes: null }]);
  assert.deepEqual(current.network, { receive_bytes_per_second: null, transmit_bytes_per_second: null });
  const cpu = await get<{ step_ms: number; series: { metric: string; points: unknown[] }[] }>('/api/metrics/history/cpu?range=24h');
  assert.equal(cpu.step_ms, 300_000);
  assert.equal(cpu.series[0]?.metric, 'system.cpu.percent');
  assert.equal(cpu.series[0]?.points.length, 1, 'NaN is no point');
  assert.equal((await get<{ step_ms: number }>('/api/metrics/history?metric=node_load1&range=2h')).step_ms, 20_000);
  assert.equal((await get<{ status: number }>('/api/metrics/history/nothing')).status, 404);
  assert.equal((await get<{ code: string }>('/api/metrics/history/cpu?range=soon')).code, 'invalid_range');
  const values = await get<{ items: { name: string; value: unknown }[]; next: string }>('/api/metrics?limit=1');
  assert.deepEqual([values.items[0]?.name, values.next], ['a', '1']);
  assert.equal((await get<typeof values>('/api/metrics?limit=1&cursor=1')).items[0]?.value, 'NaN');
  await get('/api/metrics?metric=system.load.*');
  assert.ok(asked.includes('node_load1') && asked.includes('{__name__=~"system\\\\.load\\\\..*"}'), JSON.stringify(asked));
});
