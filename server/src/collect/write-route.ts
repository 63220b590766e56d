import type { Readable } from 'node:stream';
import { messageOf } from '@nines/base/errors.ts';
import { type AppendOutcome, FULL_SCOPE, type Scope, StoreUnavailable } from '@nines/model/storage.ts';
import { isFull } from '@nines/model/scope.ts';
import { decodeSnappy } from '@nines/model/snappy.ts';
import type { ByteBuffer } from '@nines/model/byte-buffer.ts';
import { formatLabels } from '@nines/model/labels.ts';
import { type DecodedWrite, MAX_LISTED } from '@nines/model/remote-write-walk.ts';
import { decodeLabels, labelBytesOf } from '@nines/model/write-batch.ts';
import type { Breath } from '../platform/breath.ts';
import type { Ingest, SelfMetrics } from './contract.ts';
import { type Sink, ingestWithin, metadataWithin } from './scoped-ingest.ts';
import type { Metadata } from './metadata-book.ts';
import { createWriteSlots } from './write-slots.ts';

/**
 * Remote write 1.0 and 2.0 (prometheus.io/docs/specs/prw/): what a request may look like and what it is answered.
 * An undecodable body stores nothing; a decodable one stores its good samples and is told which were refused.
 */

/** Longest body, compressed and decoded alike; Prometheus itself takes 32 MB decoded. */
export const MAX_WRITE_BYTES = 32 * 1024 * 1024;
/** When the store cannot take samples, a full disk seldom clears within a second. */
const UNAVAILABLE_RETRY_SECONDS = 5;

export type WriteAnswer = {
  readonly status: number;
  readonly text: string;
  readonly retryAfterSeconds?: number;
  /** Samples that are stored now, native histograms and exemplars. */
  readonly samplesWritten?: number;
  readonly histogramsWritten?: number;
  readonly exemplarsWritten?: number;
  readonly headers?: Readonly<Record<string, string>>;
};
export type WriteHeaders = {
  readonly 'content-type'?: string | undefined;
  readonly 'content-encoding'?: string | undefined;
  readonly 'content-length'?: string | undefined;
};

/** The message that a `proto` parameter names, and the version of remote write that it belongs to. */
const MESSAGES: Readonly<Record<string, 1 | 2>> = { 'prometheus.WriteRequest': 1, 'io.prometheus.write.v2.Request': 2 };

/**
 * Which version of remote write the headers announce, or 415 with the reason. A missing header counts as 1.0, as Prometheus
 * takes it.
 */
export function announcedVersion(headers: WriteHeaders): 1 | 2 | WriteAnswer {
  const [type = '', ...parameters] = (headers['content-type'] ?? 'application/x-protobuf').split(';').map((part) => part.trim());
  if (type.toLowerCase() !== 'application/x-protobuf')
    return unsupported(`Content-Type ${type} is not supported; send application/x-protobuf`);
  let version: 1 | 2 = 1;
  for (const parameter of parameters) {
    const [name = '', value = ''] = parameter.split('=').map((part) => part.trim());
    if (name.toLowerCase() !== 'proto') continue;
    const named = MESSAGES[value];
    if (named === undefined) return unsupported(`message ${value} is not supported; send ${Object.keys(MESSAGES).join(' or ')}`);
    version = named;
  }
  const encoding = headers['content-encoding'] ?? 'snappy';
  if (encoding.toLowerCase() !== 'snappy') return unsupported(`Content-Encoding ${encoding} is not supported; send snappy (block format)`);
  return version;
}

const unsupported = (text: string): WriteAnswer => ({ status: 415, text });

export type WriteDeps = {
  readonly ingest: Ingest;
  readonly metadata: Metadata;
  readonly metrics: SelfMetrics;
  /** Waits for a turn of the event loop before samples are decoded, so that a flood of them leaves turns to everybody else. */
  readonly inTurn?: Breath | undefined;
};
/** `scope` is the sender's, full when absent. */
export type WriteReceiver = (headers: WriteHeaders, body: Readable, scope?: Scope) => Promise<WriteAnswer>;

export function createWriteReceiver({ ingest, metadata, metrics, inTurn }: WriteDeps): WriteReceiver {
  const slots = createWriteSlots();
  const requests = metrics.counter('nines_remote_write_requests_total', 'Remote-write requests by status of the answer.');
  metrics.watch('nines_remote_write_in_flight_bytes', 'Bytes of remote-write bodies under way.', slots.inFlightBytes);

  const leftOut = metrics.counter(
    'nines_remote_write_left_out_total',
    'Native histograms whose buckets make no sense, samples of series whose references mean nothing, and exemplars too long or too many for a request, by reason.',
  );

  const store = async (decoded: DecodedWrite, into: Sink): Promise<WriteAnswer> => {
    const { batch, invalidHistograms, malformed } = decoded;
    if (decoded.metadata.size > 0)
      for (const [family, described] of decoded.metadata) into.metadata.record(family, described, 'remote_write');
    if (invalidHistograms.count > 0) leftOut.add(invalidHistograms.count, { reason: 'invalid_histogram' });
    if (decoded.leftOutExemplars > 0) leftOut.add(decoded.leftOutExemplars, { reason: 'exemplars' });
    if (malformed.samples > 0) leftOut.add(malformed.samples, { reason: 'malformed_references' });
    try {
      return answerOf(batch.seriesCount === 0 ? undefined : await into.ingest.append(batch), decoded);
    } catch (thrown) {
      if (thrown instanceof StoreUnavailable)
        return { status: 503, text: thrown.message, retryAfterSeconds: UNAVAILABLE_RETRY_SECONDS, samplesWritten: 0 };
      throw thrown;
    }
  };

  const receive = async (version: 1 | 2, headers: WriteHeaders, stream: Readable, into: Sink): Promise<WriteAnswer> => {
    const announced = Number(headers['content-length'] ?? 0);
    if (announced > MAX_WRITE_BYTES) return tooLarge();
    let reserved = 0;
    const reserve = (bytes: number): boolean => {
      const granted = slots.reserve(bytes);
      if (granted) reserved += bytes;
      return granted;
    };
    const body = slots.takeBody();
    try {
      if (!reserve(announced)) return busy();
      const length = await readBody(stream, body, announced);
      if (typeof length !== 'number') return length;
      const slot = await slots.take();
      try {
        await inTurn?.();
        const plain = decodeSnappy(body.bytes.subarray(0, length), slot.decoded, MAX_WRITE_BYTES);
        if (!plain.ok) return { status: 400, text: plain.error.message };
        if (!reserve(plain.value.length + Math.max(0, length - announced))) return busy();
        const decoded = slot.decoders[version].decode(plain.value);
        if (!decoded.ok) return { status: 400, text: `malformed request at byte ${decoded.error.atByte}: ${decoded.error.message}` };
        return await store(decoded.value, into);
      } finally {
        slots.give(slot);
      }
    } finally {
      slots.release(reserved);
      slots.giveBody(body);
    }
  };

  const everything: Sink = { ingest, metadata };
  const sinkOf = (scope: Scope): Sink =>
    isFull(scope) ? everything : { ingest: ingestWithin(ingest, scope), metadata: metadataWithin(metadata, scope) };

  return async (headers, stream, scope = FULL_SCOPE) => {
    const version = announcedVersion(headers);
    const answer = typeof version === 'number' ? await receive(version, headers, stream, sinkOf(scope)) : version;
    requests.add(1, { status: String(answer.status) });
    return version === 2 ? { ...answer, headers: writtenHeaders(answer) } : answer;
  };
}

/** What 2.0 asks of every answer, so that a sender knows that it was understood. */
const writtenHeaders = ({
  samplesWritten = 0,
  histogramsWritten = 0,
  exemplarsWritten = 0,
}: WriteAnswer): Readonly<Record<string, string>> => ({
  'x-prometheus-remote-write-samples-written': String(samplesWritten),
  'x-prometheus-remote-write-histograms-written': String(histogramsWritten),
  'x-prometheus-remote-write-exemplars-written': String(exemplarsWritten),
});

const tooLarge = (): WriteAnswer => ({ status: 413, text: `body over the limit of ${MAX_WRITE_BYTES} bytes` });
/** 503, as senders repeat what was answered so; after a 429 Prometheus drops the samples unless it is told otherwise. */
const busy = (): WriteAnswer => ({ status: 503, text: 'too many bytes of samples under way', retryAfterSeconds: 1 });

/** The length of the body that is now in `into`, or the refusal of one that is too long or breaks off. */
function readBody(stream: Readable, into: ByteBuffer, announced: number): Promise<number | WriteAnswer> {
  into.reserve(announced);
  let length = 0;
  // Events, as an iterator over the stream costs as much as storing a hundred samples.
  return new Promise((resolve) => {
    stream.on('data', (chunk: Uint8Array) => {
      if (length + chunk.length > MAX_WRITE_BYTES) {
        stream.destroy();
        resolve(tooLarge());
        return;
      }
      into.reserve(length + chunk.length, length).set(chunk, length);
      length += chunk.length;
      giveBack(chunk);
    });
    stream.on('end', () => resolve(length));
    // The sender hung up. Nobody reads the answer, but nothing of ours failed.
    stream.on('error', (thrown) => resolve({ status: 400, text: `the body broke off: ${messageOf(thrown)}` }));
    stream.on('close', () => resolve({ status: 400, text: 'the body broke off' }));
  });
}

/**
 * Frees the memory of a chunk that was copied, if nothing else lies in it. Left to the collector, bodies of 100 MB per second
 * make it mark the whole heap several times a second.
 */
function giveBack({ buffer, byteLength }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
}

function answerOf(outcome: AppendOutcome | undefined, decoded: DecodedWrite): WriteAnswer {
  const { batch, sampleCount, invalidHistograms: invalid, malformed } = decoded;
  const histogramsWritten = outcome?.histograms ?? 0;
  const written = {
    samplesWritten: (outcome?.accepted ?? 0) - histogramsWritten,
    histogramsWritten,
    exemplarsWritten: outcome?.exemplars ?? 0,
  };
  const stored = outcome?.refusedCount ?? 0;
  const refused = stored + malformed.samples;
  if (refused === 0 && invalid.count === 0 && malformed.reasons.length === 0) return { status: 204, text: '', ...written };
  const lines: string[] = [];
  if (refused > 0) lines.push(`${refused} of ${sampleCount} samples were refused, the others are stored`);
  if (invalid.count > 0) lines.push(`${invalid.count} native histograms were refused, the others are stored`);
  for (const reason of malformed.reasons) lines.push(`a series: malformed_references: ${reason}`);
  const listed = outcome?.refused.slice(0, MAX_LISTED) ?? [];
  for (const { labels, atMs, reason, detail } of listed) lines.push(`${labels} at ${atMs}: ${reason}: ${detail}`);
  if (stored > listed.length) lines.push(`and ${stored - listed.length} more`);
  for (const { series, atMs, reason } of invalid.listed) {
    const encoded = labelBytesOf(batch, series);
    const labels = decodeLabels(encoded.bytes, encoded.from, encoded.to);
    lines.push(`${labels.ok ? formatLabels(labels.value) : labels.error} at ${atMs}: invalid_histogram: ${reason}`);
  }
  return { status: 400, text: lines.join('\n'), ...written };
}
