import type { Matcher } from '@nines/base/matcher.ts';
import { METRIC_NAME } from '@nines/model/labels.ts';
import type { Cardinality, Census, Counted, Disk, MetricSize, SeriesReport } from './contract.ts';
import type { Head } from './head/head.ts';
import type { SeriesGate } from './head/new-series.ts';
import { Top } from './top.ts';

/** How many series there are, by what. Walks of the index give the rest of the process a turn after so many steps: some 5 ms. */
const STEPS_PER_TURN = 4 * 1024;

export type CardinalityDeps = {
  readonly head: Head;
  readonly gate: SeriesGate;
  readonly disk: Pick<Disk, 'yield'>;
  readonly checkOpen: () => void;
};

export class CardinalityReader implements Cardinality {
  readonly #deps: CardinalityDeps;
  #steps = 0;

  constructor(deps: CardinalityDeps) {
    this.#deps = deps;
  }

  report(nowMs: number): SeriesReport {
    const { head, gate } = this.#deps;
    const { samples, last } = gate.refusals;
    return {
      limits: gate.limits,
      series: head.index.size,
      newSeries: gate.added.total,
      newInMinute: gate.added.inMinute(nowMs),
      newInHour: gate.added.inHour(nowMs),
      refusedSamples: samples,
      lastRefusal: last,
    };
  }

  matching(matchers: readonly Matcher[]): number {
    return this.#deps.head.index.select(matchers).length;
  }

  async metrics(matchers: readonly Matcher[], limit: number, nowMs: number): Promise<readonly MetricSize[]> {
    const { gate } = this.#deps;
    const largest = new Top<Counted>(limit, larger);
    for (const [name, count] of await this.#seriesByMetric(matchers)) largest.offer({ name, count });
    return largest.sorted().map(({ name, count }) => ({
      name,
      series: count,
      newInMinute: gate.added.ofMetric(name, nowMs).inMinute,
      newInHour: gate.added.ofMetric(name, nowMs).inHour,
      refusedSamples: gate.refusedOf(name),
    }));
  }

  async census(limit: number): Promise<Census> {
    const { index } = this.#deps.head;
    const metrics = new Top<Counted>(limit, larger);
    const values = new Top<Counted>(limit, larger);
    const bytes = new Top<Counted>(limit, larger);
    const pairs = new Top<Counted>(limit, larger);
    let labelPairs = 0;
    for (const name of index.names()) {
      let count = 0;
      let size = 0;
      for (const { value, series } of index.valuesOf(name)) {
        if (this.#isTurnDue()) await this.#turn();
        count++;
        size += utf8Length(value) * series;
        pairs.offer({ name: `${name}=${value}`, count: series });
        if (name === METRIC_NAME) metrics.offer({ name: value, count: series });
      }
      labelPairs += count;
      values.offer({ name, count });
      bytes.offer({ name, count: size });
    }
    return {
      ...(await this.#head()),
      labelPairs,
      seriesByMetric: metrics.sorted(),
      valuesByLabel: values.sorted(),
      bytesByLabel: bytes.sorted(),
      seriesByPair: pairs.sorted(),
    };
  }

  /** Series counted by metric: from the index alone when nothing narrows them. */
  async #seriesByMetric(matchers: readonly Matcher[]): Promise<ReadonlyMap<string, number>> {
    const { index } = this.#deps.head;
    const counts = new Map<string, number>();
    this.#deps.checkOpen();
    if (matchers.length === 0) {
      for (const { value, series } of index.valuesOf(METRIC_NAME)) {
        if (this.#isTurnDue()) await this.#turn();
        counts.set(value, series);
      }
      return counts;
    }
    for (const ref of index.select(matchers)) {
      if (this.#isTurnDue()) await this.#turn();
      const metric = index.metricOf(ref);
      // Empty when the series was forgotten in between.
      if (metric !== '') counts.set(metric, (counts.get(metric) ?? 0) + 1);
    }
    return counts;
  }

  async #head(): Promise<Pick<Census, 'series' | 'chunks' | 'oldestMs' | 'newestMs'>> {
    const { head } = this.#deps;
    let oldestMs = Number.POSITIVE_INFINITY;
    let newestMs = Number.NEGATIVE_INFINITY;
    for (const ref of head.index.refs()) {
      if (this.#isTurnDue()) await this.#turn();
      oldestMs = Math.min(oldestMs, head.oldestOf(ref));
      newestMs = Math.max(newestMs, head.newestOf(ref));
    }
    return { series: head.index.size, chunks: head.chunkCount, oldestMs, newestMs };
  }

  #isTurnDue(): boolean {
    return ++this.#steps % STEPS_PER_TURN === 0;
  }

  async #turn(): Promise<void> {
    await this.#deps.disk.yield();
    this.#deps.checkOpen();
  }
}

/** More first; the name decides between equals, so that a list is the same every time. */
const larger = (a: Counted, b: Counted): number => b.count - a.count || (a.name < b.name ? -1 : 1);

/** Bytes of a text in UTF-8. */
function utf8Length(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    // The two halves of a pair make four bytes.
    if (code >= 0x80) bytes += code >= 0x800 && (code < 0xd800 || code > 0xdfff) ? 2 : 1;
  }
  return bytes;
}
