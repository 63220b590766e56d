/**
 * The store by itself: batches built beforehand, appended in process, then replayed, flushed and read.
 *   node bench/tsdb.ts [--series 20000] [--scrapes 60] [--batch 2000] [--durability sync] [--shuffle] [--jitter 0] [--encrypted]
 * Figures are per CPU second of this process, so the disk's wait does not count but its system calls do.
 */
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { mustMatcher } from '../packages/base/src/matcher.ts';
import { epochMs } from '../packages/base/src/units.ts';
import { labelsOf } from '../packages/model/src/labels.ts';
import type { WriteBatch } from '../packages/model/src/storage.ts';
import { encodeLabels } from '../packages/model/src/write-batch.ts';
import { KEY_BYTES, createCipher } from '../packages/tsdb/src/cipher.ts';
import type { Store } from '../packages/tsdb/src/contract.ts';
import { openStore } from '../packages/tsdb/src/store.ts';

const { values: flags } = parseArgs({
  options: {
    series: { type: 'string', default: '20000' },
    scrapes: { type: 'string', default: '60' },
    batch: { type: 'string', default: '2000' },
    durability: { type: 'string', default: 'sync' },
    shuffle: { type: 'boolean', default: false },
    jitter: { type: 'string', default: '0' },
    encrypted: { type: 'boolean', default: false },
  },
});
const SERIES = Number(flags.series);
const SCRAPES = Number(flags.scrapes);
const BATCH = Number(flags.batch);
const INTERVAL_MS = 15_000;
const T0 = Math.floor(1_750_000_000_000 / 7_200_000) * 7_200_000;
const silent = { debug: () => {}, info: () => {}, warn: console.warn, error: console.error, child: () => silent };
const NAMES = [
  'node_cpu_seconds_total',
  'node_network_receive_bytes_total',
  'http_requests_total',
  'http_request_duration_seconds_bucket',
  'node_memory_MemAvailable_bytes',
  'process_resident_memory_bytes',
  'go_goroutines',
  'node_filesystem_avail_bytes',
  'node_disk_io_time_seconds_total',
  'up',
];

let seed = 42;
const random = (): number => {
  seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
  return seed / 0x7fffffff;
};

/** The shapes of a scraped fleet: counters, integers, decimals, flags. */
function series(i: number): { readonly labels: Uint8Array; readonly next: () => number } {
  const kind = i % 10;
  const host = Math.floor(i / 10);
  const labels = encodeLabels(
    labelsOf({
      __name__: NAMES[kind] ?? '',
      cluster: 'eu-west-1',
      instance: `10.${(host >> 8) & 255}.${host & 255}.7:9100`,
      job: 'node',
      mode: ['user', 'system', 'idle', 'iowait'][host % 4] ?? '',
      pod: `api-${(Math.imul(i, 2654435761) >>> 0).toString(16)}-x${i % 97}`,
    }),
  );
  let value = random() * 1000;
  const step = random() * 50;
  const next = (): number => {
    if (kind === 0 || kind === 8) value += Math.round(random() * 1500) / 100;
    else if (kind <= 3) value += Math.round(random() * step);
    else if (kind === 9) value = 1;
    else if (kind === 6) value = 50 + Math.round(random() * 20);
    else if (random() < 0.4) value += Math.round((random() - 0.5) * 100) * 4096;
    return value;
  };
  return { labels, next };
}

function buildBatches(): WriteBatch[] {
  const all = Array.from({ length: SERIES }, (_, i) => series(i));
  const batches: WriteBatch[] = [];
  for (let scrape = 0; scrape < SCRAPES; scrape++) {
    if (flags.shuffle) all.sort(() => random() - 0.5);
    for (let from = 0; from < SERIES; from += BATCH) {
      const part = all.slice(from, from + BATCH);
      const bytes = new Uint8Array(part.reduce((sum, { labels }) => sum + labels.length + 24, 0));
      const labelsFrom = new Uint32Array(part.length);
      const labelsTo = new Uint32Array(part.length);
      let at = 0;
      part.forEach(({ labels }, i) => {
        // As in a request: labels stand between other fields, at any alignment.
        at += 7;
        bytes.set(labels, at);
        labelsFrom[i] = at;
        at += labels.length;
        labelsTo[i] = at;
        at += 16;
      });
      const time = T0 + scrape * INTERVAL_MS;
      batches.push({
        bytes,
        seriesCount: part.length,
        labelsFrom,
        labelsTo,
        samplesFrom: Uint32Array.from({ length: part.length + 1 }, (_, i) => i),
        times: Float64Array.from(part, () => time + Math.floor(random() * Number(flags.jitter))),
        values: Float64Array.from(part, ({ next }) => next()),
      });
    }
  }
  return batches;
}

type Timed = { readonly cpuMs: number; readonly wallMs: number };
async function timed(run: () => Promise<unknown>): Promise<Timed> {
  const cpu = process.cpuUsage();
  const wall = performance.now();
  await run();
  const used = process.cpuUsage(cpu);
  return { cpuMs: (used.user + used.system) / 1000, wallMs: performance.now() - wall };
}

const total = SERIES * SCRAPES;
const report = (what: string, { cpuMs, wallMs }: Timed, count = total): void =>
  console.log(
    `${what.padEnd(34)} ${(count / cpuMs / 1000).toFixed(2)} M samples/CPU-s  ${cpuMs.toFixed(0)} ms CPU  ${wallMs.toFixed(0)} ms`,
  );

async function readAll(store: Store, name: string): Promise<void> {
  let samples = 0;
  for (const { times } of await store.select([mustMatcher('__name__', '=~', name)], { fromMs: 0, toMs: 2 ** 45 })) samples += times.length;
  if (samples === 0) throw new Error(`nothing read of ${name}`);
}

const dir = await fs.mkdtemp(path.join(os.tmpdir(), 'nines-bench-'));
try {
  const batches = buildBatches();
  const memory = (): number => process.memoryUsage().rss / 1e6;
  const before = memory();
  const cipher = flags.encrypted ? createCipher(new Uint8Array(KEY_BYTES).fill(1)) : undefined;
  const durability = flags.durability === 'async' ? 'async' : 'sync';
  const options = { dir, retentionMs: 365 * 86_400_000, logger: silent, durability, cipher } as const;
  let store = await openStore(options);
  const now = epochMs(T0 + SCRAPES * INTERVAL_MS);
  const perScrape = Math.ceil(SERIES / BATCH);
  report(
    'first scrape (new series)',
    await timed(() => Promise.all(batches.slice(0, perScrape).map((batch) => store.append(batch, now)))),
    SERIES,
  );
  const appended = await timed(async () => {
    for (let at = perScrape; at < batches.length; at += 4)
      await Promise.all(batches.slice(at, at + 4).map((batch) => store.append(batch, now)));
  });
  report('append', appended, total - SERIES);
  const { headBytes, indexBytes, logBytes } = store.stats();
  console.log(
    `head ${(headBytes / SERIES).toFixed(0)} B/series, index ${(indexBytes / SERIES).toFixed(0)} B/series, log ${(logBytes / total).toFixed(2)} B/sample, rss +${(memory() - before).toFixed(0)} MB`,
  );
  report('read one metric from the head', await timed(() => readAll(store, 'go_goroutines')), total / 10);
  report('read all from the head', await timed(() => readAll(store, '.+')));
  const copy = `${dir}-copy`;
  await fs.cp(dir, copy, { recursive: true, filter: (name) => !name.endsWith('lock') });
  let replayed: Store | undefined;
  report(
    'replay',
    await timed(async () => {
      replayed = await openStore({ ...options, dir: copy });
    }),
  );
  await replayed?.close();
  await fs.rm(copy, { recursive: true });
  report('flush', await timed(() => store.flush(now, { all: true })));
  const { pageBytes, pageSamples, pages } = store.stats();
  console.log(`pages ${pages}, ${(pageBytes / pageSamples).toFixed(3)} B/sample`);
  await store.close();
  for (const name of await fs.readdir(dir))
    console.log(`  ${name} ${((await fs.stat(path.join(dir, name))).size / total).toFixed(3)} B/sample`);
  store = await openStore(options);
  report('read one metric from pages', await timed(() => readAll(store, 'go_goroutines')), total / 10);
  report('read all from pages', await timed(() => readAll(store, '.+')));
  await store.close();
} finally {
  await fs.rm(dir, { recursive: true, force: true });
}
