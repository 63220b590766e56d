import type { Buckets, Histogram } from '../histogram.ts';
import { METRIC_TYPES, type MetricType } from '../metadata.ts';

/** A small encoder of remote-write 1.0 bodies (not compressed), for tests of what reads them. */
export type WireSeries = {
  /** In the order given, so that tests can send what a careful sender would not. */
  readonly labels: readonly (readonly [name: string, value: string])[];
  /** A value may be given as its 8 bytes, low first, when its payload matters. */
  readonly samples: readonly (readonly [atMs: number, value: number | Uint8Array])[];
  readonly exemplars?: readonly WireExemplar[];
  readonly histograms?: readonly WireHistogramSample[];
  /** Puts the samples between the first label and the others. */
  readonly interleaved?: boolean;
};
export type WireExemplar = {
  readonly labels: readonly (readonly [name: string, value: string])[];
  readonly value: number;
  readonly atMs: number;
};
export type WireMetadata = { readonly name: string; readonly type: MetricType; readonly help: string; readonly unit: string };

/** `counts` as integers in differences unless `doubles`; `stale` has the staleness marker for its sum. */
export type WireHistogramSample = {
  readonly atMs: number;
  readonly histogram: Histogram | 'stale';
  readonly doubles?: boolean;
  /** Fields behind all others. */
  readonly more?: Uint8Array;
};

const WIRE_TYPES: Readonly<Record<MetricType, number>> = {
  unknown: 0,
  counter: 1,
  gauge: 2,
  histogram: 3,
  gaugehistogram: 4,
  summary: 5,
  info: 6,
  stateset: 7,
} satisfies Record<(typeof METRIC_TYPES)[number], number>;

export function varint(value: number | bigint): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  bytes.push(Number(rest));
  return Buffer.from(bytes);
}

export const field = (tag: number, body: Uint8Array): Buffer => Buffer.concat([Buffer.from([tag]), varint(body.length), body]);

export const labelField = ([name, value]: readonly [string, string]): Buffer =>
  field(0x0a, Buffer.concat([field(0x0a, Buffer.from(name)), field(0x12, Buffer.from(value))]));

export function sampleField([atMs, value]: readonly [number, number | Uint8Array]): Buffer {
  const bytes = Buffer.alloc(9);
  bytes[0] = 0x09;
  if (typeof value === 'number') bytes.writeDoubleLE(value, 1);
  else bytes.set(value, 1);
  return field(0x12, Buffer.concat([bytes, Buffer.from([0x10]), varint(atMs)]));
}

const HINTS = ['unknown', 'reset', 'not_reset', 'gauge'] as const;
const zigzag = (value: number): Buffer => varint(value < 0 ? -2 * value - 1 : 2 * value);
const double = (value: number): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return bytes;
};

/** The message `Histogram` of both versions. */
export function encodeHistogram({ atMs, histogram, doubles = false, more = Buffer.alloc(0) }: WireHistogramSample): Buffer {
  const time = Buffer.concat([Buffer.from([0x78]), varint(atMs)]);
  if (histogram === 'stale') return Buffer.concat([Buffer.from([0x19, 2, 0, 0, 0, 0, 0, 0xf0, 0x7f]), time, more]);
  const { schema, count, sum, zeroCount, zeroThreshold, positive, negative, bounds, hint } = histogram;
  const number = (tag: number, value: number): Buffer =>
    doubles ? Buffer.concat([Buffer.from([((tag + 1) << 3) | 1]), double(value)]) : Buffer.concat([Buffer.from([tag << 3]), varint(value)]);
  const side = (tag: number, { indexes, counts }: Buckets): Buffer[] => {
    const spans = indexes.map((index, i) =>
      field(
        (tag << 3) | 2,
        Buffer.concat([Buffer.from([0x08]), zigzag(i === 0 ? index : index - (indexes[i - 1] ?? 0) - 1), Buffer.from([0x10, 1])]),
      ),
    );
    if (counts.length === 0) return [];
    const deltas = counts.map((each, i) => zigzag(each - (counts[i - 1] ?? 0)));
    return [
      ...spans,
      doubles ? field(((tag + 2) << 3) | 2, Buffer.concat(counts.map(double))) : field(((tag + 1) << 3) | 2, Buffer.concat(deltas)),
    ];
  };
  return Buffer.concat([
    number(1, count),
    Buffer.from([0x19]),
    double(sum),
    Buffer.from([0x20]),
    zigzag(schema),
    Buffer.from([0x29]),
    double(zeroThreshold),
    number(6, zeroCount),
    ...side(8, negative),
    ...side(11, positive),
    Buffer.from([0x70, HINTS.indexOf(hint)]),
    time,
    ...(bounds.length > 0 ? [varint(130), varint(8 * bounds.length), ...bounds.map(double)] : []),
    more,
  ]);
}

const exemplarBody = ({ value, atMs }: WireExemplar, labels: readonly Uint8Array[]): Buffer =>
  Buffer.concat([...labels, Buffer.from([0x11]), double(value), Buffer.from([0x18]), varint(atMs)]);

export function encodeWriteRequest(series: readonly WireSeries[], metadata: readonly WireMetadata[] = []): Buffer {
  const parts = series.map((one) => {
    const labels = one.labels.map(labelField);
    const samples = one.samples.map(sampleField);
    const exemplars = (one.exemplars ?? []).map((each) => field(0x1a, exemplarBody(each, each.labels.map(labelField))));
    const histograms = (one.histograms ?? []).map((sample) => field(0x22, encodeHistogram(sample)));
    const body = one.interleaved ? [...labels.slice(0, 1), ...samples, ...labels.slice(1)] : [...labels, ...samples];
    return field(0x0a, Buffer.concat([...body, ...exemplars, ...histograms]));
  });
  const described = metadata.map(({ name, type, help, unit }) =>
    field(
      0x1a,
      Buffer.concat([
        Buffer.from([0x08, WIRE_TYPES[type]]),
        field(0x12, Buffer.from(name)),
        field(0x22, Buffer.from(help)),
        field(0x2a, Buffer.from(unit)),
      ]),
    ),
  );
  return Buffer.concat([...parts, ...described]);
}

/** A series of a 2.0 body; its metadata is of one of the types above. */
export type WireSeries2 = Omit<WireSeries, 'interleaved'> & {
  readonly metadata?: Omit<WireMetadata, 'name'>;
  /** Instead of those of the labels. */
  readonly refs?: readonly number[];
  /** One field for each reference instead of one for all. */
  readonly unpacked?: boolean;
};

/** A remote-write 2.0 body (not compressed). Symbols stand in front, or behind the series when `symbolsLast`. */
export function encodeWriteRequest2(
  series: readonly WireSeries2[],
  { symbolsLast = false, firstSymbol = '' }: { readonly symbolsLast?: boolean; readonly firstSymbol?: string } = {},
): Buffer {
  const symbols = new Map<string, number>([[firstSymbol, 0]]);
  const symbolOf = (text: string): number => {
    const known = symbols.get(text) ?? symbols.size;
    symbols.set(text, known);
    return known;
  };
  const messages = series.map((one) => {
    const refs = one.refs ?? one.labels.flatMap(([name, value]) => [symbolOf(name), symbolOf(value)]);
    const parts =
      one.unpacked === true
        ? refs.map((ref) => Buffer.concat([Buffer.from([0x08]), varint(ref)]))
        : [field(0x0a, Buffer.concat(refs.map(varint)))];
    parts.push(...one.samples.map(sampleField));
    for (const sample of one.histograms ?? []) parts.push(field(0x1a, encodeHistogram(sample)));
    for (const each of one.exemplars ?? [])
      parts.push(field(0x22, exemplarBody(each, [field(0x0a, Buffer.concat(each.labels.flat().map((text) => varint(symbolOf(text)))))])));
    if (one.metadata !== undefined) {
      const { type, help, unit } = one.metadata;
      parts.push(
        field(
          0x2a,
          Buffer.concat([Buffer.from([0x08, WIRE_TYPES[type], 0x18]), varint(symbolOf(help)), Buffer.from([0x20]), varint(symbolOf(unit))]),
        ),
      );
    }
    return field(0x2a, Buffer.concat(parts));
  });
  const table = [...symbols.keys()].map((text) => field(0x22, Buffer.from(text)));
  return Buffer.concat(symbolsLast ? [...messages, ...table] : [...table, ...messages]);
}
