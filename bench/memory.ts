/**
 * What the server needs of the machine's memory.
 *   node bench/memory.ts series [--series 200000] [--scrapes 20]   bytes per active series: growth of the server's private memory
 *   node bench/memory.ts hours [--series 5000] [--hours 12]        private memory by simulated hours of constant load, flushed as the server does
 *   node bench/memory.ts idle [--minutes 10] [--rules 0]           default collectors: private and resident memory, share of a core;
 *                                                                  with rules whose series get no samples, which must not be evaluated
 * `series` and `idle` run the built program; `hours` runs the store in this process, with timestamps that go faster than the clock.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { epochMs } from '../packages/base/src/units.ts';
import { labelsOf } from '../packages/model/src/labels.ts';
import { createBatchBuilder, encodeLabels } from '../packages/model/src/write-batch.ts';
import { openStore } from '../packages/tsdb/src/store.ts';
import { startNines } from '../test/harness/nines.ts';
import { WRITE_HEADERS } from '../test/harness/remote-write.ts';
import { labelBytes, snappy, timeSeries } from './remote-write.mjs';

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    series: { type: 'string' },
    scrapes: { type: 'string', default: '20' },
    hours: { type: 'string', default: '12' },
    minutes: { type: 'string', default: '10' },
    rules: { type: 'string', default: '0' },
  },
});
const INTERVAL_MS = 15_000;
const BATCH = 2000;
const LIMITS = 'limits: { series: 10000000, series_per_metric: 10000000, new_series_per_minute: 100000000 }\n';

type Memory = { readonly privateKb: number; readonly residentKb: number; readonly cpuSeconds: number };

function memoryOf(pid: number | 'self'): Memory {
  const status = fs.readFileSync(`/proc/${pid}/status`, 'utf8');
  const field = (name: string): number => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? 0);
  const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return {
    // The arenas of the head are shared memory: private to the process all the same, counted as anonymous or as shmem by the kernel.
    privateKb: field('RssAnon') + field('RssShmem'),
    residentKb: field('VmRSS'),
    cpuSeconds: (Number(stat[11]) + Number(stat[12])) / 100,
  };
}

const labels = (i: number): Record<string, string> => ({
  __name__: `metric_${i % 400}_total`,
  instance: `10.${(i >> 16) & 255}.${(i >> 8) & 255}.7:9100`,
  job: 'node',
  mode: `mode-${i % 8}`,
  pod: `api-${(Math.imul(i, 2654435761) >>> 0).toString(16)}-x${i % 97}`,
});
/** A counter in hundredths, of a pace of its own. */
const valueAt = (i: number, scrape: number): number => (scrape * (1 + (i % 90)) + ((scrape * 7919 + i) % 13)) / 100;

async function perSeries(): Promise<void> {
  const series = Number(flags.series ?? 200_000);
  await using nines = await startNines({ config: LIMITS });
  const pid = nines.child.pid ?? 0;
  await sleep(20_000);
  const before = memoryOf(pid);
  const encoded = Array.from({ length: series }, (_, i) => labelBytes(labels(i)));
  const startMs = Math.floor(Date.now() / INTERVAL_MS - Number(flags.scrapes)) * INTERVAL_MS;
  for (let scrape = 0; scrape < Number(flags.scrapes); scrape++) {
    for (let from = 0; from < series; from += BATCH) {
      const part = encoded
        .slice(from, from + BATCH)
        .map((own, k) => timeSeries(own, valueAt(from + k, scrape), startMs + scrape * INTERVAL_MS));
      const answer = await nines.send('POST', '/api/v1/write', snappy(Buffer.concat(part)), WRITE_HEADERS);
      if (answer.status !== 204) throw new Error(`${answer.status} ${answer.text}`);
    }
    if (scrape % 10 !== 3 && scrape !== Number(flags.scrapes) - 1) continue;
    await sleep(3000);
    const now = memoryOf(pid);
    const bytes = ((now.privateKb - before.privateKb) * 1024) / series;
    console.log(
      `after ${scrape + 1} scrapes of ${series} series: ${(now.privateKb / 1024).toFixed(0)} MB private, ${bytes.toFixed(0)} bytes per series`,
    );
  }
}

async function hours(): Promise<void> {
  const series = Number(flags.series ?? 5000);
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'nines-memory-'));
  const silent = { debug: () => {}, info: () => {}, warn: console.warn, error: console.error, child: () => silent };
  const store = await openStore({ dir, retentionMs: 30 * 86_400_000, durability: 'async', logger: silent });
  const encoded = Array.from({ length: series }, (_, i) => encodeLabels(labelsOf(labels(i))));
  const builder = createBatchBuilder();
  const perHour = 3_600_000 / INTERVAL_MS;
  const startMs = Math.floor(1_750_000_000_000 / 7_200_000) * 7_200_000;
  try {
    for (let scrape = 0; scrape < Number(flags.hours) * perHour; scrape++) {
      const now = epochMs(startMs + scrape * INTERVAL_MS);
      builder.reset();
      for (let i = 0; i < series; i++) builder.add(encoded[i] ?? new Uint8Array(0), now, valueAt(i, scrape));
      await store.append(builder.batch(), now);
      if (scrape % 4 === 0) await store.flush(now);
      // Nine minutes after the end of a window, just before it goes to pages, the head is fullest.
      if (scrape % (2 * perHour) !== 36 || scrape < perHour) continue;
      globalThis.gc?.();
      const { privateKb } = memoryOf('self');
      const { headSamples, pageSamples } = store.stats();
      console.log(
        `hour ${(scrape / perHour).toFixed(1)}: ${(privateKb / 1024).toFixed(0)} MB private, ${headSamples} samples in memory, ${pageSamples} on pages`,
      );
    }
  } finally {
    await store.close();
    fs.rmSync(dir, { recursive: true });
  }
}

async function idle(): Promise<void> {
  const rules = Array.from(
    { length: Number(flags.rules) },
    (_, i) => `    - { id: rule_${i}, metric: silent_${i}, threshold: 1, for: 1m }`,
  );
  await using nines = await startNines(rules.length === 0 ? {} : { config: `rules:\n  packs: []\n  thresholds:\n${rules.join('\n')}\n` });
  const pid = nines.child.pid ?? 0;
  for (let minute = 1; minute <= Number(flags.minutes); minute++) {
    const before = memoryOf(pid);
    await sleep(60_000);
    const now = memoryOf(pid);
    const share = ((now.cpuSeconds - before.cpuSeconds) / 60) * 100;
    console.log(
      `minute ${minute}: ${(now.privateKb / 1024).toFixed(0)} MB private, ${(now.residentKb / 1024).toFixed(0)} MB resident, ${share.toFixed(1)} % of a core`,
    );
  }
  const { text } = await nines.send('GET', '/metrics');
  console.log(/^nines_rule_evaluations_woken_total.*$/m.exec(text)?.[0] ?? 'no figure of evaluations');
}

const modes: Readonly<Record<string, () => Promise<void>>> = { series: perSeries, hours, idle };
const mode = modes[positionals[0] ?? ''];
if (mode === undefined) throw new Error('series, hours or idle; see the head of bench/memory.ts');
await mode();
