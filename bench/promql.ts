import { labelsOf } from '@nines/model/labels.ts';
import { createEngine } from '@nines/promql/engine.ts';
import { MemoryQueryable } from '../packages/promql/src/memory-queryable.ts';

/**
 * PromQL over series in memory: what the engine costs without a store. Prints milliseconds per query, median of five after
 * one warm-up. `node bench/promql.ts [series] [samples]`.
 */
const [seriesCount = 20_000, sampleCount = 240] = process.argv.slice(2).map(Number);
const STEP_MS = 15_000;
const START_MS = 1_700_000_000_000;
const MODES = ['user', 'system', 'idle', 'iowait', 'irq', 'nice', 'softirq', 'steal'];
const BOUNDS = ['0.005', '0.01', '0.05', '0.1', '0.5', '1', '5', '+Inf'];

/** The same series as `versus.mjs` loads, in kind: counters, gauges and classic histograms with ten labels each. */
function fill(queryable: MemoryQueryable): void {
  let seed = 1;
  const random = (): number => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
  for (let i = 0; i < seriesCount; i++) {
    const times = Float64Array.from({ length: sampleCount }, (_, k) => START_MS + k * STEP_MS);
    const common = {
      instance: `host-${Math.floor(i / 40)}:9100`,
      job: 'node',
      region: `eu-${i % 3}`,
      rack: `r${i % 17}`,
      series: String(i),
    };
    let value = random() * 1000;
    const counter = (): number => (value += random() * 10);
    const gauge = (): number => random() * 1e9;
    const kind = i % 4;
    const labels =
      kind === 0
        ? { ...common, __name__: 'node_cpu_seconds_total', mode: MODES[i % 8] ?? '', cpu: String(i % 16) }
        : kind === 1
          ? { ...common, __name__: 'http_requests_total', mode: MODES[i % 8] ?? '', code: '200' }
          : kind === 2
            ? { ...common, __name__: 'process_resident_memory_bytes' }
            : {
                ...common,
                __name__: 'http_request_duration_seconds_bucket',
                mode: MODES[(i >> 5) % 8] ?? '',
                le: BOUNDS[(i >> 2) % 8] ?? '',
              };
    queryable.addColumns({ labels: labelsOf(labels), times, values: Float64Array.from(times, kind === 2 ? gauge : counter) });
  }
}

const QUERIES = [
  'sum by (mode)(rate(node_cpu_seconds_total[5m]))',
  'sum by (mode)(rate({__name__=~"node_.*|http_.*"}[5m]))',
  'topk(5, max_over_time(process_resident_memory_bytes[10m]))',
  'count({__name__!=""})',
  'histogram_quantile(0.9, sum by (le, mode)(rate(http_request_duration_seconds_bucket[5m])))',
  'avg_over_time(process_resident_memory_bytes[1h])',
  'sum(node_cpu_seconds_total) / count(node_cpu_seconds_total)',
  'node_cpu_seconds_total * 2 > 100',
  'rate(node_cpu_seconds_total[5m]) / on(instance, series) node_cpu_seconds_total',
  'quantile by (mode)(0.99, rate(node_cpu_seconds_total[5m]))',
  'stddev_over_time(process_resident_memory_bytes[30m])',
];

const queryable = new MemoryQueryable();
fill(queryable);
const engine = createEngine({ yieldNow: () => new Promise((resolve) => setImmediate(resolve)) });
const endMs = START_MS + (sampleCount - 1) * STEP_MS;
process.stdout.write(`${seriesCount} series, ${sampleCount} samples each, ${sampleCount} steps\n`);
for (const query of QUERIES) {
  const took: number[] = [];
  let series = 0;
  for (let run = 0; run < 6; run++) {
    const before = performance.now();
    const outcome = await engine.range(query, { queryable, startMs: START_MS, endMs, stepMs: STEP_MS });
    if (!outcome.ok) throw new Error(`${query}: ${outcome.error.message}`);
    series = outcome.value.value.series.length;
    if (run > 0) took.push(performance.now() - before);
  }
  took.sort((a, b) => a - b);
  process.stdout.write(`${(took[2] ?? 0).toFixed(1).padStart(9)} ms  ${String(series).padStart(6)} series  ${query}\n`);
}
