import type { Readable } from 'node:stream';
import { messageOf } from '@nines/base/errors.ts';
import { type AppendOutcome, StoreUnavailable } from '@nines/model/storage.ts';
import { decodeSnappy } from '@nines/model/snappy.ts';
import type { ByteBuffer } from '@nines/model/byte-buffer.ts';
import type { Ingest, SelfMetrics } from './contract.ts';
import type { Metadata } from './metadata-book.ts';
import { type WriteSlot, createWriteSlots } from './write-slots.ts';

/**
 * Remote write 1.0 (prometheus.io/docs/specs/prw/remote_write_spec): what a request may look like and what it is answered.
 * An undecodable body stores nothing; a decodable one stores its good samples and is told which were refused.
 */

/** Longest body, compressed and decoded alike; Prometheus itself takes 32 MB decoded. */
export const MAX_WRITE_BYTES = 32 * 1024 * 1024;
/** Samples named in an answer; more would not help a reader of a sender's log. */
const MAX_LISTED = 100;
/** When the store cannot take samples, a full disk seldom clears within a second. */
const UNAVAILABLE_RETRY_SECONDS = 5;

export type WriteAnswer = { readonly status: number; readonly text: string; readonly retryAfterSeconds?: number };
export type WriteHeaders = {
  readonly 'content-type'?: string | undefined;
  readonly 'content-encoding'?: string | undefined;
  readonly 'content-length'?: string | undefined;
};

/**
 * 415 with the reason when the request is not remote write 1.0. A missing header counts as the only thing it could be, as
 * Prometheus takes it.
 */
export function refusedMediaType(headers: WriteHeaders): WriteAnswer | undefined {
  const [type = '', ...parameters] = (headers['content-type'] ?? 'application/x-protobuf').split(';').map((part) => part.trim());
  if (type.toLowerCase() !== 'application/x-protobuf')
    return unsupported(`Content-Type ${type} is not supported; send application/x-protobuf`);
  for (const parameter of parameters) {
    const [name = '', value = ''] = parameter.split('=').map((part) => part.trim());
    if (name.toLowerCase() === 'proto' && value !== 'prometheus.WriteRequest') {
      return unsupported(`message ${value} is not supported; send prometheus.WriteRequest (remote write 1.0)`);
    }
  }
  const encoding = headers['content-encoding'] ?? 'snappy';
  if (encoding.toLowerCase() !== 'snappy') return unsupported(`Content-Encoding ${encoding} is not supported; send snappy (block format)`);
  return undefined;
}

const unsupported = (text: string): WriteAnswer => ({ status: 415, text });

export type WriteDeps = { readonly ingest: Ingest; readonly metadata: Metadata; readonly metrics: SelfMetrics };
export type WriteReceiver = (headers: WriteHeaders, body: Readable) => Promise<WriteAnswer>;

export function createWriteReceiver({ ingest, metadata, metrics }: WriteDeps): WriteReceiver {
  const slots = createWriteSlots();
  const requests = metrics.counter('nines_remote_write_requests_total', 'Remote-write requests by status of the answer.');
  metrics.watch('nines_remote_write_in_flight_bytes', 'Bytes of remote-write bodies under way.', slots.inFlightBytes);

  const store = async (slot: WriteSlot, decoded: Uint8Array): Promise<WriteAnswer> => {
    const walked = slot.decoder.decode(decoded);
    if (!walked.ok) return { status: 400, text: `malformed request at byte ${walked.error.atByte}: ${walked.error.message}` };
    const { batch, sampleCount, histogramCount } = walked.value;
    for (const [family, described] of walked.value.metadata) metadata.record(family, described, 'remote_write');
    try {
      const outcome = batch.seriesCount === 0 ? undefined : await ingest.append(batch);
      return answerOf(outcome, sampleCount, histogramCount);
    } catch (thrown) {
      if (thrown instanceof StoreUnavailable) return { status: 503, text: thrown.message, retryAfterSeconds: UNAVAILABLE_RETRY_SECONDS };
      throw thrown;
    }
  };

  const receive: WriteReceiver = async (headers, stream) => {
    const announced = Number(headers['content-length'] ?? 0);
    if (announced > MAX_WRITE_BYTES) return tooLarge();
    let reserved = 0;
    const reserve = (bytes: number): boolean => {
      const granted = slots.reserve(bytes);
      if (granted) reserved += bytes;
      return granted;
    };
    const slot = slots.take();
    try {
      if (!reserve(announced)) return busy();
      const length = await readBody(stream, slot.body, announced);
      if (typeof length !== 'number') return length;
      const decoded = decodeSnappy(slot.body.bytes.subarray(0, length), slot.decoded, MAX_WRITE_BYTES);
      if (!decoded.ok) return { status: 400, text: decoded.error.message };
      if (!reserve(decoded.value.length + Math.max(0, length - announced))) return busy();
      return await store(slot, decoded.value);
    } finally {
      slots.release(reserved);
      slots.give(slot);
    }
  };

  return async (headers, stream) => {
    const answer = refusedMediaType(headers) ?? (await receive(headers, stream));
    requests.add(1, { status: String(answer.status) });
    return answer;
  };
}

const tooLarge = (): WriteAnswer => ({ status: 413, text: `body over the limit of ${MAX_WRITE_BYTES} bytes` });
const busy = (): WriteAnswer => ({ status: 429, text: 'too many bytes of samples under way', retryAfterSeconds: 1 });

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
    });
    stream.on('end', () => resolve(length));
    // The sender hung up. Nobody reads the answer, but nothing of ours failed.
    stream.on('error', (thrown) => resolve({ status: 400, text: `the body broke off: ${messageOf(thrown)}` }));
    stream.on('close', () => resolve({ status: 400, text: 'the body broke off' }));
  });
}

function answerOf(outcome: AppendOutcome | undefined, sampleCount: number, histogramCount: number): WriteAnswer {
  const refusedCount = outcome?.refusedCount ?? 0;
  if (refusedCount === 0 && histogramCount === 0) return { status: 204, text: '' };
  const lines: string[] = [];
  if (refusedCount > 0) lines.push(`${refusedCount} of ${sampleCount} samples were refused, the others are stored`);
  if (histogramCount > 0) lines.push(`${histogramCount} native histograms were refused: they are not supported yet`);
  const listed = outcome?.refused.slice(0, MAX_LISTED) ?? [];
  for (const { labels, atMs, reason, detail } of listed) lines.push(`${labels} at ${atMs}: ${reason}: ${detail}`);
  if (refusedCount > listed.length) lines.push(`and ${refusedCount - listed.length} more`);
  return { status: 400, text: lines.join('\n') };
}
