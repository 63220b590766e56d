import type { ExposedExemplar } from './exemplar.ts';
import type { ExpositionSink } from './exposition.ts';
import { CUSTOM_BUCKETS } from './histogram.ts';
import { labelsFrom } from './labels.ts';
import { Malformed } from './malformed.ts';
import type { MetricType } from './metadata.ts';
import { openMetricsNumber } from './openmetrics-number.ts';
import { escapeText, isClassicLabelName, isClassicMetricName } from './series-text.ts';
import { HistogramFields, WireReader, histogramOf } from './wire-histogram.ts';

/**
 * The exposition in protobuf: `io.prometheus.client.MetricFamily` messages, each behind its length. Every sample is handed on under
 * the text that its series would have in the text formats, so that a sink need not care which format it came in.
 * Sources: prometheus/client_model metrics.proto; prometheus model/textparse/protobufparse.go.
 */
export type ProtobufOptions = {
  /** Native histograms are handed on as such; without it, only their classic buckets are. */
  readonly native: boolean;
  /** The classic buckets of a histogram that is native too are handed on beside it. */
  readonly classicToo: boolean;
};
export type ProtobufFault = { readonly message: string; readonly atByte: number };

/** By the number on the wire. */
const TYPES: readonly MetricType[] = ['counter', 'gauge', 'summary', 'unknown', 'histogram', 'gaugehistogram'];
/** Buckets or quantiles of one metric, and its labels. */
const MAX_PARTS = 100_000;

/** Walks the whole body; the first fault ends the walk. What the sink got before it must be thrown away by the caller. */
export function walkProtobufExposition(bytes: Uint8Array, sink: ExpositionSink, options: ProtobufOptions): ProtobufFault | undefined {
  const walk = walkProtobufInSteps(bytes, sink, options);
  for (;;) {
    const step = walk.next();
    if (step.done === true) return step.value;
  }
}

/** The same, with a rest after each family. */
export function* walkProtobufInSteps(
  bytes: Uint8Array,
  sink: ExpositionSink,
  options: ProtobufOptions,
): Generator<undefined, ProtobufFault | undefined> {
  const reader = new WireReader(bytes, 0, bytes.length);
  try {
    while (reader.at < bytes.length) {
      new FamilyWalk(reader, sink, options).family(reader.sized());
      yield undefined;
    }
    return undefined;
  } catch (thrown) {
    if (thrown instanceof Malformed) return { message: thrown.message, atByte: thrown.atByte };
    throw thrown;
  }
}

type Bucket = { readonly upper: number; readonly count: number; readonly exemplar: ExposedExemplar | undefined };

/** What the metric's message of any type says. */
class MetricFields {
  labels = '';
  atMs: number | undefined;
  value = 0;
  count = 0;
  countFloat = 0;
  sum = 0;
  exemplar: ExposedExemplar | undefined;
  readonly quantiles: (readonly [quantile: number, value: number])[] = [];
  readonly buckets: Bucket[] = [];
  readonly exemplars: ExposedExemplar[] = [];
  readonly native = new HistogramFields();
  zeroCountFloat = 0;
}

class FamilyWalk {
  readonly #reader: WireReader;
  readonly #sink: ExpositionSink;
  readonly #options: ProtobufOptions;
  #name = '';
  #type: MetricType = 'counter';

  constructor(reader: WireReader, sink: ExpositionSink, options: ProtobufOptions) {
    this.#reader = reader;
    this.#sink = sink;
    this.#options = options;
  }

  /** Metrics wait until the whole family is known, since fields may come in any order. */
  family(end: number): void {
    const reader = this.#reader;
    const metrics: (readonly [from: number, to: number])[] = [];
    let help = '';
    let unit = '';
    this.#message(end, (tag) => {
      if (tag === 0x0a) this.#name = reader.text();
      else if (tag === 0x12) help = reader.text();
      else if (tag === 0x18) this.#type = this.#typeOf(reader.varint());
      else if (tag === 0x2a) unit = reader.text();
      else if (tag === 0x22) {
        const to = reader.sized();
        metrics.push([reader.at, to]);
        reader.at = to;
      } else return false;
      return true;
    });
    if (this.#name === '') throw new Malformed('a family without a name', end);
    this.#checkUnit(unit, end);
    this.#sink.describe(this.#name, { type: this.#type, help, unit });
    for (const [from, to] of metrics) {
      reader.at = from;
      this.#metric(to);
    }
    reader.at = end;
  }

  #typeOf(number: number): MetricType {
    const type = TYPES[number];
    if (type === undefined) throw new Malformed(`type ${number} of "${this.#name}" is not known`, this.#reader.at);
    return type;
  }

  #checkUnit(unit: string, at: number): void {
    const base = this.#type === 'counter' && this.#name.endsWith('_total') ? this.#name.slice(0, -'_total'.length) : this.#name;
    if (unit !== '' && !base.endsWith(`_${unit}`)) throw new Malformed(`unit "${unit}" is no suffix of "${this.#name}"`, at);
  }

  /** Calls `each` for every field; false says that it does not know it. */
  #message(end: number, each: (tag: number) => boolean): void {
    const reader = this.#reader;
    while (reader.at < end) {
      const tag = reader.varint();
      if (!each(tag)) reader.skip(tag);
    }
    if (reader.at !== end) throw new Malformed('a field reaches over the end of its message', reader.at);
  }

  #metric(end: number): void {
    const reader = this.#reader;
    const fields = new MetricFields();
    const parts: string[] = [];
    this.#message(end, (tag) => {
      if (tag === 0x0a) {
        const [name, value] = this.#label(reader.sized());
        if (parts.length >= MAX_PARTS) throw new Malformed(`more than ${MAX_PARTS} labels`, reader.at);
        parts.push(`${labelText(name)}="${escapeText(value, true)}"`);
      } else if (tag === 0x12 || tag === 0x2a) this.#plain(reader.sized(), fields);
      else if (tag === 0x1a) this.#counter(reader.sized(), fields);
      else if (tag === 0x22) this.#summary(reader.sized(), fields);
      else if (tag === 0x3a) this.#histogram(reader.sized(), fields);
      else if (tag === 0x30) fields.atMs = reader.varint();
      else return false;
      return true;
    });
    // What is not set counts as no timestamp.
    if (fields.atMs === 0) fields.atMs = undefined;
    fields.labels = parts.join(',');
    this.#emit(fields);
  }

  #label(end: number): readonly [name: string, value: string] {
    let name = '';
    let value = '';
    this.#message(end, (tag) => {
      if (tag === 0x0a) name = this.#reader.text();
      else if (tag === 0x12) value = this.#reader.text();
      else return false;
      return true;
    });
    return [name, value];
  }

  #plain(end: number, fields: MetricFields): void {
    this.#message(end, (tag) => {
      if (tag !== 0x09) return false;
      fields.value = this.#reader.double();
      return true;
    });
  }

  #counter(end: number, fields: MetricFields): void {
    this.#message(end, (tag) => {
      if (tag === 0x09) fields.value = this.#reader.double();
      else if (tag === 0x12) fields.exemplar = this.#exemplar(this.#reader.sized());
      else return false;
      return true;
    });
  }

  #summary(end: number, fields: MetricFields): void {
    const reader = this.#reader;
    this.#message(end, (tag) => {
      if (tag === 0x08) fields.count = reader.varint();
      else if (tag === 0x11) fields.sum = reader.double();
      else if (tag === 0x1a) {
        let quantile = 0;
        let value = 0;
        this.#message(reader.sized(), (inner) => {
          if (inner === 0x09) quantile = reader.double();
          else if (inner === 0x11) value = reader.double();
          else return false;
          return true;
        });
        this.#bounded(fields.quantiles);
        fields.quantiles.push([quantile, value]);
      } else return false;
      return true;
    });
  }

  #bounded(list: readonly unknown[]): void {
    if (list.length >= MAX_PARTS) throw new Malformed(`more than ${MAX_PARTS} parts of one metric`, this.#reader.at);
  }

  #histogram(end: number, fields: MetricFields): void {
    const reader = this.#reader;
    const { native } = fields;
    this.#message(end, (tag) => {
      if (tag === 0x08) fields.count = reader.varint();
      else if (tag === 0x21) fields.countFloat = reader.double();
      else if (tag === 0x11) fields.sum = reader.double();
      else if (tag === 0x1a) this.#bucket(reader.sized(), fields);
      else if (tag === 0x28) native.schema = reader.zigzag();
      else if (tag === 0x31) native.zeroThreshold = reader.double();
      else if (tag === 0x38) native.zeroCount = reader.varint();
      else if (tag === 0x41) fields.zeroCountFloat = reader.double();
      else if (tag === 0x82) {
        this.#bounded(fields.exemplars);
        fields.exemplars.push(this.#exemplar(reader.sized()));
      } else return this.#side(tag, native);
      return true;
    });
  }

  /** Spans, differences and counts of the negative side are fields 9 to 11, of the positive one 12 to 14. */
  #side(tag: number, native: HistogramFields): boolean {
    const reader = this.#reader;
    const field = tag >>> 3;
    if (field < 9 || field > 14) return false;
    const { spans, deltas, counts } = field <= 11 ? native.negative : native.positive;
    const part = (field - 9) % 3;
    if (part === 0) {
      this.#bounded(spans);
      spans.push(reader.span(tag));
    } else if (part === 1) reader.repeated(tag, () => deltas.push(reader.zigzag()));
    else reader.repeated(tag, () => counts.push(reader.double()));
    return true;
  }

  #bucket(end: number, fields: MetricFields): void {
    const reader = this.#reader;
    let count = 0;
    let countFloat = 0;
    let upper = 0;
    let exemplar: ExposedExemplar | undefined;
    this.#message(end, (tag) => {
      if (tag === 0x08) count = reader.varint();
      else if (tag === 0x21) countFloat = reader.double();
      else if (tag === 0x11) upper = reader.double();
      else if (tag === 0x1a) exemplar = this.#exemplar(reader.sized());
      else return false;
      return true;
    });
    this.#bounded(fields.buckets);
    fields.buckets.push({ upper, count: countFloat === 0 ? count : countFloat, exemplar });
  }

  #exemplar(end: number): ExposedExemplar {
    const reader = this.#reader;
    const pairs: (readonly [string, string])[] = [];
    let value = 0;
    let atMs: number | undefined;
    this.#message(end, (tag) => {
      if (tag === 0x0a) pairs.push(this.#label(reader.sized()));
      else if (tag === 0x11) value = reader.double();
      else if (tag === 0x1a) atMs = this.#instant(reader.sized());
      else return false;
      return true;
    });
    return { labels: labelsFrom(pairs), value, atMs };
  }

  /** A `google.protobuf.Timestamp` in milliseconds. */
  #instant(end: number): number {
    const reader = this.#reader;
    let seconds = 0;
    let nanos = 0;
    this.#message(end, (tag) => {
      if (tag === 0x08) seconds = reader.varint();
      else if (tag === 0x10) nanos = reader.varint();
      else return false;
      return true;
    });
    return seconds * 1000 + Math.trunc(nanos / 1e6);
  }

  #emit(fields: MetricFields): void {
    if (this.#type === 'summary') {
      this.#sample(fields, { suffix: '_count', value: fields.count });
      this.#sample(fields, { suffix: '_sum', value: fields.sum });
      for (const [quantile, value] of fields.quantiles)
        this.#sample(fields, { suffix: '', value, label: `quantile="${openMetricsNumber(quantile)}"` });
    } else if (this.#type === 'histogram' || this.#type === 'gaugehistogram') {
      const isNative = this.#options.native && isNativeHistogram(fields.native);
      if (isNative) this.#emitNative(fields);
      if (!isNative || (this.#options.classicToo && fields.buckets.length > 0)) this.#emitClassic(fields);
    } else this.#sample(fields, { suffix: '', value: fields.value, exemplar: fields.exemplar });
  }

  #emitClassic(fields: MetricFields): void {
    const count = fields.countFloat === 0 ? fields.count : fields.countFloat;
    this.#sample(fields, { suffix: '_count', value: count });
    this.#sample(fields, { suffix: '_sum', value: fields.sum });
    let isWhole = false;
    for (const { upper, count: value, exemplar } of fields.buckets) {
      this.#sample(fields, { suffix: '_bucket', value, label: `le="${openMetricsNumber(upper)}"`, exemplar });
      isWhole = upper === Number.POSITIVE_INFINITY;
      if (isWhole) break;
    }
    if (!isWhole) this.#sample(fields, { suffix: '_bucket', value: count, label: 'le="+Inf"' });
  }

  /** Exemplars without a time are left out, as which of them are new could not be told. */
  #emitNative(fields: MetricFields): void {
    const { native, buckets } = fields;
    const isFloat = fields.countFloat > 0 || fields.zeroCountFloat > 0;
    native.hasIntegers = !isFloat;
    native.count = isFloat ? fields.countFloat : fields.count;
    if (isFloat) native.zeroCount = fields.zeroCountFloat;
    native.sum = fields.sum;
    native.hint = this.#type === 'gaugehistogram' ? GAUGE_HINT : 0;
    const made = native.schema === CUSTOM_BUCKETS ? 'custom buckets, which this format has no bounds for' : histogramOf(native);
    if (typeof made === 'string') throw new Malformed(`${this.#name}{${fields.labels}}: ${made}`, this.#reader.at);
    const exemplars = fields.exemplars.length > 0 ? fields.exemplars : buckets.flatMap(({ exemplar }) => exemplar ?? []);
    for (const exemplar of exemplars) if (exemplar.atMs !== undefined) this.#sink.exemplar?.(exemplar);
    this.#judge(this.#sink.histogram?.(this.#seriesText('', fields.labels), made, fields.atMs));
  }

  #sample(fields: MetricFields, { suffix, value, label, exemplar }: Part): void {
    const labels = label === undefined ? fields.labels : fields.labels === '' ? label : `${fields.labels},${label}`;
    if (exemplar !== undefined) this.#sink.exemplar?.(exemplar);
    this.#judge(this.#sink.sample(this.#seriesText(suffix, labels), value, fields.atMs));
  }

  #judge(refusal: string | undefined): void {
    if (refusal !== undefined) throw new Malformed(refusal, this.#reader.at);
  }

  #seriesText(suffix: string, labels: string): string {
    const name = this.#name + suffix;
    if (!isClassicMetricName(name)) return `{"${escapeText(name, true)}"${labels === '' ? '' : `,${labels}`}}`;
    return labels === '' ? name : `${name}{${labels}}`;
  }
}

type Part = {
  readonly suffix: string;
  readonly value: number;
  readonly label?: string;
  readonly exemplar?: ExposedExemplar | undefined;
};

const GAUGE_HINT = 3;

const labelText = (name: string): string => (isClassicLabelName(name) ? name : `"${escapeText(name, true)}"`);

/** A client marks a native histogram without observations by an empty span. */
const isNativeHistogram = ({ positive, negative, zeroThreshold, zeroCount }: HistogramFields): boolean =>
  positive.spans.length > 0 || negative.spans.length > 0 || zeroThreshold > 0 || zeroCount > 0;
