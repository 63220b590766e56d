import type { WrittenSeries } from '../../harness/remote-write.ts';
import { randomFrom } from './random.ts';

/**
 * What PromLabs' demo service shows, which the compliance queries ask about: three instances, scraped every five seconds. Samples
 * stand a tenth of a second after whole seconds and begin far above 0, for the reasons given in data.ts.
 */
export const SCRAPE_MS = 5_000;
const PHASE_MS = 100;
const INSTANCES = ['demo.promlabs.com:10000', 'demo.promlabs.com:10001', 'demo.promlabs.com:10002'];
const LE = ['0.0001', '0.0025', '0.01', '0.5', '25', '+Inf'];

/** `scrapes` scrapes from `fromMs` on. */
export function demoSeries(fromMs: number, scrapes: number): readonly WrittenSeries[] {
  const random = randomFrom(10_000);
  const series: WrittenSeries[] = [];
  const add = (labels: Readonly<Record<string, string>>, next: (i: number) => number | 'stale' | undefined): void => {
    const samples = Array.from({ length: scrapes }, (_, i) => [fromMs + i * SCRAPE_MS + PHASE_MS, next(i)] as const);
    series.push({
      labels: { job: 'demo', ...labels },
      samples: samples.flatMap(([at, value]) => (value === undefined ? [] : [[at, value]])),
    });
  };
  const counter = (begin: number, most: number): (() => number) => {
    let value = begin;
    return () => (value += random.below(most) / 64);
  };
  INSTANCES.forEach((instance, n) => {
    for (const mode of ['idle', 'system', 'user']) add({ __name__: 'demo_cpu_usage_seconds_total', instance, mode }, counter(100_000, 300));
    // Distinct in all places, so that topk and bottomk have no ties.
    ['buffers', 'cached', 'free', 'used'].forEach((type, k) =>
      add({ __name__: 'demo_memory_usage_bytes', instance, type }, () => (1 + random.below(1e6)) * 1024 + 4 * n + k),
    );
    add({ __name__: 'demo_num_cpus', instance }, () => 4);
    let used = 1e11;
    add({ __name__: 'demo_disk_usage_bytes', instance }, () => (used += random.below(3e6) - 5e5));
    add({ __name__: 'demo_disk_total_bytes', instance }, () => 2e11);
    add({ __name__: 'demo_batch_last_success_timestamp_seconds', instance }, (i) => Math.floor((fromMs / 1000 + i * 5) / 60) * 60 - n);
    // Half of the time it is not there, and it ends with a marker, as a scrape would show it.
    add({ __name__: 'demo_intermittent_metric', instance }, (i) => [1, 1, 1, 1, 'stale' as const][i % 10]);
    for (const path of ['/api/bar', '/api/foo']) {
      const labels = { instance, method: 'GET', path, status: '200' };
      const counts = LE.map((_, i) => 10_000 * (i + 1));
      const rows: (readonly number[])[] = Array.from({ length: scrapes }, () => {
        for (let k = random.below(20); k > 0; k--)
          for (let bucket = random.below(LE.length); bucket < LE.length; bucket++) counts[bucket] = (counts[bucket] ?? 0) + 1;
        return [...counts];
      });
      LE.forEach((le, bucket) => add({ __name__: 'demo_api_request_duration_seconds_bucket', ...labels, le }, (i) => rows[i]?.[bucket]));
      add({ __name__: 'demo_api_request_duration_seconds_count', ...labels }, (i) => rows[i]?.at(-1));
      add({ __name__: 'demo_api_request_duration_seconds_sum', ...labels }, counter(50_000, 500));
    }
  });
  return series;
}
