import { type Labels, METRIC_NAME, labelsFrom, labelsKey } from '@nines/model/labels.ts';
import { openMetricsNumber } from '@nines/model/openmetrics-number.ts';
import { type StatsdSample, statsdLabelName, statsdMetricName } from '@nines/model/statsd-lines.ts';
import { type BatchBuilder, encodeLabels } from '@nines/model/write-batch.ts';
import { mergeLabels } from '../scrape/series-cache.ts';

/**
 * What StatsD's samples add up to between two writes: counters and gauges as they stand, observations in classic histograms, sets as
 * how many different members an interval had. A metric keeps the kind it came with first.
 */
export type StatsdSettings = {
  readonly maxMetrics: number;
  /** A metric without samples for this long ends. */
  readonly ttlMs: number;
  /** Upper bounds, ascending. */
  readonly buckets: readonly number[];
  /** Labels of every series; a tag of the same name steps aside. */
  readonly labels: Labels;
};
export type Refusal = 'conflicting_kind' | 'metric_limit' | 'set_limit';

/** Members of one set in one interval; further ones are not counted. */
const MAX_SET_MEMBERS = 10_000;

type Metric = { readonly name: string; readonly encoded: readonly Uint8Array[]; touchedMs: number } & State;
type State =
  | { readonly kind: 'counter'; value: number }
  | { readonly kind: 'gauge'; value: number }
  | { readonly kind: 'observation'; readonly counts: number[]; sum: number; count: number }
  | { readonly kind: 'set'; readonly members: Set<string> };

export class StatsdAggregate {
  readonly #settings: StatsdSettings;
  readonly #metrics = new Map<string, Metric>();
  /** By name: the kind, and how many metrics have it. */
  readonly #kinds = new Map<string, { readonly kind: State['kind']; metrics: number }>();

  constructor(settings: StatsdSettings) {
    this.#settings = settings;
  }

  get size(): number {
    return this.#metrics.size;
  }

  /** Says why it was not taken, if so. */
  add(sample: StatsdSample, nowMs: number): Refusal | undefined {
    const name = statsdMetricName(sample.name);
    const known = this.#kinds.get(name);
    if (known !== undefined && known.kind !== sample.kind) return 'conflicting_kind';
    const labels = labelsFrom([...[...sample.tags].map(([tag, value]) => [statsdLabelName(tag), value] as const), [METRIC_NAME, name]]);
    const key = labelsKey(labels);
    let metric = this.#metrics.get(key);
    if (metric === undefined) {
      if (this.#metrics.size >= this.#settings.maxMetrics) return 'metric_limit';
      metric = { name, encoded: this.#encoded(labels, name, sample.kind), touchedMs: nowMs, ...newState(sample.kind, this.#settings) };
      this.#metrics.set(key, metric);
      this.#kinds.set(name, { kind: sample.kind, metrics: (known?.metrics ?? 0) + 1 });
    }
    metric.touchedMs = nowMs;
    return this.#apply(metric, sample);
  }

  #apply(metric: Metric, sample: StatsdSample): Refusal | undefined {
    if (metric.kind === 'counter' && sample.kind === 'counter') metric.value += sample.value;
    else if (metric.kind === 'gauge' && sample.kind === 'gauge')
      metric.value = sample.isRelative ? metric.value + sample.value : sample.value;
    else if (metric.kind === 'set' && sample.kind === 'set') {
      if (metric.members.size >= MAX_SET_MEMBERS && !metric.members.has(sample.member)) return 'set_limit';
      metric.members.add(sample.member);
    } else if (metric.kind === 'observation' && sample.kind === 'observation') {
      const { value, weight } = sample;
      metric.sum += value * weight;
      metric.count += weight;
      const bucket = this.#settings.buckets.findIndex((bound) => value <= bound);
      if (bucket >= 0) metric.counts[bucket] = (metric.counts[bucket] ?? 0) + weight;
    }
    return undefined;
  }

  #encoded(labels: Labels, name: string, kind: State['kind']): readonly Uint8Array[] {
    const merged = mergeLabels({ labels }, this.#settings.labels, false);
    if (kind !== 'observation') return [encodeLabels(merged)];
    const series = (suffix: string, le?: string): Uint8Array => {
      const pairs: (readonly [string, string])[] = [];
      for (let i = 0; i < merged.length; i += 2) pairs.push([merged[i] ?? '', merged[i + 1] ?? '']);
      return encodeLabels(labelsFrom([...pairs, [METRIC_NAME, name + suffix], ...(le === undefined ? [] : [['le', le] as const])]));
    };
    const bounds = [...this.#settings.buckets, Number.POSITIVE_INFINITY];
    return [series('_sum'), series('_count'), ...bounds.map((bound) => series('_bucket', openMetricsNumber(bound)))];
  }

  /** Writes every series as it stands at `nowMs`; ends those whose time is over. */
  write(builder: BatchBuilder, nowMs: number): void {
    for (const [key, metric] of this.#metrics) {
      if (nowMs - metric.touchedMs >= this.#settings.ttlMs) {
        for (const encoded of metric.encoded) builder.addStale(encoded, nowMs);
        this.#forget(key, metric);
        continue;
      }
      const values = valuesOf(metric);
      metric.encoded.forEach((encoded, i) => builder.add(encoded, nowMs, values[i] ?? 0));
      if (metric.kind === 'set') metric.members.clear();
    }
  }

  #forget(key: string, { name }: Metric): void {
    this.#metrics.delete(key);
    const known = this.#kinds.get(name);
    if (known === undefined) return;
    known.metrics--;
    if (known.metrics === 0) this.#kinds.delete(name);
  }
}

function newState(kind: State['kind'], { buckets }: StatsdSettings): State {
  if (kind === 'set') return { kind, members: new Set() };
  return kind === 'observation' ? { kind, counts: buckets.map(() => 0), sum: 0, count: 0 } : { kind, value: 0 };
}

/** In the order of the metric's series. */
function valuesOf(metric: Metric): readonly number[] {
  if (metric.kind === 'set') return [metric.members.size];
  if (metric.kind !== 'observation') return [metric.value];
  let below = 0;
  const cumulative = metric.counts.map((count) => (below += count));
  return [metric.sum, metric.count, ...cumulative, metric.count];
}
