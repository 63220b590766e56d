/**
 * What a streaming aggregate costs beside the recording rule that computes the same.
 *   node bench/aggregates.ts [--series 20000] [--scrapes 40]
 * CPU time of what is done per sample as it is written (also of series that no aggregate reads), and of the value at each interval's end,
 * kept and asked, over the same store in memory. Both values are compared.
 */
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { epochMs, ms } from '../packages/base/src/units.ts';
import { formatLabels, labelsOf } from '../packages/model/src/labels.ts';
import { createBatchBuilder, encodeLabels } from '../packages/model/src/write-batch.ts';
import { createEngine } from '../packages/promql/src/engine.ts';
import { openStore } from '../packages/tsdb/src/store.ts';
import { createAsk } from '../server/src/ask.ts';
import { createSelfMetrics } from '../server/src/collect/self.ts';
import { Aggregates } from '../server/src/rules/aggregates.ts';

const { values: flags } = parseArgs({
  options: { series: { type: 'string', default: '20000' }, scrapes: { type: 'string', default: '40' } },
});
const SERIES = Number(flags.series);
const SCRAPES = Number(flags.scrapes);
const INTERVAL_MS = 15_000;
const T0 = Math.floor(1_750_000_000_000 / 7_200_000) * 7_200_000;
const silent = { debug: () => {}, info: () => {}, warn: console.warn, error: console.error, child: () => silent };
const EXPRESSIONS = [
  'sum by (job) (rate(x_total[1m]))',
  'sum by (job) (rate(x_total[5m]))',
  'avg by (job) (x_total)',
  'max(max_over_time(x_total[1m]))',
];

const cpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

const dir = await fs.mkdtemp(path.join(os.tmpdir(), 'nines-aggregates-'));
const store = await openStore({ dir, retentionMs: 3650 * 86_400_000, durability: 'async', logger: silent });
const ask = createAsk(createEngine(), store);
const encoded = Array.from({ length: 2 * SERIES }, (_, i) =>
  encodeLabels(
    labelsOf({ __name__: i % 2 === 0 ? 'x_total' : 'y_total', job: `job-${i % 50}`, instance: `10.0.${i >> 8}.${i & 255}:9100` }),
  ),
);
const rows = [];
for (const expr of EXPRESSIONS) {
  const aggregates = new Aggregates({
    queryable: store,
    query: (expr, atMs, options) => ask.instant(expr, atMs, options),
    labelsOfRef: (ref) => store.labelsOfRef(ref),
    yieldNow: () => undefined,
    metrics: createSelfMetrics(),
  });
  const base = { record: 'r', labels: {}, query_offset: ms(0), max_series: 1_000_000, limit: 10_000 };
  const [aggregate] = aggregates.configure([{ ...base, expr, interval: ms(INTERVAL_MS) }], 300_000);
  if (aggregate === undefined) throw new Error('expected an aggregate');
  const startMs = T0 + EXPRESSIONS.indexOf(expr) * SCRAPES * INTERVAL_MS;
  const spent = { write: 0, feed: 0, kept: 0, asked: 0, intervals: 0 };
  const builder = createBatchBuilder();
  for (let scrape = 0; scrape < SCRAPES; scrape++) {
    const atMs = startMs + scrape * INTERVAL_MS;
    for (let from = 0; from < encoded.length; from += 2000) {
      builder.reset();
      for (let i = from; i < Math.min(encoded.length, from + 2000); i++)
        builder.add(encoded[i] ?? new Uint8Array(0), atMs + 7_000, scrape * (1 + (i % 90)) + ((scrape * 7919 + i) % 13));
      const batch = builder.batch();
      const before = cpuMs();
      const outcome = await store.append(batch, epochMs(atMs));
      const written = cpuMs();
      aggregates.committed({ batch, outcome });
      spent.write += written - before;
      spent.feed += cpuMs() - written;
    }
    const endMs = atMs + INTERVAL_MS;
    const signal = AbortSignal.timeout(60_000);
    const before = cpuMs();
    const kept = await aggregate.query(expr, endMs, { signal });
    const between = cpuMs();
    const asked = await ask.instant(expr, endMs, { signal });
    // The first readings of the store, and code that is still being compiled.
    if (scrape < SCRAPES / 4) continue;
    spent.kept += between - before;
    spent.asked += cpuMs() - between;
    spent.intervals++;
    const shown = (elements: typeof kept) =>
      JSON.stringify(elements.map(({ labels, value }) => `${formatLabels(labels)} ${value.toPrecision(11)}`).sort());
    if (shown(kept) !== shown(asked)) throw new Error(`${expr}: what is kept differs from what a query says at ${endMs}`);
  }
  rows.push({
    expr,
    'write, ns a sample': Math.round((spent.write * 1e6) / (encoded.length * SCRAPES)),
    'keeping, ns a sample': Math.round((spent.feed * 1e6) / (encoded.length * SCRAPES)),
    'value kept, ms': (spent.kept / spent.intervals).toFixed(2),
    'value asked, ms': (spent.asked / spent.intervals).toFixed(2),
    'bytes a series': Math.round(aggregate.kept.parts.reduce((sum, { bytes }) => sum + bytes, 0) / SERIES),
  });
}
console.table(rows);
await store.close();
await fs.rm(dir, { recursive: true });
