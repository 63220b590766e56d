import { type Labels, METRIC_NAME, labelPairs, labelValue, labelsFrom, labelsKey } from '@nines/model/labels.ts';
import { relabel } from '@nines/model/relabel.ts';
import { parseSeriesText } from '@nines/model/series-text.ts';
import { encodeLabels } from '@nines/model/write-batch.ts';
import type { Target } from './targets.ts';

/**
 * What a target's series are called. A series that was seen before is found by its raw text, without reading its labels;
 * series that ended are known, so that each gets its staleness marker.
 */
export type Series = {
  readonly encoded: Uint8Array;
  /** The scrape in which it was first met. */
  readonly bornIn: number;
  /** The scrape in which it last had a sample. */
  seenIn: number;
  /** Whether its end is announced by a marker; not when the target gives timestamps of its own. */
  tracked: boolean;
};

/** `undefined` stands for a series that relabelling drops. */
type Known = { readonly series: Series | undefined; seenIn: number };

/** Texts that were not seen for this many scrapes are forgotten. */
const FORGET_AFTER = 10;

export class SeriesCache {
  readonly #texts = new Map<string, Known>();
  readonly #series = new Map<string, Series>();
  readonly #target: Target;
  #scrape = 0;
  /** Series that are new in the scrape under way. */
  added = 0;

  constructor(target: Target) {
    this.#target = target;
  }

  metricNames(): ReadonlySet<string> {
    const names = new Set<string>();
    for (const text of this.#texts.keys()) {
      const parsed = parseSeriesText(text);
      if (parsed.ok) names.add(labelValue(parsed.value.labels, METRIC_NAME));
    }
    return names;
  }

  begin(): void {
    this.#scrape++;
    this.added = 0;
  }

  get current(): number {
    return this.#scrape;
  }

  /** The series of a text; undefined when it is dropped; a text when it cannot be taken, which fails the scrape. */
  find(text: string): Series | undefined | string {
    const known = this.#texts.get(text);
    if (known !== undefined) {
      known.seenIn = this.#scrape;
      return known.series;
    }
    const made = this.#make(text);
    if (typeof made === 'string') return made;
    this.#texts.set(text, { series: made, seenIn: this.#scrape });
    return made;
  }

  #make(text: string): Series | undefined | string {
    const parsed = parseSeriesText(text);
    if (!parsed.ok) return parsed.error;
    const { job, labels: targetLabels } = this.#target;
    const merged = mergeLabels(parsed.value.labels, targetLabels, job.honorLabels);
    const labels = relabel(merged, job.metricRelabelRules);
    if (labels === undefined) return undefined;
    if (labelValue(labels, METRIC_NAME) === '') return `series without a metric name: ${text}`;
    const fault = overLimit(labels, this.#target);
    if (fault !== undefined) return fault;
    const key = labelsKey(labels);
    const found = this.#series.get(key);
    if (found !== undefined) return found;
    const series: Series = { encoded: encodeLabels(labels), bornIn: this.#scrape, seenIn: 0, tracked: true };
    this.#series.set(key, series);
    this.added++;
    return series;
  }

  /** The tracked series that had no sample in this scrape; they are forgotten. */
  *ended(): Generator<Series> {
    for (const [key, series] of this.#series) {
      if (series.seenIn === this.#scrape) continue;
      this.#series.delete(key);
      if (series.tracked && series.seenIn > 0) yield series;
    }
    for (const [text, known] of this.#texts) {
      const gone = known.series !== undefined && known.series.seenIn !== this.#scrape;
      if (gone || known.seenIn <= this.#scrape - FORGET_AFTER) this.#texts.delete(text);
    }
  }

  /**
   * The tracked series that were stored; all are forgotten. When the scrape under way has `failed`, what it met first was
   * never stored.
   */
  *endAll(failed: boolean): Generator<Series> {
    for (const series of this.#series.values()) {
      if (series.tracked && series.seenIn > 0 && !(failed && series.bornIn === this.#scrape)) yield series;
    }
    this.#series.clear();
    this.#texts.clear();
  }
}

/** Target labels win and push a scraped one of the same name aside, or lose to it with honor_labels. */
export function mergeLabels(scraped: Labels, target: Labels, honorLabels: boolean): Labels {
  const merged = new Map(labelPairs(scraped));
  for (const [name, value] of labelPairs(target)) {
    const present = merged.get(name);
    if (present !== undefined && honorLabels) continue;
    if (present !== undefined) {
      let aside = `exported_${name}`;
      while (merged.has(aside) || labelValue(target, aside) !== '') aside = `exported_${aside}`;
      merged.set(aside, present);
    }
    merged.set(name, value);
  }
  return labelsFrom(merged);
}

function overLimit(labels: Labels, { job }: Target): string | undefined {
  const { limits } = job;
  if (limits.labels > 0 && labels.length / 2 > limits.labels) return `${labels.length / 2} labels are over label_limit ${limits.labels}`;
  for (const [name, value] of labelPairs(labels)) {
    if (limits.labelNameLength > 0 && name.length > limits.labelNameLength)
      return `label name "${name}" is over label_name_length_limit ${limits.labelNameLength}`;
    if (limits.labelValueLength > 0 && value.length > limits.labelValueLength)
      return `value of label "${name}" is over label_value_length_limit ${limits.labelValueLength}`;
  }
  return undefined;
}
