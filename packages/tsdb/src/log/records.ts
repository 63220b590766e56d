import type { Histogram } from '@nines/model/histogram.ts';
import { ByteReader, type ByteWriter } from '../codec/bytes.ts';
import { Columns } from '../codec/columns.ts';
import { HistogramReader, HistogramWriter } from '../codec/histogram-code.ts';
import { isHistogramColumn, readHistogramColumn, writeHistogramColumn } from '../codec/histogram-column.ts';
import { readTimes, writeTimes } from '../codec/time-column.ts';
import { readValues, writeValues } from '../codec/value-column.ts';
import { CorruptData } from '../contract.ts';
import { compress, decompress } from '../disk-codec.ts';

/** What stands in frames; drawn in docs/format/log.md. The first byte of a payload is its kind. */
const SERIES = 1;
const SAMPLES = 2;
const DELETION = 3;
const COLUMN = 4;
const END = 5;
const PACKED = 6;
const PAGES = 7;
const HISTOGRAMS = 8;

/** Samples in the order they were taken in: sample `i` is of series `refs[i]` and stands at `indexes[i]` of the source arrays. */
export type SampleList = {
  readonly refs: Uint32Array;
  readonly indexes: Uint32Array;
  readonly count: number;
  readonly times: Float64Array;
  readonly values: Float64Array;
};

/** A native histogram and when it was taken. */
export type LoggedHistogram = { readonly ref: number; readonly time: number; readonly histogram: Histogram };

export type LogVisitor = {
  series(ref: number, labels: Uint8Array): void;
  /** `bits[2 * index]` is the low half of the value. */
  sample(ref: number, time: number, bits: Uint32Array, index: number): void;
  histogram(sample: LoggedHistogram): void;
  /** Both ends inclusive. */
  deletion(refs: readonly number[], fromMs: number, toMs: number): void;
  end(nextRef: number): void;
  /** The highest id of a page when the checkpoint began. */
  pages(lastId: number): void;
};

/** A definition for every reference; `labelsOf` gives canonical bytes. */
export function writeSeries(writer: ByteWriter, refs: readonly number[], labelsOf: (ref: number) => Uint8Array): void {
  writer.byte(SERIES);
  writer.varint(refs.length);
  for (const ref of refs) {
    const labels = labelsOf(ref);
    writer.varint(ref);
    writer.varint(labels.length);
    writer.raw(labels);
  }
}

export function writeSamples(writer: ByteWriter, list: SampleList): void {
  const { refs, indexes, count, times, values } = list;
  const first = indexes[0] ?? 0;
  const time = times[first] ?? 0;
  let shared = true;
  for (let i = 1; i < count && shared; i++) shared = times[indexes[i] ?? 0] === time;
  writer.byte(SAMPLES);
  writer.byte(shared ? 1 : 0);
  writer.varint(count);
  writer.zigzag(Math.floor(time));
  let before = 0;
  for (let i = 0; i < count; i++) {
    const ref = refs[i] ?? 0;
    writer.zigzag(ref - before);
    before = ref;
  }
  if (!shared) writeSampleTimes(writer, list);
  writer.ensure(8 * count);
  const contiguous = (indexes[count - 1] ?? 0) - first === count - 1;
  if (contiguous) {
    writer.raw(new Uint8Array(values.buffer, values.byteOffset + 8 * first, 8 * count));
    return;
  }
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length * 2);
  for (let i = 0; i < count; i++) {
    const index = indexes[i] ?? 0;
    writer.u32(bits[2 * index] ?? 0);
    writer.u32(bits[2 * index + 1] ?? 0);
  }
}

function writeSampleTimes(writer: ByteWriter, { indexes, count, times }: SampleList): void {
  let last = Math.floor(times[indexes[0] ?? 0] ?? 0);
  for (let i = 1; i < count; i++) {
    const time = Math.floor(times[indexes[i] ?? 0] ?? 0);
    writer.zigzag(time - last);
    last = time;
  }
}

/** In the order they were taken in. */
export function writeHistograms(writer: ByteWriter, list: readonly LoggedHistogram[]): void {
  const coder = new HistogramWriter();
  writer.byte(HISTOGRAMS);
  writer.varint(list.length);
  let before = { ref: 0, time: 0 };
  for (const { ref, time, histogram } of list) {
    writer.zigzag(ref - before.ref);
    writer.zigzag(time - before.time);
    coder.write(writer, histogram);
    before = { ref, time };
  }
}

export function writeDeletion(writer: ByteWriter, refs: Uint32Array, range: { readonly fromMs: number; readonly toMs: number }): void {
  writer.byte(DELETION);
  writer.zigzag(range.fromMs);
  writer.zigzag(range.toMs);
  writer.varint(refs.length);
  for (const ref of refs) writer.varint(ref);
}

/** All samples of one series (at least one), for a checkpoint. */
export function writeColumn(writer: ByteWriter, ref: number, columns: Columns): void {
  writer.byte(COLUMN);
  writer.varint(ref);
  writeTimes(writer, columns.times, columns.length);
  if (columns.histograms === undefined) writeValues(writer, columns);
  else writeHistogramColumn(writer, columns);
}

/** Plain bytes a packed record may promise: checkpoints pack 64 KB and the last series that reached beyond. */
const MAX_PACKED_BYTES = 256 * 1024 * 1024;

/** Several records in one, compressed. `records` holds each with its length before it (u32). */
export function writePacked(writer: ByteWriter, records: Uint8Array): void {
  const packed = compress(records);
  writer.byte(PACKED);
  writer.varint(records.length);
  writer.raw(packed);
}

/** Ends a checkpoint: without it the checkpoint is incomplete. */
export function writeEnd(writer: ByteWriter, nextRef: number): void {
  writer.byte(END);
  writer.varint(nextRef);
}

/** What the page store must at least know, or it is not the one that belongs to this log. */
export function writePages(writer: ByteWriter, lastId: number): void {
  writer.byte(PAGES);
  writer.varint(lastId);
}

const column = new Columns();

/** Calls the visitor for what the payload holds. Throws `CorruptData` when it is not a record, perhaps after some calls. */
export function readRecord(reader: ByteReader, visitor: LogVisitor): void {
  const kind = reader.byte();
  if (kind === SERIES) readSeries(reader, visitor);
  else if (kind === SAMPLES) readSamples(reader, visitor);
  else if (kind === HISTOGRAMS) readHistograms(reader, visitor);
  else if (kind === DELETION) readDeletion(reader, visitor);
  else if (kind === COLUMN) readColumn(reader, visitor);
  else if (kind === END) visitor.end(reader.varint());
  else if (kind === PAGES) visitor.pages(reader.varint());
  else if (kind === PACKED) readPacked(reader, visitor);
  else throw new CorruptData(`a record of unknown kind ${kind}`);
}

function readSeries(reader: ByteReader, visitor: LogVisitor): void {
  for (let left = reader.varint(); left > 0; left--) {
    const ref = reader.varint();
    visitor.series(ref, reader.raw(reader.varint()));
  }
}

let valueBits = new Uint32Array(4096);

function readSamples(reader: ByteReader, visitor: LogVisitor): void {
  const shared = reader.byte() === 1;
  const count = reader.varint();
  if (count * 9 > reader.left) throw new CorruptData(`${count} samples in ${reader.left} bytes`);
  let time = reader.zigzag();
  const refs = new Uint32Array(count);
  let ref = 0;
  for (let i = 0; i < count; i++) {
    ref += reader.zigzag();
    refs[i] = ref;
  }
  const times = shared ? undefined : new Float64Array(count);
  if (times !== undefined) {
    times[0] = time;
    for (let i = 1; i < count; i++) {
      time += reader.zigzag();
      times[i] = time;
    }
  }
  if (valueBits.length < 2 * count) valueBits = new Uint32Array(4 * count);
  new Uint8Array(valueBits.buffer).set(reader.raw(8 * count));
  for (let i = 0; i < count; i++) visitor.sample(refs[i] ?? 0, times?.[i] ?? time, valueBits, i);
}

function readHistograms(reader: ByteReader, visitor: LogVisitor): void {
  const coder = new HistogramReader();
  let ref = 0;
  let time = 0;
  for (let left = reader.varint(); left > 0; left--) {
    ref += reader.zigzag();
    time += reader.zigzag();
    visitor.histogram({ ref, time, histogram: coder.read(reader) });
  }
}

function readDeletion(reader: ByteReader, visitor: LogVisitor): void {
  const fromMs = reader.zigzag();
  const toMs = reader.zigzag();
  const count = reader.varint();
  if (count > reader.left) throw new CorruptData(`a deletion of ${count} series in ${reader.left} bytes`);
  visitor.deletion(
    Array.from({ length: count }, () => reader.varint()),
    fromMs,
    toMs,
  );
}

function readColumn(reader: ByteReader, visitor: LogVisitor): void {
  const ref = reader.varint();
  const times = readTimes(reader, reader.left);
  column.clear();
  if (isHistogramColumn(reader.bytes[reader.at])) readHistogramColumn(reader, times, column);
  else {
    column.ensure(times.length);
    readValues(reader, times.length, column);
  }
  for (let i = 0; i < times.length; i++) {
    const time = times[i] ?? 0;
    const histogram = column.histograms?.get(time);
    if (histogram === undefined) visitor.sample(ref, time, column.bits, i);
    else visitor.histogram({ ref, time, histogram });
  }
}

function readPacked(reader: ByteReader, visitor: LogVisitor): void {
  const length = reader.varint();
  if (length > MAX_PACKED_BYTES) throw new CorruptData(`a packed record of ${length} bytes`);
  const records = new ByteReader(decompress(reader.raw(reader.left), length));
  while (records.left > 0) {
    const end = records.u32() + records.at;
    if (end > records.end) throw new CorruptData('a record that ends beyond its frame');
    if (records.bytes[records.at] === PACKED) throw new CorruptData('a packed record within another');
    readRecord(new ByteReader(records.bytes, records.at, end), visitor);
    records.at = end;
  }
}
