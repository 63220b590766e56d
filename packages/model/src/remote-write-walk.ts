import { type Result, err, ok } from '@nines/base/result.ts';
import { type BatchExemplar, MAX_EXEMPLAR_BYTES } from './exemplar.ts';
import type { Histogram } from './histogram.ts';
import { Malformed } from './malformed.ts';
import { labelsFrom } from './labels.ts';
import type { MetricMetadata, MetricType } from './metadata.ts';
import { setStale } from './stale.ts';
import type { LabelSymbols, WriteBatch } from './storage.ts';
import { readWireHistogram } from './wire-histogram.ts';
import { grownFloats, grownIndexes } from './write-batch.ts';

/**
 * What the two versions of remote write have in common: walking protobuf, and the arrays of a `WriteBatch` that one request
 * after the other fills. A malformed body gives nothing at all.
 */
export type RemoteWriteFault = { readonly message: string; readonly atByte: number };

export type DecodedWrite = {
  /** Valid until the decoder is used again. */
  readonly batch: WriteBatch;
  /** Samples of the whole request, those of malformed series included. */
  readonly sampleCount: number;
  /** Native histograms of the request, those that cannot be taken included. */
  readonly histogramCount: number;
  /** Those whose buckets make no sense, which are not in the batch; at most `MAX_LISTED` with their series of the batch and the reason. */
  readonly invalidHistograms: { readonly count: number; readonly listed: readonly InvalidHistogram[] };
  /** Samples of series whose labels cannot be told (version 2.0), which are not in the batch; at most `MAX_LISTED` reasons. */
  readonly malformed: { readonly samples: number; readonly reasons: readonly string[] };
  /** Exemplars that are not in the batch: longer than one may be, or beyond `MAX_EXEMPLARS_PER_REQUEST`. */
  readonly leftOutExemplars: number;
  readonly metadata: ReadonlyMap<string, MetricMetadata>;
};

export type InvalidHistogram = { readonly series: number; readonly atMs: number; readonly reason: string };

/** More than any client keeps about; Prometheus sends at most 2 000 entries per request (max_samples_per_send of metadata). */
export const MAX_METADATA_PER_REQUEST = 20_000;
/** As many as are kept by default; a request holds few bytes per exemplar, objects hold many. */
export const MAX_EXEMPLARS_PER_REQUEST = 100_000;
/** Series and reasons that an answer can name one by one. */
export const MAX_LISTED = 100;

/** By the number of the type on the wire, the same in both versions. */
export const WIRE_TYPES: readonly MetricType[] = [
  'unknown',
  'counter',
  'gauge',
  'histogram',
  'gaugehistogram',
  'summary',
  'info',
  'stateset',
];
const NO_METADATA: ReadonlyMap<string, MetricMetadata> = new Map();
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** One decoder serves one request at a time; its arrays grow to the largest request and are used again. */
export abstract class WriteWalk {
  protected bytes: Uint8Array = new Uint8Array(0);
  protected at = 0;
  protected seriesCount = 0;
  protected sampleCount = 0;
  private histogramCount = 0;
  private invalidCount = 0;
  private invalid: InvalidHistogram[] = [];
  private histograms: (Histogram | undefined)[] | undefined;
  private exemplars: BatchExemplar[] | undefined;
  private leftOutExemplars = 0;
  protected malformedSamples = 0;
  protected malformedReasons: string[] = [];
  protected metadata: Map<string, MetricMetadata> | undefined;
  protected from = new Uint32Array(256);
  protected to = new Uint32Array(256);
  protected samples = new Uint32Array(257);
  private times = new Float64Array(256);
  private values = new Float64Array(256);
  private bits = new Uint32Array(this.values.buffer);

  /** Bytes held between requests, for whoever keeps decoders. */
  get heldBytes(): number {
    return this.from.byteLength * 3 + this.times.byteLength * 2;
  }

  /** Walks all of `this.bytes`. */
  protected abstract request(end: number): void;
  /** What the batch's labels point into. */
  protected abstract labelBytes(): Uint8Array;
  /** Present when the labels are given by reference. */
  protected symbols(): LabelSymbols | undefined {
    return undefined;
  }

  /** Walks the body. The batch may point into `body`, which must stay as it is while the batch is in use. */
  decode(body: Uint8Array): Result<DecodedWrite, RemoteWriteFault> {
    this.bytes = body;
    this.at = 0;
    this.seriesCount = 0;
    this.sampleCount = 0;
    this.histogramCount = 0;
    this.invalidCount = 0;
    this.invalid = [];
    this.histograms = undefined;
    this.exemplars = undefined;
    this.leftOutExemplars = 0;
    this.malformedSamples = 0;
    this.malformedReasons = [];
    this.metadata = undefined;
    this.samples[0] = 0;
    try {
      this.request(body.length);
    } catch (thrown) {
      if (thrown instanceof Malformed) return err({ message: thrown.message, atByte: thrown.atByte });
      throw thrown;
    }
    const { seriesCount, from, to, samples, times, values, histogramCount, histograms, exemplars } = this;
    const symbols = this.symbols();
    const batch = { bytes: this.labelBytes(), seriesCount, labelsFrom: from, labelsTo: to, samplesFrom: samples, times, values };
    return ok({
      batch: {
        ...batch,
        ...(symbols !== undefined && { symbols }),
        ...(histograms !== undefined && { histograms }),
        ...(exemplars !== undefined && { exemplars }),
      },
      sampleCount: this.sampleCount + this.malformedSamples,
      histogramCount,
      invalidHistograms: { count: this.invalidCount, listed: this.invalid },
      malformed: { samples: this.malformedSamples, reasons: this.malformedReasons },
      leftOutExemplars: this.leftOutExemplars,
      metadata: this.metadata ?? NO_METADATA,
    });
  }

  /** An exemplar of the series that is being walked: `readLabels` reads a field of that tag, which holds labels. */
  protected exemplar(end: number, labelTags: readonly number[], readLabels: (tag: number, end: number, texts: string[]) => void): void {
    if (end - this.at > MAX_EXEMPLAR_BYTES || (this.exemplars?.length ?? 0) >= MAX_EXEMPLARS_PER_REQUEST) {
      this.leftOutExemplars++;
      this.at = end;
      return;
    }
    const texts: string[] = [];
    let value = 0;
    let atMs = 0;
    while (this.at < end) {
      const tag = this.varint(end);
      if (labelTags.includes(tag)) readLabels(tag, end, texts);
      else if (tag === 0x11) value = this.double(end);
      else if (tag === 0x18) atMs = this.int64(end);
      else this.skip(tag, end);
    }
    const labels = labelsFrom(Array.from({ length: texts.length / 2 }, (_, i) => [texts[2 * i] ?? '', texts[2 * i + 1] ?? ''] as const));
    this.exemplars ??= [];
    this.exemplars.push({ series: this.seriesCount, labels, value, atMs });
  }

  private double(end: number): number {
    if (this.at + 8 > end) throw new Malformed('value cut', this.at);
    const { bytes } = this;
    this.at += 8;
    return new DataView(bytes.buffer, bytes.byteOffset + this.at - 8, 8).getFloat64(0, true);
  }

  /** A native histogram of the series that is being walked. A stale one is a staleness marker like any other. */
  protected histogram(end: number): void {
    const { atMs, histogram, problem } = readWireHistogram(this.bytes, this.at, end);
    this.at = end;
    this.histogramCount++;
    if (problem !== undefined) {
      this.invalidCount++;
      if (this.invalid.length < MAX_LISTED) this.invalid.push({ series: this.seriesCount, atMs, reason: problem });
      return;
    }
    const index = this.sampleCount;
    if (index === this.times.length) this.growSamples();
    this.times[index] = atMs;
    setStale(this.values, index);
    this.histograms ??= [];
    while (this.histograms.length < index) this.histograms.push(undefined);
    this.histograms.push(histogram);
    this.sampleCount = index + 1;
  }

  /** Takes the samples of the series that is being walked back out, down to the first `samples` of the request. */
  protected leaveOutSamples(samples: number): void {
    this.malformedSamples += this.sampleCount - samples;
    this.sampleCount = samples;
    if (this.histograms !== undefined && this.histograms.length > samples) this.histograms.length = samples;
    while (this.invalid.at(-1)?.series === this.seriesCount) this.invalid.pop();
    while (this.exemplars?.at(-1)?.series === this.seriesCount) {
      this.exemplars?.pop();
      this.leftOutExemplars++;
    }
  }

  protected sample(end: number): void {
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

  protected text(end: number): string {
    const to = this.sized(end);
    const text = this.textOf(this.at, to);
    this.at = to;
    return text;
  }

  protected textOf(from: number, to: number): string {
    return utf8.decode(this.bytes.subarray(from, to));
  }

  /** Reads a length and gives the end of what it spans. */
  protected sized(end: number): number {
    const length = this.varint(end);
    const to = this.at + length;
    if (to > end) throw new Malformed(`length ${length} reaches over the end`, this.at);
    return to;
  }

  /** An unsigned varint of at most 32 bits, which every tag and length of a body below 4 GiB is. */
  protected varint(end: number): number {
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

  protected skip(tag: number, end: number): void {
    const fieldAt = this.at;
    if (tag < 8) throw new Malformed('field number 0', fieldAt);
    if ((tag & 7) === 0) this.int64(end);
    else if ((tag & 7) === 1) this.at += 8;
    else if ((tag & 7) === 2) this.at = this.sized(end);
    else if ((tag & 7) === 5) this.at += 4;
    else throw new Malformed(`wire type ${tag & 7} is not used`, fieldAt);
    if (this.at > end) throw new Malformed('field cut', fieldAt);
  }

  protected growSeries(): void {
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
