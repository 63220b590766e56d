import type { Buckets, Histogram } from '../histogram.ts';
import type { MetricType } from '../metadata.ts';
import { field, labelField, varint } from './remote-write-encoder.ts';

/** A small encoder of delimited `io.prometheus.client.MetricFamily` messages, for tests of what reads them. */
type Pairs = readonly (readonly [name: string, value: string])[];
export type WireExemplar = { readonly labels: Pairs; readonly value: number; readonly atMs?: number };
export type WireMetric = {
  readonly labels: Pairs;
  readonly atMs?: number;
  readonly value?: number;
  readonly exemplar?: WireExemplar;
  readonly count?: number;
  readonly sum?: number;
  readonly quantiles?: readonly (readonly [quantile: number, value: number])[];
  /** Cumulative. */
  readonly buckets?: readonly (readonly [upper: number, count: number, exemplar?: WireExemplar])[];
  readonly native?: Histogram | undefined;
  /** Counts as doubles instead of integers. */
  readonly doubles?: boolean;
  readonly exemplars?: readonly WireExemplar[];
};
export type WireFamily = {
  readonly name: string;
  readonly help?: string;
  readonly unit?: string;
  readonly type: MetricType;
  readonly metrics: readonly WireMetric[];
};

const TYPES: Readonly<Partial<Record<MetricType, number>>> = {
  counter: 0,
  gauge: 1,
  summary: 2,
  unknown: 3,
  histogram: 4,
  gaugehistogram: 5,
};
const PLACES: Readonly<Partial<Record<MetricType, number>>> = { counter: 0x1a, gauge: 0x12, summary: 0x22, unknown: 0x2a, histogram: 0x3a };
const NOTHING = Buffer.alloc(0);

const double = (tag: number, value: number): Buffer => {
  const bytes = Buffer.alloc(9, tag);
  bytes.writeDoubleLE(value, 1);
  return bytes;
};
const whole = (tag: number, value: number): Buffer => Buffer.concat([Buffer.from([tag]), varint(value)]);
const signed = (value: number): Buffer => varint(value < 0 ? -2 * value - 1 : 2 * value);
const optional = <T>(value: T | undefined, write: (value: T) => Buffer): Buffer => (value === undefined ? NOTHING : write(value));

const exemplarBody = ({ labels, value, atMs }: WireExemplar): Buffer =>
  Buffer.concat([
    ...labels.map(labelField),
    double(0x11, value),
    optional(atMs, (at) => field(0x1a, Buffer.concat([whole(0x08, Math.floor(at / 1000)), whole(0x10, (at % 1000) * 1e6)]))),
  ]);

function side(first: number, { indexes, counts }: Buckets, doubles: boolean): Buffer[] {
  const spans = indexes.map((index, i) =>
    field(
      (first << 3) | 2,
      Buffer.concat([Buffer.from([0x08]), signed(i === 0 ? index : index - (indexes[i - 1] ?? 0) - 1), Buffer.from([0x10, 1])]),
    ),
  );
  if (counts.length === 0) return [];
  const numbers = doubles
    ? field(((first + 2) << 3) | 2, Buffer.concat(counts.map((count) => double(0, count).subarray(1))))
    : field(((first + 1) << 3) | 2, Buffer.concat(counts.map((count, i) => signed(count - (counts[i - 1] ?? 0)))));
  return [...spans, numbers];
}

function nativeBody({ schema, zeroThreshold, zeroCount, positive, negative }: Histogram, doubles: boolean): Buffer {
  return Buffer.concat([
    Buffer.from([0x28]),
    signed(schema),
    double(0x31, zeroThreshold),
    doubles ? double(0x41, zeroCount) : whole(0x38, zeroCount),
    ...side(9, negative, doubles),
    ...side(12, positive, doubles),
  ]);
}

function histogramBody({ count = 0, sum = 0, buckets = [], native, doubles = false, exemplars = [] }: WireMetric): Buffer {
  return Buffer.concat([
    doubles ? double(0x21, count) : whole(0x08, count),
    double(0x11, sum),
    ...buckets.map(([upper, below, exemplar]) =>
      field(0x1a, Buffer.concat([whole(0x08, below), double(0x11, upper), optional(exemplar, (one) => field(0x1a, exemplarBody(one)))])),
    ),
    optional(native, (histogram) => nativeBody(histogram, doubles)),
    ...exemplars.map((one) => Buffer.concat([varint(0x82), field(0, exemplarBody(one)).subarray(1)])),
  ]);
}

function metricBody(type: MetricType, metric: WireMetric): Buffer {
  const { value = 0, exemplar, count = 0, sum = 0, quantiles = [] } = metric;
  const content =
    type === 'histogram' || type === 'gaugehistogram'
      ? histogramBody(metric)
      : type === 'summary'
        ? Buffer.concat([
            whole(0x08, count),
            double(0x11, sum),
            ...quantiles.map(([quantile, at]) => field(0x1a, Buffer.concat([double(0x09, quantile), double(0x11, at)]))),
          ])
        : Buffer.concat([double(0x09, value), optional(exemplar, (one) => field(0x12, exemplarBody(one)))]);
  return Buffer.concat([
    ...metric.labels.map(labelField),
    field(PLACES[type] ?? 0x3a, content),
    optional(metric.atMs, (at) => whole(0x30, at)),
  ]);
}

export function encodeFamilies(families: readonly WireFamily[]): Buffer {
  return Buffer.concat(
    families.map(({ name, help = '', unit = '', type, metrics }) => {
      const body = Buffer.concat([
        field(0x0a, Buffer.from(name)),
        field(0x12, Buffer.from(help)),
        whole(0x18, TYPES[type] ?? 3),
        ...metrics.map((metric) => field(0x22, metricBody(type, metric))),
        field(0x2a, Buffer.from(unit)),
      ]);
      return Buffer.concat([varint(body.length), body]);
    }),
  );
}
