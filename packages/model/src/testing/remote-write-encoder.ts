import { METRIC_TYPES, type MetricType } from '../metadata.ts';

/** A small encoder of remote-write 1.0 bodies (not compressed), for tests of what reads them. */
export type WireSeries = {
  /** In the order given, so that tests can send what a careful sender would not. */
  readonly labels: readonly (readonly [name: string, value: string])[];
  /** A value may be given as its 8 bytes, low first, when its payload matters. */
  readonly samples: readonly (readonly [atMs: number, value: number | Uint8Array])[];
  readonly exemplars?: number;
  readonly histograms?: number;
  /** Puts the samples between the first label and the others. */
  readonly interleaved?: boolean;
};
export type WireMetadata = { readonly name: string; readonly type: MetricType; readonly help: string; readonly unit: string };

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

export function encodeWriteRequest(series: readonly WireSeries[], metadata: readonly WireMetadata[] = []): Buffer {
  const parts = series.map((one) => {
    const labels = one.labels.map(labelField);
    const samples = one.samples.map(sampleField);
    const exemplars = Array.from({ length: one.exemplars ?? 0 }, () => field(0x1a, field(0x0a, Buffer.from('trace'))));
    const histograms = Array.from({ length: one.histograms ?? 0 }, () => field(0x22, Buffer.from([0x08, 1])));
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
    for (let i = 0; i < (one.histograms ?? 0); i++) parts.push(field(0x1a, Buffer.from([0x08, 1])));
    for (let i = 0; i < (one.exemplars ?? 0); i++) parts.push(field(0x22, Buffer.alloc(0)));
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
