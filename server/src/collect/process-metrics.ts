import { readFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Clock } from '@nines/base/clock.ts';
import type { SelfMetrics } from './contract.ts';

/** Resolution of the event loop's own watch, in milliseconds: coarse enough to cost nothing. */
const LOOP_RESOLUTION_MS = 20;

export type ProcessWatch = Disposable & {
  /** Sets the event loop's figures from what was seen since the last call; one caller, at each collection. */
  refresh(): void;
};

/** Registers what every program tells about its process, under the names of Prometheus' client libraries. */
export function watchProcess(metrics: SelfMetrics, clock: Pick<Clock, 'now'>, version: string): ProcessWatch {
  const startedMs = clock.now() - process.uptime() * 1000;
  metrics.watch('process_cpu_seconds_total', 'CPU time spent, user and system.', cpuSeconds, 'counter');
  metrics.watch('process_start_time_seconds', 'When the process started, Unix time.', () => startedMs / 1000);
  metrics.watch('process_resident_memory_bytes', 'Resident memory.', () => process.memoryUsage.rss());
  metrics.watch('process_private_memory_bytes', 'Private (anonymous) resident memory; 0 where the system does not tell.', privateBytes);
  metrics.watch('nodejs_heap_size_used_bytes', 'Used part of the JavaScript heap.', () => process.memoryUsage().heapUsed);
  metrics.watch('nodejs_external_memory_bytes', 'Memory of buffers outside the JavaScript heap.', () => process.memoryUsage().external);
  const delay = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS });
  delay.enable();
  const lag = metrics.gauge(
    'nodejs_eventloop_lag_seconds',
    'Lateness of the event loop in the last collection interval: mean, p99 and max.',
  );
  metrics.gauge('nines_build_info', 'Always 1; the labels tell the version.').set(1, { version, node: process.versions.node });
  const overResolution = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e9 - LOOP_RESOLUTION_MS / 1000) || 0;
  return {
    refresh() {
      lag.set(overResolution(delay.mean), { stat: 'mean' });
      lag.set(overResolution(delay.percentile(99)), { stat: 'p99' });
      lag.set(overResolution(delay.max), { stat: 'max' });
      delay.reset();
    },
    [Symbol.dispose]: () => void delay.disable(),
  };
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

function privateBytes(): number {
  try {
    const found = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    return found === undefined ? 0 : Number(found) * 1024;
  } catch {
    return 0;
  }
}
