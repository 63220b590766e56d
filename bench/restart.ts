/**
 * How long until a store answers again.
 *   node bench/restart.ts [--series 200000] [--samples 5000000]
 * Three starts of a process of its own: nothing stored; `samples` in the log of 20 000 series, ended without a farewell as by a crash;
 * `series` series on pages. Wall-clock and CPU seconds from the call to the store's answer, in a process that has loaded the code.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { mustMatcher } from '../packages/base/src/matcher.ts';
import { epochMs } from '../packages/base/src/units.ts';
import { labelsOf } from '../packages/model/src/labels.ts';
import { createBatchBuilder, encodeLabels } from '../packages/model/src/write-batch.ts';
import { openStore } from '../packages/tsdb/src/store.ts';

const { values: flags } = parseArgs({
  options: {
    series: { type: 'string', default: '200000' },
    samples: { type: 'string', default: '5000000' },
    dir: { type: 'string' },
    fill: { type: 'string' },
  },
});
const LOG_SERIES = 20_000;
const INTERVAL_MS = 15_000;
const T0 = Math.floor(1_750_000_000_000 / 7_200_000) * 7_200_000;
const silent = { debug: () => {}, info: () => {}, warn: console.warn, error: console.error, child: () => silent };
const options = { retentionMs: 3650 * 86_400_000, durability: 'async', logger: silent } as const;

const labels = (i: number): Uint8Array =>
  encodeLabels(
    labelsOf({
      __name__: `metric_${i % 400}_total`,
      instance: `10.${(i >> 16) & 255}.${(i >> 8) & 255}.7:9100`,
      job: 'node',
      mode: `mode-${i % 8}`,
      pod: `api-${(Math.imul(i, 2654435761) >>> 0).toString(16)}-x${i % 97}`,
    }),
  );

/** Counters that grow by a few hundredths, so that neither log nor pages are better than in life. */
async function fill(dir: string, series: number, scrapes: number): Promise<void> {
  const store = await openStore({ ...options, dir });
  const encoded = Array.from({ length: series }, (_, i) => labels(i));
  const builder = createBatchBuilder();
  for (let scrape = 0; scrape < scrapes; scrape++) {
    const atMs = T0 + scrape * INTERVAL_MS;
    for (let from = 0; from < series; from += 2000) {
      builder.reset();
      for (let i = from; i < Math.min(series, from + 2000); i++)
        builder.add(encoded[i] ?? new Uint8Array(0), atMs, (scrape * (1 + (i % 90)) + ((scrape * 7919 + i) % 13)) / 100);
      await store.append(builder.batch(), epochMs(atMs));
    }
  }
  if (flags.fill === 'pages') {
    await store.flush(epochMs(T0 + scrapes * INTERVAL_MS), { all: true });
    await store.close();
  }
  // Otherwise the process just ends: what is replayed is the log as a crash leaves it.
  process.exit(0);
}

async function inOwnProcess(args: readonly string[]): Promise<string> {
  const child = fork(fileURLToPath(import.meta.url), args, { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
  let output = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${String(code)}`);
  return output;
}

/** Opens the directory and asks it for one series. */
async function measure(dir: string): Promise<void> {
  const cpu = process.cpuUsage();
  const started = performance.now();
  const store = await openStore({ ...options, dir });
  const openedMs = performance.now() - started;
  const range = { fromMs: T0, toMs: T0 + 86_400_000 };
  let samples = 0;
  for (const { times } of await store.select([mustMatcher('__name__', '=', 'metric_7_total')], range)) samples += times.length;
  const wallMs = performance.now() - started;
  const used = process.cpuUsage(cpu);
  const { series, headSamples } = store.stats();
  console.log(
    `${series} series, ${headSamples} samples from the log: open ${openedMs.toFixed(0)} ms, first answer ${wallMs.toFixed(0)} ms (${samples} samples), ${((used.user + used.system) / 1000).toFixed(0)} ms CPU`,
  );
  process.exit(0);
}

if (flags.dir !== undefined) {
  if (flags.fill === 'log') await fill(flags.dir, LOG_SERIES, Math.round(Number(flags.samples) / LOG_SERIES));
  else if (flags.fill === 'pages') await fill(flags.dir, Number(flags.series), 4);
  else await measure(flags.dir);
}

const root = await fs.mkdtemp(path.join(os.tmpdir(), 'nines-restart-'));
try {
  for (const kind of ['empty', 'log', 'pages']) {
    const dir = path.join(root, kind);
    const sizes = ['--series', flags.series, '--samples', flags.samples];
    if (kind !== 'empty') await inOwnProcess(['--dir', dir, '--fill', kind, ...sizes]);
    console.log(`${kind.padEnd(6)} ${(await inOwnProcess(['--dir', dir, ...sizes])).trim()}`);
  }
} finally {
  await fs.rm(root, { recursive: true, force: true });
}
