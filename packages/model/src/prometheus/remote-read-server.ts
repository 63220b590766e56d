import { type Matcher, matcher } from '@nines/base/matcher.ts';
import { type Result, err, ok } from '@nines/base/result.ts';
import { decodeText } from '../decode-text.ts';
import { ProtoWriter } from '../proto-writer.ts';
import { crc32c } from './crc32c.ts';
import { BadPrometheusData, PrometheusReader } from './reader.ts';
import { STREAMED_TYPE } from './remote-read.ts';
import { CHUNK_SAMPLES, type FloatSamples, XorEncoder } from './xor-encode.ts';
import { XOR_ENCODING } from './xor-chunk.ts';

/**
 * Remote read as its server sees it: the request, and the two forms of answers. `SAMPLES` is one compressed `ReadResponse`;
 * `STREAMED_XOR_CHUNKS` is a frame (length, CRC-32C, `ChunkedReadResponse`) per series, or several for a long one.
 * Sources: prometheus prompb/remote.proto, storage/remote/codec.go and chunked.go.
 */
export const SAMPLES_TYPE = 'application/x-protobuf';
export const STREAMED_CONTENT_TYPE = `${STREAMED_TYPE}; proto=prometheus.ChunkedReadResponse`;

export type AskedQuery = { readonly fromMs: number; readonly toMs: number; readonly matchers: readonly Matcher[] };
export type ReadForm = 'samples' | 'streamed';
export type AskedRead = { readonly queries: readonly AskedQuery[]; readonly form: ReadForm };

const OPS = ['=', '!=', '=~', '!~'] as const;
const FORMS: readonly ReadForm[] = ['samples', 'streamed'];

/** A `ReadRequest` after decompression. The first accepted form that is known is taken; samples when none is named. */
export function decodeReadRequest(bytes: Uint8Array): Result<AskedRead, string> {
  try {
    const queries: AskedQuery[] = [];
    const accepted: number[] = [];
    for (const part of fields(new PrometheusReader(bytes, 'read request'))) {
      if (part.field === 1) queries.push(queryOf(part.bytes));
      if (part.field === 2) accepted.push(...(part.packed ? packedNumbers(part.bytes) : [part.value]));
    }
    const form = accepted.length === 0 ? 'samples' : accepted.map((type) => FORMS[type]).find((known) => known !== undefined);
    return form === undefined
      ? err(`none of the accepted response types ${accepted.join(', ')} is supported; accept SAMPLES (0) or STREAMED_XOR_CHUNKS (1)`)
      : ok({ queries, form });
  } catch (thrown) {
    if (thrown instanceof BadPrometheusData) return err(thrown.message);
    throw thrown;
  }
}

function queryOf(bytes: Uint8Array): AskedQuery {
  let fromMs = 0;
  let toMs = 0;
  const matchers: Matcher[] = [];
  for (const part of fields(new PrometheusReader(bytes, 'query'))) {
    if (part.field === 1) fromMs = part.value;
    if (part.field === 2) toMs = part.value;
    if (part.field === 3) matchers.push(matcherOf(part.bytes));
  }
  return { fromMs, toMs, matchers };
}

function matcherOf(bytes: Uint8Array): Matcher {
  let type = 0;
  let name = '';
  let value = '';
  for (const part of fields(new PrometheusReader(bytes, 'matcher'))) {
    if (part.field === 1) type = part.value;
    if (part.field === 2) name = textOf(part.bytes);
    if (part.field === 3) value = textOf(part.bytes);
  }
  const op = OPS[type];
  if (op === undefined) throw new BadPrometheusData(`matcher of ${name}: unknown type ${type}`);
  const made = matcher(name, op, value);
  if (!made.ok) throw new BadPrometheusData(`matcher of ${name}: ${made.error}`);
  return made.value;
}

function textOf(bytes: Uint8Array): string {
  try {
    return decodeText(bytes, 0, bytes.length);
  } catch (thrown) {
    throw new BadPrometheusData(`matcher: text that is not UTF-8 (${String(thrown)})`);
  }
}

type Part = { readonly field: number; readonly value: number; readonly bytes: Uint8Array; readonly packed: boolean };
const NO_BYTES = new Uint8Array(0);

function* fields(reader: PrometheusReader): Generator<Part> {
  while (reader.left > 0) {
    const tag = reader.uvarint();
    const field = Math.floor(tag / 8);
    const wire = tag % 8;
    if (wire === 0) yield { field, value: signed(reader), bytes: NO_BYTES, packed: false };
    else if (wire === 2) yield { field, value: 0, bytes: reader.raw(reader.uvarint()), packed: true };
    else if (wire === 1) reader.raw(8);
    else if (wire === 5) reader.raw(4);
    else throw reader.bad(`wire type ${wire}`);
  }
}

function packedNumbers(bytes: Uint8Array): number[] {
  const reader = new PrometheusReader(bytes, 'read request');
  const numbers: number[] = [];
  while (reader.left > 0) numbers.push(signed(reader));
  return numbers;
}

/** An int64, as a double: instants beyond 53 bits stand for "everything" and need not be exact. */
function signed(reader: PrometheusReader): number {
  let value = 0n;
  for (let shift = 0n; shift < 70n; shift += 7n) {
    const byte = reader.u8();
    value |= BigInt(byte & 127) << shift;
    if (byte < 128) return Number(BigInt.asIntN(64, value));
  }
  throw reader.bad('a number without end');
}

/** One series of a `QueryResult`, tag included. `labels` as a `WriteBatch` has them. The bytes belong to the caller. */
export function encodeSampleSeries(labels: Uint8Array, { times, bits }: FloatSamples): Uint8Array {
  const series = new ProtoWriter(labels.length + times.length * 20);
  const sample = new ProtoWriter(32);
  series.raw(labels);
  for (let i = 0; i < times.length; i++) {
    sample.doubleBits(0x09, bits[2 * i] ?? 0, bits[2 * i + 1] ?? 0);
    sample.number(0x10, times[i] ?? 0);
    series.bytes(0x12, sample.take());
  }
  const out = new ProtoWriter(series.length + 12);
  out.bytes(0x0a, series.take());
  return out.take();
}

/** A `ReadResponse` of the series of each query, in order; not compressed. */
export function encodeReadResponse(results: readonly (readonly Uint8Array[])[]): Uint8Array {
  const lengths = results.map((result) => result.reduce((sum, series) => sum + series.length, 0));
  const out = new ProtoWriter(lengths.reduce((sum, length) => sum + length + 12, 0));
  results.forEach((result, i) => {
    out.varint(0x0a);
    out.varint(lengths[i] ?? 0);
    for (const series of result) out.raw(series);
  });
  return out.take();
}

/** Frames of at most about a megabyte, as Prometheus sends them. Source: --storage.remote.read-max-bytes-in-frame. */
export const MAX_SENT_FRAME_BYTES = 1024 * 1024;

/** Makes the frames of one series after the other. */
export class StreamedSeriesEncoder {
  readonly #xor = new XorEncoder();
  readonly #chunk = new ProtoWriter();
  readonly #series = new ProtoWriter(64 * 1024);

  /** The frames of a series with at least one sample, one behind the other. The bytes belong to the caller. */
  encode(labels: Uint8Array, samples: FloatSamples, queryIndex: number): Uint8Array {
    const { times } = samples;
    const frames = new ProtoWriter(labels.length + 64 + times.length * 3);
    this.#series.raw(labels);
    for (let from = 0; from < times.length; from += CHUNK_SAMPLES) {
      const to = Math.min(times.length, from + CHUNK_SAMPLES);
      const data = this.#xor.encode(samples, from, to);
      this.#chunk.number(0x08, times[from] ?? 0);
      this.#chunk.number(0x10, times[to - 1] ?? 0);
      this.#chunk.number(0x18, XOR_ENCODING);
      this.#chunk.bytes(0x22, data);
      this.#series.bytes(0x12, this.#chunk.take());
      if (this.#series.length < MAX_SENT_FRAME_BYTES || to === times.length) continue;
      frames.raw(frameOf(this.#series.take(), queryIndex));
      this.#series.raw(labels);
    }
    frames.raw(frameOf(this.#series.take(), queryIndex));
    return frames.take().slice();
  }
}

function frameOf(series: Uint8Array, queryIndex: number): Uint8Array {
  const message = new ProtoWriter(series.length + 24);
  message.bytes(0x0a, series);
  if (queryIndex > 0) message.number(0x10, queryIndex);
  const bytes = message.take();
  const frame = new ProtoWriter(bytes.length + 16);
  frame.varint(bytes.length);
  const checksum = crc32c(bytes);
  frame.raw(Uint8Array.of(checksum >>> 24, checksum >>> 16, checksum >>> 8, checksum));
  frame.raw(bytes);
  return frame.take();
}
