import { type Result, err, ok } from '@nines/base/result.ts';
import { ByteBuffer } from './byte-buffer.ts';
import type { BatchExemplar, Exemplar } from './exemplar.ts';
import type { Histogram } from './histogram.ts';
import { type Labels, compareText } from './labels.ts';
import { decodeText } from './decode-text.ts';
import { bitsOf, setStale } from './stale.ts';
import type { WriteBatch } from './storage.ts';

/**
 * Batches made of structured samples (host metrics, scrapes, pushes, checks), and the label codec that they share with
 * remote write. The form of encoded labels is described at `WriteBatch`.
 */
const utf8 = new TextEncoder();

/** The labels as protobuf `Label` fields, in the order of the set. */
export function encodeLabels(labels: Labels): Uint8Array {
  return encodeTexts(labels.map((text) => utf8.encode(text)));
}

function encodeTexts(parts: readonly Uint8Array[]): Uint8Array {
  let total = 0;
  for (let i = 0; i < parts.length; i += 2) {
    const inner = labelLength(parts[i], parts[i + 1]);
    total += 1 + varintLength(inner) + inner;
  }
  const out = new Uint8Array(total);
  let at = 0;
  for (let i = 0; i < parts.length; i += 2) {
    out[at++] = 0x0a;
    at = writeVarint(out, at, labelLength(parts[i], parts[i + 1]));
    at = writeField(out, at, 0x0a, parts[i] ?? EMPTY);
    at = writeField(out, at, 0x12, parts[i + 1] ?? EMPTY);
  }
  return out;
}

const EMPTY = new Uint8Array(0);

/** Where the labels of a batch's series stand as `Label` fields; those given by reference are written out anew. */
export function labelBytesOf(
  batch: WriteBatch,
  series: number,
): { readonly bytes: Uint8Array; readonly from: number; readonly to: number } {
  const { bytes, symbols, labelsFrom, labelsTo } = batch;
  const from = labelsFrom[series] ?? 0;
  const to = labelsTo[series] ?? 0;
  if (symbols === undefined) return { bytes, from, to };
  const textOf = (ref: number): Uint8Array => bytes.subarray(symbols.from[ref], symbols.to[ref]);
  const encoded = encodeTexts(Array.from(symbols.refs.subarray(from, to), textOf));
  return { bytes: encoded, from: 0, to: encoded.length };
}

const varintLength = (value: number): number =>
  value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x20_0000 ? 3 : value < 0x1000_0000 ? 4 : 5;

function labelLength(name: Uint8Array = EMPTY, value: Uint8Array = EMPTY): number {
  return 2 + varintLength(name.length) + name.length + varintLength(value.length) + value.length;
}

function writeVarint(out: Uint8Array, from: number, value: number): number {
  let at = from;
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) out[at++] = (rest & 127) | 128;
  out[at++] = rest;
  return at;
}

function writeField(out: Uint8Array, from: number, tag: number, bytes: Uint8Array): number {
  out[from] = tag;
  const at = writeVarint(out, from + 1, bytes.length);
  out.set(bytes, at);
  return at + bytes.length;
}

/**
 * Reads the `Label` fields in `[from, to)`: sorted, empty values dropped. Refused with the reason: bytes that are not such
 * fields, text that is not UTF-8, an empty name, a name twice. Whether a metric name must be there is the store's rule.
 */
export function decodeLabels(bytes: Uint8Array, from: number, to: number): Result<Labels, string> {
  const pairs: (readonly [string, string])[] = [];
  let at = from;
  while (at < to) {
    const field = readText(bytes, at, to, 0x0a);
    if (field === undefined) return err(`malformed label at byte ${at - from}`);
    const name = readText(bytes, field.from, field.to, 0x0a);
    const value = readText(bytes, name?.to ?? field.from, field.to, 0x12);
    const used = value?.to ?? name?.to ?? field.from;
    if (used !== field.to) return err(`malformed label at byte ${at - from}`);
    try {
      const nameText = name === undefined ? '' : decodeText(bytes, name.from, name.to);
      const valueText = value === undefined ? '' : decodeText(bytes, value.from, value.to);
      if (nameText === '') return err('label with an empty name');
      pairs.push([nameText, valueText]);
    } catch {
      return err(`label that is not UTF-8 at byte ${at - from}`);
    }
    at = field.to;
  }
  pairs.sort(([a], [b]) => compareText(a, b));
  const repeated = pairs.find(([name], i) => i > 0 && pairs[i - 1]?.[0] === name);
  if (repeated !== undefined) return err(`label name "${repeated[0]}" twice`);
  return ok(pairs.filter(([, value]) => value !== '').flat());
}

/** The content of the length-delimited field at `at` if it carries `tag` and ends by `to`. */
function readText(bytes: Uint8Array, at: number, to: number, tag: number): { readonly from: number; readonly to: number } | undefined {
  if (at >= to || bytes[at] !== tag) return undefined;
  let length = 0;
  let next = at + 1;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[next++];
    if (byte === undefined || next > to || shift > 28) return undefined;
    length += (byte & 127) * 2 ** shift;
    if (byte < 128) break;
  }
  return length <= to - next ? { from: next, to: next + length } : undefined;
}

/** Collects samples into one reused `WriteBatch`. Not for concurrent use: a batch is valid until the builder is touched again. */
export interface BatchBuilder {
  readonly seriesCount: number;
  readonly sampleCount: number;
  /** A series with one sample. Encoded labels are copied. Consecutive samples of one series may share it through `addSample`. */
  add(labels: Labels | Uint8Array, atMs: number, value: number): void;
  /** A staleness marker: this series ended at `atMs`. */
  addStale(labels: Labels | Uint8Array, atMs: number): void;
  /** A series with one native histogram. */
  addHistogram(labels: Labels | Uint8Array, atMs: number, histogram: Histogram): void;
  /** One more sample of the series added last. */
  addSample(atMs: number, value: number): void;
  /** An exemplar of the series added last. */
  addExemplar(exemplar: Exemplar): void;
  batch(): WriteBatch;
  reset(): void;
}

export function createBatchBuilder(): BatchBuilder {
  return new Builder();
}

class Builder implements BatchBuilder {
  seriesCount = 0;
  sampleCount = 0;
  private used = 0;
  private readonly buffer = new ByteBuffer();
  private from = new Uint32Array(64);
  private to = new Uint32Array(64);
  private samples = new Uint32Array(65);
  private times = new Float64Array(64);
  private values = new Float64Array(64);
  /** By sample, as far as the last one. */
  private histograms: (Histogram | undefined)[] = [];
  private exemplars: BatchExemplar[] = [];

  add(labels: Labels | Uint8Array, atMs: number, value: number): void {
    this.open(labels);
    this.addSample(atMs, value);
  }

  addStale(labels: Labels | Uint8Array, atMs: number): void {
    this.open(labels);
    this.addSample(atMs, Number.NaN);
    setStale(this.values, this.sampleCount - 1);
  }

  addHistogram(labels: Labels | Uint8Array, atMs: number, histogram: Histogram): void {
    this.open(labels);
    while (this.histograms.length < this.sampleCount) this.histograms.push(undefined);
    this.histograms.push(histogram);
    this.addSample(atMs, histogram.sum);
  }

  addSample(atMs: number, value: number): void {
    if (this.sampleCount === this.times.length) {
      this.times = grownFloats(this.times);
      this.values = grownFloats(this.values);
    }
    this.times[this.sampleCount] = atMs;
    this.values[this.sampleCount] = value;
    this.sampleCount++;
    this.samples[this.seriesCount] = this.sampleCount;
  }

  addExemplar({ labels, value, atMs }: Exemplar): void {
    this.exemplars.push({ series: this.seriesCount - 1, labels, value, atMs });
  }

  private open(labels: Labels | Uint8Array): void {
    const encoded = labels instanceof Uint8Array ? labels : encodeLabels(labels);
    if (this.seriesCount === this.from.length) {
      this.from = grownIndexes(this.from);
      this.to = grownIndexes(this.to);
      this.samples = grownIndexes(this.samples);
    }
    this.buffer.reserve(this.used + encoded.length, this.used).set(encoded, this.used);
    this.from[this.seriesCount] = this.used;
    this.used += encoded.length;
    this.to[this.seriesCount] = this.used;
    this.samples[this.seriesCount] = this.sampleCount;
    this.seriesCount++;
    this.samples[this.seriesCount] = this.sampleCount;
  }

  batch(): WriteBatch {
    const { seriesCount, from, to, samples, times, values, histograms, exemplars } = this;
    return {
      bytes: this.buffer.bytes,
      seriesCount,
      labelsFrom: from,
      labelsTo: to,
      samplesFrom: samples,
      times,
      values,
      ...(histograms.length === 0 ? {} : { histograms }),
      ...(exemplars.length === 0 ? {} : { exemplars }),
    };
  }

  reset(): void {
    this.seriesCount = 0;
    this.sampleCount = 0;
    this.used = 0;
    if (this.histograms.length > 0) this.histograms = [];
    if (this.exemplars.length > 0) this.exemplars = [];
  }
}

export function grownIndexes(old: Uint32Array): Uint32Array<ArrayBuffer> {
  const grown = new Uint32Array(old.length * 2);
  grown.set(old);
  return grown;
}

export function grownFloats(old: Float64Array): Float64Array<ArrayBuffer> {
  const grown = new Float64Array(old.length * 2);
  // Copied as bits: a number on the way could lose a NaN's payload.
  bitsOf(grown).set(bitsOf(old));
  return grown;
}
