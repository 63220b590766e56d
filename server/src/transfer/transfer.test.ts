import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { mustMatcher } from '@nines/base/matcher.ts';
import { epochMs } from '@nines/base/units.ts';
import { encodeSnappy } from '@nines/model/snappy.ts';
import { FULL_SCOPE } from '@nines/model/storage.ts';
import { counted } from '@nines/model/testing/histograms.ts';
import { encodeWriteRequest } from '@nines/model/testing/remote-write-encoder.ts';
import { ExemplarRing } from '@nines/model/exemplar-ring.ts';
import { createEngine } from '@nines/promql/engine.ts';
import { countingIds } from '../../../test/harness/ids.ts';
import { poll } from '../../../test/harness/poll.ts';
import { recordingLogger } from '../../../test/harness/logs.ts';
import { type World, openWorld } from '../collect/testing/world.ts';
import { realClock } from '../platform/clock.ts';
import { createHttp } from '../platform/http/server.ts';
import { queryRoutes } from '../query/routes.ts';
import { type ImportReport, MAX_LINE_BYTES } from './contract.ts';
import { transferRoutes } from './routes.ts';
import { TransferService } from './service.ts';

/** A whole second, five days ago. */
const OLD_MS = Math.floor(realClock.now() / 1000) * 1000 - 5 * 86_400_000;
const OLD_S = OLD_MS / 1000;

type Setting = { readonly world: World; readonly base: string };

async function setting(t: TestContext): Promise<Setting> {
  const world = await openWorld(realClock);
  const actor = { kind: 'token', id: 't', name: 't', role: 'administrator', teamId: 'default', scope: FULL_SCOPE } as const;
  const gate = { authenticate: async () => actor, allows: () => true };
  const http = await createHttp({ logger: recordingLogger(), ids: countingIds(), gate, hosts: 'any', version: '1', drainMs: 50 });
  transferRoutes(http, {
    transfer: new TransferService({ store: world.store, clock: realClock, logger: world.logger, metrics: world.self }),
  });
  const engine = createEngine({ limits: { maxSamples: 1e6 }, yieldNow: () => realClock.sleep(0) });
  queryRoutes(http, {
    externalLabels: () => ({}),
    engine,
    queryable: world.store,
    exemplars: new ExemplarRing(0),
    metadata: world.metadata,
    yieldNow: () => undefined,
    clock: realClock,
    lookbackMs: 300_000,
    version: '1',
  });
  await http.listen({ host: '127.0.0.1', port: 0 });
  t.after(async () => {
    await http.close();
    await world[Symbol.asyncDispose]();
  });
  return { world, base: `http://127.0.0.1:${(http.server.address() as AddressInfo).port}` };
}

type Body = string | Uint8Array<ArrayBuffer>;
const send = async (url: string, body: Body, headers: Record<string, string> = {}): Promise<{ status: number; text: string }> => {
  const response = await fetch(url, { method: 'POST', body, headers: { authorization: 'Bearer x', ...headers } });
  return { status: response.status, text: await response.text() };
};

async function importAs({ base }: Setting, format: string, body: Body): Promise<ImportReport> {
  const { status, text } = await send(`${base}/api/import?format=${format}`, body);
  assert.equal(status, 200, text);
  return JSON.parse(text) as ImportReport;
}

test('OpenMetrics: good lines are kept, bad ones named by number; the same text again changes nothing; no rule is woken', async (t) => {
  const set = await setting(t);
  const text = [
    '# TYPE http_requests counter',
    `http_requests_total{code="200"} 1 ${OLD_S}.123`,
    `http_requests_total{code="200"} 2 ${OLD_S + 15}.1 # {trace_id="x"} 0.5`,
    `http_requests_created{code="200"} ${OLD_S} ${OLD_S}`,
    `http_requests_total{code="500",code="500"} 1 ${OLD_S}`,
    'http_requests_total{code="200"} 3',
    `temperature{a="\\"b\\n\\\\"} -0 ${OLD_S}\r`,
    `temperature{a="inf"} +Inf ${OLD_S}`,
    'what is this',
    `ancient 1 ${OLD_S - 86_400 * 300}`,
    '# EOF',
  ].join('\n');
  const report = await importAs(set, 'openmetrics', `${text}\n`);
  assert.deepEqual([report.lines, report.samples, report.stored, report.skipped.exemplars], [11, 6, 5, 1]);
  assert.deepEqual(report.refused_by, { too_old: 1 });
  assert.deepEqual(
    report.bad_lines_listed.map(({ line }) => line),
    [5, 6, 9],
  );
  assert.match(report.bad_lines_listed[0]?.reason ?? '', /"code" twice/);
  assert.match(report.bad_lines_listed[1]?.reason ?? '', /no timestamp/);
  assert.deepEqual(await set.world.samplesOf('http_requests_total'), [
    `http_requests_total{code="200"} 1@${OLD_MS + 123}`,
    `http_requests_total{code="200"} 2@${OLD_MS + 15_100}`,
  ]);
  assert.deepEqual(await set.world.samplesOf('temperature'), [
    `temperature{a="\\"b\\n\\\\"} ${-0}@${OLD_MS}`,
    `temperature{a="inf"} Infinity@${OLD_MS}`,
  ]);
  const again = await importAs(set, 'openmetrics', `${text}\n`);
  assert.deepEqual([again.stored, again.repeated, again.refused], [0, 5, 1]);
  assert.equal(set.world.committed.length, 0);
});

test('OpenMetrics without # EOF is kept and complained about; text behind it is not read', async (t) => {
  const set = await setting(t);
  const cut = await importAs(set, 'openmetrics', `a 1 ${OLD_S}\nb 1 ${OLD_S}`);
  assert.deepEqual([cut.stored, cut.bad_lines_listed], [2, [{ line: 3, reason: 'the text ends without # EOF; it may have been cut' }]]);
  const behind = await importAs(set, 'openmetrics', `c 1 ${OLD_S}\n# EOF\nd 1 ${OLD_S}\n`);
  assert.deepEqual([behind.stored, behind.bad_lines_listed], [1, [{ line: 3, reason: 'text after # EOF' }]]);
});

test("VictoriaMetrics' path answers 204 when all is stored, 400 with the lines that are not; what was good is kept", async (t) => {
  const set = await setting(t);
  const line = (name: string, value: string): string => `{"metric":{"__name__":"${name}"},"values":[${value}],"timestamps":[${OLD_MS}]}\n`;
  const gzipped = gzipSync(line('a', 'null') + line('b', '"-Infinity"'));
  assert.equal((await send(`${set.base}/api/v1/import`, new Uint8Array(gzipped), { 'content-encoding': 'gzip' })).status, 204);
  assert.deepEqual(await set.world.samplesOf('a'), [`a stale@${OLD_MS}`]);
  const mixed = await send(`${set.base}/api/v1/import`, `${line('c', '1')}{"metric":{}}\n\n${line('a', '2')}`);
  assert.equal(mixed.status, 400);
  assert.match(
    mixed.text,
    /^1 samples are stored, 1 were refused, 1 lines could not be read\nline 2: values: not a list\na at \d+: duplicate/,
  );
  assert.deepEqual(await set.world.samplesOf('c'), [`c 1@${OLD_MS}`]);
  assert.equal((await send(`${set.base}/api/v1/import`, 'x', { 'content-encoding': 'zstd' })).status, 415);
  const broken = await send(`${set.base}/api/v1/import`, new Uint8Array(gzipped.subarray(0, 40)), { 'content-encoding': 'gzip' });
  assert.deepEqual([broken.status, /broke off/.test(broken.text)], [400, true]);
});

test('a line of ten megabytes is read; one over the limit is left out and named, and those around it are kept', async (t) => {
  const set = await setting(t);
  const count = 500_000;
  const times = Array.from({ length: count }, (_, i) => OLD_MS + i * 100);
  const long = `{"metric":{"__name__":"long"},"values":[${times.map((_, i) => i * 1.25).join(',')}],"timestamps":[${times.join(',')}]}`;
  assert.ok(long.length > 10e6);
  const tooLong = `{"metric":{"__name__":"x","a":"${'y'.repeat(MAX_LINE_BYTES)}"},"values":[1],"timestamps":[${OLD_MS}]}`;
  const small = `{"metric":{"__name__":"small"},"values":[1],"timestamps":[${OLD_MS}]}`;
  const report = await importAs(set, 'vmjson', `${long}\n${tooLong}\n${small}`);
  assert.deepEqual([report.lines, report.stored, report.bad_lines], [3, count + 1, 1]);
  assert.match(report.bad_lines_listed[0]?.reason ?? '', /more than 16777216 bytes/);
});

test('remote-write frames keep every bit; a frame that is cut ends the import, and what came before is stored', async (t) => {
  const set = await setting(t);
  const stale = new Uint8Array([2, 0, 0, 0, 0, 0, 0xf0, 0x7f]);
  const latency = [1, 2].map((i) => ({ atMs: OLD_MS + i, histogram: counted(i) }));
  const frame = (name: string): Buffer => {
    const body = encodeSnappy(
      encodeWriteRequest([{ labels: [['__name__', name]], samples: [[OLD_MS, stale]], histograms: name === 'b' ? latency : [] }]),
    );
    const length = Buffer.alloc(4);
    length.writeUInt32LE(body.length);
    return Buffer.concat([length, body]);
  };
  const report = await importAs(set, 'remote-write', new Uint8Array(Buffer.concat([frame('a'), frame('b')])));
  assert.deepEqual([report.lines, report.stored, report.skipped.histograms], [2, 4, 0]);
  const [b] = [...(await set.world.store.select([mustMatcher('__name__', '=', 'b')], { fromMs: 0, toMs: OLD_MS + 10 }))];
  assert.deepEqual(
    b?.histograms?.map((histogram) => histogram?.count),
    [undefined, 5, 10],
  );
  assert.deepEqual(await set.world.samplesOf('a'), [`a stale@${OLD_MS}`]);
  const cut = await send(
    `${set.base}/api/import?format=remote-write`,
    new Uint8Array(Buffer.concat([frame('c'), frame('d').subarray(0, 9)])),
  );
  assert.equal(cut.status, 400);
  assert.match(cut.text, /1 samples before that are stored/);
  assert.equal((await set.world.samplesOf('c')).length, 1);
});

test('an import that is torn off keeps what it read, and a third one at a time is asked to come back', async (t) => {
  const set = await setting(t);
  const open = (): ReturnType<typeof request> => {
    const sending = request(`${set.base}/api/import?format=vmjson`, { method: 'POST', headers: { authorization: 'Bearer x' } });
    sending.on('error', () => undefined);
    return sending;
  };
  const [first, second] = [open(), open()];
  first.write(`{"metric":{"__name__":"torn"},"values":[1],"timestamps":[${OLD_MS}]}\n{"metric":`);
  second.write('\n');
  await poll('two imports under way', async () => (await send(`${set.base}/api/v1/import`, '')).status === 429);
  first.destroy();
  await poll('the line before the tear', async () => (await set.world.samplesOf('torn')).length === 1);
  const answered = once(second, 'response');
  second.end();
  await answered;
  await poll('room again', async () => (await send(`${set.base}/api/v1/import`, '')).status === 204);
});

test('what is exported is imported bit by bit, in lines of bounded length, each series once', async (t) => {
  const [from, to] = [await setting(t), await setting(t)];
  const values = Array.from({ length: 25_000 }, (_, i) => (i % 1000 === 7 ? 'null' : String(Math.sin(i) * 1e-7)));
  const timestamps = values.map((_, i) => OLD_MS + i * 1000);
  const special = `{"metric":{"__name__":"s","job":"a"},"values":[-0,null,"Infinity",5e-324],"timestamps":[${OLD_MS},${OLD_MS + 1},${OLD_MS + 2},${OLD_MS + 3}]}`;
  await importAs(
    from,
    'vmjson',
    `{"metric":{"__name__":"r","job":"a"},"values":[${values.join(',')}],"timestamps":[${timestamps.join(',')}]}\n${special}\n`,
  );
  await from.world.ingest.appendSamples([{ labels: ['__name__', 's', 'job', 'live'], atMs: epochMs(realClock.now()), value: 1 }]);
  const response = await fetch(`${from.base}/api/v1/export?match[]={job="a"}&match[]=s`);
  assert.equal(response.status, 200);
  const text = await response.text();
  const lines = text.trimEnd().split('\n');
  assert.equal(lines.length, 5);
  const report = await importAs(to, 'vmjson', text);
  assert.deepEqual([report.stored, report.bad_lines], [25_005, 0]);
  for (const name of ['r', 's']) assert.deepEqual(await to.world.samplesOf(name), await from.world.samplesOf(name));
  const part = await fetch(`${from.base}/api/v1/export?match[]=s&start=${OLD_S}&end=${OLD_S}.001&max_rows_per_line=1`);
  assert.equal((await part.text()).trimEnd().split('\n').length, 2);
  assert.equal((await fetch(`${from.base}/api/v1/export`)).status, 400);
  assert.equal((await fetch(`${from.base}/api/v1/export?match[]=s&max_rows_per_line=0`)).status, 400);
});
