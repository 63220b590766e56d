import { lowerBound } from '@nines/base/lower-bound.ts';
import { invariant } from '@nines/base/errors.ts';
import { CorruptData } from '../contract.ts';
import { compress, crc32, decompress } from '../disk-codec.ts';
import { ByteReader, ByteWriter } from './bytes.ts';
import { Columns } from './columns.ts';
import { DenseBits } from './dense-column.ts';
import { isHistogramColumn, readHistogramColumn, writeHistogramColumn } from './histogram-column.ts';
import { readTimes, writeTimes } from './time-column.ts';
import { hasOnlyNumbers, readValues, writeValues } from './value-column.ts';

/**
 * A page: the samples of many series in one window, drawn in docs/format/pages.md. Series of one scrape share a time column.
 * The list of references stands beside the data, so that a query knows whom a page holds without unpacking it.
 */
const MAGIC = 0x3147504e; // "NPG1"
/** A page with bits behind the zstd frame, which is why its header says how long the frame is. */
const MAGIC_WITH_BITS = 0x3247504e; // "NPG2"
const HEADER_WITH_BITS_BYTES = 16;
/** A page is closed when its plain form is this long: zstd needs about that much to find what series have in common. */
export const TARGET_PAGE_BYTES = 64 * 1024;
/** One series' two hours at a millisecond's interval fill at most this much; a header that promises more is damaged. */
export const MAX_PAGE_BYTES = 256 * 1024 * 1024;

export type EncodedPage = { readonly refs: Uint8Array; readonly data: Uint8Array; readonly samples: number };

export class PageBuilder {
  readonly #refs: number[] = [];
  readonly #timeIndexes: number[] = [];
  readonly #lengths: number[] = [];
  readonly #bits = new DenseBits();
  readonly #times: { readonly times: Float64Array; readonly bytes: Uint8Array }[] = [];
  readonly #timesByHash = new Map<number, number[]>();
  readonly #values = new ByteWriter(TARGET_PAGE_BYTES);
  #timeBytes = 0;
  samples = 0;

  get seriesCount(): number {
    return this.#refs.length;
  }

  /** Plain bytes so far, and those of bits. */
  get size(): number {
    return this.#values.at + this.#bits.size + this.#timeBytes + this.#lengths.length * 3;
  }

  /** Adds a series with at least one sample, and as many further columns as every other series. Copies what it keeps. */
  add(ref: number, columns: Columns, more: readonly Columns[] = []): void {
    invariant(columns.length > 0, `series ${ref} comes to a page without samples`);
    this.#refs.push(ref);
    this.#addColumn(columns);
    for (const further of more) this.#addColumn(further);
    this.samples += columns.length;
  }

  #addColumn(columns: Columns): void {
    const from = this.#values.at;
    if (columns.histograms === undefined) writeValues(this.#values, columns, this.#bits);
    else writeHistogramColumn(this.#values, columns);
    this.#timeIndexes.push(this.#timeColumn(columns));
    this.#lengths.push(this.#values.at - from);
  }

  #timeColumn({ times, length }: Columns): number {
    const hash = hashTimes(times, length);
    const known = this.#timesByHash.get(hash) ?? [];
    for (const index of known) {
      const other = this.#times[index]?.times;
      if (other !== undefined && sameTimes(other, times, length)) return index;
    }
    const writer = new ByteWriter(64 + length);
    writeTimes(writer, times, length);
    const index = this.#times.length;
    this.#times.push({ times: times.slice(0, length), bytes: writer.copy() });
    this.#timesByHash.set(hash, [...known, index]);
    this.#timeBytes += writer.at;
    return index;
  }

  finish(): EncodedPage {
    const plain = new ByteWriter(this.size + 64);
    plain.varint(this.#lengths.length);
    plain.varint(this.#times.length);
    for (const index of this.#timeIndexes) plain.varint(index);
    for (const length of this.#lengths) plain.varint(length);
    for (const { bytes } of this.#times) plain.raw(bytes);
    plain.raw(this.#values.written());
    const refs = writeRefs(this.#refs);
    const packed = compress(plain.written());
    const data = new ByteWriter(HEADER_WITH_BITS_BYTES + packed.length + this.#bits.size);
    data.u32(this.#bits.size > 0 ? MAGIC_WITH_BITS : MAGIC);
    data.u32(0);
    data.u32(plain.at);
    if (this.#bits.size > 0) data.u32(packed.length);
    data.raw(packed);
    data.raw(this.#bits.written());
    const bytes = data.copy();
    new DataView(bytes.buffer).setUint32(4, checksum(refs, bytes), true);
    return { refs, data: bytes, samples: this.samples };
  }
}

/** Covers the references and everything after the checksum itself. */
const checksum = (refs: Uint8Array, data: Uint8Array): number => crc32(data.subarray(8), crc32(refs));

function hashTimes(times: Float64Array, length: number): number {
  return ((times[0] ?? 0) * 31 + (times[length - 1] ?? 0)) * 31 + length;
}

function sameTimes(a: Float64Array, b: Float64Array, length: number): boolean {
  if (a.length !== length) return false;
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return false;
  return true;
}

function writeRefs(refs: readonly number[]): Uint8Array {
  const writer = new ByteWriter(16 + refs.length * 2);
  let before = 0;
  for (const ref of refs) {
    writer.zigzag(ref - before);
    before = ref;
  }
  return writer.copy();
}

export function readRefs(bytes: Uint8Array): Uint32Array {
  const reader = new ByteReader(bytes);
  const refs = new Uint32Array(bytes.length);
  let count = 0;
  let ref = 0;
  while (reader.left > 0) {
    ref += reader.zigzag();
    refs[count++] = ref;
  }
  return refs.slice(0, count);
}

/**
 * What share of a page each of its series takes, in the order of `refs`: by the bytes and bits that its value columns take when they are written anew,
 * and a byte for each instant, which those that share it share. The shares of a page add up to 1. Throws `CorruptData`.
 */
export function sharesOf(page: DecodedPage): Float64Array {
  const series = page.refs.length;
  const each = page.columns / series;
  const users = new Map<Float64Array, number>();
  for (let i = 0; i < page.columns; i++) users.set(page.timesOf(i), (users.get(page.timesOf(i)) ?? 0) + 1);
  const shares = new Float64Array(series);
  let sum = 0;
  for (let i = 0; i < page.columns; i++) {
    const times = page.timesOf(i);
    const bytes = page.bytesOf(i) + times.length / (users.get(times) ?? 1);
    shares[Math.floor(i / each)] = (shares[Math.floor(i / each)] ?? 0) + bytes;
    sum += bytes;
  }
  return shares.map((bytes) => bytes / sum);
}

/** A page unpacked to its plain bytes; series are decoded one by one. */
export class DecodedPage {
  readonly refs: Uint32Array;
  readonly #plain: Uint8Array;
  /** What columns with noise point at. */
  readonly #bits: DataView;
  readonly #timeIndexes: Uint32Array;
  readonly #times: readonly Float64Array[];
  readonly #starts: Uint32Array;

  /** Throws `CorruptData` when checksum or structure do not hold. */
  constructor(refs: Uint8Array, data: Uint8Array) {
    const header = new ByteReader(data);
    const magic = header.u32();
    if (magic !== MAGIC && magic !== MAGIC_WITH_BITS) throw new CorruptData('no page stands here');
    if (header.u32() !== checksum(refs, data)) throw new CorruptData('the checksum does not hold');
    const length = header.u32();
    if (length > MAX_PAGE_BYTES) throw new CorruptData(`a page of ${length} bytes`);
    this.refs = readRefs(refs);
    const packed = header.raw(magic === MAGIC ? header.left : header.u32());
    this.#plain = decompress(packed, length);
    // A copy, so that the packed bytes need not stay.
    this.#bits = new DataView(new Uint8Array(header.raw(header.left)).buffer);
    const reader = new ByteReader(this.#plain);
    const count = reader.varint();
    const columns = reader.varint();
    if (count > length || count % this.refs.length !== 0 || columns > count)
      throw new CorruptData(`${this.refs.length} references for ${count} value columns`);
    this.#timeIndexes = new Uint32Array(count);
    this.#starts = new Uint32Array(count + 1);
    for (let i = 0; i < count; i++) this.#timeIndexes[i] = reader.varint();
    for (let i = 0; i < count; i++) this.#starts[i + 1] = (this.#starts[i] ?? 0) + reader.varint();
    this.#times = Array.from({ length: columns }, () => readTimes(reader, length));
    const base = reader.at;
    for (let i = 0; i <= count; i++) this.#starts[i] = (this.#starts[i] ?? 0) + base;
    if (this.#starts[count] !== length) throw new CorruptData('values that do not fill the page');
  }

  /** Value columns: as many as series, or a multiple of that on rollup pages. */
  get columns(): number {
    return this.#timeIndexes.length;
  }

  /** Bytes held in memory. */
  get size(): number {
    return (
      this.#plain.length + this.#bits.byteLength + this.refs.length * 12 + this.#times.reduce((sum, times) => sum + times.length * 8, 0)
    );
  }

  /** The times of the value column at `index`; series of one scrape share them. Never to be written to. */
  timesOf(index: number): Float64Array {
    const times = this.#times[this.#timeIndexes[index] ?? 0];
    if (times === undefined) throw new CorruptData('a series without a time column');
    return times;
  }

  /** Appends the values of the column at `index` to `out`; what stands there as times means nothing. */
  readValues(index: number, out: Columns): void {
    const count = this.timesOf(index).length;
    out.ensure(count);
    readValues(this.#reader(index), count, out, this.#bits);
    out.length += count;
  }

  /** Whether all values of the column at `index` are sure to be finite numbers. */
  isUsual(index: number): boolean {
    return hasOnlyNumbers(this.#reader(index));
  }

  /** Bytes and bits of the value column at `index`, in bytes: read and written anew, because columns of equal bits have these once. */
  bytesOf(index: number): number {
    const times = this.timesOf(index);
    const columns = new Columns(times.length);
    this.read(index, { fromMs: Number.NEGATIVE_INFINITY, toMs: Number.POSITIVE_INFINITY }, columns, new Columns(times.length));
    const writer = new ByteWriter();
    const bits = new DenseBits();
    if (columns.histograms === undefined) writeValues(writer, columns, bits);
    else writeHistogramColumn(writer, columns);
    return writer.at + bits.size;
  }

  #reader(index: number): ByteReader {
    return new ByteReader(this.#plain, this.#starts[index] ?? 0, this.#starts[index + 1] ?? 0);
  }

  /** Appends the samples of the value column at `index` within `[fromMs, toMs]` to `out`. `scratch` is overwritten. */
  read(index: number, range: { readonly fromMs: number; readonly toMs: number }, out: Columns, scratch: Columns): void {
    const times = this.timesOf(index);
    const from = lowerBound(times, times.length, range.fromMs);
    const to = lowerBound(times, times.length, range.toMs + 1);
    if (from >= to) return;
    scratch.clear();
    if (isHistogramColumn(this.#plain[this.#starts[index] ?? 0])) {
      readHistogramColumn(this.#reader(index), times, scratch);
      out.append(scratch, from, to);
      return;
    }
    this.readValues(index, scratch);
    out.ensure(to - from);
    out.times.set(times.subarray(from, to), out.length);
    out.bits.set(scratch.bits.subarray(2 * from, 2 * to), 2 * out.length);
    out.length += to - from;
  }
}
