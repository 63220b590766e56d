import type { Clock } from '@nines/base/clock.ts';
import { messageOf } from '@nines/base/errors.ts';
import type { Logger } from '@nines/base/logger.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '@nines/base/units.ts';
import { parseExpr } from '@nines/promql/parse.ts';
import { type VectorSelector, unwrap } from '@nines/promql/ast.ts';
import { printExpr } from '@nines/promql/print.ts';
import { type Labels, METRIC_NAME, labelValue, labelsKey, withLabels } from '@nines/model/labels.ts';
import { NO_SERIES } from '@nines/model/storage.ts';
import type { Committed, Ingest, SampleQuery, SelfMetrics } from '../collect/contract.ts';
import type { Breath } from '../platform/breath.ts';
import type { WatchSpec } from './contract.ts';
import type { EpisodeBook } from './episodes.ts';
import { SeriesScorer } from './scoring.ts';
import { SCORE, isStoredByUs, storedLabels } from './stored-names.ts';

/** Series that are scored as they come, of all watches together. A detector holds some 30 KB. */
export const MAX_STREAMS = 5_000;
/** Samples that wait to be scored; what comes beyond is counted and not scored. */
const MAX_WAITING = 100_000;
/** Scores written at a time, and values between two looks at the clock. */
const BATCH = 2_000;
const BREATH_EVERY = 16;
/** What tells a detector what is usual after a start: far back by the hour, then closer, then as samples came. */
const PHASES = [
  { fromMs: 14 * DAY_MS, toMs: 2 * DAY_MS, stepMs: HOUR_MS },
  { fromMs: 2 * DAY_MS, toMs: 2 * HOUR_MS, stepMs: 10 * MINUTE_MS },
];
const NATIVE_STEPS = 240;
/** Over this much the distance of samples is measured. */
const DISTANCE_MS = 15 * MINUTE_MS;
const RATE_MS = 5 * MINUTE_MS;
const MAX_REF = 1 << 24;

export type StreamsDeps = {
  readonly samples: SampleQuery;
  readonly ingest: Ingest;
  readonly labelsOfRef: (ref: number) => Labels;
  readonly isCounter: (metric: string) => boolean;
  readonly episodes: EpisodeBook;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: SelfMetrics;
  readonly yieldNow: Breath;
};

type Stream = { readonly entry: Entry; readonly labels: Labels; readonly stored: Labels; readonly scorer: SeriesScorer };
/** One watch with what it has learned. */
type Entry = {
  readonly spec: WatchSpec;
  /** Of a plain selector: its samples are taken as they arrive. */
  readonly plain: VectorSelector | undefined;
  readonly counter: boolean;
  readonly streams: Map<string, Stream>;
  warm: boolean;
  nextMs: number;
};
type Waiting = { readonly stream: Stream; readonly atMs: number; readonly value: number };

/**
 * Scores of watched series. Samples of plain selectors are scored as they are committed, in slices beside everything else; other
 * expressions are evaluated at their interval. After a start each watch learns from what is stored before it scores.
 */
export class Streams {
  readonly #deps: StreamsDeps;
  #entries: readonly Entry[] = [];
  #plain: readonly Entry[] = [];
  /** By reference: 0 unknown, 1 not watched, otherwise two more than the place in `#lists`. */
  #places = new Int32Array(1 << 10);
  #lists: (readonly Stream[])[] = [];
  #count = 0;
  #waiting: Waiting[] = [];
  #draining: Promise<void> | undefined;
  #learning: Promise<void> = Promise.resolve();
  #stopped = false;
  readonly #scores;
  readonly #dropped;
  #busyMs = 0;

  constructor(deps: StreamsDeps) {
    this.#deps = deps;
    const { metrics } = deps;
    this.#scores = metrics.counter('nines_analytics_scores_total', 'Values of watched series that were scored.');
    this.#dropped = metrics.counter('nines_analytics_dropped_values_total', 'Values of watched series that were not scored, by reason.');
    metrics.watch('nines_analytics_watched_series', 'Series that are scored as they come.', () => this.#count);
    metrics.watch('nines_analytics_scoring_seconds_total', 'Time spent on scores.', () => this.#busyMs / SECOND_MS, 'counter');
  }

  /** Watches that stay as they are keep what they have learned. */
  configure(watches: readonly WatchSpec[]): void {
    const known = new Map(this.#entries.map((entry) => [keyOfSpec(entry.spec), entry]));
    this.#entries = watches.filter(({ anomalies }) => anomalies !== false).map((spec) => known.get(keyOfSpec(spec)) ?? this.#entryOf(spec));
    this.#plain = this.#entries.filter(({ plain }) => plain !== undefined);
    this.#count = this.#entries.reduce((sum, { streams }) => sum + streams.size, 0);
    this.#places = new Int32Array(1 << 10);
    this.#lists = [];
    for (const entry of this.#entries) if (!entry.warm) this.#learning = this.#learning.then(() => this.#learn(entry));
  }

  /** Of one watch: how many series, and whether it scores yet. */
  stateOf(name: string): { readonly series: number; readonly learning: boolean } {
    const entry = this.#entries.find(({ spec }) => spec.name === name);
    return { series: entry?.streams.size ?? 0, learning: entry !== undefined && !entry.warm };
  }

  /** What was committed, at once and without a promise: whoever stores samples waits for this. */
  readonly committed = (refs: Uint32Array, { batch }: Committed): void => {
    if (this.#plain.length === 0) return;
    const { samplesFrom, times, values, histograms } = batch;
    for (let i = 0; i < refs.length; i++) {
      const ref = refs[i] ?? NO_SERIES;
      if (ref === NO_SERIES) continue;
      const place = this.#placeOf(ref);
      if (place === 1) continue;
      for (const stream of this.#lists[place - 2] ?? [])
        for (let k = samplesFrom[i] ?? 0; k < (samplesFrom[i + 1] ?? 0); k++)
          if (histograms?.[k] === undefined) this.#wait({ stream, atMs: times[k] ?? 0, value: values[k] ?? Number.NaN });
    }
  };

  /** Evaluates expressions that are due. */
  async step(nowMs: number): Promise<void> {
    for (const entry of this.#entries) {
      if (entry.plain !== undefined || !entry.warm || nowMs < entry.nextMs) continue;
      const { interval, expr, name } = entry.spec;
      const atMs = Math.floor(nowMs / interval) * interval;
      entry.nextMs = atMs + interval;
      try {
        for (const { labels, value } of await this.#deps.samples.instant(expr, atMs)) {
          const stream = this.#streamOf(entry, labels);
          if (stream !== undefined) this.#wait({ stream, atMs, value });
        }
      } catch (thrown) {
        this.#deps.logger.warn('a watched expression failed', { watch: name, error: messageOf(thrown) });
      }
    }
  }

  /** Resolves when nothing waits to be learned or scored. */
  async settled(): Promise<void> {
    await this.#learning;
    while (this.#draining !== undefined) await this.#draining;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.settled();
  }

  #entryOf(spec: WatchSpec): Entry {
    const parsed = parseExpr(spec.expr);
    const root = parsed.ok ? unwrap(parsed.value) : undefined;
    const plain = root?.kind === 'selector' && root.offset === undefined && root.at === undefined ? root : undefined;
    const metric = plain?.matchers.find(({ name, op, value }) => name === METRIC_NAME && op === '=' && value !== '')?.value;
    const counter = metric !== undefined && this.#deps.isCounter(metric);
    return { spec, plain, counter, streams: new Map(), warm: false, nextMs: 0 };
  }

  #streamOf(entry: Entry, labels: Labels, stepMs?: number): Stream | undefined {
    const own = entry.counter || entry.plain === undefined ? withLabels(labels, { [METRIC_NAME]: '' }) : labels;
    const key = labelsKey(own);
    const known = entry.streams.get(key);
    if (known !== undefined || entry.spec.anomalies === false) return known;
    if (this.#count >= MAX_STREAMS) {
      this.#dropped.add(1, { reason: 'too_many_series' });
      return undefined;
    }
    const { name, anomalies, interval } = entry.spec;
    const step = entry.plain === undefined ? interval : stepMs;
    const scorer = new SeriesScorer({ ...anomalies, counter: entry.counter, stepMs: step, unit: entry.counter ? '' : entry.spec.unit });
    const open = this.#deps.episodes.openOf(name, own);
    if (open !== undefined) scorer.resume(open);
    const stream = { entry, labels: own, stored: storedLabels(SCORE, own, { name }), scorer };
    entry.streams.set(key, stream);
    this.#count += 1;
    return stream;
  }

  #placeOf(ref: number): number {
    const known = this.#places[ref] ?? 0;
    if (known !== 0 || ref >= MAX_REF) return known === 0 ? 1 : known;
    while (ref >= this.#places.length) {
      const places = new Int32Array(2 * this.#places.length);
      places.set(this.#places);
      this.#places = places;
    }
    const labels = this.#deps.labelsOfRef(ref);
    const streams = isStoredByUs(labels)
      ? []
      : this.#plain
          .filter(({ plain }) => plain?.matchers.every(({ name, matches }) => matches(labelValue(labels, name))))
          .flatMap((entry) => this.#streamOf(entry, labels) ?? []);
    const place = streams.length === 0 ? 1 : this.#lists.push(streams) + 1;
    this.#places[ref] = place;
    return place;
  }

  #wait(one: Waiting): void {
    if (!one.stream.entry.warm) return;
    if (this.#waiting.length >= MAX_WAITING) {
      this.#dropped.add(1, { reason: 'too_many_waiting' });
      return;
    }
    this.#waiting.push(one);
    this.#draining ??= this.#drain().finally(() => (this.#draining = undefined));
  }

  async #drain(): Promise<void> {
    const { clock, ingest, episodes, yieldNow, logger } = this.#deps;
    // Whoever committed goes first.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const taken = this.#waiting.splice(0, BATCH);
      const found: { readonly labels: Labels; readonly atMs: number; readonly value: number }[] = [];
      let startedMs = clock.monotonic();
      for (const [i, { stream, atMs, value }] of taken.entries()) {
        const { score, changes } = stream.scorer.next(atMs, value);
        if (score !== null) found.push({ labels: stream.stored, atMs, value: score });
        for (const change of changes) await episodes.note(stream.entry.spec.name, stream.labels, change);
        if (i % BREATH_EVERY !== BREATH_EVERY - 1) continue;
        this.#busyMs += clock.monotonic() - startedMs;
        await yieldNow();
        startedMs = clock.monotonic();
      }
      this.#busyMs += clock.monotonic() - startedMs;
      this.#scores.add(found.length);
      if (found.length === 0) continue;
      try {
        await ingest.appendSamples(found);
      } catch (thrown) {
        logger.error('scores were not stored', { count: found.length, error: messageOf(thrown) });
      }
    }
  }

  /** Gives the detectors of a watch what is stored, then lets it score. */
  async #learn(entry: Entry): Promise<void> {
    if (this.#stopped || !this.#entries.includes(entry)) return;
    const { logger, clock } = this.#deps;
    try {
      const nowMs = clock.now();
      const steps = await this.#stepsOf(entry, nowMs);
      const stepMs = Math.min(...steps.values());
      if (Number.isFinite(stepMs)) {
        const native = { fromMs: NATIVE_STEPS * stepMs, toMs: 0, stepMs };
        const phases = [...PHASES.filter((phase) => phase.stepMs > stepMs && phase.fromMs > native.fromMs), native];
        for (const [i, phase] of phases.entries())
          await this.#learnFrom(entry, { ...phase, toMs: phases[i + 1]?.fromMs ?? 0, nowMs, steps });
      }
    } catch (thrown) {
      logger.warn('a watch begins without its past', { watch: entry.spec.name, error: messageOf(thrown) });
    }
    entry.warm = true;
  }

  /** The distance of the samples of each series, by the key of its labels. */
  async #stepsOf(entry: Entry, nowMs: number): Promise<ReadonlyMap<string, number>> {
    const { spec, plain } = entry;
    if (plain === undefined) return new Map([['', spec.interval]]);
    const counts = await this.#deps.samples.instant(`count_over_time(${printExpr(plain)}[${DISTANCE_MS}ms])`, nowMs);
    const stepOf = (count: number): number => Math.max(SECOND_MS, Math.round(DISTANCE_MS / count / SECOND_MS) * SECOND_MS);
    return new Map(counts.map(({ labels, value }) => [labelsKey(labels), stepOf(value)]));
  }

  async #learnFrom(
    entry: Entry,
    at: {
      readonly fromMs: number;
      readonly toMs: number;
      readonly stepMs: number;
      readonly nowMs: number;
      readonly steps: ReadonlyMap<string, number>;
    },
  ): Promise<void> {
    const { spec, counter, plain } = entry;
    const { samples, yieldNow } = this.#deps;
    const endMs = Math.floor((at.nowMs - at.toMs) / at.stepMs) * at.stepMs;
    const expr = counter && plain !== undefined ? `rate(${printExpr(plain)}[${Math.max(RATE_MS, 2 * at.stepMs)}ms])` : spec.expr;
    const span = { fromMs: endMs - (at.fromMs - at.toMs) + at.stepMs, toMs: endMs, stepMs: at.stepMs };
    for (const { labels, times, values } of await samples.range(expr, span)) {
      const unnamed = labelsKey(withLabels(labels, { [METRIC_NAME]: '' }));
      const stream = this.#streamOf(entry, labels, at.steps.get(unnamed) ?? at.stepMs);
      if (stream === undefined) continue;
      for (let i = 0; i < times.length; i++) {
        stream.scorer.learn(times[i] ?? 0, values[i] ?? Number.NaN);
        if (i % BREATH_EVERY === 0) await yieldNow();
      }
      if (this.#stopped) return;
    }
  }
}

const keyOfSpec = ({ name, expr, interval, anomalies }: WatchSpec): string => JSON.stringify([name, expr, interval, anomalies]);
