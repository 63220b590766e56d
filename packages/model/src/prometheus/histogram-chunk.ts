import { type Histogram, CUSTOM_BUCKETS } from '../histogram.ts';
import type { SampleColumns } from '../sample-columns.ts';
import { STALE_HIGH, STALE_LOW } from '../stale.ts';
import { HistogramFields, type Side, histogramOf } from '../wire-histogram.ts';
import { BadPrometheusData } from './reader.ts';
import { BitReader, XorValue } from './xor-chunk.ts';

/**
 * Prometheus' chunks of native histograms, which all share one layout: `u16 count, u8 header, layout, then per sample time, count, zero
 * count, sum, positive buckets, negative buckets`. With integers these are second differences (buckets of the differences from
 * bucket to bucket), sums XORed with the one before; with floats all but the time is XORed. Source: prometheus tsdb/chunkenc,
 * histogram.go, float_histogram.go, histogram_meta.go and varbit.go.
 */
export const HISTOGRAM_ENCODING = 2;
export const FLOAT_HISTOGRAM_ENCODING = 3;
export const HISTOGRAM_ENCODINGS: ReadonlySet<number> = new Set([HISTOGRAM_ENCODING, FLOAT_HISTOGRAM_ENCODING]);

export type HistogramSample = { readonly atMs: number; readonly histogram: Histogram };

const HEADER_BYTES = 3;
/** The highest two bits of the header say why the chunk was begun. */
const RESET = 0b10;
const GAUGE = 0b11;
/** What spans can say; a chunk of more buckets than this is none. */
const MAX_BUCKETS = 1 << 20;

/** Appends the histograms of a chunk to `out`, ends of the series to `ends` as staleness markers. Throws `BadPrometheusData`. */
export function decodeHistogramChunk(bytes: Uint8Array, encoding: number, out: HistogramSample[], ends: SampleColumns): void {
  if (bytes.length < HEADER_BYTES) throw new BadPrometheusData(`a chunk of ${bytes.length} bytes ends early`);
  const count = ((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0);
  if (count === 0) return;
  const bits = new BitReader(bytes.subarray(HEADER_BYTES));
  const layout = readLayout(bits);
  const values = encoding === HISTOGRAM_ENCODING ? new Integers(bits, layout) : new Floats(bits, layout);
  const why = (bytes[2] ?? 0) >>> 6;
  let time = 0;
  let step = 0;
  for (let i = 0; i < count; i++) {
    if (i === 0) time = signed(bits);
    else {
      step += signed(bits);
      time += step;
    }
    if (!Number.isSafeInteger(time)) throw new BadPrometheusData(`a chunk: sample ${i} has the time ${time}`);
    const fields = values.next();
    if (fields === undefined) {
      ends.push(time, STALE_LOW, STALE_HIGH);
      continue;
    }
    // That there was none between two samples of a chunk is not said: readers find out, and samples may be left out between them.
    const hint = why === GAUGE ? 3 : why === RESET && i === 0 ? 1 : 0;
    const histogram = histogramOf(Object.assign(fields, { hint }));
    if (typeof histogram === 'string') throw new BadPrometheusData(`a chunk: sample ${i} has ${histogram}`);
    out.push({ atMs: time, histogram });
  }
}

type Span = Side['spans'][number];
type Layout = {
  readonly schema: number;
  readonly zeroThreshold: number;
  readonly positive: readonly Span[];
  readonly negative: readonly Span[];
  readonly bounds: readonly number[];
};

function readLayout(bits: BitReader): Layout {
  const zeroThreshold = readZeroThreshold(bits);
  const schema = signed(bits);
  const positive = readSpans(bits);
  const negative = readSpans(bits);
  const bounds: number[] = [];
  if (schema === CUSTOM_BUCKETS) for (let left = bounded(unsigned(bits)); left > 0; left--) bounds.push(readBound(bits));
  return { schema, zeroThreshold, positive, negative, bounds };
}

function readZeroThreshold(bits: BitReader): number {
  const byte = bits.read(8);
  if (byte === 255) return readDouble(bits);
  return byte === 0 ? 0 : 2 ** (byte - 244);
}

function readSpans(bits: BitReader): readonly Span[] {
  const spans: Span[] = [];
  for (let left = bounded(unsigned(bits)); left > 0; left--) {
    const length = unsigned(bits);
    spans.push({ length, offset: signed(bits) });
  }
  bounded(lengthOf(spans));
  return spans;
}

function bounded(count: number): number {
  if (count > MAX_BUCKETS) throw new BadPrometheusData(`a chunk of ${count} buckets, where at most ${MAX_BUCKETS} are taken`);
  return count;
}

const lengthOf = (spans: readonly Span[]): number => spans.reduce((sum, { length }) => sum + length, 0);

/** Bounds of whole thousandths are short. */
function readBound(bits: BitReader): number {
  const thousandths = unsigned(bits);
  return thousandths === 0 ? readDouble(bits) : (thousandths - 1) / 1000;
}

const double = new Float64Array(1);
const halves = new Uint32Array(double.buffer);

function doubleOf(low: number, high: number): number {
  halves[0] = low;
  halves[1] = high;
  return double[0] ?? 0;
}

function readDouble(bits: BitReader): number {
  const high = bits.read(32);
  return doubleOf(bits.read(32), high);
}

/** Bits of a number by how many ones stand before it. */
const SIZES = [0, 3, 6, 9, 12, 18, 25, 56, 64];

function sizeOf(bits: BitReader): number {
  let ones = 0;
  while (ones < 8 && bits.read(1) === 1) ones++;
  return SIZES[ones] ?? 64;
}

function unsigned(bits: BitReader): number {
  const size = sizeOf(bits);
  if (size === 0) return 0;
  return size <= 32 ? bits.read(size) : bits.read(size - 32) * 2 ** 32 + bits.read(32);
}

/** The largest positive number of a size is one more than in two's complement. */
function signed(bits: BitReader): number {
  const size = sizeOf(bits);
  if (size === 0) return 0;
  if (size <= 32) {
    const value = bits.read(size);
    return value > 2 ** (size - 1) ? value - 2 ** size : value;
  }
  const high = bits.read(size - 32);
  const low = bits.read(32);
  const half = 2 ** (size - 33);
  const isNegative = size === 64 ? high >= half : high > half || (high === half && low > 0);
  return (isNegative ? high - 2 * half : high) * 2 ** 32 + low;
}

/** The fields of a sample without those that say how it is laid out. */
function fieldsOf({ schema, zeroThreshold, positive, negative, bounds }: Layout): HistogramFields {
  const fields = Object.assign(new HistogramFields(), { schema, zeroThreshold });
  fields.positive.spans.push(...positive);
  fields.negative.spans.push(...negative);
  for (const bound of bounds) fields.bounds.push(bound);
  return fields;
}

/** A number that is told by second differences. */
class Running {
  value = 0;
  #step = 0;

  add(second: number): number {
    this.#step += second;
    this.value += this.#step;
    return this.value;
  }
}

class Integers {
  readonly #bits: BitReader;
  readonly #layout: Layout;
  readonly #count = new Running();
  readonly #zeroCount = new Running();
  readonly #sum: XorValue;
  readonly #positive: readonly Running[];
  readonly #negative: readonly Running[];
  #isFirst = true;

  constructor(bits: BitReader, layout: Layout) {
    this.#bits = bits;
    this.#layout = layout;
    this.#sum = new XorValue(bits);
    this.#positive = Array.from({ length: lengthOf(layout.positive) }, () => new Running());
    this.#negative = Array.from({ length: lengthOf(layout.negative) }, () => new Running());
  }

  /** The next sample; undefined where the series ended. */
  next(): HistogramFields | undefined {
    const bits = this.#bits;
    const fields = Object.assign(fieldsOf(this.#layout), { hasIntegers: true });
    if (this.#isFirst) {
      this.#count.value = unsigned(bits);
      this.#zeroCount.value = unsigned(bits);
      this.#sum.first();
    } else {
      this.#count.add(signed(bits));
      this.#zeroCount.add(signed(bits));
      this.#sum.next();
      if (isStale(this.#sum)) return undefined;
    }
    for (const [buckets, { deltas }] of [
      [this.#positive, fields.positive],
      [this.#negative, fields.negative],
    ] as const)
      for (const bucket of buckets) {
        if (this.#isFirst) bucket.value = signed(bits);
        else bucket.add(signed(bits));
        deltas.push(bucket.value);
      }
    this.#isFirst = false;
    if (isStale(this.#sum)) return undefined;
    return Object.assign(fields, {
      count: this.#count.value,
      zeroCount: this.#zeroCount.value,
      sum: doubleOf(this.#sum.low, this.#sum.high),
    });
  }
}

const isStale = ({ low, high }: XorValue): boolean => low === STALE_LOW && high === STALE_HIGH;

class Floats {
  readonly #layout: Layout;
  readonly #count: XorValue;
  readonly #zeroCount: XorValue;
  readonly #sum: XorValue;
  readonly #positive: readonly XorValue[];
  readonly #negative: readonly XorValue[];
  #isFirst = true;

  constructor(bits: BitReader, layout: Layout) {
    this.#layout = layout;
    const values = (length: number): XorValue[] => Array.from({ length }, () => new XorValue(bits));
    [this.#count, this.#zeroCount, this.#sum] = [new XorValue(bits), new XorValue(bits), new XorValue(bits)];
    this.#positive = values(lengthOf(layout.positive));
    this.#negative = values(lengthOf(layout.negative));
  }

  next(): HistogramFields | undefined {
    const fields = fieldsOf(this.#layout);
    const wasFirst = this.#isFirst;
    const read = (value: XorValue): number => {
      if (wasFirst) value.first();
      else value.next();
      return doubleOf(value.low, value.high);
    };
    this.#isFirst = false;
    fields.count = read(this.#count);
    fields.zeroCount = read(this.#zeroCount);
    fields.sum = read(this.#sum);
    if (!wasFirst && isStale(this.#sum)) return undefined;
    for (const value of this.#positive) fields.positive.counts.push(read(value));
    for (const value of this.#negative) fields.negative.counts.push(read(value));
    return isStale(this.#sum) ? undefined : fields;
  }
}
