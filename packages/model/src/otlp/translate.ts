import type { Exemplar } from '../exemplar.ts';
import type { Histogram } from '../histogram.ts';
import { formatLabels, labelsKey } from '../labels.ts';
import type { MetricMetadata } from '../metadata.ts';
import type { WriteBatch } from '../storage.ts';
import { type BatchBuilder, createBatchBuilder } from '../write-batch.ts';
import {
  type Attributes,
  type DataPoint,
  type MetricData,
  NO_EXEMPLARS,
  type OtlpMetric,
  type OtlpRequest,
  type ResourceMetrics,
  type Temporality,
} from './data.ts';
import type { DeltaStreams } from './deltas.ts';
import { positional } from './float-text.ts';
import { type NamedKind, metricName, unitName } from './names.ts';
import { type PointSum, readTotal, zeroOf } from './points.ts';
import {
  InvalidAttribute,
  type OtlpSettings,
  type SharedLabels,
  pointLabels,
  seriesLabels,
  sharedLabels,
  targetInfoLabels,
} from './series-labels.ts';

/** Why a data point is not stored, beside what the store itself refuses. */
export type PointRefusal =
  | 'invalid_metric_name'
  | 'invalid_attribute'
  | 'no_value'
  | 'temporality_unspecified'
  | 'malformed_histogram'
  | 'unsupported_scale'
  | 'delta_out_of_order'
  | 'delta_stream_limit';

/** Series of the batch that belong to no point: `target_info`, and zeros where a total begins. Nobody misses them. */
export const NO_POINT = -1;

export type Translated = {
  /** Each series has one sample. */
  readonly batch: WriteBatch;
  /** By series of the batch the number of its data point, or `NO_POINT`. */
  readonly points: readonly number[];
  readonly pointCount: number;
  readonly refusedBy: ReadonlyMap<PointRefusal, number>;
  /** The first `MAX_LISTED_POINTS` refusals in words. */
  readonly messages: readonly string[];
  /** By family. */
  readonly metadata: ReadonlyMap<string, MetricMetadata>;
};

export const MAX_LISTED_POINTS = 20;
/** `target_info` is repeated so often between a request's oldest and newest point, half the default lookback, that it never lapses. */
const TARGET_INFO_STEP_MS = 150_000;
/** For a request that spans more than this many steps, only its newest part gets a `target_info`. */
const MAX_TARGET_INFO_SAMPLES = 64;

/** Makes samples of a request. Deltas are added up in `deltas`, whose request must have begun. */
export function translateOtlp(request: OtlpRequest, context: TranslateContext): Translated {
  const translation = new Translation(context);
  for (const resource of request.resources) translation.resource(resource);
  return translation.result();
}
export type TranslateContext = {
  readonly settings: OtlpSettings;
  readonly deltas: DeltaStreams;
  readonly nowMs: number;
  /** Deltas of different senders are never added to each other. '' when absent. */
  readonly sender?: string;
};

/** Whether any point of the request is to be added to what came before. */
export const hasDeltas = (request: OtlpRequest): boolean =>
  request.resources.some(({ scopes }) =>
    scopes.some(({ metrics }) => metrics.some(({ data }) => 'temporality' in data && data.temporality === 'delta')),
  );

type Family = { readonly name: string; readonly metric: OtlpMetric; readonly shared: SharedLabels };

class Translation {
  readonly #settings: OtlpSettings;
  readonly #deltas: DeltaStreams;
  readonly #nowMs: number;
  readonly #sender: string;
  readonly #builder: BatchBuilder = createBatchBuilder();
  readonly #points: number[] = [];
  readonly #refusedBy = new Map<PointRefusal, number>();
  readonly #messages: string[] = [];
  readonly #metadata = new Map<string, MetricMetadata>();
  #pointCount = 0;
  #oldestMs = Number.POSITIVE_INFINITY;
  #newestMs = 0;

  constructor({ settings, deltas, nowMs, sender = '' }: TranslateContext) {
    this.#settings = settings;
    this.#deltas = deltas;
    this.#nowMs = nowMs;
    this.#sender = sender;
  }

  result(): Translated {
    return {
      batch: this.#builder.batch(),
      points: this.#points,
      pointCount: this.#pointCount,
      refusedBy: this.#refusedBy,
      messages: this.#messages,
      metadata: this.#metadata,
    };
  }

  resource({ attributes, scopes }: ResourceMetrics): void {
    this.#oldestMs = Number.POSITIVE_INFINITY;
    this.#newestMs = 0;
    for (const { scope, metrics } of scopes) {
      const shared = this.#labelsOf(() => sharedLabels(attributes, scope, this.#settings));
      for (const metric of metrics) this.#metric(metric, shared);
    }
    this.#targetInfo(attributes);
  }

  /** The labels, or what is wrong with them. */
  #labelsOf<T>(read: () => T): T | InvalidAttribute {
    try {
      return read();
    } catch (thrown) {
      if (thrown instanceof InvalidAttribute) return thrown;
      throw thrown;
    }
  }

  #metric(metric: OtlpMetric, shared: SharedLabels | InvalidAttribute): void {
    const { data } = metric;
    if (data.kind === 'none') return;
    const { strategy } = this.#settings;
    const name = metricName(metric.name, metric.unit, namedKind(data), strategy);
    if (name === undefined) return this.#refuseAll(data.points, 'invalid_metric_name', `"${metric.name}" leaves no metric name`);
    if (shared instanceof InvalidAttribute) return this.#refuseAll(data.points, 'invalid_attribute', invalidKey(name, shared.key));
    if (data.points.length > 0)
      this.#metadata.set(name, { type: typeOf(data), help: metric.description, unit: unitName(metric.unit, strategy) });
    const family = { name, metric, shared };
    for (const point of data.points) this.#point(point, family);
  }

  #refuseAll(points: readonly DataPoint[], reason: PointRefusal, message: string): void {
    for (let i = 0; i < points.length; i++) {
      this.#pointCount++;
      this.#refuse(reason, message);
    }
  }

  #refuse(reason: PointRefusal, message: string): void {
    this.#refusedBy.set(reason, (this.#refusedBy.get(reason) ?? 0) + 1);
    if (this.#messages.length < MAX_LISTED_POINTS) this.#messages.push(`${message} (${reason})`);
  }

  #point(point: DataPoint, { name, metric, shared }: Family): void {
    const number = this.#pointCount++;
    const labels = this.#labelsOf(() => pointLabels(point.attributes, shared, this.#settings));
    if (labels instanceof InvalidAttribute) return this.#refuse('invalid_attribute', invalidKey(name, labels.key));
    const read = readTotal(metric.data.kind, point, this.#settings.convertHistogramsToNhcb);
    if (!read.ok) return this.#refuse(read.error.reason, `${formatLabels(seriesLabels(name, labels))}: ${read.error.message}`);
    this.#oldestMs = Math.min(this.#oldestMs, point.atMs);
    this.#newestMs = Math.max(this.#newestMs, point.atMs);
    const temporality: Temporality = 'temporality' in metric.data ? metric.data.temporality : 'cumulative';
    const place = { name, labels, number };
    if (temporality === 'unspecified') return this.#refuse('temporality_unspecified', `${name} says neither delta nor cumulative`);
    if (temporality === 'delta' && !point.ended) this.#delta(point, read.value, { place, isCounter: isCounter(metric.data) });
    else this.#write(read.value, point, place);
  }

  #delta(point: DataPoint, delta: PointSum, { place, isCounter }: { readonly place: Place; readonly isCounter: boolean }): void {
    if (delta.kind === 'summary') throw new Error('BUG: a summary has no temporality');
    const labels = seriesLabels(place.name, place.labels);
    const { atMs, startMs } = point;
    const key = this.#sender === '' ? labelsKey(labels) : labelsKey([this.#sender, '', ...labels]);
    const added = this.#deltas.add(key, delta, { startMs, atMs, nowMs: this.#nowMs });
    if (added.kind === 'repeated') return;
    if (added.kind === 'refused') return this.#refuse(added.reason, `${formatLabels(labels)} at ${atMs}: ${added.message}`);
    // A millisecond later, as at the start itself stands the last sample of what came before.
    if (added.begins && isCounter && startMs > 0 && startMs + 1 < atMs)
      this.#write(zeroOf(added.total), { atMs: startMs + 1, ended: false, exemplars: NO_EXEMPLARS }, { ...place, number: NO_POINT });
    this.#write(added.total, point, place);
  }

  #write(sum: PointSum, { atMs, ended, exemplars }: Moment, { name, labels, number }: Place): void {
    const add = (suffix: string, value: number | Histogram, extra?: readonly [string, string]): void => {
      const series = seriesLabels(name + suffix, labels, extra);
      if (ended) this.#builder.addStale(series, atMs);
      else if (typeof value === 'number') this.#builder.add(series, atMs, value);
      else this.#builder.addHistogram(series, atMs, value);
      this.#points.push(number);
    };
    const keep = (kept: readonly Exemplar[]): void => {
      if (!ended) for (const exemplar of kept) this.#builder.addExemplar(exemplar);
    };
    if (sum.kind === 'number' || sum.kind === 'native') {
      add('', sum.kind === 'number' ? sum.value : sum.histogram);
      return keep(exemplars);
    }
    if (sum.sum !== undefined) add('_sum', sum.sum);
    add('_count', sum.count);
    if (sum.kind === 'summary') {
      for (const [quantile, value] of sum.quantiles) add('', value, ['quantile', positional(quantile)]);
      return;
    }
    let below = 0;
    // Each exemplar stands at the bucket that its observation fell into.
    let rest = exemplars;
    sum.bounds.forEach((bound, i) => {
      below += sum.bucketCounts[i] ?? 0;
      if (bound === Number.POSITIVE_INFINITY) return;
      add('_bucket', below, ['le', positional(bound)]);
      keep(rest.filter(({ value }) => value <= bound));
      rest = rest.filter(({ value }) => !(value <= bound));
    });
    add('_bucket', sum.count, ['le', '+Inf']);
    keep(rest);
  }

  #targetInfo(attributes: Attributes): void {
    if (this.#oldestMs > this.#newestMs) return;
    const labels = this.#labelsOf(() => targetInfoLabels(attributes, this.#settings));
    if (labels === undefined || labels instanceof InvalidAttribute) return;
    this.#metadata.set('target_info', { type: 'gauge', help: 'Target metadata', unit: '' });
    const steps = Math.ceil((this.#newestMs - this.#oldestMs) / TARGET_INFO_STEP_MS);
    for (let i = Math.min(steps, MAX_TARGET_INFO_SAMPLES - 1); i >= 0; i--) {
      this.#builder.add(labels, Math.max(this.#oldestMs, this.#newestMs - i * TARGET_INFO_STEP_MS), 1);
      this.#points.push(NO_POINT);
    }
  }
}

type Moment = Pick<DataPoint, 'atMs' | 'ended' | 'exemplars'>;
type Place = { readonly name: string; readonly labels: ReadonlyMap<string, string>; readonly number: number };

const invalidKey = (name: string, key: string): string => `the attribute key "${key}" of ${name} leaves no label name`;

/** A total that only grows, so that a 0 before it is a counter reset. */
const isCounter = (data: MetricData): boolean => data.kind !== 'sum' || data.monotonic;

function namedKind(data: MetricData): NamedKind {
  if (data.kind === 'gauge') return 'gauge';
  return data.kind === 'sum' && data.monotonic ? 'counter' : 'other';
}

function typeOf(data: MetricData): MetricMetadata['type'] {
  if (data.kind === 'summary') return 'summary';
  if (data.kind === 'histogram' || data.kind === 'exponential_histogram') return 'histogram';
  return namedKind(data) === 'counter' ? 'counter' : 'gauge';
}
