import { METRIC_NAME } from '../labels.ts';
import { type Result, err, ok } from '@nines/base/result.ts';
import type { Matcher } from '@nines/base/matcher.ts';
import { PrometheusReader } from './reader.ts';
import { crc32c } from './crc32c.ts';

/**
 * Remote read as its client sees it: what is asked, and the two forms of answers. An answer of samples is a `ReadResponse`,
 * whose results hold series exactly as a `WriteRequest` does; a streamed answer is frames of series with encoded chunks.
 * Messages: prometheus prompb/remote.proto and types.proto; frames: storage/remote/chunked.go.
 */
const MATCHER_TYPES = { '=': 0, '!=': 1, '=~': 2, '!~': 3 } as const;
const SAMPLES = 0;
const STREAMED_XOR_CHUNKS = 1;
const utf8 = new TextEncoder();

export const STREAMED_TYPE = 'application/x-streamed-protobuf';

export type ReadQuery = {
  readonly fromMs: number;
  readonly toMs: number;
  readonly matchers: readonly Pick<Matcher, 'name' | 'op' | 'value'>[];
};

/** A `ReadRequest` (not compressed) of one query; times inclusive. Without matchers it asks for everything. */
export function encodeReadRequest({ fromMs, toMs, matchers }: ReadQuery): Uint8Array {
  const all = matchers.length > 0 ? matchers : [{ name: METRIC_NAME, op: '!=', value: '' } as const];
  const query = [
    0x08,
    ...varintBytes(fromMs),
    0x10,
    ...varintBytes(toMs),
    ...all.flatMap(({ name, op, value }) =>
      field(0x1a, [0x08, MATCHER_TYPES[op], ...field(0x12, utf8.encode(name)), ...field(0x1a, utf8.encode(value))]),
    ),
  ];
  // The first type that the other side knows is taken.
  return Uint8Array.from([...field(0x0a, query), 0x10, STREAMED_XOR_CHUNKS, 0x10, SAMPLES]);
}

function varintBytes(value: number): number[] {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(Math.trunc(value)));
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return [...bytes, Number(rest)];
}

const field = (tag: number, body: Iterable<number>): number[] => {
  const bytes = [...body];
  return [tag, ...varintBytes(bytes.length), ...bytes];
};

/** The results of a `ReadResponse`, each to be read like the body of a remote write. Throws `BadPrometheusData`. */
export function readResults(bytes: Uint8Array): readonly Uint8Array[] {
  const results: Uint8Array[] = [];
  for (const part of fieldsOf(bytes, 'answer of remote read')) if (part.field === 1) results.push(part.bytes);
  return results;
}

export type StreamedChunk = { readonly encoding: number; readonly bytes: Uint8Array };
/** `labels`: the labels as a `WriteBatch` has them. */
export type StreamedSeries = { readonly labels: Uint8Array; readonly chunks: readonly StreamedChunk[] };

/** The series of one frame of a streamed answer. Throws `BadPrometheusData`. */
export function readStreamedSeries(frame: Uint8Array): readonly StreamedSeries[] {
  const found: StreamedSeries[] = [];
  for (const one of fieldsOf(frame, 'frame of remote read')) {
    if (one.field !== 1) continue;
    const labels: number[] = [];
    const chunks: StreamedChunk[] = [];
    for (const part of fieldsOf(one.bytes, 'series of remote read')) {
      if (part.field === 1) labels.push(...field(0x0a, part.bytes));
      else if (part.field === 2) chunks.push(chunkOf(part.bytes));
    }
    found.push({ labels: Uint8Array.from(labels), chunks });
  }
  return found;
}

function chunkOf(bytes: Uint8Array): StreamedChunk {
  let encoding = 0;
  let data: Uint8Array = new Uint8Array(0);
  for (const part of fieldsOf(bytes, 'chunk of remote read')) {
    if (part.field === 3) encoding = part.value;
    else if (part.field === 4) data = part.bytes;
  }
  return { encoding, bytes: data };
}

type Part = { readonly field: number; readonly value: number; readonly bytes: Uint8Array };
const NO_BYTES = new Uint8Array(0);

function* fieldsOf(bytes: Uint8Array, what: string): Generator<Part> {
  const reader = new PrometheusReader(bytes, what);
  while (reader.left > 0) {
    const tag = reader.uvarint();
    const number = Math.floor(tag / 8);
    if (tag % 8 === 2) yield { field: number, value: 0, bytes: reader.raw(reader.uvarint()) };
    else if (tag % 8 === 0) yield { field: number, value: varintOf(reader), bytes: NO_BYTES };
    else if (tag % 8 === 1) reader.raw(8);
    else if (tag % 8 === 5) reader.raw(4);
    else throw reader.bad(`wire type ${tag % 8}`);
  }
}

/** Of any size; only small ones are looked at. */
function varintOf(reader: PrometheusReader): number {
  let value = 0;
  for (let shift = 0; shift < 70; shift += 7) {
    const byte = reader.u8();
    value += (byte & 127) * 2 ** shift;
    if (byte < 128) return value;
  }
  throw reader.bad('a number without end');
}

/** Takes the next frame (length, CRC-32C, bytes) off `bytes`; undefined while it is not whole. */
export function takeFrame(
  bytes: Uint8Array,
  maxFrameBytes: number,
): Result<{ readonly frame: Uint8Array; readonly used: number } | undefined, string> {
  let length = 0;
  let at = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at];
    if (byte === undefined) return ok(undefined);
    at++;
    length += (byte & 127) * 2 ** shift;
    if (byte < 128) break;
    if (shift >= 28) return err('a frame whose length has no end');
  }
  if (length > maxFrameBytes) return err(`a frame of ${length} bytes, the limit is ${maxFrameBytes}`);
  if (bytes.length < at + 4 + length) return ok(undefined);
  const frame = bytes.subarray(at + 4, at + 4 + length);
  const checksum = new PrometheusReader(bytes.subarray(at, at + 4), 'frame').u32();
  return checksum === crc32c(frame) ? ok({ frame, used: at + 4 + length }) : err('a frame whose checksum does not hold');
}
