import { promisify } from 'node:util';
import { gunzip, zstdDecompress } from 'node:zlib';
import type { Clock } from '@nines/base/clock.ts';
import { messageOf } from '@nines/base/errors.ts';
import { type Result, err, ok } from '@nines/base/result.ts';
import { type OtlpEncoding, encodeExportAnswer, encodeStatus } from '@nines/model/otlp/answer.ts';
import type { OtlpFault, OtlpRequest } from '@nines/model/otlp/data.ts';
import { decodeOtlpJson } from '@nines/model/otlp/decode-json.ts';
import { decodeOtlpProtobuf } from '@nines/model/otlp/decode-protobuf.ts';
import { DeltaStreams } from '@nines/model/otlp/deltas.ts';
import type { OtlpSettings } from '@nines/model/otlp/series-labels.ts';
import { NO_POINT, type Translated, hasDeltas, translateOtlp } from '@nines/model/otlp/translate.ts';
import { formatScope } from '@nines/model/scope.ts';
import { type AppendOutcome, FULL_SCOPE, NO_SERIES, type Scope, StoreUnavailable } from '@nines/model/storage.ts';
import type { Ingest, OtlpConfig, SelfMetrics } from './contract.ts';
import type { Metadata } from './metadata-book.ts';
import { ingestWithin, metadataWithin } from './scoped-ingest.ts';
import { createTurns } from '../platform/turns.ts';

/**
 * OTLP metrics over HTTP (opentelemetry.io/docs/specs/otlp/#otlphttp): what a request may look like and what it is answered.
 * An undecodable body stores nothing; of a decodable one the good points are stored and the answer tells how many were not.
 */

/** Longest body, compressed and decoded alike. The collector's batches of 8192 points have about 2 MB. */
export const MAX_OTLP_BYTES = 16 * 1024 * 1024;
/** Bytes of bodies, compressed and decoded, that may be under way together. A request alone is always let in. */
export const MAX_OTLP_BYTES_IN_FLIGHT = 64 * 1024 * 1024;
/** When the store cannot take samples, a full disk seldom clears within a second. */
const UNAVAILABLE_RETRY_SECONDS = 5;
/** Refusals of the store that an answer lists. */
const MAX_LISTED_REFUSALS = 20;

/** gRPC's codes, which OTLP's failures carry. */
const INVALID_ARGUMENT = 3;
const RESOURCE_EXHAUSTED = 8;
const UNAVAILABLE = 14;

export type OtlpAnswer = {
  readonly status: number;
  readonly contentType: string;
  readonly body: Uint8Array;
  readonly retryAfterSeconds?: number;
};
export type OtlpHeaders = { readonly 'content-type'?: string | undefined; readonly 'content-encoding'?: string | undefined };
/** `scope` is the sender's, full when absent. */
export type OtlpReceiver = (headers: OtlpHeaders, body: Uint8Array, scope?: Scope) => Promise<OtlpAnswer>;

export type OtlpDeps = {
  readonly clock: Pick<Clock, 'now'>;
  readonly ingest: Ingest;
  readonly metadata: Metadata;
  readonly metrics: SelfMetrics;
  readonly config: OtlpConfig;
};

const CONTENT_TYPES: Readonly<Record<OtlpEncoding, string>> = { protobuf: 'application/x-protobuf', json: 'application/json' };

type Failure = { readonly status: number; readonly code: number; readonly message: string; readonly retryAfterSeconds?: number };
const failure = (status: number, code: number, message: string): Failure => ({ status, code, message });

const settingsOf = (config: OtlpConfig): OtlpSettings => ({
  strategy: config.translation_strategy,
  underscoreSanitization: config.label_name_underscore_sanitization,
  preserveMultipleUnderscores: config.label_name_preserve_multiple_underscores,
  promoteAllResourceAttributes: config.promote_all_resource_attributes,
  promoteResourceAttributes: config.promote_resource_attributes,
  ignoreResourceAttributes: config.ignore_resource_attributes,
  keepIdentifyingResourceAttributes: config.keep_identifying_resource_attributes,
  convertHistogramsToNhcb: config.convert_histograms_to_nhcb,
  promoteScopeMetadata: config.promote_scope_metadata,
});

export function createOtlpReceiver(deps: OtlpDeps): OtlpReceiver {
  const { metrics } = deps;
  const deltas = new DeltaStreams();
  const writer = new OtlpWriter(deps, deltas);
  const requests = metrics.counter('nines_otlp_requests_total', 'OTLP requests by status of the answer.');
  let inFlightBytes = 0;
  metrics.watch('nines_otlp_in_flight_bytes', 'Bytes of OTLP bodies under way.', () => inFlightBytes);
  metrics.watch('nines_otlp_delta_streams', 'Delta streams whose totals are kept.', () => deltas.size);

  type Sent = { readonly headers: OtlpHeaders; readonly body: Uint8Array; readonly scope: Scope };
  const receive = async (encoding: OtlpEncoding, { headers, body, scope }: Sent): Promise<Result<Stored, Failure>> => {
    let reserved = 0;
    const reserve = (bytes: number): boolean => {
      if (inFlightBytes > 0 && inFlightBytes + bytes > MAX_OTLP_BYTES_IN_FLIGHT) return false;
      inFlightBytes += bytes;
      reserved += bytes;
      return true;
    };
    const busy = err({ ...failure(429, RESOURCE_EXHAUSTED, 'too many bytes of samples under way'), retryAfterSeconds: 1 });
    try {
      if (!reserve(body.length)) return busy;
      const plain = await decompressed(body, headers['content-encoding']);
      if (!plain.ok) return plain;
      if (!reserve(plain.value.length)) return busy;
      const decoded = decode(encoding, plain.value);
      if (!decoded.ok) return err(failure(400, INVALID_ARGUMENT, `malformed request at ${decoded.error.place}: ${decoded.error.message}`));
      return ok(await writer.write(decoded.value, scope));
    } catch (thrown) {
      if (!(thrown instanceof StoreUnavailable)) throw thrown;
      return err({ ...failure(503, UNAVAILABLE, thrown.message), retryAfterSeconds: UNAVAILABLE_RETRY_SECONDS });
    } finally {
      inFlightBytes -= reserved;
    }
  };

  return async (headers, body, scope = FULL_SCOPE) => {
    const encoding = announcedEncoding(headers['content-type']);
    const answer =
      encoding === undefined
        ? answerOf('json', err(failure(415, INVALID_ARGUMENT, unsupported(headers['content-type']))))
        : answerOf(encoding, await receive(encoding, { headers, body, scope }));
    requests.add(1, { status: String(answer.status) });
    return answer;
  };
}

function announcedEncoding(contentType: string | undefined): OtlpEncoding | undefined {
  const type = contentType?.split(';')[0]?.trim().toLowerCase();
  return type === CONTENT_TYPES.protobuf ? 'protobuf' : type === CONTENT_TYPES.json ? 'json' : undefined;
}

const unsupported = (contentType: string | undefined): string =>
  `Content-Type ${contentType ?? '(none)'} is not supported; send ${CONTENT_TYPES.protobuf} or ${CONTENT_TYPES.json}`;

function answerOf(encoding: OtlpEncoding, result: Result<Stored, Failure>): OtlpAnswer {
  const contentType = CONTENT_TYPES[encoding];
  if (result.ok) return { status: 200, contentType, body: encodeExportAnswer(encoding, result.value.rejectedPoints, result.value.message) };
  const { status, code, message, retryAfterSeconds } = result.error;
  const body = encodeStatus(encoding, code, message);
  return { status, contentType, body, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) };
}

const DECOMPRESSORS = { gzip: promisify(gunzip), zstd: promisify(zstdDecompress) };

/** At most `MAX_OTLP_BYTES`, whatever the body claims. */
async function decompressed(body: Uint8Array, contentEncoding: string | undefined): Promise<Result<Uint8Array, Failure>> {
  const encoding = contentEncoding?.trim().toLowerCase() ?? 'identity';
  if (encoding === 'identity' || encoding === '') return ok(body);
  if (encoding !== 'gzip' && encoding !== 'zstd')
    return err(failure(415, INVALID_ARGUMENT, `Content-Encoding ${encoding} is not supported; send gzip, zstd or none`));
  try {
    return ok(await DECOMPRESSORS[encoding](body, { maxOutputLength: MAX_OTLP_BYTES }));
  } catch (thrown) {
    const isTooLarge = thrown instanceof Error && 'code' in thrown && thrown.code === 'ERR_BUFFER_TOO_LARGE';
    if (isTooLarge) return err(failure(413, RESOURCE_EXHAUSTED, `body over the limit of ${MAX_OTLP_BYTES} bytes when decompressed`));
    return err(failure(400, INVALID_ARGUMENT, `the body is not ${encoding}: ${messageOf(thrown)}`));
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function decode(encoding: OtlpEncoding, bytes: Uint8Array): Result<OtlpRequest, OtlpFault> {
  if (encoding === 'protobuf') return decodeOtlpProtobuf(bytes);
  try {
    return decodeOtlpJson(JSON.parse(utf8.decode(bytes)));
  } catch (thrown) {
    return err({ place: 'the request', message: messageOf(thrown) });
  }
}

type Stored = { readonly rejectedPoints: number; readonly message: string };

/** Stores decoded requests. Those with deltas take turns: what one adds is final, or taken back, before the next one adds to it. */
class OtlpWriter {
  readonly #deps: OtlpDeps;
  readonly #settings: OtlpSettings;
  readonly #deltas: DeltaStreams;
  readonly #refused: ReturnType<SelfMetrics['counter']>;
  readonly #inTurn = createTurns();

  constructor(deps: OtlpDeps, deltas: DeltaStreams) {
    this.#deps = deps;
    this.#deltas = deltas;
    this.#settings = settingsOf(deps.config);
    this.#refused = deps.metrics.counter('nines_otlp_refused_points_total', 'OTLP data points that are not stored, by reason.');
  }

  write(request: OtlpRequest, scope: Scope): Promise<Stored> {
    if (!hasDeltas(request)) return this.#write(request, scope);
    return this.#inTurn(() => this.#write(request, scope));
  }

  async #write(request: OtlpRequest, scope: Scope): Promise<Stored> {
    const ingest = ingestWithin(this.#deps.ingest, scope);
    const metadata = metadataWithin(this.#deps.metadata, scope);
    const isDelta = hasDeltas(request);
    const nowMs = this.#deps.clock.now();
    if (isDelta) this.#deltas.begin(nowMs);
    const translated = translateOtlp(request, { settings: this.#settings, deltas: this.#deltas, nowMs, sender: formatScope(scope) });
    try {
      const outcome = translated.batch.seriesCount === 0 ? undefined : await ingest.append(translated.batch);
      for (const [family, described] of translated.metadata) metadata.record(family, described, 'otlp');
      return this.#judge(translated, outcome);
    } catch (thrown) {
      if (isDelta) this.#deltas.rollBack();
      throw thrown;
    }
  }

  #judge({ batch, points, refusedBy, messages, pointCount }: Translated, outcome: AppendOutcome | undefined): Stored {
    for (const [reason, count] of refusedBy) this.#refused.add(count, { reason });
    let rejectedPoints = [...refusedBy.values()].reduce((sum, count) => sum + count, 0);
    const byStore = new Set<number>();
    if (outcome !== undefined && outcome.refusedCount > 0)
      for (let i = 0; i < batch.seriesCount; i++) if (outcome.refs[i] === NO_SERIES) byStore.add(points[i] ?? NO_POINT);
    byStore.delete(NO_POINT);
    if (byStore.size > 0) this.#refused.add(byStore.size, { reason: 'store' });
    rejectedPoints += byStore.size;
    if (rejectedPoints === 0) return { rejectedPoints, message: '' };
    const lines = [`${rejectedPoints} of ${pointCount} data points were refused, the others are stored`, ...messages];
    const listed = outcome?.refused.filter(({ series }) => points[series] !== NO_POINT).slice(0, MAX_LISTED_REFUSALS) ?? [];
    for (const { labels, atMs, reason, detail } of listed) lines.push(`${labels} at ${atMs}: ${detail} (${reason})`);
    return { rejectedPoints, message: lines.join('\n') };
  }
}
