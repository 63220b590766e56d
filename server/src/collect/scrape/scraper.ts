import type { Clock } from '@nines/base/clock.ts';
import { messageOf } from '@nines/base/errors.ts';
import type { Logger } from '@nines/base/logger.ts';
import type { ExposedExemplar } from '@nines/model/exemplar.ts';
import { type ExpositionSink, walkExpositionInSteps } from '@nines/model/exposition.ts';
import { walkProtobufInSteps } from '@nines/model/exposition-protobuf.ts';
import type { Histogram } from '@nines/model/histogram.ts';
import type { MetricMetadata } from '@nines/model/metadata.ts';
import type { WriteBatch } from '@nines/model/storage.ts';
import { METRIC_NAME, labelPairs, labelsFrom } from '@nines/model/labels.ts';
import { encodeLabels } from '@nines/model/write-batch.ts';
import { createHttpClient } from '../../platform/fetch/client.ts';
import type { Outbound } from '../../platform/fetch/outbound.ts';
import type { Ingest } from '../contract.ts';
import type { Metadata } from '../metadata-book.ts';
import type { Breath } from '../../platform/breath.ts';
import { ScrapeBatches } from './batches.ts';
import { type Exposed, BodyTooLarge, fetchExposition } from './fetch-exposition.ts';
import { fittedHistogram } from './fitted-histogram.ts';
import { SeriesCache } from './series-cache.ts';
import type { Target } from './targets.ts';

/**
 * One target's scrapes, one at a time. Nothing of a scrape that fails is stored but `up` and its companions. A crash while a long
 * one is stored may keep the batches before it.
 */
export type ScraperDeps = {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly ingest: Ingest;
  readonly outbound: Outbound;
  readonly metadata: Metadata;
  /** Called every `STEP_LINES` lines: a long exposition must not hold up everything else. */
  readonly yieldNow: Breath;
};

export type ScrapeState = {
  readonly health: 'up' | 'down' | 'unknown';
  readonly lastError: string;
  readonly lastScrapeMs: number | undefined;
  readonly lastDurationMs: number;
  /** Samples of the last scrape, before relabelling. */
  readonly lastSamples: number;
};

export type Scraper = {
  readonly target: Target;
  /** Scrapes and stores under the instant `tickMs`. Resolves also when the target or the store fails; rejects never. */
  scrape(tickMs: number, signal: AbortSignal): Promise<void>;
  /** From now on scrapes fail with `reason` without asking; undefined ends that. */
  refuse(reason: string | undefined): void;
  /** The names of the metrics that it exposes now, before relabelling. */
  metricNames(): ReadonlySet<string>;
  /** Ends every series at `atMs`, except those with newer samples, because the target is no longer configured. */
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
/** Further ones, with extra_scrape_metrics. */
const EXTRA_REPORTS = ['scrape_timeout_seconds', 'scrape_sample_limit', 'scrape_body_size_bytes'] as const;
/** Samples of a scrape whose job has no sample_limit: one target must not take the memory that all others need. */
const MAX_SAMPLES = 250_000;
/** About ten milliseconds of reading. */
const STEP_LINES = 5_000;
/** Scrapes from one look at descriptions to the next: they seldom change, and a scrape has as many of them as it has families. */
const DESCRIBE_EVERY = 20;

/** What came of an exposition. `fault` says why nothing of it may be stored, `remark` what of it was left out. */
type Taken = {
  readonly scraped: number;
  readonly kept: number;
  readonly added: number;
  readonly bodyBytes: number;
  readonly fault: string;
  readonly remark: string;
};
const NOTHING: Taken = { scraped: 0, kept: 0, added: 0, bodyBytes: 0, fault: '', remark: '' };

export function createScraper(target: Target, deps: ScraperDeps): Scraper {
  const client = createHttpClient(target.job.http, deps);
  const cache = new SeriesCache(target);
  const builder = new ScrapeBatches();
  const names = target.job.extraMetrics ? [...REPORTS, ...EXTRA_REPORTS] : REPORTS;
  const reports = names.map((name) => encodeLabels(labelsFrom([...labelPairs(target.labels), [METRIC_NAME, name]])));
  let refusal: string | undefined;
  /** The scrape whose descriptions were recorded last. */
  let describedIn = Number.NEGATIVE_INFINITY;
  let state: ScrapeState = { health: 'unknown', lastError: '', lastScrapeMs: undefined, lastDurationMs: 0, lastSamples: 0 };
  /** Asks the target and reads the answer into the builder; whatever goes wrong is its fault. */
  const ask = async (tickMs: number, signal: AbortSignal): Promise<Taken> => {
    if (refusal !== undefined) return { ...NOTHING, fault: refusal };
    try {
      const exposed = await fetchExposition(client, target, signal);
      const describing = cache.current - describedIn >= DESCRIBE_EVERY;
      const taken = await take(exposed, {
        tickMs,
        cache,
        builder,
        target,
        yieldNow: deps.yieldNow,
        metadata: describing ? deps.metadata : undefined,
      });
      if (describing && taken.fault === '') describedIn = cache.current;
      return taken;
    } catch (thrown) {
      return { ...NOTHING, bodyBytes: thrown instanceof BodyTooLarge ? -1 : 0, fault: messageOf(thrown) };
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
      cache.begin();
      const { fault, remark, ...counts } = await ask(tickMs, signal);
      if (signal.aborted) return;
      if (fault !== '') builder.reset();
      for (const series of fault === '' ? cache.settle() : cache.fail()) builder.addStale(series.encoded, tickMs);
      const durationMs = deps.clock.monotonic() - startedMs;
      const figures = [fault === '' ? 1 : 0, durationMs / 1000, counts.scraped, counts.kept, counts.added];
      figures.push(target.timeoutMs / 1000, target.job.limits.samples, counts.bodyBytes);
      reports.forEach((encoded, i) => builder.add(encoded, tickMs, figures[i] ?? 0));
      if (fault !== '' && state.health !== 'down')
        deps.logger.warn('a scrape failed', { job: target.job.name, target: target.url, error: fault });
      const missing = await storeAll(deps, target, { what: 'a scrape', batches: builder.batches() });
      // The target answered well, so it is up; but whoever looks at it must see that samples are missing.
      const health = fault === '' ? 'up' : 'down';
      const lastError = fault === '' ? [remark, missing].filter((text) => text !== '').join('; ') : fault;
      state = { health, lastError, lastScrapeMs: tickMs, lastDurationMs: durationMs, lastSamples: counts.scraped };
    },
    async retire(atMs) {
      builder.reset();
      for (const series of cache.fail()) builder.addStale(series.encoded, atMs);
      for (const encoded of reports) builder.addStale(encoded, atMs);
      await storeAll(deps, target, { what: 'the end of a target', batches: builder.batches(), onlyNewer: true });
    },
  };
}

type Storing = { readonly what: string; readonly batches: Iterable<WriteBatch>; readonly onlyNewer?: true };

/** Stores batch after batch with rests. Returns what was not stored, as a sentence; '' when everything was. */
async function storeAll(
  { ingest, logger, yieldNow }: ScraperDeps,
  { url }: Target,
  { what, batches, onlyNewer }: Storing,
): Promise<string> {
  let [missing, all, first] = [0, 0, ''];
  try {
    for (const batch of batches) {
      if (all > 0) await yieldNow();
      const { refusedCount, refused } = await ingest.append(onlyNewer === undefined ? batch : { ...batch, onlyNewer });
      if (missing === 0 && refusedCount > 0) first = refused[0]?.detail ?? 'of an unknown reason';
      missing += refusedCount;
      all += batch.samplesFrom[batch.seriesCount] ?? 0;
    }
  } catch (thrown) {
    logger.warn(`${what} could not be stored`, { target: url, error: messageOf(thrown) });
    return `${what} could not be stored: ${messageOf(thrown)}`;
  }
  if (missing === 0) return '';
  logger.warn('samples of a scrape were refused', { target: url, refused: missing, first });
  return `${missing} of ${all} samples were refused, the first because ${first}`;
}

type Taking = {
  readonly tickMs: number;
  readonly cache: SeriesCache;
  readonly builder: ScrapeBatches;
  readonly target: Target;
  /** Where descriptions are recorded; undefined leaves them out. */
  readonly metadata: Metadata | undefined;
  readonly yieldNow: Breath;
};

/**
 * Reads what was exposed into the builder. Of a series that stands there twice the first sample counts. Over sample_limit the rest is
 * counted all the same, so that the figures say by how much.
 */
async function take(exposed: Exposed, taking: Taking): Promise<Taken> {
  const { cache, target, yieldNow } = taking;
  const sink = new ScrapeSink(taking);
  const walk = stepsOf(exposed, sink, target.job);
  let step = walk.next();
  for (; step.done !== true; step = walk.next()) await yieldNow();
  const { scraped, kept, over, repeated, firstRepeated } = sink;
  const counts = { scraped, kept, added: cache.added, bodyBytes: exposed.bodyBytes };
  if (step.value !== undefined) return { ...counts, fault: step.value, remark: '' };
  if (over) return { ...counts, fault: `${kept} samples are over sample_limit ${target.job.limits.samples}`, remark: '' };
  const remark =
    repeated === 0 ? '' : `${repeated} samples repeat a series of the same scrape and were left out, the first is ${firstRepeated}`;
  return { ...counts, fault: '', remark };
}

/** Walks it with rests; ends with what is wrong, if anything, naming the line or the byte. */
function* stepsOf(exposed: Exposed, sink: ExpositionSink, job: Target['job']): Generator<undefined, string | undefined> {
  if (exposed.format === 'protobuf') {
    const fault = yield* walkProtobufInSteps(exposed.bytes, sink, { native: job.nativeHistograms, classicToo: job.classicToo });
    return fault === undefined ? undefined : `byte ${fault.atByte}: ${fault.message}`;
  }
  const { text, format } = exposed;
  const fault = yield* walkExpositionInSteps({ text, format, sink }, STEP_LINES);
  return fault === undefined ? undefined : `line ${fault.line}: ${fault.message}`;
}

class ScrapeSink implements ExpositionSink {
  readonly #taking: Taking;
  /** Of the sample that comes next. */
  #exemplars: ExposedExemplar[] = [];
  scraped = 0;
  kept = 0;
  over = false;
  repeated = 0;
  firstRepeated = '';

  constructor(taking: Taking) {
    this.#taking = taking;
  }

  sample(seriesText: string, value: number, stampMs: number | undefined): string | undefined {
    return this.#take(seriesText, value, stampMs);
  }

  histogram(seriesText: string, histogram: Histogram, stampMs: number | undefined): string | undefined {
    const { limits, minBucketFactor } = this.#taking.target.job;
    const fitted = fittedHistogram(histogram, { maxBuckets: limits.buckets, minBucketFactor });
    return typeof fitted === 'string' ? fitted : this.#take(seriesText, fitted, stampMs);
  }

  exemplar(exemplar: ExposedExemplar): void {
    this.#exemplars.push(exemplar);
  }

  describe(family: string, part: Partial<MetricMetadata>): void {
    this.#taking.metadata?.record(family, { ...EMPTY_METADATA, ...part }, `scrape:${this.#taking.target.job.name}`);
  }

  #take(seriesText: string, value: number | Histogram, stampMs: number | undefined): string | undefined {
    const { tickMs, cache, builder, target } = this.#taking;
    const { job } = target;
    this.scraped++;
    const exemplars = this.#exemplars;
    if (exemplars.length > 0) this.#exemplars = [];
    if (job.limits.samples === 0 && builder.sampleCount >= MAX_SAMPLES)
      return `more than ${MAX_SAMPLES} samples; write a sample_limit if the target is to have more`;
    const full = job.limits.samples > 0 && builder.sampleCount >= job.limits.samples;
    const series = full ? cache.probe(seriesText) : cache.find(seriesText);
    if (typeof series === 'string') return series;
    if (series === undefined) return undefined;
    this.kept++;
    const own = job.honorTimestamps ? stampMs : undefined;
    if (own === undefined && series.seenIn === cache.current) {
      if (this.repeated++ === 0) this.firstRepeated = seriesText;
      return undefined;
    }
    if (full) {
      this.over = true;
      return undefined;
    }
    series.seenIn = cache.current;
    if (own === undefined || job.trackTimestampsStaleness) series.trackedIn = cache.current;
    const atMs = own ?? tickMs;
    if (typeof value === 'number') builder.add(series.encoded, atMs, value);
    else builder.addHistogram(series.encoded, atMs, value);
    for (const exemplar of exemplars) builder.addExemplar({ ...exemplar, atMs: exemplar.atMs ?? atMs });
    return undefined;
  }
}

const EMPTY_METADATA = { type: 'unknown', help: '', unit: '' } as const;
