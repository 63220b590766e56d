import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { mustMatcher } from '@nines/base/matcher.ts';
import type { Histogram } from '@nines/model/histogram.ts';
import { encodeSnappy } from '@nines/model/snappy.ts';
import { counted } from '@nines/model/testing/histograms.ts';
import { type WireSeries, encodeWriteRequest } from '@nines/model/testing/remote-write-encoder.ts';
import { bitsOf, isStale } from '@nines/model/stale.ts';
import { parseVmLine } from '@nines/model/vm-lines.ts';
import { openStore } from '@nines/tsdb/store.ts';
import { DAY, type Contents, STALE_BITS, bitsOfNumber, collectingLogger, contentsOf, keyOf } from '@nines/tsdb/testing/samples.ts';
import { NINES, type Nines, startNines } from '../harness/nines.ts';
import { poll } from '../harness/poll.ts';
import { type Prometheus, startPrometheus } from '../harness/prometheus.ts';
import { startVictoriaMetrics } from '../harness/victoria-metrics.ts';

const NOW_MS = Math.floor(Date.now() / 1000) * 1000;
// The seventh sample, a marker, is at midnight in UTC: Debian's VictoriaMetrics writes one that opens a day's answer in a way of its own.
const START_MS = Math.floor(NOW_MS / DAY) * DAY - 3 * DAY - 6 * 60_000;
const STEP_MS = 60_000;
const COUNT = 2 * 1440;

/** Values as 64 bits of every kind there is: counters, decimals, noise, signs of zero, infinities, markers, NaNs with a payload. */
function bitsAt(kind: number, i: number): bigint {
  if (kind === 0) return bitsOfNumber(i * 7);
  if (kind === 1) return bitsOfNumber(Math.round(Math.sin(i) * 1000) / 100);
  if (kind === 2) return bitsOfNumber(Math.sin(i) * 1e-9);
  const special = [-0, 0, Infinity, -Infinity, 5e-324, Number.MAX_VALUE].map(bitsOfNumber);
  return [...special, STALE_BITS, 0x7ff8000000000001n, 0x7ff8000000abcdefn][i % 9] ?? 0n;
}
const seriesOf = (kind: number): Record<string, string> => ({ __name__: `kind_${kind}_total`, job: 'old', path: `/a"b\\c\n${kind}` });

function bytesOf(bits: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, bits, true);
  return bytes;
}

const wanted = (): Contents =>
  new Map(
    [0, 1, 2, 3].map((kind) => [
      keyOf(seriesOf(kind)),
      new Map(Array.from({ length: COUNT }, (_, i) => [START_MS + i * STEP_MS, bitsAt(kind, i)])),
    ]),
  );

async function fill(base: string): Promise<void> {
  for (let from = 0; from < COUNT; from += 500) {
    const body = encodeWriteRequest(
      [0, 1, 2, 3].map(
        (kind): WireSeries => ({
          labels: Object.entries(seriesOf(kind)).sort(([a], [b]) => (a < b ? -1 : 1)),
          samples: Array.from({ length: Math.min(500, COUNT - from) }, (_, i) => [
            START_MS + (from + i) * STEP_MS,
            bytesOf(bitsAt(kind, from + i)),
          ]),
        }),
      ),
    );
    const response = await fetch(`${base}/api/v1/write`, {
      method: 'POST',
      body: new Uint8Array(encodeSnappy(body)),
      headers: { 'content-encoding': 'snappy', 'content-type': 'application/x-protobuf' },
    });
    assert.ok(response.ok, await response.text());
  }
}

type Ended = { readonly code: number | null; readonly err: string };

async function importWith(nines: Nines, args: readonly string[], input?: Uint8Array): Promise<Ended> {
  const child = spawn(NINES, ['--url', nines.base, 'import', ...args], {
    stdio: [input === undefined ? 'ignore' : 'pipe', 'ignore', 'pipe'],
  });
  let err = '';
  child.stderr?.on('data', (chunk) => (err += String(chunk)));
  if (input !== undefined) child.stdin?.end(input);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, err };
}

/** What the store holds of the imported series, read after the server has ended. */
async function storedBy(nines: Nines): Promise<Contents> {
  assert.equal(await nines.stop(), 0);
  const store = await openStore({ dir: join(nines.dataDir, 'tsdb'), retentionMs: 30 * DAY, logger: collectingLogger() });
  const contents = await contentsOf(store);
  assert.equal(store.stats().damage.corruptPages, 0);
  await store.close();
  return new Map([...contents].filter(([key]) => key.includes('kind_')));
}

async function start(t: TestContext): Promise<Nines> {
  const nines = await startNines({ config: 'collect: { host: { enabled: false } }\n' });
  t.after(() => nines[Symbol.asyncDispose]());
  return nines;
}

async function prometheusWithBlocks(t: TestContext): Promise<{ readonly prometheus: Prometheus; readonly snapshot: string }> {
  const prometheus = await startPrometheus({
    config: 'global: { scrape_interval: 1h, external_labels: { replica: r } }\nstorage: { tsdb: { out_of_order_time_window: 10d } }\n',
    args: ['--web.enable-admin-api'],
  });
  t.after(() => prometheus[Symbol.asyncDispose]());
  await fill(prometheus.base);
  const response = await fetch(`${prometheus.base}/api/v1/admin/tsdb/snapshot`, { method: 'POST' });
  const { data } = (await response.json()) as { readonly data: { readonly name: string } };
  return { prometheus, snapshot: join(prometheus.dataDir, 'snapshots', data.name) };
}

test('blocks of a real Prometheus arrive bit by bit; once more changes nothing; deleted samples stay deleted', async (t) => {
  const [nines, { snapshot }] = await Promise.all([start(t), prometheusWithBlocks(t)]);
  const first = await importWith(nines, ['prometheus', snapshot]);
  assert.deepEqual([first.code, first.err], [0, `${snapshot}: ${4 * COUNT} samples, ${4 * COUNT} stored, 0 there already, 0 refused\n`]);
  const again = await importWith(nines, ['prometheus', snapshot, '--match', '{__name__=~"kind_[01]_total"}']);
  assert.match(again.err, new RegExp(`${2 * COUNT} samples, 0 stored, ${2 * COUNT} there already`));
  assert.deepEqual(await storedBy(nines), wanted());

  // What was deleted and not yet cleaned away stands in the tombstones of a block.
  const second = await startPrometheus({ dataDir: snapshot, args: ['--web.enable-admin-api'] });
  t.after(() => second[Symbol.asyncDispose]());
  const gone = `match[]=kind_0_total&start=${START_MS / 1000}&end=${START_MS / 1000 + 600}`;
  assert.equal((await fetch(`${second.base}/api/v1/admin/tsdb/delete_series?${gone}`, { method: 'POST' })).status, 204);
  await second.stop();
  const other = await start(t);
  const rest = await importWith(other, ['prometheus', snapshot]);
  assert.equal(rest.code, 0, rest.err);
  const want = wanted();
  for (let i = 0; i <= 10; i++) want.get(keyOf(seriesOf(0)))?.delete(START_MS + i * STEP_MS);
  assert.deepEqual(await storedBy(other), want);
});

test('remote read from a running Prometheus arrives bit by bit, within --from and --to', async (t) => {
  const [nines, { prometheus }] = await Promise.all([start(t), prometheusWithBlocks(t)]);
  const from = new Date(START_MS + 100 * STEP_MS).toISOString();
  const to = new Date(START_MS + 500 * STEP_MS).toISOString();
  const part = await importWith(nines, ['prometheus', prometheus.base, '--from', from, '--to', to, '--match', 'kind_3_total']);
  assert.match(part.err, /401 samples, 401 stored/);
  const whole = await importWith(nines, ['prometheus', prometheus.base, '--from', 'now-5d', '--match', '{job="old"}']);
  // The external label of the other side comes along, so both are the same series.
  assert.match(whole.err, new RegExp(`${4 * COUNT} samples, ${4 * COUNT - 401} stored, 401 there already, 0 refused`));
  const stored = [...(await storedBy(nines))].map(
    ([key, held]) => [key.replace('replica\u0000r', '').replaceAll('\u0000\u0000', '\u0000'), held] as const,
  );
  const want = [...wanted()].map(([key, held]) => [key, held] as const);
  assert.deepEqual(new Map(stored.map(([, held], i) => [i, held])), new Map(want.map(([, held], i) => [i, held])));
});

test("VictoriaMetrics' export arrives from its URL and from a compressed file; ours goes back into it", async (t) => {
  const [nines, vm] = await Promise.all([start(t), startVictoriaMetrics()]);
  t.after(() => vm[Symbol.asyncDispose]());
  await fill(vm.base);
  await fetch(`${vm.base}/internal/force_flush`);
  await poll('VictoriaMetrics to show all series', async () => (await exported(vm.base, 'kind_2_total')).length === COUNT);
  const first = await importWith(nines, ['victoriametrics', vm.base, '--from', 'now-5d', '--match', '{job="old"}']);
  assert.equal(first.code, 0, first.err);
  for (const kind of [0, 1, 2, 3])
    assert.deepEqual(await exported(nines.base, `kind_${kind}_total`), await exported(vm.base, `kind_${kind}_total`));
  const text = await (await fetch(`${nines.base}/api/v1/export?match[]={job="old"}`)).arrayBuffer();
  const again = await importWith(nines, ['victoriametrics', '-'], gzipSync(new Uint8Array(text)));
  assert.equal(again.code, 0, again.err);
  assert.match(again.err, /standard input: \d+ samples, 0 stored/);
  const empty = await startVictoriaMetrics();
  t.after(() => empty[Symbol.asyncDispose]());
  // Debian's version cannot read markers and infinities, its own included, and rounds long fractions once more, so it gets the rest.
  const finite = await (await fetch(`${nines.base}/api/v1/export?match[]={__name__=~"kind_[01]_total"}`)).text();
  assert.equal((await fetch(`${empty.base}/api/v1/import`, { method: 'POST', body: finite })).status, 204);
  await fetch(`${empty.base}/internal/force_flush`);
  await poll('the samples over there', async () => (await exported(empty.base, 'kind_1_total')).length === COUNT);
  for (const kind of [0, 1])
    assert.deepEqual(await exported(empty.base, `kind_${kind}_total`), await exported(vm.base, `kind_${kind}_total`));
});

/** Samples of a metric as an export shows them, in order of time. */
async function exported(base: string, metric: string): Promise<readonly (readonly [number, string])[]> {
  const text = await (await fetch(`${base}/api/v1/export?match[]=${metric}&start=${START_MS / 1000 - 1}&end=${NOW_MS / 1000}`)).text();
  const lines = text.split('\n').filter((line) => line !== '');
  return lines
    .flatMap((line) => {
      const read = parseVmLine(line);
      if (!read.ok) throw new Error(`${base}: ${read.error}: ${line}`);
      const { times, values } = read.value;
      return Array.from(times, (time, i) => [time, isStale(bitsOf(values), i) ? 'stale' : String(values[i])] as const);
    })
    .sort(([a], [b]) => a - b);
}

test('an import that is killed in the middle is finished by running it again', async (t) => {
  const nines = await start(t);
  const folder = mkdtempSync(join(tmpdir(), 'nines-import-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'old.om');
  const lines: string[] = [];
  for (let series = 0; series < 50; series++)
    for (let i = 0; i < 4_000; i++) lines.push(`kind_total{n="${series}"} ${i * series} ${(START_MS + i * STEP_MS) / 1000}`);
  writeFileSync(file, `# TYPE kind counter\n${lines.join('\n')}\n# EOF\n`);
  const child = spawn(NINES, ['--url', nines.base, 'import', 'openmetrics', file], { stdio: 'ignore' });
  const metric = async (): Promise<string> =>
    (await (await fetch(`${nines.base}/metrics`)).text()).match(/nines_imports_running (\d)/)?.[1] ?? '';
  await poll('the import to run', async () => (await metric()) === '1');
  child.kill('SIGKILL');
  await once(child, 'exit');
  await poll('the import to end', async () => (await metric()) === '0');
  await nines.kill();
  const restarted = await startNines({ folder: nines.folder, port: nines.port });
  t.after(() => restarted[Symbol.asyncDispose]());
  const again = await importWith(restarted, ['openmetrics', file]);
  assert.equal(again.code, 0, again.err);
  const held = await storedBy(restarted);
  assert.deepEqual([held.size, ...new Set([...held.values()].map((samples) => samples.size))], [50, 4_000]);
});

test('what cannot be imported is a sentence and an exit code', async (t) => {
  const nines = await start(t);
  const folder = mkdtempSync(join(tmpdir(), 'nines-import-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const ends = async (args: readonly string[], input?: Uint8Array): Promise<readonly [number | null, string]> => {
    const { code, err } = await importWith(nines, args, input);
    return [code, err];
  };
  assert.deepEqual(await ends(['prometheus', folder]), [2, `${folder} holds no blocks of Prometheus\n`]);
  assert.deepEqual(await ends(['openmetrics', join(folder, 'none')]), [3, `there is no file ${join(folder, 'none')}\n`]);
  assert.deepEqual(await ends(['openmetrics', folder]), [2, `${folder} is a directory; name the files in it\n`]);
  const backwards = ['--from', '2026-01-02T00:00:00Z', '--to', '2026-01-01T00:00:00Z'];
  const [refused, reason] = await ends(['prometheus', 'http://127.0.0.1:9', ...backwards]);
  assert.equal(refused, 2);
  assert.match(reason, /^--from lies after --to/);
  assert.match((await ends(['prometheus', 'http://127.0.0.1:9', '--match', 'sum(up)']))[1], /--match: "sum\(up\)" is no series selector/);
  assert.match((await ends(['prometheus', 'http://127.0.0.1:9']))[1], /no answer from http:\/\/127\.0\.0\.1:9/);
  const [code, err] = await ends(['openmetrics', '-'], new TextEncoder().encode(`a 1 ${START_MS / 1000}\nwhat\n`));
  assert.equal(code, 1);
  assert.match(err, /2 lines could not be read:\n {2}line 2: /);
});

test('native histograms of a real Prometheus arrive from its blocks and by remote read', async (t) => {
  const prometheus = await startPrometheus({ args: ['--web.enable-admin-api', '--enable-feature=native-histograms'] });
  t.after(() => prometheus[Symbol.asyncDispose]());
  const firstMs = NOW_MS - 200 * STEP_MS;
  // The counters fall back on the way; floats have chunks of another kind.
  const integers = Array.from({ length: 150 }, (_, i) => ({ atMs: firstMs + i * STEP_MS, histogram: counted(1 + (i % 100)) }));
  const floats = integers.map((sample) => ({ ...sample, doubles: true }));
  const body = encodeWriteRequest([
    { labels: [['__name__', 'kind_floats']], samples: [], histograms: floats },
    { labels: [['__name__', 'kind_integers']], samples: [], histograms: integers },
  ]);
  const response = await fetch(`${prometheus.base}/api/v1/write`, {
    method: 'POST',
    body: new Uint8Array(encodeSnappy(body)),
    headers: { 'content-encoding': 'snappy', 'content-type': 'application/x-protobuf' },
  });
  assert.ok(response.ok, await response.text());
  const snapshot = (await (await fetch(`${prometheus.base}/api/v1/admin/tsdb/snapshot`, { method: 'POST' })).json()) as {
    readonly data: { readonly name: string };
  };
  const places = [join(prometheus.dataDir, 'snapshots', snapshot.data.name), prometheus.base];
  for (const place of places) {
    const nines = await start(t);
    const { code, err } = await importWith(nines, ['prometheus', place, '--match', '{__name__=~"kind_.*"}']);
    assert.equal(code, 0, err);
    assert.match(err, /300 samples, 300 stored/);
    assert.equal(await nines.stop(), 0);
    const store = await openStore({ dir: join(nines.dataDir, 'tsdb'), retentionMs: 30 * DAY, logger: collectingLogger() });
    for (const name of ['kind_integers', 'kind_floats']) {
      const [series] = [...(await store.select([mustMatcher('__name__', '=', name)], { fromMs: 0, toMs: NOW_MS }))];
      assert.deepEqual(
        [...(series?.times ?? [])],
        integers.map(({ atMs }) => atMs),
      );
      const plain = (h: Histogram | undefined) => ({ ...h, hint: 'unknown' });
      assert.deepEqual(
        series?.histograms?.map(plain),
        integers.map(({ histogram }) => plain(histogram)),
        `${name} from ${place}`,
      );
    }
    await store.close();
  }
});
