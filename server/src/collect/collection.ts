import type { Clock } from '@nines/base/clock.ts';
import { messageOf } from '@nines/base/errors.ts';
import type { Logger } from '@nines/base/logger.ts';
import { type EpochMs, SECOND_MS } from '@nines/base/units.ts';
import { METRIC_NAME, labelPairs, labelsFrom } from '@nines/model/labels.ts';
import { type BatchBuilder, createBatchBuilder, encodeLabels } from '@nines/model/write-batch.ts';
import type { Ingest } from './contract.ts';
import type { HostCollector } from './host/collector.ts';
import { hostMetadata } from './host/metadata.ts';
import type { HostSample } from './host/sample.ts';
import type { Metadata } from './metadata-book.ts';
import type { ProcessWatch } from './process-metrics.ts';
import type { SelfRegistry } from './self.ts';

/**
 * The collector of this host and of the product itself: one batch per collection, all samples at its instant. Host figures
 * carry `job="node"`, our own `job="nines"`, both the host's name as `instance` and an `up` of 1.
 */
export type CollectionDeps = {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly ingest: Ingest;
  readonly host: HostCollector;
  readonly self: SelfRegistry;
  readonly process: ProcessWatch;
  readonly metadata: Metadata;
  /** The value of the label `instance`. */
  readonly instance: string;
  readonly intervalMs: number;
  /** Told after each collection is durable, for spectators. Must not throw. */
  readonly onCollected?: (atMs: EpochMs) => void;
};

/** Early collections, so that rates exist within seconds of a first start. */
const EARLY_MS = [1 * SECOND_MS, 5 * SECOND_MS];
/** Encoded label sets that are kept; more than any host has. Beyond it the memory is given up and built anew. */
const MAX_KNOWN_SERIES = 50_000;

export type Collection = {
  /** Collects once and stores. Rejects when the store cannot take samples. */
  step(nowMs: EpochMs): Promise<void>;
};

export function createCollection(deps: CollectionDeps): Collection {
  const builder = createBatchBuilder();
  const known = new Map<string, Uint8Array>();
  /** Our own samples bring their name among their labels, which then wins. */
  const encoded = (job: string, name: string, labels: readonly string[]): Uint8Array => {
    const key = `${job}\u0000${name}\u0000${labels.join('\u0000')}`;
    const found = known.get(key);
    if (found !== undefined) return found;
    if (known.size >= MAX_KNOWN_SERIES) known.clear();
    const made = encodeLabels(labelsFrom([[METRIC_NAME, name], ...labelPairs(labels), ['job', job], ['instance', deps.instance]]));
    known.set(key, made);
    if (job === 'node') deps.metadata.record(name, hostMetadata(name), 'host');
    return made;
  };
  const duration = deps.self.gauge(
    'nines_collect_duration_seconds',
    'How long the last collection of host and own figures took, storing included.',
  );
  const count = deps.self.gauge('nines_collect_samples', 'Samples of the last collection.');
  const interval = deps.self.gauge('nines_collect_interval_seconds', 'The collection interval in force.');
  interval.set(deps.intervalMs / SECOND_MS);
  return {
    async step(nowMs) {
      const startedMs = deps.clock.monotonic();
      const host = await deps.host.collect();
      deps.process.refresh();
      builder.reset();
      addHost(builder, host, (sample) => [encoded('node', sample.name, sample.labels), nowMs]);
      if (host.length > 0) builder.add(encoded('node', 'up', []), nowMs, 1);
      builder.add(encoded('nines', 'up', []), nowMs, 1);
      for (const family of deps.self.collect()) {
        deps.metadata.record(family.name, family, 'nines');
        for (const { labels, value } of family.samples) builder.add(encoded('nines', '', labels), nowMs, value);
      }
      count.set(builder.sampleCount);
      await deps.ingest.append(builder.batch());
      duration.set((deps.clock.monotonic() - startedMs) / 1000);
      deps.onCollected?.(nowMs);
    },
  };
}

function addHost(
  builder: BatchBuilder,
  samples: readonly HostSample[],
  place: (sample: HostSample) => readonly [Uint8Array, EpochMs],
): void {
  for (const sample of samples) {
    const [labels, atMs] = place(sample);
    builder.add(labels, atMs, sample.value);
  }
}

/** How long after the start the next collection is due: 1 s, 5 s, then at multiples of the interval. Missed ones are left out. */
export function nextCollectionMs(elapsedMs: number, intervalMs: number): number {
  const early = EARLY_MS.find((dueMs) => dueMs > elapsedMs) ?? Number.POSITIVE_INFINITY;
  return Math.min(early, (Math.floor(elapsedMs / intervalMs) + 1) * intervalMs);
}

export type RunningCollection = AsyncDisposable & {
  readonly isRunning: boolean;
  /** Collects at once and from now on; nothing when it runs already. */
  start(): void;
  /** Waits for a collection under way; it can be started again. */
  stop(): Promise<void>;
};

/** Collects at once, or with `held` from `start` on, for as long as it is not stopped or disposed. */
export function startCollection(deps: CollectionDeps, { held = false }: { readonly held?: boolean } = {}): RunningCollection {
  const { clock, logger, intervalMs } = deps;
  const collection = createCollection(deps);
  const run = async (signal: AbortSignal): Promise<void> => {
    const startedMs = clock.monotonic();
    while (!signal.aborted) {
      try {
        await collection.step(clock.now());
      } catch (thrown) {
        logger.warn('collected samples could not be stored', { error: messageOf(thrown) });
      }
      const elapsedMs = clock.monotonic() - startedMs;
      // Broken off by `stop`, which the loop sees next.
      await clock.sleep(nextCollectionMs(elapsedMs, intervalMs) - elapsedMs, { signal }).catch(() => undefined);
    }
  };
  let current: { readonly stop: AbortController; readonly running: Promise<void> } | undefined;
  const start = (): void => {
    if (current !== undefined) return;
    const stop = new AbortController();
    current = { stop, running: run(stop.signal) };
  };
  const stop = async (): Promise<void> => {
    const was = current;
    current = undefined;
    was?.stop.abort(new Error('stopped'));
    await was?.running;
  };
  if (!held) start();
  return {
    get isRunning() {
      return current !== undefined;
    },
    start,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
