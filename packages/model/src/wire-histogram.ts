import {
  type Buckets,
  CUSTOM_BUCKETS,
  type Histogram,
  MAX_SCHEMA,
  NO_BUCKETS,
  type ResetHint,
  atSchema,
  isKnownSchema,
} from './histogram.ts';
import { decodeText } from './decode-text.ts';
import { Malformed } from './malformed.ts';

/**
 * The message `Histogram` of remote write 1.0 (prompb/types.proto) and 2.0 (write/v2/types.proto), which have the same fields. Bytes
 * that are no such message throw `Malformed`; one whose buckets make no sense is told with the problem, as Prometheus refuses it
 * (model/histogram, Validate).
 */
export type WireHistogram = {
  readonly atMs: number;
  /** Undefined for a staleness marker, and where there is a problem. */
  readonly histogram: Histogram | undefined;
  readonly problem: string | undefined;
};

const HINTS: readonly ResetHint[] = ['unknown', 'reset', 'not_reset', 'gauge'];
/** Buckets of one side; at the finest schema all doubles fill no more than half a million. */
const MAX_BUCKETS = 1 << 20;

type Span = { readonly offset: number; readonly length: number };
export type Side = { readonly spans: Span[]; readonly deltas: number[]; readonly counts: number[] };
const side = (): Side => ({ spans: [], deltas: [], counts: [] });

/** The fields as they stand on the wire, whichever message they came in. */
export class HistogramFields {
  count = 0;
  hasIntegers = false;
  sum = 0;
  isStale = false;
  schema = 0;
  zeroThreshold = 0;
  zeroCount = 0;
  readonly negative = side();
  readonly positive = side();
  hint = 0;
  atMs = 0;
  readonly bounds: number[] = [];
}

/** Reads the message in `[from, to)`. */
export function readWireHistogram(bytes: Uint8Array, from: number, to: number): WireHistogram {
  const reader = new WireReader(bytes, from, to);
  const fields = new HistogramFields();
  while (reader.at < to) readField(reader, fields);
  const { atMs, isStale } = fields;
  if (isStale) return { atMs, histogram: undefined, problem: undefined };
  const made = histogramOf(fields);
  return typeof made === 'string' ? { atMs, histogram: undefined, problem: made } : { atMs, histogram: made, problem: undefined };
}

function readField(reader: WireReader, fields: HistogramFields): void {
  const tag = reader.varint();
  const field = tag >>> 3;
  if (field === 1 || field === 2) {
    fields.hasIntegers = field === 1;
    fields.count = reader.number(tag);
  } else if (field === 3) {
    fields.isStale = reader.isStale();
    fields.sum = reader.number(tag);
  } else if (field === 4) fields.schema = reader.signed(tag);
  else if (field === 5) fields.zeroThreshold = reader.number(tag);
  else if (field === 6 || field === 7) fields.zeroCount = reader.number(tag);
  else if (field >= 8 && field <= 13) readSide(reader, tag, field <= 10 ? fields.negative : fields.positive);
  else if (field === 14) fields.hint = reader.number(tag);
  else if (field === 15) fields.atMs = reader.number(tag);
  else if (field === 16) reader.repeated(tag, () => fields.bounds.push(reader.double()));
  else reader.skip(tag);
}

function readSide(reader: WireReader, tag: number, { spans, deltas, counts }: Side): void {
  const field = tag >>> 3;
  if (field === 8 || field === 11) spans.push(reader.span(tag));
  else if (field === 9 || field === 12) reader.repeated(tag, () => deltas.push(reader.zigzag()));
  else reader.repeated(tag, () => counts.push(reader.double()));
}

/** Finer schemas than ours are reserved for exponential buckets up to this one, and made coarser as Prometheus does. Source: model/histogram. */
const MAX_RESERVED_SCHEMA = 52;

/** The histogram, or why it is none. */
export function histogramOf(fields: HistogramFields): Histogram | string {
  const { schema, zeroThreshold, zeroCount, count, sum, bounds } = fields;
  const isFiner = schema > MAX_SCHEMA && schema <= MAX_RESERVED_SCHEMA;
  if (!isFiner && !isKnownSchema(schema)) return `schema ${schema}; known are -4 to ${MAX_RESERVED_SCHEMA} and -53`;
  const isCustom = schema === CUSTOM_BUCKETS;
  const hint = HINTS[fields.hint];
  if (hint === undefined) return `reset hint ${fields.hint}`;
  if (isCustom && (zeroCount !== 0 || fields.negative.spans.length > 0)) return 'custom buckets beside a zero bucket or negative ones';
  if (bounds.at(-1) === Number.POSITIVE_INFINITY) return 'a bound of +Inf, which goes without saying';
  if (bounds.some((bound, i) => !(bound > (bounds[i - 1] ?? Number.NEGATIVE_INFINITY)))) return 'bounds that do not ascend';
  const negative = bucketsOf(fields.negative);
  if (typeof negative === 'string') return `negative buckets: ${negative}`;
  const positive = bucketsOf(fields.positive);
  if (typeof positive === 'string') return `positive buckets: ${positive}`;
  if (isCustom && (positive.indexes.at(-1) ?? 0) > bounds.length) return `bucket ${positive.indexes.at(-1)} with ${bounds.length} bounds`;
  if (hint !== 'gauge' && [count, zeroCount, ...negative.counts, ...positive.counts].some((each) => each < 0)) return 'a negative count';
  if (fields.hasIntegers && hint !== 'gauge') {
    const total = [zeroCount, ...negative.counts, ...positive.counts].reduce((all, each) => all + each, 0);
    // Observations of NaN are counted and lie in no bucket.
    if (Number.isNaN(sum) ? total > count : total !== count) return `a count of ${count} with ${total} observations in buckets`;
  }
  const histogram = { schema, count, sum, zeroCount, zeroThreshold, positive, negative, bounds: isCustom ? bounds : [], hint };
  return isFiner ? atSchema(histogram, MAX_SCHEMA) : histogram;
}

/** Populated buckets from spans and either differences or counts. */
function bucketsOf({ spans, deltas, counts }: Side): Buckets | string {
  let total = 0;
  for (const { length } of spans) total += length;
  if (total > MAX_BUCKETS) return `${total}, where at most ${MAX_BUCKETS} are taken`;
  const given = deltas.length > 0 ? deltas.length : counts.length;
  if (total !== given) return `spans of ${total} with ${given} counts`;
  if (total === 0) return NO_BUCKETS;
  const indexes: number[] = [];
  const kept: number[] = [];
  let index = 0;
  let next = 0;
  let count = 0;
  for (const [i, { offset, length }] of spans.entries()) {
    if (i > 0 && offset < 0) return `span ${i} begins ${offset} after the one before`;
    index += offset;
    for (let k = 0; k < length; k++, index++, next++) {
      count = deltas.length > 0 ? count + (deltas[next] ?? 0) : (counts[next] ?? 0);
      if (count === 0) continue;
      indexes.push(index);
      kept.push(count);
    }
  }
  return { indexes, counts: kept };
}

const VARINT = 0;
const DOUBLE = 1;
const SIZED = 2;
const STALE_LOW = 2;
const STALE_HIGH = 0x7ff00000;

/** Reads protobuf in `[from, to)`; what does not fit throws `Malformed`. */
export class WireReader {
  at: number;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #to: number;

  constructor(bytes: Uint8Array, from: number, to: number) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = from;
    this.#to = to;
  }

  /** Exact up to 2^53, signed as `int64` is. */
  varint(): number {
    let low = 0;
    let scale = 1;
    let high = 0n;
    for (let i = 0; i < 10; i++) {
      if (this.at >= this.#to) throw new Malformed('number cut', this.at);
      const byte = this.#bytes[this.at++] ?? 0;
      if (i < 7) {
        low += (byte & 127) * scale;
        scale *= 128;
      } else high |= BigInt(byte & 127) << BigInt(7 * i);
      if (byte < 128) return high === 0n ? low : Number(BigInt.asIntN(64, high + BigInt(low)));
    }
    throw new Malformed('number too large', this.at);
  }

  zigzag(): number {
    const value = this.varint();
    if (value < 0) {
      // Bit 63 is set: beyond 2^53, where no count is exact.
      const bits = BigInt.asUintN(64, BigInt(value));
      return Number((bits >> 1n) ^ -(bits & 1n));
    }
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  double(): number {
    if (this.at + 8 > this.#to) throw new Malformed('value cut', this.at);
    this.at += 8;
    return this.#view.getFloat64(this.at - 8, true);
  }

  /** Whether the double that comes next is the staleness marker. */
  isStale(): boolean {
    if (this.at + 8 > this.#to) return false;
    return this.#view.getUint32(this.at, true) === STALE_LOW && this.#view.getUint32(this.at + 4, true) === STALE_HIGH;
  }

  number(tag: number): number {
    if ((tag & 7) === VARINT) return this.varint();
    if ((tag & 7) === DOUBLE) return this.double();
    throw new Malformed(`wire type ${tag & 7} in field ${tag >>> 3} of a histogram`, this.at);
  }

  signed(tag: number): number {
    if ((tag & 7) !== VARINT) throw new Malformed(`wire type ${tag & 7} in field ${tag >>> 3} of a histogram`, this.at);
    return this.zigzag();
  }

  /** Calls `read` for each element, packed or not. */
  repeated(tag: number, read: () => void): void {
    if ((tag & 7) !== SIZED) {
      read();
      return;
    }
    const end = this.sized();
    while (this.at < end) read();
    if (this.at !== end) throw new Malformed('element cut', this.at);
  }

  span(tag: number): Span {
    if ((tag & 7) !== SIZED) throw new Malformed(`wire type ${tag & 7} of a span`, this.at);
    const end = this.sized();
    let offset = 0;
    let length = 0;
    while (this.at < end) {
      const inner = this.varint();
      if (inner === 0x08) offset = this.zigzag();
      else if (inner === 0x10) length = this.varint();
      else this.skip(inner);
    }
    if (this.at !== end || length < 0) throw new Malformed('span cut', this.at);
    return { offset, length };
  }

  text(): string {
    const end = this.sized();
    const from = this.at;
    this.at = end;
    try {
      return decodeText(this.#bytes, from, end);
    } catch {
      throw new Malformed('text that is not UTF-8', from);
    }
  }

  sized(): number {
    const length = this.varint();
    if (length < 0 || this.at + length > this.#to) throw new Malformed(`length ${length} reaches over the end`, this.at);
    return this.at + length;
  }

  skip(tag: number): void {
    const type = tag & 7;
    if (tag < 8) throw new Malformed('field number 0', this.at);
    if (type === VARINT) this.varint();
    else if (type === DOUBLE) this.at += 8;
    else if (type === SIZED) this.at = this.sized();
    else if (type === 5) this.at += 4;
    else throw new Malformed(`wire type ${type} is not used`, this.at);
    if (this.at > this.#to) throw new Malformed('field cut', this.at);
  }
}
