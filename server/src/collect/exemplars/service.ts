import type { Clock } from '@nines/base/clock.ts';
import type { Logger } from '@nines/base/logger.ts';
import type { Matcher } from '@nines/base/matcher.ts';
import { type BatchExemplar, compareExemplars } from '@nines/model/exemplar.ts';
import { type ExemplarRange, ExemplarRing, type SeriesExemplars } from '@nines/model/exemplar-ring.ts';
import { type Labels, METRIC_NAME, labelValue } from '@nines/model/labels.ts';
import { type Appender, NO_SERIES, type WriteBatch } from '@nines/model/storage.ts';
import { decodeLabels, labelBytesOf } from '@nines/model/write-batch.ts';
import { startLoop } from '../../platform/loop.ts';
import type { Sql } from '../../platform/records/contract.ts';
import type { Counter, ExemplarSource, SelfMetrics } from '../contract.ts';
import { type StoredExemplar, insertExemplars, loadExemplars, removeExemplars } from './store.ts';

export type ExemplarsDeps = {
  readonly sql: Sql;
  readonly metrics: SelfMetrics;
  readonly labelsOfRef: Appender['labelsOfRef'];
  /** How many are kept. */
  readonly maxExemplars: number;
};

/** How often what came in is written down. A crash loses as much. */
const SAVE_EXEMPLARS_MS = 5_000;
/** Labels of a series that came with no sample, which nothing has judged yet. */
const MAX_UNJUDGED_BYTES = 2_048;

/**
 * Keeps the newest exemplars of all series in memory, and writes them down behind. Whatever takes samples in gives it the
 * exemplars that came with them.
 */
export class Exemplars implements ExemplarSource {
  readonly #deps: ExemplarsDeps;
  readonly #ring: ExemplarRing;
  readonly #stored: Counter;
  readonly #refused: Counter;
  /** Taken and not written down yet. */
  #unsaved: StoredExemplar[] = [];
  #seq = 0;

  constructor(deps: ExemplarsDeps) {
    const { metrics, maxExemplars } = deps;
    const ring = new ExemplarRing(maxExemplars);
    this.#deps = deps;
    this.#ring = ring;
    this.#stored = metrics.counter('nines_exemplars_stored_total', 'Exemplars that were taken.');
    this.#refused = metrics.counter('nines_exemplars_refused_total', 'Exemplars that were not taken, by reason.');
    metrics.watch('nines_exemplars_kept', 'Exemplars that are kept.', () => ring.size);
    metrics.watch('nines_exemplars_kept_series', 'Series of which exemplars are kept.', () => ring.seriesCount);
    metrics.watch('nines_exemplars_limit', 'How many exemplars are kept at most.', () => maxExemplars);
  }

  async load(): Promise<void> {
    for (const { seq, series, exemplar } of await loadExemplars(this.#deps.sql, this.#deps.maxExemplars)) {
      this.#ring.add(series, exemplar);
      this.#seq = seq;
    }
  }

  /**
   * Those of a batch that was stored under `refs`, in the order of their time. Series whose samples were all refused give none.
   * Returns how many are kept now or were already.
   */
  take(batch: WriteBatch, refs: Uint32Array): number {
    const sorted = [...(batch.exemplars ?? [])].sort((a, b) => a.series - b.series || compareExemplars(a, b));
    let taken = 0;
    let series = -1;
    let labels: Labels | undefined;
    for (const exemplar of sorted) {
      if (exemplar.series !== series) labels = this.#labelsOf(batch, exemplar.series, refs);
      series = exemplar.series;
      if (this.#add(labels, exemplar)) taken++;
    }
    return taken;
  }

  #add(series: Labels | undefined, { labels, value, atMs }: BatchExemplar): boolean {
    if (series === undefined || !Number.isSafeInteger(atMs)) {
      this.#refused.add(1, { reason: series === undefined ? 'series' : 'time' });
      return false;
    }
    const exemplar = { labels, value, atMs };
    const verdict = this.#ring.add(series, exemplar);
    if (verdict === 'duplicate') return true;
    if (verdict !== 'stored') {
      this.#refused.add(1, { reason: verdict });
      return false;
    }
    this.#stored.add();
    this.#unsaved.push({ seq: ++this.#seq, series, exemplar });
    // What has left the ring again need not be written.
    if (this.#unsaved.length >= 2 * this.#ring.capacity) this.#unsaved = this.#unsaved.slice(-this.#ring.capacity);
    return true;
  }

  #labelsOf(batch: WriteBatch, series: number, refs: Uint32Array): Labels | undefined {
    const ref = refs[series] ?? NO_SERIES;
    if (ref !== NO_SERIES) return this.#deps.labelsOfRef(ref);
    // Prometheus sends exemplars beside the samples of their series, not with them.
    if (batch.samplesFrom[series] !== batch.samplesFrom[series + 1]) return undefined;
    const { bytes, from, to } = labelBytesOf(batch, series);
    if (to - from > MAX_UNJUDGED_BYTES) return undefined;
    const labels = decodeLabels(bytes, from, to);
    return labels.ok && labelValue(labels.value, METRIC_NAME) !== '' ? labels.value : undefined;
  }

  select(selectors: readonly (readonly Matcher[])[], range: ExemplarRange): readonly SeriesExemplars[] {
    return this.#ring.select(selectors, range);
  }

  /** Writes down what came in since the last time, and removes what has made room. */
  async save(): Promise<void> {
    const unsaved = this.#unsaved.slice(-this.#ring.capacity);
    this.#unsaved = [];
    if (unsaved.length === 0) return;
    try {
      await insertExemplars(this.#deps.sql, unsaved);
    } catch (thrown) {
      this.#unsaved = [...unsaved, ...this.#unsaved];
      throw thrown;
    }
    await removeExemplars(this.#deps.sql, (unsaved.at(-1)?.seq ?? 0) - this.#ring.capacity);
  }
}

type Started = Pick<ExemplarsDeps, 'sql' | 'metrics'> & {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly appender: Pick<Appender, 'labelsOfRef'>;
  readonly max_exemplars: number;
};

/** With those of the last time; from now on what comes in is written down every few seconds, and at the end. */
export async function startExemplars({
  sql,
  metrics,
  clock,
  logger,
  appender,
  max_exemplars: maxExemplars,
}: Started): Promise<Exemplars & AsyncDisposable> {
  const exemplars = new Exemplars({ sql, metrics, labelsOfRef: (ref) => appender.labelsOfRef(ref), maxExemplars });
  await exemplars.load();
  const loop = startLoop({ clock, logger, name: 'exemplars', everyMs: SAVE_EXEMPLARS_MS, step: () => exemplars.save() });
  return Object.assign(exemplars, {
    [Symbol.asyncDispose]: async (): Promise<void> => {
      await loop[Symbol.asyncDispose]();
      await exemplars.save();
    },
  });
}
