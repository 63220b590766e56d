import type { Clock } from '@nines/base/clock.ts';
import { messageOf } from '@nines/base/errors.ts';
import type { Logger } from '@nines/base/logger.ts';
import { walkExposition } from '@nines/model/exposition.ts';
import { METRIC_NAME, labelPairs, labelsFrom } from '@nines/model/labels.ts';
import { type BatchBuilder, createBatchBuilder, encodeLabels } from '@nines/model/write-batch.ts';
import { createHttpClient } from '../../platform/fetch/client.ts';
import type { Outbound } from '../../platform/fetch/outbound.ts';
import type { Ingest } from '../contract.ts';
import type { Metadata } from '../metadata-book.ts';
import { type Exposed, fetchExposition } from './fetch-exposition.ts';
import { SeriesCache } from './series-cache.ts';
import type { Target } from './targets.ts';

/** One target's scrapes, one at a time. A scrape is stored whole or not at all; `up` and its companions always are. */
export type ScraperDeps = {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly ingest: Ingest;
  readonly outbound: Outbound;
  readonly metadata: Metadata;
};

export type ScrapeState = {
  readonly health: 'up' | 'down' | 'unknown';
  readonly lastError: string;
  readonly lastScrapeMs: number | undefined;
  readonly lastDurationMs: number;
};

export type Scraper = {
  readonly target: Target;
  /** Scrapes and stores under the instant `tickMs`. Resolves also when the target or the store fails; rejects never. */
  scrape(tickMs: number, signal: AbortSignal): Promise<void>;
  /** From now on scrapes fail with `reason` without asking; undefined ends that. */
  refuse(reason: string | undefined): void;
  /** The names of the metrics that it exposes now, before relabelling. */
  metricNames(): ReadonlySet<string>;
  /** Ends every series at `atMs`, because the target is no longer configured. */
  retire(atMs: number): Promise<void>;
  readonly state: () => ScrapeState;
};

const REPORTS = [
  'up',
  'scrape_duration_seconds',
  'scrape_samples_scraped',
  'scrape_samples_post_metric_relabeling',
  'scrape_series_added',
] as const;
/** Scrapes from one look at descriptions to the next: they seldom change, and a scrape has as many of them as it has families. */
const DESCRIBE_EVERY = 20;

type Counts = { readonly scraped: number; readonly kept: number; readonly added: number };
const NOTHING: Counts = { scraped: 0, kept: 0, added: 0 };

export function createScraper(target: Target, deps: ScraperDeps): Scraper {
  const client = createHttpClient(target.job.http, deps);
  const cache = new SeriesCache(target);
  const builder = createBatchBuilder();
  const reports = REPORTS.map((name) => encodeLabels(labelsFrom([...labelPairs(target.labels), [METRIC_NAME, name]])));
  let refusal: string | undefined;
  /** The scrape whose descriptions were recorded last. */
  let describedIn = Number.NEGATIVE_INFINITY;
  let state: ScrapeState = { health: 'unknown', lastError: '', lastScrapeMs: undefined, lastDurationMs: 0 };
  /** Returns what of it was not stored, as a sentence; '' when everything was. */
  const store = async (what: string): Promise<string> => {
    const { sampleCount } = builder;
    try {
      const { refusedCount, refused } = await deps.ingest.append(builder.batch());
      if (refusedCount === 0) return '';
      deps.logger.warn('samples of a scrape were refused', { target: target.url, refused: refusedCount, first: refused[0]?.detail });
      return `${refusedCount} of ${sampleCount} samples were refused, the first because ${refused[0]?.detail ?? 'of an unknown reason'}`;
    } catch (thrown) {
      deps.logger.warn(`${what} could not be stored`, { target: target.url, error: messageOf(thrown) });
      return `${what} could not be stored: ${messageOf(thrown)}`;
    }
  };
  return {
    target,
    state: () => state,
    metricNames: () => cache.metricNames(),
    refuse: (reason) => {
      refusal = reason;
    },
    async scrape(tickMs, signal) {
      const startedMs = deps.clock.monotonic();
      builder.reset();
      let counts = NOTHING;
      let failure = '';
      cache.begin();
      try {
        if (refusal !== undefined) throw new Error(refusal);
        const exposed = await fetchExposition(client, target, signal);
        const describing = cache.current - describedIn >= DESCRIBE_EVERY;
        counts = take(exposed, { tickMs, cache, builder, target, metadata: describing ? deps.metadata : undefined });
        if (describing) describedIn = cache.current;
        for (const series of cache.ended()) builder.addStale(series.encoded, tickMs);
      } catch (thrown) {
        if (signal.aborted) return;
        failure = messageOf(thrown);
        builder.reset();
        for (const series of cache.endAll(true)) builder.addStale(series.encoded, tickMs);
      }
      const durationMs = deps.clock.monotonic() - startedMs;
      const figures = [failure === '' ? 1 : 0, durationMs / 1000, counts.scraped, counts.kept, counts.added];
      reports.forEach((encoded, i) => builder.add(encoded, tickMs, figures[i] ?? 0));
      if (failure !== '' && state.health !== 'down')
        deps.logger.warn('a scrape failed', { job: target.job.name, target: target.url, error: failure });
      state = { health: failure === '' ? 'up' : 'down', lastError: failure, lastScrapeMs: tickMs, lastDurationMs: durationMs };
      const missing = await store('a scrape');
      // The target answered well, so it is up; but whoever looks at it must see that samples are missing.
      if (failure === '' && missing !== '') state = { ...state, lastError: missing };
    },
    async retire(atMs) {
      builder.reset();
      for (const series of cache.endAll(false)) builder.addStale(series.encoded, atMs);
      if (state.health !== 'unknown') for (const encoded of reports) builder.addStale(encoded, atMs);
      if (builder.seriesCount > 0) await store('the end of a target');
    },
  };
}

type Taking = {
  readonly tickMs: number;
  readonly cache: SeriesCache;
  readonly builder: BatchBuilder;
  readonly target: Target;
  /** Where descriptions are recorded; undefined leaves them out. */
  readonly metadata: Metadata | undefined;
};

/** Reads the text into the builder. Throws what is wrong with it, naming the line. */
function take({ text, format }: Exposed, { tickMs, cache, builder, target, metadata }: Taking): Counts {
  const { job } = target;
  let scraped = 0;
  let kept = 0;
  const fault = walkExposition(text, format, {
    sample(seriesText, value, stampMs) {
      scraped++;
      const series = cache.find(seriesText);
      if (typeof series === 'string') return series;
      if (series === undefined) return undefined;
      kept++;
      if (job.limits.samples > 0 && kept > job.limits.samples) return `more samples than sample_limit ${job.limits.samples}`;
      const own = job.honorTimestamps ? stampMs : undefined;
      series.seenIn = cache.current;
      series.tracked = own === undefined || job.trackTimestampsStaleness;
      builder.add(series.encoded, own ?? tickMs, value);
      return undefined;
    },
    describe(family, part) {
      metadata?.record(family, { ...EMPTY_METADATA, ...part }, `scrape:${job.name}`);
    },
  });
  if (fault !== undefined) throw new Error(`line ${fault.line}: ${fault.message}`);
  return { scraped, kept, added: cache.added };
}

const EMPTY_METADATA = { type: 'unknown', help: '', unit: '' } as const;
