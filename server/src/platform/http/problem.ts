import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { AppError, type ErrorKind, messageOf } from '@nines/base/errors.ts';
import { StoreUnavailable } from '@nines/model/storage.ts';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';

/** RFC 9457, the body of every refusal of the native API. */
export type Problem = {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** Stable, for programs. */
  readonly code: string;
  /** Path of the field at fault, such as `metrics[2].value`. */
  readonly field?: string;
  readonly details?: unknown;
  readonly instance: string;
};

export const STATUS_OF_KIND: Readonly<Record<ErrorKind, number>> = {
  bad_input: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  too_large: 413,
  unsupported: 415,
  limited: 429,
  unavailable: 503,
};

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad request',
  401: 'Sign-in required',
  403: 'Not allowed',
  404: 'Not found',
  408: 'Too slow',
  409: 'Conflict',
  410: 'Gone',
  413: 'Too large',
  415: 'Unsupported media type',
  422: 'Cannot be answered',
  429: 'Too many requests',
  431: 'Header too large',
  500: 'Internal error',
  503: 'Unavailable',
};

/** Statuses that a code decides against its kind. */
const STATUS_OF_CODE: Readonly<Record<string, number>> = { setup_link_used: 410, unprocessable: 422 };

/** Fastify's own refusals, in our words. Others keep fastify's code and status. */
const FASTIFY_CODES: Readonly<Record<string, { readonly kind: ErrorKind; readonly code: string }>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: { kind: 'too_large', code: 'body_too_large' },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: { kind: 'unsupported', code: 'unsupported_media_type' },
  FST_ERR_CTP_INVALID_JSON_BODY: { kind: 'bad_input', code: 'invalid_json' },
};

/** PostgreSQL keeps no text with the character 0 in it. Source: its appendix A, class 22. */
const CHARACTER_NOT_IN_REPERTOIRE = '22021';

/** When a disk that refused is worth another try. */
const STORE_RETRY_MS = 5_000;

/** What a thrown value means to the caller. Unexpected ones become 500 without their message, which may hold anything. */
export function asAppError(thrown: unknown): AppError | undefined {
  if (thrown instanceof AppError) return thrown;
  if (thrown instanceof StoreUnavailable)
    return new AppError('unavailable', 'store_unavailable', thrown.message, { cause: thrown, retryAfterMs: STORE_RETRY_MS });
  const { code, statusCode } = (thrown ?? {}) as Partial<FastifyError>;
  if (code === CHARACTER_NOT_IN_REPERTOIRE)
    return new AppError('bad_input', 'invalid_text', 'a text holds the character 0, which the database cannot keep', { cause: thrown });
  const known = code === undefined ? undefined : FASTIFY_CODES[code];
  if (known !== undefined) return new AppError(known.kind, known.code, messageOf(thrown), { cause: thrown });
  if (thrown instanceof SyntaxError && statusCode === 400)
    return new AppError('bad_input', 'invalid_json', messageOf(thrown), { cause: thrown });
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    const kind = (Object.entries(STATUS_OF_KIND).find(([, status]) => status === statusCode)?.[0] ?? 'bad_input') as ErrorKind;
    return new AppError(kind, 'invalid_request', messageOf(thrown), { cause: thrown });
  }
  return undefined;
}

export const statusOf = (error: AppError): number => STATUS_OF_CODE[error.code] ?? STATUS_OF_KIND[error.kind];

/** Sends `error` as problem+json, or in Prometheus' shape on routes that ask for it. */
export function sendError(request: FastifyRequest, reply: FastifyReply, error: AppError | undefined): FastifyReply {
  const status = error === undefined ? 500 : statusOf(error);
  reply.headers(refusalHeaders(error));
  if (request.routeOptions.config.errors === 'prometheus') {
    return sendPrometheus(reply, status, {
      type: error === undefined ? 'internal' : PROMETHEUS_TYPES[error.kind],
      message: error?.message ?? INTERNAL_DETAIL,
    });
  }
  if (request.routeOptions.config.errors === 'alertmanager') {
    return reply
      .code(status)
      .type('application/json')
      .serializer(String)
      .send(JSON.stringify(error?.message ?? INTERNAL_DETAIL));
  }
  return reply.code(status).type('application/problem+json').serializer(JSON.stringify).send(problemOf(error, request.url));
}

/** What a refusal says in headers, whatever the shape of its body. */
export function refusalHeaders(error: AppError | undefined): Readonly<Record<string, string>> {
  if (error === undefined) return {};
  return {
    ...(error.retryAfterMs === undefined ? {} : { 'retry-after': String(Math.max(1, Math.ceil(error.retryAfterMs / 1000))) }),
    ...(statusOf(error) === 401 ? { 'www-authenticate': 'Bearer realm="nines"' } : {}),
  };
}

const INTERNAL_DETAIL = 'an internal error happened; the log of the server has more under the request id';

/** The problem that `error` is to whoever asked for `url`; an unexpected one without an `AppError`. */
export function problemOf(error: AppError | undefined, url: string): Problem {
  const status = error === undefined ? 500 : statusOf(error);
  return {
    type: 'about:blank',
    title: TITLES[status] ?? 'Error',
    status,
    detail: error?.message ?? INTERNAL_DETAIL,
    code: error?.code ?? 'internal',
    ...(error?.field === undefined ? {} : { field: error.field }),
    ...(error?.details === undefined ? {} : { details: error.details }),
    instance: url.split('?', 1)[0] ?? url,
  };
}

/** Prometheus' error types and their statuses. Source: prometheus web/api/v1/api.go, respondError. */
const PROMETHEUS_STATUS = {
  bad_data: 400,
  execution: 422,
  canceled: 503,
  timeout: 503,
  unavailable: 503,
  internal: 500,
  not_found: 404,
  not_acceptable: 406,
} as const;
export type PrometheusErrorType = keyof typeof PROMETHEUS_STATUS;

const PROMETHEUS_TYPES: Readonly<Record<ErrorKind, PrometheusErrorType>> = {
  bad_input: 'bad_data',
  unauthenticated: 'bad_data',
  forbidden: 'bad_data',
  not_found: 'not_found',
  conflict: 'bad_data',
  too_large: 'bad_data',
  unsupported: 'not_acceptable',
  limited: 'unavailable',
  unavailable: 'unavailable',
};

/** Sends an error in the shape of Prometheus' API with the status that belongs to its type. */
export const prometheusError = (reply: FastifyReply, type: PrometheusErrorType, message: string): FastifyReply =>
  sendPrometheus(reply, PROMETHEUS_STATUS[type], { type, message });

const sendPrometheus = (
  reply: FastifyReply,
  status: number,
  error: { readonly type: PrometheusErrorType; readonly message: string },
): FastifyReply =>
  reply
    .code(status)
    .type('application/json; charset=utf-8')
    .serializer(JSON.stringify)
    .send({ status: 'error', errorType: error.type, error: error.message });

/** What came over a connection and is no request that a route could see. Source: the codes of Node's `clientError` event. */
const NO_REQUEST: Readonly<Record<string, { readonly status: number; readonly code: string; readonly detail: string }>> = {
  HPE_HEADER_OVERFLOW: {
    status: 431,
    code: 'headers_too_large',
    detail: 'address and headers are too long together; send a long query in the body of a POST',
  },
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, code: 'request_timeout', detail: 'the request did not arrive in time' },
};

/** Answers bytes that are no HTTP request, or one too large or too slow to become one, and ends the connection. */
export function answerNoRequest(thrown: { readonly code?: string | undefined }, socket: Socket): void {
  if (thrown.code === 'ECONNRESET' || socket.destroyed) return;
  const known = NO_REQUEST[thrown.code ?? ''] ?? { status: 400, code: 'malformed_request', detail: 'this is not a valid HTTP request' };
  const body = JSON.stringify({ type: 'about:blank', title: TITLES[known.status] ?? 'Error', ...known });
  const head = `HTTP/1.1 ${known.status} ${STATUS_CODES[known.status]}\r\nContent-Type: application/problem+json\r\n`;
  if (socket.writable) socket.write(`${head}Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`);
  socket.destroy(thrown instanceof Error ? thrown : undefined);
}
