/**
 * What scores of watched series cost beside the same samples without them.
 *   node bench/scores.ts [--series 1000] [--scrapes 480] [--method seasonal]
 * CPU time of one process that stores the scrapes of a store on disk, with and without a watch over all of its series, as a share of the
 * time that those scrapes would take at 15 s. The first 100 scrapes only fill the detectors' windows.
 */
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { epochMs, ms } from '../packages/base/src/units.ts';
import { METHODS } from '../packages/maths/src/stats/detectors.ts';
import { randomFrom } from '../packages/maths/src/stats/random.ts';
import { labelsOf } from '../packages/model/src/labels.ts';
import { createBatchBuilder, encodeLabels } from '../packages/model/src/write-batch.ts';
import { createEngine } from '../packages/promql/src/engine.ts';
import { openStore } from '../packages/tsdb/src/store.ts';
import { analyticsConfig } from '../server/src/analytics/config.ts';
import { Streams, type StreamsDeps } from '../server/src/analytics/streams.ts';
import { createAsk } from '../server/src/ask.ts';
import type { OnCommitted } from '../server/src/collect/contract.ts';
import { createIngest } from '../server/src/collect/ingest.ts';
import { createSelfMetrics } from '../server/src/collect/self.ts';
import { realClock } from '../server/src/platform/clock.ts';

const { values: flags } = parseArgs({
  options: {
    series: { type: 'string', default: '1000' },
    scrapes: { type: 'string', default: '480' },
    method: { type: 'string', default: 'seasonal' },
  },
});
const [SERIES, SCRAPES] = [Number(flags.series), Number(flags.scrapes)];
const METHOD = METHODS.find((method) => method === flags.method) ?? METHODS[0];
const [INTERVAL_MS, UNMEASURED] = [15_000, 100];
const T0 = 1_750_000_000_000;
const silent = { debug: () => {}, info: () => {}, warn: console.warn, error: console.error, child: () => silent };

const cpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

/** CPU milliseconds of the measured scrapes, and how many scores came of them. */
async function run(watched: boolean): Promise<{ readonly cpu: number; readonly scores: number }> {
  const dir = await fs.mkdtemp(path.join(os.tmpdir(), 'nines-scores-'));
  let atMs = T0;
  const clock = { ...realClock, now: () => epochMs(atMs), monotonic: () => ms(performance.now()) };
  const store = await openStore({ dir, retentionMs: 30 * 86_400_000, logger: silent });
  const metrics = createSelfMetrics();
  let told: OnCommitted = () => undefined;
  const ingest = createIngest({ appender: store, clock, metrics, onCommitted: (...commit) => told(...commit) });
  let changes = 0;
  const episodes = { note: async () => void changes++, openOf: () => undefined } as unknown as StreamsDeps['episodes'];
  const samples = createAsk(createEngine({}), store);
  const labelsOfRef = (ref: number) => store.labelsOfRef(ref);
  const yieldNow = () => undefined;
  const streams = new Streams({ samples, ingest, labelsOfRef, isCounter: () => false, episodes, clock, logger: silent, metrics, yieldNow });
  if (watched) {
    streams.configure(analyticsConfig.parse({ watch: [{ name: 'x', expr: 'x', anomalies: { method: METHOD } }] }).watch);
    await streams.settled();
    told = streams.committed;
  }
  const random = randomFrom(1);
  const encoded = Array.from({ length: SERIES }, (_, i) => encodeLabels(labelsOf({ __name__: 'x', instance: `host-${i}`, job: 'bench' })));
  const batch = createBatchBuilder();
  let startedMs = 0;
  for (let scrape = 0; scrape < UNMEASURED + SCRAPES; scrape++) {
    if (scrape === UNMEASURED) startedMs = cpuMs();
    atMs += INTERVAL_MS;
    batch.reset();
    for (const labels of encoded) batch.add(labels, atMs, 100 + random.normal());
    await ingest.append(batch.batch());
    await streams.settled();
  }
  const cpu = cpuMs() - startedMs;
  const [count] = await samples.instant('sum(count_over_time(anomaly_score[1d]))', atMs);
  await store.close();
  await fs.rm(dir, { recursive: true, force: true });
  return { cpu, scores: count?.value ?? 0 };
}

const plain = await run(false);
const scored = await run(true);
const share = (cpu: number): string => `${((100 * cpu) / (SCRAPES * INTERVAL_MS)).toFixed(2)} %`;
const perValue = ((scored.cpu - plain.cpu) * 1000) / (SERIES * SCRAPES);
console.log(`${SERIES} series every 15 s, ${SCRAPES} scrapes, ${METHOD}: of one core`);
console.log(`  without scores  ${share(plain.cpu)}`);
console.log(
  `  with scores     ${share(scored.cpu)}  (${(scored.cpu / plain.cpu).toFixed(1)} times; ${perValue.toFixed(1)} µs a value; ${scored.scores} scores stored)`,
);
