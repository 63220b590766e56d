/**
 * A million rows as files: `node bench/exports.ts [--series 1000] [--samples 1000] [--rows 1000000] [--only nines,prometheus,victoriametrics]`.
 * Samples through every export of samples and one range query, the ledger's intervals as CSV and JSON lines; the same samples out of
 * Prometheus' range query and VictoriaMetrics' export. Prints the time, the server's processor time, rows a second, and by how much its
 * private memory rose at most. Needs `apt-get install prometheus victoria-metrics` and a build.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { type IncomingMessage, get } from 'node:http';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openDb } from '@nines/server/platform/db/open.ts';
import { STATE_FILE } from '@nines/server/platform/directory.ts';
import { startNines } from '../test/harness/nines.ts';
import { startPrometheus } from '../test/harness/prometheus.ts';
import { WRITE_HEADERS } from '../test/harness/remote-write.ts';
import { startVictoriaMetrics } from '../test/harness/victoria-metrics.ts';
import { labelBytes, snappy, timeSeries } from './remote-write.mjs';

const { values: flags } = parseArgs({
  options: {
    series: { type: 'string', default: '1000' },
    samples: { type: 'string', default: '1000' },
    rows: { type: 'string', default: '1000000' },
    only: { type: 'string', default: 'nines,prometheus,victoriametrics' },
  },
});
const [series, samples, rows] = [Number(flags.series), Number(flags.samples), Number(flags.rows)];
const only = new Set(flags.only.split(','));
const STEP_MS = 15_000;
const endMs = Math.floor(Date.now() / STEP_MS) * STEP_MS;
const startMs = endMs - (samples - 1) * STEP_MS;
const SAMPLE_MS = 20;
/** Samples of each series in a request. */
const AT_ONCE = 10;
const NEWLINE = 10;

/** Of all processes those whose command line names the address. */
function processOf(base: string): number {
  const { host } = new URL(base);
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid) || pid === String(process.pid)) continue;
    try {
      if (readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(host)) return Number(pid);
    } catch {
      // It ended meanwhile.
    }
  }
  throw new Error(`no process listens on ${host}`);
}

/** Processor time in seconds and private resident memory in megabytes: pages of files that are mapped cost nobody anything. */
function costOf(pid: number): { readonly cpu: number; readonly rss: number } {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  const rss = /RssAnon:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0';
  return { cpu: (Number(fields[11]) + Number(fields[12])) / 100, rss: Number(rss) / 1024 };
}

/** Reads an answer to its end; `lines` are its newlines, `commas` what a JSON of values is counted by. */
const read = (url: string): Promise<{ readonly status: number; readonly bytes: number; readonly lines: number }> =>
  new Promise((resolve, reject) => {
    get(url, (answer: IncomingMessage) => {
      let [bytes, lines] = [0, 0];
      answer.on('data', (piece: Buffer) => {
        bytes += piece.length;
        for (let at = piece.indexOf(NEWLINE); at >= 0; at = piece.indexOf(NEWLINE, at + 1)) lines++;
      });
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, bytes, lines }));
      answer.on('error', reject);
    }).on('error', reject);
  });

async function measure(name: string, base: string, path: string, count: number): Promise<void> {
  const pid = processOf(base);
  const before = costOf(pid);
  let most = before.rss;
  const watch = setInterval(() => (most = Math.max(most, costOf(pid).rss)), SAMPLE_MS);
  const began = performance.now();
  const { status, bytes, lines } = await read(base + path);
  const seconds = (performance.now() - began) / 1000;
  clearInterval(watch);
  const cpu = costOf(pid).cpu - before.cpu;
  if (status !== 200) throw new Error(`${name}: ${status}`);
  console.log(
    `${name}: ${seconds.toFixed(2)} s, ${cpu.toFixed(2)} CPU s, ${Math.round(count / seconds / 1000)} k rows/s, ${(bytes / 1e6).toFixed(1)} MB in ${lines} lines, memory ${Math.round(before.rss)} MB and ${Math.round(most - before.rss)} MB more`,
  );
}

async function load(url: string): Promise<void> {
  const labels = Array.from({ length: series }, (_, i) => labelBytes({ __name__: 'export_bench', job: 'bench', instance: `host-${i}` }));
  const valueOf = (s: number, i: number): number => Math.round(1e6 * Math.sin(s + i / 50)) / 1e3;
  for (let from = 0; from < samples; from += AT_ONCE) {
    const steps = Array.from({ length: Math.min(AT_ONCE, samples - from) }, (_, i) => from + i);
    const written = labels.flatMap((one, s) => steps.map((i) => timeSeries(one, valueOf(s, i), startMs + i * STEP_MS)));
    const body = snappy(Buffer.concat(written));
    const answer = await fetch(url, { method: 'POST', headers: WRITE_HEADERS, body: new Uint8Array(body) });
    if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
  }
}

const QUERY = `query=export_bench&start=${startMs / 1000}&end=${endMs / 1000}&step=${STEP_MS / 1000}`;
const MATCH = `match%5B%5D=export_bench`;
const SPAN = `from=${new Date(startMs).toISOString()}&to=${new Date(endMs).toISOString()}`;
const CONFIG = `collect: { host: { interval: 5m } }
services:
  - { id: shop, name: Shop, checks: [{ id: shop-tcp, kind: tcp, address: '127.0.0.1:1', interval: 10m }] }
`;
const CHANGE_MS = 20_000;

/** A service that changed its state every 20 s until an hour ago. */
async function fillLedger(path: string, fromMs: number): Promise<void> {
  const db = await openDb({ kind: 'sqlite', path });
  const MANY = 500;
  await db.kysely.transaction().execute(async (trx) => {
    for (let from = 0; from < rows; from += MANY) {
      const some = Array.from({ length: Math.min(MANY, rows - from) }, (_, i) => {
        const atMs = fromMs + (from + i) * CHANGE_MS;
        const isUp = (from + i) % 2 === 0;
        const evidence = JSON.stringify(isUp ? [] : [{ check: 'shop-tcp', atMs, detail: 'connect ECONNREFUSED 127.0.0.1:1' }]);
        const state = { state: isUp ? 'up' : 'down', unknown_reason: null, low_ms: atMs - 1_000, high_ms: atMs, evidence };
        const kept = { recorded_at_ms: atMs, superseded_at_ms: null };
        return { id: `bench-${from + i}`, subject_kind: 'service', subject: 'shop', at_ms: atMs, ...state, ...kept };
      });
      await trx.insertInto('ledger_transitions').values(some).execute();
    }
  });
  await db.close();
}

async function ofNines(): Promise<void> {
  await using nines = await startNines({ config: CONFIG });
  await load(`${nines.base}/api/v1/write`);
  for (const format of ['csv', 'json', 'prometheus', 'openmetrics'])
    await measure(`nines export ${format}`, nines.base, `/api/export?format=${format}&${MATCH}&${SPAN}`, series * samples);
  await measure('nines lines of VictoriaMetrics', nines.base, `/api/v1/export?${MATCH}&start=${startMs / 1000}`, series * samples);
  await measure('nines range query', nines.base, `/api/v1/query_range?${QUERY}&nocache=1`, series * samples);
  await nines.stop();
  const fromMs = endMs - 3_600_000 - rows * CHANGE_MS;
  await fillLedger(join(nines.dataDir, STATE_FILE), fromMs);
  await using again = await startNines({ folder: nines.folder, config: CONFIG });
  const from = new Date(fromMs).toISOString();
  for (const format of ['csv', 'jsonl'])
    await measure(`nines ledger ${format}`, again.base, `/api/exports/intervals?service=shop&format=${format}&from=${from}`, rows);
}

async function ofPrometheus(): Promise<void> {
  await using prometheus = await startPrometheus({ args: ['--log.level=error'] });
  await load(`${prometheus.base}/api/v1/write`);
  await measure('prometheus range query', prometheus.base, `/api/v1/query_range?${QUERY}`, series * samples);
}

async function ofVictoriaMetrics(): Promise<void> {
  await using victoria = await startVictoriaMetrics();
  await load(`${victoria.base}/api/v1/write`);
  // It shows what it was given a moment ago when its buffers are told to.
  await fetch(`${victoria.base}/internal/force_flush`);
  const span = `start=${startMs / 1000}&end=${endMs / 1000}`;
  await measure('victoriametrics export', victoria.base, `/api/v1/export?${MATCH}&${span}`, series * samples);
  await measure('victoriametrics range query', victoria.base, `/api/v1/query_range?${QUERY}&nocache=1`, series * samples);
}

if (only.has('nines')) await ofNines();
if (only.has('prometheus')) await ofPrometheus();
if (only.has('victoriametrics')) await ofVictoriaMetrics();
