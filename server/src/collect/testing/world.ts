import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '@nines/base/clock.ts';
import type { Logger } from '@nines/base/logger.ts';
import { mustMatcher } from '@nines/base/matcher.ts';
import { DAY_MS } from '@nines/base/units.ts';
import { formatLabels } from '@nines/model/labels.ts';
import { bitsOf, isStale } from '@nines/model/stale.ts';
import type { Store } from '@nines/tsdb/contract.ts';
import { openStore } from '@nines/tsdb/store.ts';
import type { Sql } from '../../platform/records/contract.ts';
import { EXEMPLARS, type Ingest } from '../contract.ts';
import { Exemplars } from '../exemplars/service.ts';
import { createIngest } from '../ingest.ts';
import { type Metadata, createMetadataBook } from '../metadata-book.ts';
import { type SelfRegistry, createSelfMetrics } from '../self.ts';

/** A real store in a folder of its own, with the one way in before it. */
export type World = AsyncDisposable & {
  readonly folder: string;
  readonly store: Store;
  readonly ingest: Ingest;
  readonly self: SelfRegistry;
  readonly metadata: Metadata;
  /** There when the world has a database. */
  readonly exemplars: Exemplars | undefined;
  /** References that the rules were told of, one array per commit. */
  readonly committed: readonly Uint32Array[];
  readonly warnings: readonly string[];
  readonly logger: Logger;
  /** Every sample of the metric as `labels value@atMs`, staleness markers as `stale`, sorted. */
  samplesOf(metric: string): Promise<readonly string[]>;
};

export async function openWorld(clock: Clock, sql?: Sql): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), 'nines-collect-'));
  const warnings: string[] = [];
  const warn = (message: string, fields?: Record<string, unknown>): void =>
    void warnings.push(`${message} ${JSON.stringify(fields ?? {})}`);
  const logger: Logger = { debug: () => undefined, info: () => undefined, warn, error: warn, child: () => logger };
  const store = await openStore({ dir: join(folder, 'tsdb'), retentionMs: 30 * DAY_MS, logger });
  const self = createSelfMetrics();
  const committed: Uint32Array[] = [];
  const labelsOfRef: Store['labelsOfRef'] = (ref) => store.labelsOfRef(ref);
  const exemplars = sql === undefined ? undefined : new Exemplars({ sql, metrics: self, labelsOfRef, maxExemplars: EXEMPLARS.default });
  const ingest = createIngest({
    appender: store,
    clock,
    metrics: self,
    onCommitted: (refs) => void committed.push(refs.slice()),
    ...(exemplars === undefined ? {} : { exemplars }),
  });
  return {
    folder,
    store,
    ingest,
    self,
    metadata: createMetadataBook(),
    exemplars,
    committed,
    warnings,
    logger,
    async samplesOf(metric) {
      const lines: string[] = [];
      const range = { fromMs: clock.now() - 30 * DAY_MS, toMs: clock.now() + DAY_MS };
      for (const { labels, times, values } of await store.select([mustMatcher('__name__', '=', metric)], range)) {
        const bits = bitsOf(values);
        times.forEach((atMs, i) => lines.push(`${formatLabels(labels)} ${isStale(bits, i) ? 'stale' : values[i]}@${atMs}`));
      }
      return lines.sort();
    },
    async [Symbol.asyncDispose]() {
      await store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The value of an own metric's child, or undefined. */
export function selfValue(self: SelfRegistry, series: string): number | undefined {
  for (const { samples } of self.collect()) for (const { labels, value } of samples) if (formatLabels(labels) === series) return value;
  return undefined;
}
