import { ProtoWriter } from '../proto-writer.ts';

/**
 * The answers of OTLP over HTTP: `ExportMetricsServiceResponse` with what was refused, and `google.rpc.Status` for failures, in
 * the encoding of the request. Source: OTLP specification, "OTLP/HTTP Response".
 */
export type OtlpEncoding = 'protobuf' | 'json';

/** Nothing refused makes an empty message. */
export function encodeExportAnswer(encoding: OtlpEncoding, rejectedPoints: number, message: string): Uint8Array {
  if (rejectedPoints === 0) return encoding === 'json' ? utf8.encode('{}') : new Uint8Array(0);
  if (encoding === 'json')
    return utf8.encode(JSON.stringify({ partialSuccess: { rejectedDataPoints: String(rejectedPoints), errorMessage: message } }));
  const partialSuccess = new ProtoWriter();
  partialSuccess.number(0x08, rejectedPoints);
  partialSuccess.text(0x12, message);
  const answer = new ProtoWriter();
  answer.bytes(0x0a, partialSuccess.take());
  return answer.take();
}

/** `code` is one of gRPC's. */
export function encodeStatus(encoding: OtlpEncoding, code: number, message: string): Uint8Array {
  if (encoding === 'json') return utf8.encode(JSON.stringify({ code, message }));
  const status = new ProtoWriter();
  status.number(0x08, code);
  status.text(0x12, message);
  return status.take();
}

const utf8 = new TextEncoder();
