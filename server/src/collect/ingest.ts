import type { Clock } from '@nines/base/clock.ts';
import { type Appender, StoreUnavailable } from '@nines/model/storage.ts';
import { createBatchBuilder } from '@nines/model/write-batch.ts';
import type { Ingest, OnCommitted, SelfMetrics } from './contract.ts';
import type { Exemplars } from './exemplars/service.ts';

/**
 * The one way in. Whatever took the samples has decoded and bounded them; here they are stored, counted and announced, in
 * this order: nobody hears of a sample that a crash could still take away.
 */
export type IngestDeps = {
  readonly appender: Appender;
  readonly clock: Pick<Clock, 'now' | 'monotonic'>;
  readonly metrics: SelfMetrics;
  readonly onCommitted: OnCommitted;
  /** Without it, exemplars are dropped. */
  readonly exemplars?: Pick<Exemplars, 'take'>;
};

/** From a group commit on a fast disk to one that stalls, in seconds. */
const APPEND_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

export function createIngest({ appender, clock, metrics, onCommitted, exemplars }: IngestDeps): Ingest {
  const samples = metrics.counter('nines_ingest_samples_total', 'Samples stored.');
  const refused = metrics.counter('nines_ingest_refused_samples_total', 'Samples refused, by reason.');
  const failures = metrics.counter('nines_ingest_failures_total', 'Requests and scrapes that the store could not take, by reason.');
  const duration = metrics.histogram('nines_ingest_append_duration_seconds', 'From decoded samples to their durability.', APPEND_BUCKETS);
  const ingest: Ingest = {
    async append(batch) {
      const startedMs = clock.monotonic();
      try {
        const outcome = await appender.append(batch, clock.now());
        samples.add(outcome.accepted);
        ingest.refused(outcome.refusedBy);
        if (outcome.accepted > 0) onCommitted(outcome.refs.subarray(0, batch.seriesCount), { batch, outcome });
        return batch.exemplars === undefined || exemplars === undefined
          ? outcome
          : { ...outcome, exemplars: exemplars.take(batch, outcome.refs) };
      } catch (thrown) {
        if (thrown instanceof StoreUnavailable) failures.add(1, { reason: thrown.reason });
        throw thrown;
      } finally {
        duration.observe((clock.monotonic() - startedMs) / 1000);
      }
    },
    refused(counts) {
      for (const [reason, count] of Object.entries(counts)) refused.add(count, { reason });
    },
    appendSamples(list) {
      const builder = createBatchBuilder();
      for (const { labels, atMs, value } of list) builder.add(labels, atMs, value);
      return ingest.append(builder.batch());
    },
  };
  return ingest;
}
