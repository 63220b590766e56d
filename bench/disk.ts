/**
 * Bytes on disk per sample, index included, of the same real scrapes in Nines, VictoriaMetrics and Prometheus.
 *   node bench/disk.ts record DIR [--minutes 60] [--interval 2]   scrapes Debian's node exporter, Prometheus and Alertmanager
 *   node bench/disk.ts compare DIR [--every 1] [--only nines,victoria,prometheus] [--keep DIR]
 * --every 7 of a recording at 2 s stands for one at 14 s. Each store is brought to rest before it is measured: Nines flushed and joined,
 * VictoriaMetrics flushed, merged and stopped (data and indexdb, not its caches), Prometheus as the blocks of a snapshot.
 * Needs Debian's packages prometheus, prometheus-node-exporter, prometheus-alertmanager and victoria-metrics.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { epochMs } from '../packages/base/src/units.ts';
import type { WriteBatch } from '../packages/model/src/storage.ts';
import { openStore } from '../packages/tsdb/src/store.ts';
import { record, replay } from './recording.ts';
import { snappy, timeSeries } from './remote-write.mjs';

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    minutes: { type: 'string', default: '60' },
    interval: { type: 'string', default: '2' },
    every: { type: 'string', default: '1' },
    only: { type: 'string', default: 'nines,victoria,prometheus' },
    keep: { type: 'string' },
  },
});
const PORTS = { prometheus: 39_301, node: 39_302, alertmanager: 39_303, victoria: 39_304, peer: 39_305 } as const;
const intervalMs = Number(flags.interval) * 1000;
const scratch = flags.keep ?? fs.mkdtempSync(path.join(os.tmpdir(), 'nines-disk-'));
fs.mkdirSync(scratch, { recursive: true });

const bytesBelow = (dir: string): number =>
  fs
    .readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + fs.statSync(path.join(entry.parentPath, entry.name)).size, 0);

/** Runs a program until `run` is through, then ends it and waits. */
async function withProgram(command: readonly string[], ready: string, run: (child: ChildProcess) => Promise<void>): Promise<void> {
  const [name = '', ...args] = command;
  const log = fs.openSync(path.join(scratch, `${path.basename(name)}.log`), 'w');
  const child = spawn(name, args, { stdio: ['ignore', log, log] });
  const exited = once(child, 'exit');
  try {
    await untilReady(ready);
    await run(child);
  } finally {
    child.kill('SIGTERM');
    await exited;
  }
}

async function untilReady(url: string): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    // Refused until it listens.
    const answer = await fetch(url).catch(() => undefined);
    if (answer?.ok === true) return;
    await sleep(100);
  }
  throw new Error(`${url} does not answer; see the logs in ${scratch}`);
}

async function recordAll(dir: string): Promise<void> {
  const at = (job: keyof typeof PORTS): string => `127.0.0.1:${PORTS[job]}`;
  const jobs = ['prometheus', 'node', 'alertmanager'] as const;
  const config = jobs.map((job) => `  - {job_name: ${job}, static_configs: [{targets: ['${at(job)}']}]}`).join('\n');
  const file = (name: string, text: string): string => {
    fs.writeFileSync(path.join(scratch, name), text);
    return path.join(scratch, name);
  };
  const prometheus = file('prometheus.yml', `global: {scrape_interval: 15s}\nscrape_configs:\n${config}\n`);
  const alertmanager = file('alertmanager.yml', 'route: {receiver: none}\nreceivers: [{name: none}]\n');
  const listen = (job: keyof typeof PORTS): string => `--web.listen-address=${at(job)}`;
  const commands = {
    prometheus: ['prometheus', `--config.file=${prometheus}`, `--storage.tsdb.path=${scratch}/own`, listen('prometheus')],
    node: ['prometheus-node-exporter', listen('node')],
    alertmanager: [
      'prometheus-alertmanager',
      `--config.file=${alertmanager}`,
      `--storage.path=${scratch}/alerts`,
      '--cluster.listen-address=',
      listen('alertmanager'),
    ],
  };
  const targets = jobs.map((job) => ({ job, url: `http://${at(job)}/metrics` }));
  const run = jobs.reduceRight<() => Promise<void>>(
    (inner, job) => () => withProgram(commands[job], `http://${at(job)}/metrics`, inner),
    () => record(dir, { targets, intervalMs, signal: AbortSignal.timeout(Number(flags.minutes) * 60_000) }),
  );
  await run();
}

type Measured = { readonly samples: number; readonly bytes: number; readonly parts: Readonly<Record<string, number>> };

async function nines(recording: string, dir: string): Promise<Measured> {
  const silent = { debug: () => {}, info: () => {}, warn: console.warn, error: console.error, child: () => silent };
  const store = await openStore({ dir, retentionMs: 3650 * 86_400_000, durability: 'async', logger: silent });
  let samples = 0;
  let newestMs = 0;
  await replay(recording, { every: Number(flags.every), intervalMs }, async (batch, atMs) => {
    const outcome = await store.append(batch.batch(), epochMs(atMs));
    if (outcome.refusedCount > 0) throw new Error(JSON.stringify(outcome.refused[0]));
    samples += outcome.accepted;
    newestMs = atMs;
  });
  await store.flush(epochMs(newestMs), { all: true });
  await store.compact(epochMs(newestMs + 2 * 7_200_000));
  const { pages, pageBytes } = store.stats();
  await store.close();
  return { samples, bytes: bytesBelow(dir), parts: { pages, 'bytes on pages': pageBytes } };
}

/** The batch as a remote-write request. */
function requestOf(batch: WriteBatch): Buffer {
  const parts: Buffer[] = [];
  for (let i = 0; i < batch.seriesCount; i++) {
    const labels = Buffer.from(batch.bytes.subarray(batch.labelsFrom[i], batch.labelsTo[i]));
    const at = batch.samplesFrom[i] ?? 0;
    parts.push(timeSeries(labels, batch.values[at] ?? 0, batch.times[at] ?? 0));
  }
  return snappy(Buffer.concat(parts));
}

async function sendAll(recording: string, port: number): Promise<number> {
  let samples = 0;
  await replay(recording, { every: Number(flags.every), intervalMs }, async (batch) => {
    const headers = {
      'content-type': 'application/x-protobuf',
      'content-encoding': 'snappy',
      'x-prometheus-remote-write-version': '0.1.0',
    };
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1/write`, {
      method: 'POST',
      headers,
      body: Buffer.from(requestOf(batch.batch())),
    });
    if (!answer.ok) throw new Error(`${answer.status}: ${await answer.text()}`);
    samples += batch.seriesCount;
  });
  return samples;
}

async function victoria(recording: string, dir: string): Promise<Measured> {
  const base = `http://127.0.0.1:${PORTS.victoria}`;
  const command = ['victoria-metrics', `-storageDataPath=${dir}`, `-httpListenAddr=127.0.0.1:${PORTS.victoria}`, '-retentionPeriod=10y'];
  let samples = 0;
  await withProgram(command, `${base}/health`, async () => {
    samples = await sendAll(recording, PORTS.victoria);
    for (const action of ['force_flush', 'force_merge', 'force_merge']) {
      await fetch(`${base}/internal/${action}`);
      await sleep(4000);
    }
  });
  const parts = { data: bytesBelow(path.join(dir, 'data')), index: bytesBelow(path.join(dir, 'indexdb')) };
  return { samples, bytes: parts.data + parts.index, parts };
}

async function prometheus(recording: string, dir: string): Promise<Measured> {
  const base = `http://127.0.0.1:${PORTS.peer}`;
  const config = path.join(scratch, 'peer.yml');
  fs.writeFileSync(config, 'global: {scrape_interval: 1h}\n');
  const command = [
    'prometheus',
    `--config.file=${config}`,
    `--storage.tsdb.path=${dir}`,
    `--web.listen-address=127.0.0.1:${PORTS.peer}`,
    '--web.enable-remote-write-receiver',
    '--web.enable-admin-api',
  ];
  let samples = 0;
  await withProgram(command, `${base}/-/ready`, async () => {
    samples = await sendAll(recording, PORTS.peer);
    const answer = await fetch(`${base}/api/v1/admin/tsdb/snapshot`, { method: 'POST' });
    if (!answer.ok) throw new Error(`snapshot: ${answer.status} ${await answer.text()}`);
  });
  return { samples, bytes: bytesBelow(path.join(dir, 'snapshots')), parts: {} };
}

async function compareAll(recording: string): Promise<void> {
  const peers = { nines, victoria, prometheus };
  const results = new Map<string, Measured>();
  for (const [name, measure] of Object.entries(peers)) {
    if (!flags.only.split(',').includes(name)) continue;
    const dir = path.join(scratch, name);
    fs.rmSync(dir, { recursive: true, force: true });
    fs.mkdirSync(dir);
    const result = await measure(recording, dir);
    results.set(name, result);
    console.log(`${name.padEnd(12)} ${(result.bytes / result.samples).toFixed(4)} B/sample  ${result.bytes} B`, result.parts);
  }
  const counts = new Set([...results.values()].map(({ samples }) => samples));
  console.log(`${[...counts].join(', ')} samples`);
  if (counts.size > 1) throw new Error('the stores did not get the same samples');
  const own = results.get('nines');
  for (const [name, { bytes }] of results)
    if (own !== undefined && name !== 'nines') console.log(`nines / ${name}: ${(own.bytes / bytes).toFixed(3)}`);
}

const [action, recording] = positionals;
try {
  if (recording === undefined || (action !== 'record' && action !== 'compare'))
    throw new Error('record DIR or compare DIR; see the head of bench/disk.ts');
  await (action === 'record' ? recordAll(recording) : compareAll(recording));
} finally {
  if (flags.keep === undefined) fs.rmSync(scratch, { recursive: true, force: true });
}
