import type { Clock } from '@nines/base/clock.ts';
import type { Logger } from '@nines/base/logger.ts';
import { labelsOf } from '@nines/model/labels.ts';
import { type StatsdSink, readStatsdLine } from '@nines/model/statsd-lines.ts';
import { createBatchBuilder } from '@nines/model/write-batch.ts';
import { startLoop } from '../../platform/loop.ts';
import type { CollectConfig, Ingest, SelfMetrics } from '../contract.ts';
import { StatsdAggregate } from './aggregate.ts';
import { type Listening, listenTcp, listenUdp } from './listener.ts';

export type StatsdDeps = {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly ingest: Ingest;
  readonly metrics: SelfMetrics;
  /** The label `instance`. */
  readonly instance: string;
  readonly config: CollectConfig['statsd'];
};
export type Statsd = AsyncDisposable & { readonly udp: Listening | undefined; readonly tcp: Listening | undefined };

const NOWHERE: Statsd = { udp: undefined, tcp: undefined, [Symbol.asyncDispose]: () => Promise.resolve() };

/** Listens where the configuration says, and writes what came in at every interval and at the end. */
export async function startStatsd({ clock, logger, ingest, metrics, instance, config }: StatsdDeps): Promise<Statsd> {
  if (config.listen === undefined && config.listen_tcp === undefined) return NOWHERE;
  const aggregate = new StatsdAggregate({
    maxMetrics: config.max_metrics,
    ttlMs: config.ttl,
    buckets: config.buckets,
    labels: labelsOf({ job: 'statsd', instance }),
  });
  const samples = metrics.counter('nines_statsd_samples_total', 'Samples of StatsD that were taken.');
  const refused = metrics.counter('nines_statsd_refused_total', 'Lines, samples and tags of StatsD that were left out, by reason.');
  metrics.watch('nines_statsd_metrics', 'Metrics of StatsD that are kept.', () => aggregate.size);
  let nowMs = clock.now();
  const sink: StatsdSink = {
    sample(sample) {
      const reason = aggregate.add(sample, nowMs);
      if (reason === undefined) samples.add();
      else refused.add(1, { reason });
    },
    fault: (reason) => refused.add(1, { reason }),
  };
  const onText = (text: string): void => {
    nowMs = clock.now();
    for (const line of text.split('\n')) {
      const trimmed = line.endsWith('\r') ? line.slice(0, -1) : line;
      if (trimmed !== '') readStatsdLine(trimmed, sink);
    }
  };
  const builder = createBatchBuilder();
  const write = async (atMs: number): Promise<void> => {
    builder.reset();
    aggregate.write(builder, atMs);
    if (builder.seriesCount > 0) await ingest.append(builder.batch());
  };
  const stack = new AsyncDisposableStack();
  stack.defer(() => write(clock.now()));
  stack.use(startLoop({ clock, logger, name: 'statsd', everyMs: config.interval, firstAfterMs: config.interval, step: write }));
  try {
    const udp = config.listen === undefined ? undefined : stack.use(await listenUdp(config.listen, { logger, onText }));
    const tcp = config.listen_tcp === undefined ? undefined : stack.use(await listenTcp(config.listen_tcp, { logger, onText }));
    return { udp, tcp, [Symbol.asyncDispose]: () => stack.disposeAsync() };
  } catch (thrown) {
    await stack.disposeAsync();
    throw thrown;
  }
}
