import { type Labels, METRIC_NAME, formatLabels, labelPairs, labelValue, labelsFrom, labelsKey } from '@nines/model/labels.ts';
import { relabel } from '@nines/model/relabel.ts';
import { type SeriesText, isClassicLabelName, isClassicMetricName, parseSeriesText } from '@nines/model/series-text.ts';
import { encodeLabels } from '@nines/model/write-batch.ts';
import type { Target } from './targets.ts';

/**
 * What a target's series are called. A series that was seen before is found by its raw text, without reading its labels;
 * series that were stored are known, so that each gets its staleness marker when it ends.
 */
export type Series = {
  readonly encoded: Uint8Array;
  /** The scrape in which it was first met. */
  readonly bornIn: number;
  /** The scrape in which it last had a sample. */
  seenIn: number;
  /** The scrape in which it last had a sample whose absence next time is its end: not one with a timestamp of the target's own. */
  trackedIn: number;
  /** Whether its end is yet to be announced by a marker. */
  live: boolean;
};

/** `undefined` stands for a series that relabelling drops. */
type Known = { readonly series: Series | undefined; readonly bornIn: number; seenIn: number };

const NO_BYTES = new Uint8Array(0);

export class SeriesCache {
  readonly #texts = new Map<string, Known>();
  readonly #series = new Map<string, Series>();
  readonly #target: Target;
  #scrape = 0;
  /** Series that are new in the scrape under way. They stay known when a scrape fails, as in Prometheus. */
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
    const labels = this.#labelsOf(text);
    if (typeof labels === 'string') return labels;
    const series = labels === undefined ? undefined : this.#seriesOf(labels);
    this.#texts.set(text, { series, bornIn: this.#scrape, seenIn: this.#scrape });
    return series;
  }

  /** As `find`, but remembers nothing of what is new: for what comes after a limit. */
  probe(text: string): Series | undefined | string {
    const known = this.#texts.get(text);
    if (known !== undefined) return known.series;
    const labels = this.#labelsOf(text);
    if (labels === undefined || typeof labels === 'string') return labels;
    return this.#series.get(labelsKey(labels)) ?? { encoded: NO_BYTES, bornIn: this.#scrape, seenIn: 0, trackedIn: 0, live: false };
  }

  /** The labels after relabelling; undefined when the series is dropped; a text when it cannot be taken. */
  #labelsOf(text: string): Labels | undefined | string {
    const parsed = parseSeriesText(text);
    if (!parsed.ok) return parsed.error;
    const { job, labels: targetLabels } = this.#target;
    const labels = relabel(mergeLabels(parsed.value, targetLabels, job.honorLabels), job.metricRelabelRules);
    return labels === undefined ? undefined : (labelsFault(labels, this.#target) ?? labels);
  }

  #seriesOf(labels: Labels): Series {
    const key = labelsKey(labels);
    const found = this.#series.get(key);
    if (found !== undefined) return found;
    const series: Series = { encoded: encodeLabels(labels), bornIn: this.#scrape, seenIn: 0, trackedIn: 0, live: false };
    this.#series.set(key, series);
    this.added++;
    return series;
  }

  /** The scrape under way is stored: the series that ended with it. What it did not mention is forgotten. */
  *settle(): Generator<Series> {
    for (const [key, series] of this.#series) {
      const tracked = series.trackedIn === this.#scrape;
      if (series.live && !tracked) yield series;
      series.live = tracked;
      if (series.seenIn !== this.#scrape) this.#series.delete(key);
    }
    for (const [text, known] of this.#texts) if (known.seenIn !== this.#scrape) this.#texts.delete(text);
  }

  /** The scrape under way failed: every live series ends. What it met first was never stored and is forgotten. */
  *fail(): Generator<Series> {
    for (const [key, series] of this.#series) {
      if (series.live) yield series;
      series.live = false;
      if (series.bornIn === this.#scrape) this.#series.delete(key);
    }
    for (const [text, known] of this.#texts) if (known.bornIn === this.#scrape) this.#texts.delete(text);
  }
}

/**
 * Target labels win and push a scraped one of the same name aside, or lose to it with honor_labels; then one that is written
 * with an empty value keeps the target's away.
 */
export function mergeLabels(scraped: Pick<SeriesText, 'labels' | 'empty'>, target: Labels, honorLabels: boolean): Labels {
  const merged = new Map(labelPairs(scraped.labels));
  for (const [name, value] of labelPairs(target)) {
    const present = merged.get(name);
    if (honorLabels && (present !== undefined || scraped.empty?.includes(name) === true)) continue;
    if (present !== undefined) {
      let aside = `exported_${name}`;
      while (merged.has(aside) || labelValue(target, aside) !== '') aside = `exported_${aside}`;
      merged.set(aside, present);
    }
    merged.set(name, value);
  }
  return labelsFrom(merged);
}

/** Why a label set cannot be taken, if so. Lengths are in bytes. */
function labelsFault(labels: Labels, { job }: Target): string | undefined {
  const { limits } = job;
  const metric = labelValue(labels, METRIC_NAME);
  if (metric === '') return `series without a metric name: ${formatLabels(labels)}`;
  if (job.legacyNames && !isClassicMetricName(metric)) return `"${metric}" is not a metric name of metric_name_validation_scheme legacy`;
  if (limits.labels > 0 && labels.length / 2 > limits.labels) return `${labels.length / 2} labels are over label_limit ${limits.labels}`;
  for (const [name, value] of labelPairs(labels)) {
    if (job.legacyNames && !isClassicLabelName(name)) return `"${name}" is not a label name of metric_name_validation_scheme legacy`;
    if (limits.labelNameLength > 0 && Buffer.byteLength(name) > limits.labelNameLength)
      return `label name "${name}" is over label_name_length_limit ${limits.labelNameLength}`;
    if (limits.labelValueLength > 0 && Buffer.byteLength(value) > limits.labelValueLength)
      return `value of label "${name}" is over label_value_length_limit ${limits.labelValueLength}`;
  }
  return undefined;
}
