import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { type TestContext, test } from 'node:test';
import { FULL_SCOPE } from '@nines/model/storage.ts';
import fc from 'fast-check';
import { mustMatcher } from '@nines/base/matcher.ts';
import { parseExposition } from '@nines/model/exposition.ts';
import { sameHistogram } from '@nines/model/histogram.ts';
import { formatLabels, labelValue, labelPairs, labelsFrom } from '@nines/model/labels.ts';
import { type WireFamily, encodeFamilies } from '@nines/model/testing/exposition-encoder.ts';
import { counted } from '@nines/model/testing/histograms.ts';
import { openSqliteForTest } from '../../../../test/harness/databases.ts';
import { countingIds } from '../../../../test/harness/ids.ts';
import { manualClock } from '../../../../test/harness/manual-clock.ts';
import { freePort } from '../../../../test/harness/nines.ts';
import { poll } from '../../../../test/harness/poll.ts';
import { createHttp } from '../../platform/http/server.ts';
import { createSelfMetrics } from '../self.ts';
import { openWorld, type World } from '../testing/world.ts';
import { groupingOf, samplesOf } from './evaluate.ts';
import { pushGatewayRoutes } from './routes.ts';
import { PushGateway } from './service.ts';

const RUNS = process.env['NINES_FULL'] === undefined ? 500 : 50_000;
const BINARY = '/usr/bin/prometheus-pushgateway';

const PROTOBUF = 'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited';
type Ask = (
  method: string,
  path: string,
  body?: string | Uint8Array<ArrayBuffer>,
  type?: string,
) => Promise<{ readonly status: number; readonly text: string }>;
type Setting = {
  readonly base: string;
  readonly world: World;
  readonly gateway: PushGateway;
  readonly again: () => Promise<PushGateway>;
  readonly ask: Ask;
};

const asking =
  (base: string): Ask =>
  async (method, path, body, type = 'text/plain') => {
    const init: RequestInit = { method, headers: { 'content-type': type }, redirect: 'manual' };
    const answer = await fetch(base + path, body === undefined ? init : { ...init, body });
    return { status: answer.status, text: await answer.text() };
  };

async function setting(t: TestContext, clock = manualClock()): Promise<Setting> {
  const world = await openWorld(clock);
  const { db } = await openSqliteForTest(t);
  const deps = { sql: db.kysely, clock, ingest: world.ingest, metadata: world.metadata, metrics: world.self };
  const gateway = new PushGateway(deps);
  const actor = { kind: 'token', id: 't', name: 't', role: 'administrator', teamId: 'default', scope: FULL_SCOPE } as const;
  const gate = { authenticate: async () => actor, allows: () => true };
  const http = await createHttp({ logger: world.logger, ids: countingIds(), gate, hosts: 'any', version: '1', drainMs: 50 });
  pushGatewayRoutes(http, gateway);
  const base = await http.listen({ host: '127.0.0.1', port: 0 });
  t.after(async () => {
    await http.close();
    await world[Symbol.asyncDispose]();
  });
  const again = async (): Promise<PushGateway> => {
    const reopened = new PushGateway({ ...deps, metrics: createSelfMetrics() });
    await reopened.load();
    return reopened;
  };
  return { base, world, gateway, again, ask: asking(base) };
}

const families = (...all: readonly WireFamily[]): Uint8Array<ArrayBuffer> => Uint8Array.from(encodeFamilies(all));
/** Bounds have a fraction: Pushgateway's text says "1" where protobuf, as Prometheus 3 reads it, says "1.0". */
const CLASSIC: WireFamily = {
  name: 'ph',
  type: 'histogram',
  metrics: [
    {
      labels: [],
      count: 3,
      sum: 4.5,
      buckets: [
        [0.5, 1],
        [2.5, 2],
      ],
    },
  ],
};

/** What a Pushgateway and we are asked in turn. */
const REQUESTS: readonly (readonly [method: string, path: string, body?: string | Uint8Array<ArrayBuffer>])[] = [
  ['PUT', '/metrics/job/j1/instance/i', '# TYPE h histogram\nh_bucket{le="1"} 1\nh_bucket{le="+Inf"} 2\nh_sum 3\nh_count 2\na_total 1\n'],
  ['POST', '/metrics/job/j1/instance/i', 'a_total{k="v"} 2\n'],
  ['POST', '/metrics/job/j1', 'a_total 1 123\n'],
  ['POST', '/metrics/job/j1', 'a_total 1\na_total 2\n'],
  ['POST', '/metrics/job/j2', '# TYPE a_total counter\na_total 1\n'],
  ['POST', '/metrics/job/j2', 'x{job="other",k="l"} 1e9\n'],
  ['POST', '/metrics/job/j2', 'a_total{instance="i",job="zz"} +Inf\n'],
  ['PUT', '/metrics/job/j3/odd', 'y 1\n'],
  ['PUT', '/metrics/job/j3/__x/v', 'y 1\n'],
  ['PUT', '/metrics/job@base64/am9iL3g/path@base64/=', 'y 1\n'],
  ['PUT', '/metrics/job@base64/!!/a/b', 'y 1\n'],
  ['PUT', '/metrics/job@base64/=', 'y 1\n'],
  ['PUT', '/metrics/job/j4/job/zz', 'y NaN\n'],
  ['PUT', '/metrics/job/j5', 'push_time_seconds 1\nz -0.5\n'],
  ['PUT', '/metrics/job/j5%2Fb', 'z 1\n'],
  ['PUT', '/metrics/job/j6', 'y{ 1\n'],
  ['PUT', '/metrics/job/j7', ''],
  ['PUT', '/metrics/job/j8', 'only 1\n'],
  ['POST', '/metrics/job/j8', ''],
  ['PUT', '/metrics/job/j9', 'gone 1\n'],
  ['DELETE', '/metrics/job/j9'],
  ['DELETE', '/metrics/job/none'],
  ['PUT', '/metrics/job/p1', families({ name: 'pb_total', help: 'H.', type: 'counter', metrics: [{ labels: [['k', 'v"']], value: 2 }] })],
  [
    'POST',
    '/metrics/job/p1',
    families(CLASSIC, { name: 'pq', type: 'summary', metrics: [{ labels: [], count: 1, sum: 2, quantiles: [[0.5, 2]] }] }),
  ],
  ['POST', '/metrics/job/p2', families({ name: 'late', type: 'gauge', metrics: [{ labels: [], value: 1, atMs: 5 }] })],
  ['POST', '/metrics/job/p3', families({ name: 'pb_total', type: 'gauge', metrics: [{ labels: [], value: 1 }] })],
  ['PUT', '/metrics/job/p4', Uint8Array.of(5, 10, 200)],
];

/** Labels and values of an exposition; instants differ between the two, so only whether there is one counts. */
function comparable(samples: Iterable<{ readonly labels: readonly string[]; readonly value: number }>): readonly string[] {
  const lines: string[] = [];
  for (const { labels, value } of samples) {
    const name = labelValue(labels, '__name__');
    if (/^(go|process|pushgateway)_/.test(name)) continue;
    lines.push(`${formatLabels(labelsFrom(labelPairs(labels)))} ${name.endsWith('_time_seconds') ? value > 0 : value}`);
  }
  return lines.sort();
}

test('the same requests leave the same groups behind and get the same answers as in a real Pushgateway', { timeout: 60_000 }, async (t) => {
  assert.ok(existsSync(BINARY), 'this test needs Pushgateway: apt-get install prometheus-pushgateway');
  const { gateway, ask } = await setting(t);
  const base = `http://127.0.0.1:${await freePort()}`;
  const child = spawn(BINARY, [`--web.listen-address=${base.slice('http://'.length)}`, '--persistence.file='], { stdio: 'ignore' });
  const ended = once(child, 'exit');
  try {
    await poll('the Pushgateway', async () => (await fetch(`${base}/-/ready`).catch(() => undefined))?.ok);
    const theirs = asking(base);
    for (const [method, path, body] of REQUESTS) {
      const type = typeof body === 'object' ? PROTOBUF : undefined;
      const [ours, expected] = await Promise.all([ask(method, path, body, type), theirs(method, path, body, type)]);
      assert.equal(ours.status, expected.status, `${method} ${path}: ${ours.text} ${expected.text}`);
    }
    const exposed = parseExposition((await theirs('GET', '/metrics')).text, 'text');
    assert.ok(exposed.ok);
    const offered = [...gateway.groups()].flatMap((group) => [...samplesOf(group)]);
    assert.deepEqual(comparable(offered), comparable(exposed.value.samples));
  } finally {
    child.kill('SIGKILL');
    await ended;
  }
});

test('a group is stored when it is pushed and at every interval, and its series end with it', async (t) => {
  const clock = manualClock();
  const { world, gateway, ask } = await setting(t, clock);
  const startMs = clock.now();
  assert.equal(
    (await ask('PUT', '/metrics/job/backup/instance/db', '# TYPE rows gauge\nrows{table="a"} 5\nrows{table="b"} 6\n')).status,
    200,
  );
  await clock.advance(15_000);
  await gateway.step(clock.now());
  await clock.advance(1_000);
  assert.equal((await ask('POST', '/metrics/job/backup/instance/db', '# TYPE rows gauge\nrows{table="a"} 7\n')).status, 200);
  await clock.advance(1_000);
  assert.equal((await ask('DELETE', '/metrics/job/backup/instance/db')).status, 202);
  const a = 'rows{instance="db", job="backup", table="a"}';
  const b = 'rows{instance="db", job="backup", table="b"}';
  assert.deepEqual(
    await world.samplesOf('rows'),
    [
      `${a} 5@${startMs}`,
      `${a} 5@${startMs + 15_000}`,
      `${a} 7@${startMs + 16_000}`,
      `${a} stale@${startMs + 17_000}`,
      `${b} 6@${startMs}`,
      `${b} 6@${startMs + 15_000}`,
      `${b} stale@${startMs + 16_000}`,
    ].sort(),
  );
  assert.equal(world.metadata.get('rows')?.type, 'gauge');
  const ends = (await world.samplesOf('push_time_seconds')).filter((line) => line.includes('stale'));
  assert.equal(ends.length, 1);
});

test('groups outlive a restart bit for bit', async (t) => {
  const { gateway, again, ask } = await setting(t);
  await ask('PUT', '/metrics/job/a/zone@base64/w7w', 'm{q="0.5"} NaN\nm{q="0.9"} -Inf\nn -0\n');
  await ask('POST', '/metrics/job/b', 'm 1 2\n');
  await ask('PUT', '/metrics/job/c', 'm 1\n');
  await ask('DELETE', '/metrics/job/c');
  const reopened = await again();
  assert.deepEqual([...reopened.groups()], [...gateway.groups()]);
  assert.equal([...reopened.groups()].length, 2);
});

test('bodies may be OpenMetrics or gzip; a bomb and what is not text are refused', async (t) => {
  const { base, gateway, ask } = await setting(t);
  assert.equal(
    (await ask('PUT', '/metrics/job/o', '# TYPE c counter\nc_total 3\n# EOF\n', 'application/openmetrics-text; version=1.0.0')).status,
    200,
  );
  assert.deepEqual([...([...gateway.groups()][0]?.families.keys() ?? [])], ['c']);
  assert.equal((await ask('PUT', '/metrics/job/o', 'x', 'application/vnd.google.protobuf')).status, 415);
  assert.equal((await ask('PUT', '/metrics/job/o', 'x', PROTOBUF)).status, 400);
  const gzipped = async (body: Uint8Array): Promise<number> =>
    (await fetch(`${base}/metrics/job/z`, { method: 'PUT', headers: { 'content-encoding': 'gzip' }, body: new Uint8Array(gzipSync(body)) }))
      .status;
  assert.equal(await gzipped(Buffer.from('m 1\n')), 200);
  assert.equal(await gzipped(Buffer.alloc(64 * 1024 * 1024, '#')), 413);
  assert.equal(await gzipped(Uint8Array.of(0xff, 0xfe)), 400);
  const listed = JSON.parse((await ask('GET', '/api/v1/metrics')).text) as {
    readonly data: readonly { readonly labels: unknown; readonly c: unknown }[];
  };
  assert.deepEqual(listed.data[0]?.labels, { job: 'o' });
});

test('a native histogram that is pushed is stored at every interval, outlives a restart, and ends', async (t) => {
  const clock = manualClock();
  const { world, gateway, again, ask } = await setting(t, clock);
  const startMs = clock.now();
  const pushed = counted(3);
  const family: WireFamily = {
    name: 'sizes',
    help: 'Sizes.',
    type: 'histogram',
    metrics: [
      { labels: [['k', 'v']], count: 15, sum: 7.5, native: pushed, buckets: [[1, 6]] },
      { labels: [], count: 15, sum: Number.NaN, native: { ...pushed, sum: Number.NaN } },
    ],
  };
  assert.equal((await ask('PUT', '/metrics/job/n', families(family), PROTOBUF)).status, 200);
  const reopened = await again();
  assert.deepEqual([...reopened.groups()], [...gateway.groups()]);
  await clock.advance(15_000);
  await reopened.step(clock.now());
  await clock.advance(1_000);
  await ask('DELETE', '/metrics/job/n');
  const selected = await world.store.select([mustMatcher('__name__', '=', 'sizes')], { fromMs: 0, toMs: clock.now() + 1 });
  const series = [...selected].find(({ labels }) => labelValue(labels, 'k') === 'v');
  assert.deepEqual([...(series?.times ?? [])], [startMs, startMs + 15_000, startMs + 16_000]);
  for (const i of [0, 1])
    assert.ok(sameHistogram({ ...pushed, hint: 'unknown' }, { ...(series?.histograms?.[i] ?? pushed), hint: 'unknown' }));
  assert.equal(series?.histograms?.[2], undefined);
  // Its classic buckets are there too, for whoever asks for those.
  assert.equal((await world.samplesOf('sizes_bucket')).filter((line) => line.includes('k="v"')).length, 6);
  assert.equal(world.metadata.get('sizes')?.type, 'histogram');
});

test('any path is a grouping or a refusal in words', () => {
  const part = fc.oneof(
    fc.constantFrom('job', 'job@base64', 'instance', 'a@base64', '=', '', '%', '%2F', '__x', 'YQ'),
    fc.string({ maxLength: 8 }),
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
      const grouping = groupingOf(`job/x/${parts.join('/')}`);
      if (grouping.ok) assert.ok(labelValue(grouping.value, 'job') === 'x' && grouping.value.length % 2 === 0);
      else assert.ok(grouping.error.length > 5);
    }),
    { numRuns: RUNS },
  );
});
