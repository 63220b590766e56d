import { type Result, err, ok } from '@nines/base/result.ts';
import { ByteBuffer } from './byte-buffer.ts';
import type { MetricMetadata, MetricType } from './metadata.ts';
import type { WriteBatch } from './storage.ts';
import { grownFloats, grownIndexes } from './write-batch.ts';

/**
 * Remote write 1.0: walks a decoded `prometheus.WriteRequest` into the arrays of a `WriteBatch`. Label bytes stay where they
 * are and are only pointed at, so a known series costs no string. The whole body is walked before anything is handed out:
 * a malformed one gives nothing. Exemplars are skipped; native histograms are counted, so that the answer can refuse them.
 * Messages: github.com/prometheus/prometheus/blob/main/prompb/types.proto
 */
export type RemoteWriteFault = { readonly message: string; readonly atByte: number };

export type DecodedWrite = {
  /** Valid until the decoder is used again. */
  readonly batch: WriteBatch;
  readonly sampleCount: number;
  /** Native histogram samples, which are not stored. */
  readonly histogramCount: number;
  readonly metadata: ReadonlyMap<string, MetricMetadata>;
};

/** More than any client keeps about; Prometheus sends at most 2 000 entries per request (max_samples_per_send of metadata). */
export const MAX_METADATA_PER_REQUEST = 20_000;

const TYPES: readonly MetricType[] = ['unknown', 'counter', 'gauge', 'histogram', 'gaugehistogram', 'summary', 'info', 'stateset'];
const NO_METADATA: ReadonlyMap<string, MetricMetadata> = new Map();
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

class Malformed {
  readonly message: string;
  readonly atByte: number;
  constructor(message: string, atByte: number) {
    this.message = message;
    this.atByte = atByte;
  }
}

/** One decoder serves one request at a time; its arrays grow to the largest request and are used again. */
export class RemoteWriteDecoder {
  private bytes: Uint8Array = new Uint8Array(0);
  private at = 0;
  private seriesCount = 0;
  private sampleCount = 0;
  private histogramCount = 0;
  private metadata: Map<string, MetricMetadata> | undefined;
  private from = new Uint32Array(256);
  private to = new Uint32Array(256);
  private samples = new Uint32Array(257);
  private times = new Float64Array(256);
  private values = new Float64Array(256);
  private bits = new Uint32Array(this.values.buffer);
  /** The body followed by the labels that had to be moved together; only used when a series' labels do not stand together. */
  private readonly aside = new ByteBuffer();
  private asideUsed = 0;

  /** Bytes held between requests, for whoever keeps decoders. */
  get heldBytes(): number {
    return this.aside.capacity + this.from.byteLength * 3 + this.times.byteLength * 2;
  }

  /** Walks the body. The batch points into `body`, which must stay as it is while the batch is in use. */
  decode(body: Uint8Array): Result<DecodedWrite, RemoteWriteFault> {
    this.bytes = body;
    this.at = 0;
    this.seriesCount = 0;
    this.sampleCount = 0;
    this.histogramCount = 0;
    this.metadata = undefined;
    this.asideUsed = 0;
    this.samples[0] = 0;
    try {
      this.request(body.length);
    } catch (thrown) {
      if (thrown instanceof Malformed) return err({ message: thrown.message, atByte: thrown.atByte });
      throw thrown;
    }
    const { seriesCount, from, to, samples, times, values, sampleCount, histogramCount } = this;
    const bytes = this.asideUsed === 0 ? body : this.aside.bytes;
    const batch = { bytes, seriesCount, labelsFrom: from, labelsTo: to, samplesFrom: samples, times, values };
    return ok({ batch, sampleCount, histogramCount, metadata: this.metadata ?? NO_METADATA });
  }

  private request(end: number): void {
    while (this.at < end) {
      const tag = this.varint(end);
      if (tag === 0x0a) this.series(this.sized(end));
      else if (tag === 0x1a) this.metadataEntry(this.sized(end));
      else this.skip(tag, end);
    }
  }

  private series(end: number): void {
    if (this.seriesCount === this.from.length) this.growSeries();
    const index = this.seriesCount;
    let labelsFrom = this.at;
    this.skipShortLabels(end);
    let labelsTo = this.at;
    while (this.at < end) {
      const fieldAt = this.at;
      const tag = this.varint(end);
      if (tag === 0x0a) {
        this.label(this.sized(end));
        if (labelsTo === fieldAt) labelsTo = this.at;
        else if (labelsTo === labelsFrom) {
          labelsFrom = fieldAt;
          labelsTo = this.at;
        } else {
          const moved = this.moveTogether({ labelsFrom, labelsTo, fieldAt });
          labelsFrom = moved.from;
          labelsTo = moved.to;
        }
      } else if (tag === 0x12) this.sample(this.sized(end));
      else {
        if (tag === 0x22) this.histogramCount++;
        this.skip(tag, end);
      }
    }
    this.from[index] = labelsFrom;
    this.to[index] = labelsTo;
    this.seriesCount = index + 1;
    this.samples[index + 1] = this.sampleCount;
  }

  /** Passes over labels as every sender writes them: name, then value, lengths of one byte. Stops before anything else. */
  private skipShortLabels(end: number): void {
    const { bytes } = this;
    let { at } = this;
    while (at + 6 <= end && bytes[at] === 0x0a && bytes[at + 2] === 0x0a) {
      const length = bytes[at + 1] ?? 128;
      const name = bytes[at + 3] ?? 128;
      const valueAt = at + 4 + name;
      const value = bytes[valueAt + 1] ?? 128;
      const to = valueAt + 2 + value;
      if (length > 127 || name > 127 || value > 127 || bytes[valueAt] !== 0x12 || to !== at + 2 + length || to > end) break;
      at = to;
    }
    this.at = at;
  }

  /** Checks that a label can be decoded; the store reads it when it does not know the bytes. */
  private label(end: number): void {
    while (this.at < end) {
      const tag = this.varint(end);
      if (tag === 0x0a || tag === 0x12) this.at = this.sized(end);
      else this.skip(tag, end);
    }
  }

  private sample(end: number): void {
    const index = this.sampleCount;
    if (index === this.times.length) this.growSamples();
    let low = 0;
    let high = 0;
    let atMs = 0;
    while (this.at < end) {
      const tag = this.varint(end);
      if (tag === 0x09) {
        if (this.at + 8 > end) throw new Malformed('value cut', this.at);
        const { bytes, at } = this;
        low = ((bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24)) >>> 0;
        high = ((bytes[at + 4] ?? 0) | ((bytes[at + 5] ?? 0) << 8) | ((bytes[at + 6] ?? 0) << 16) | ((bytes[at + 7] ?? 0) << 24)) >>> 0;
        this.at = at + 8;
      } else if (tag === 0x10) atMs = this.int64(end);
      else this.skip(tag, end);
    }
    this.times[index] = atMs;
    // As bits, never as a number: the payload of a NaN tells a staleness marker.
    this.bits[2 * index] = low;
    this.bits[2 * index + 1] = high;
    this.sampleCount = index + 1;
  }

  private metadataEntry(end: number): void {
    let type = 0;
    let name = '';
    let help = '';
    let unit = '';
    while (this.at < end) {
      const tag = this.varint(end);
      if (tag === 0x08) type = this.varint(end);
      else if (tag === 0x12) name = this.text(end);
      else if (tag === 0x22) help = this.text(end);
      else if (tag === 0x2a) unit = this.text(end);
      else this.skip(tag, end);
    }
    this.metadata ??= new Map();
    if (name !== '' && this.metadata.size < MAX_METADATA_PER_REQUEST)
      this.metadata.set(name, { type: TYPES[type] ?? 'unknown', help, unit });
  }

  private text(end: number): string {
    const to = this.sized(end);
    const text = utf8.decode(this.bytes.subarray(this.at, to));
    this.at = to;
    return text;
  }

  /** Reads a length and gives the end of what it spans. */
  private sized(end: number): number {
    const length = this.varint(end);
    const to = this.at + length;
    if (to > end) throw new Malformed(`length ${length} reaches over the end`, this.at);
    return to;
  }

  /** An unsigned varint of at most 32 bits, which every tag and length of a body below 4 GiB is. */
  private varint(end: number): number {
    const first = this.bytes[this.at] ?? 0;
    if (first < 128 && this.at < end) {
      this.at++;
      return first;
    }
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      if (this.at >= end) throw new Malformed('number cut', this.at);
      const byte = this.bytes[this.at++] ?? 0;
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
    throw new Malformed('number too large', this.at);
  }

  /** Exact up to 2^53; what lies beyond is out of every store's range anyway. In three integers, because powers are slow. */
  private int64(end: number): number {
    const { bytes } = this;
    let low = 0;
    let middle = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.at >= end) throw new Malformed('number cut', this.at);
      const byte = bytes[this.at++] ?? 0;
      if (shift < 28) low |= (byte & 127) << shift;
      else if (shift < 56) middle |= (byte & 127) << (shift - 28);
      else high |= (byte & 127) << (shift - 56);
      if (byte >= 128) continue;
      // `middle` counts 2^28 and `high` 2^56; bit 63 is the sign, and bits beyond it do not exist.
      const upper = middle + (high & 127) * 2 ** 28;
      return low + ((high & 128) === 0 ? upper : upper - 2 ** 35) * 2 ** 28;
    }
    throw new Malformed('number too large', this.at);
  }

  private skip(tag: number, end: number): void {
    const fieldAt = this.at;
    if (tag < 8) throw new Malformed('field number 0', fieldAt);
    if ((tag & 7) === 0) this.int64(end);
    else if ((tag & 7) === 1) this.at += 8;
    else if ((tag & 7) === 2) this.at = this.sized(end);
    else if ((tag & 7) === 5) this.at += 4;
    else throw new Malformed(`wire type ${tag & 7} is not used`, fieldAt);
    if (this.at > end) throw new Malformed('field cut', fieldAt);
  }

  /** Copies the labels so far and the one that ends at `this.at` behind each other. Once begun, the series' labels live aside. */
  private moveTogether(labels: { labelsFrom: number; labelsTo: number; fieldAt: number }): { from: number; to: number } {
    const body = this.bytes.length;
    if (this.asideUsed === 0) {
      // Each label is copied at most once, so twice the body is enough.
      this.aside.reserve(body * 2).set(this.bytes);
      this.asideUsed = body;
    }
    const out = this.aside.bytes;
    let from = labels.labelsFrom;
    if (labels.labelsTo <= body) {
      from = this.asideUsed;
      out.copyWithin(from, labels.labelsFrom, labels.labelsTo);
      this.asideUsed += labels.labelsTo - labels.labelsFrom;
    }
    out.set(this.bytes.subarray(labels.fieldAt, this.at), this.asideUsed);
    this.asideUsed += this.at - labels.fieldAt;
    return { from, to: this.asideUsed };
  }

  private growSeries(): void {
    this.from = grownIndexes(this.from);
    this.to = grownIndexes(this.to);
    const samples = new Uint32Array(this.from.length + 1);
    samples.set(this.samples);
    this.samples = samples;
  }

  private growSamples(): void {
    this.times = grownFloats(this.times);
    this.values = grownFloats(this.values);
    this.bits = new Uint32Array(this.values.buffer);
  }
}
