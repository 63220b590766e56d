import { randomBytes } from 'node:crypto';
import type { IncomingMessage, RequestListener, ServerOptions } from 'node:http';
import { AppError, invariant } from '@nines/base/errors.ts';
import type { Ids } from '@nines/base/ids.ts';
import type { Logger } from '@nines/base/logger.ts';
import { isFull } from '@nines/model/scope.ts';
import cookie from '@fastify/cookie';
import fastify, { type FastifyReply, type FastifyRequest, type RouteOptions } from 'fastify';
import type { Breath } from '../breath.ts';
import { realClock } from '../clock.ts';
import { limitBodyTime } from './body-time.ts';
import { compressAnswers } from './compress.ts';
import type { ServerTls } from '../tls/server-tls.ts';
import { addressGroup, plainAddress } from '../networks.ts';
import { type Gate, type Http, type Inside, NOBODY } from './contract.ts';
import { isOfThings, keepInside } from './scoped.ts';
import { serveDirectly } from './direct.ts';
import { checkLoopbackHost, checkOneHost, checkSameOrigin, isLoopbackHost, jsonTooDeep, MAX_JSON_DEPTH } from './guards.ts';
import { createApiBook } from './openapi.ts';
import { answerNoRequest, asAppError, sendError } from './problem.ts';
import { type Rates, rateClassOf } from './rates.ts';
import { zodSerializer, zodValidator } from './schemas.ts';

/** Bodies of the native API; ingest routes set their own `bodyLimit`. */
export const MAX_BODY_BYTES = 1024 * 1024;
/** All headers of one request. Node's own default, stated because clients meet it. */
const MAX_HEADER_BYTES = 16 * 1024;
/** Longest parameter within a path, such as a service id or a label name. */
const MAX_PARAM_CHARS = 512;
/** Random bytes at the beginning of request ids. */
const REQUEST_ID_BYTES = 9;
/** Longer than the 60 s that usual proxies keep idle connections, so that they never send into one we just closed. */
const KEEP_ALIVE_TIMEOUT_MS = 65_000;

/** A refused body of at most so many announced bytes is read to its end and thrown away; a connection with a longer one is cut. */
const MAX_DISCARDED_BYTES = 64 * 1024 * 1024;

/** Two thousand viewers with a stream and a few requests each; more only cost memory. */
const MAX_CONNECTIONS = 20_000;

/** How long requests under way may go on when the server stops; half of the 20 s that service managers and orchestrators wait at least. */
const DRAIN_MS = 10_000;

export type HttpOptions = {
  readonly logger: Logger;
  readonly ids: Ids;
  readonly gate: Gate;
  /** `loopback` when authentication is off. */
  readonly hosts: 'any' | 'loopback';
  readonly version: string;
  /** Served over TLS, by itself or by a proxy in front: adds Strict-Transport-Security. */
  readonly secure?: boolean;
  /** What the listener speaks TLS with; plain HTTP without it. */
  readonly tls?: Pick<ServerTls, 'createServer'> | undefined;
  /** Who sent a request; the address of its connection by default. */
  readonly clientAddress?: (request: Pick<IncomingMessage, 'headers' | 'socket'>) => string;
  /** How many requests an address and a token may send; any number without it. */
  readonly rates?: Rates | undefined;
  /** Waits for a turn of the event loop; requests that bring samples do, after their bodies are read. */
  readonly ingestTurn?: Breath;
  /** Whether routes with `config.adminApi` do what they say; off by default. */
  readonly adminApi?: boolean;
  /** Called with the code of each refusal of access. */
  readonly onDenied?: (code: string) => void;
  /** What is inside a scope. Absent: routes about things are closed to actors who have one. */
  readonly inside?: Inside;
  /** How long requests under way may go on when the server stops. */
  readonly drainMs?: number;
  /** Where a request leads by the host name it was sent to; the same address when that says nothing. */
  readonly rewrite?: (host: string, url: string) => string;
};

/**
 * The HTTP server without any route. Register routes on it, then `listen`. Every refusal, whoever throws it, is answered as
 * problem+json (or in Prometheus' shape, by route), every answer carries the security headers, and a route that does not
 * declare `config.permission` throws at registration.
 */
export async function createHttp(options: HttpOptions): Promise<Http> {
  const nextId = createRequestIds(options.ids);
  const { tls } = options;
  const ofServer = { maxHeaderSize: MAX_HEADER_BYTES };
  const http = fastify({
    logger: false,
    bodyLimit: MAX_BODY_BYTES,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    forceCloseConnections: 'idle',
    http: ofServer,
    ...(tls !== undefined && { serverFactory: overTls(tls, ofServer) }),
    routerOptions: { maxParamLength: MAX_PARAM_CHARS },
    genReqId: nextId,
    rewriteUrl: ({ headers, url = '/' }: IncomingMessage) => options.rewrite?.(headers.host ?? '', url) ?? url,
    clientErrorHandler: answerNoRequest,
    frameworkErrors: (thrown, request, reply) => {
      // No hook has seen it.
      reply.headers({ ...securityHeaders(options.secure === true), 'cache-control': 'no-store', 'x-request-id': request.id });
      void sendError(request, reply as unknown as FastifyReply, asAppError(thrown));
    },
  }) as unknown as Http;
  http.server.maxConnections = MAX_CONNECTIONS;
  http.setValidatorCompiler(zodValidator as never);
  http.setSerializerCompiler(zodSerializer);
  addAsking(http, options);
  // Before the hooks that authenticate: its own hook parses the cookies they read.
  await http.register(cookie);
  const book = createApiBook(options.version);
  http.decorate('everyRoute', () => book.routes());
  const direct = serveDirectly(http, {
    ...options,
    nextId,
    headers: { ...securityHeaders(options.secure === true), 'cache-control': 'no-store' },
  });
  http.addHook('onRoute', (route) => {
    requirePermission(options.gate, route);
    route.config = {
      ...route.config,
      rate: route.config?.rate ?? rateClassOf({ url: route.url, method: route.method, permission: route.config?.permission }),
    };
    book.add(route);
    direct.add(route);
    if (options.inside !== undefined) keepInside(route, options.inside);
  });
  http.addHook('onRequest', async (request, reply) => {
    reply.headers(securityHeaders(options.secure === true && !isLoopbackHost(request.headers.host)));
    reply.header('x-request-id', request.id);
  });
  http.addHook('onRequest', async ({ raw, routeOptions }) => limitBodyTime(raw, routeOptions.config?.slowBody === true));
  http.addHook('onRequest', async (request) => admitOrCount(options, request));
  http.addHook('preHandler', async (request) => awaitTurn(options, request));
  http.addHook('onSend', async (request, reply) => hearOut(request, reply));
  http.addHook('onSend', async (_request, reply) => keepNothing(reply));
  compressAnswers(http);
  acceptJson(http);
  answerErrors(http, options.logger);
  // Requests under way may end; connections that are still open after that are cut, so that a slow client cannot keep the server from stopping.
  let cutting: Disposable | undefined;
  http.addHook(
    'preClose',
    async () => void (cutting = realClock.after(options.drainMs ?? DRAIN_MS, () => http.server.closeAllConnections())),
  );
  http.addHook('onClose', async () => cutting?.[Symbol.dispose]());
  http.get(
    '/api/openapi.json',
    {
      config: { permission: 'read', scoped: { free: 'what the product can do' } },
      schema: { summary: 'This API as an OpenAPI 3.1 document' },
    },
    async () => book.document(),
  );
  return http;
}

const overTls = (tls: Pick<ServerTls, 'createServer'>, options: ServerOptions) => (answer: RequestListener) => {
  const server = tls.createServer(options, answer);
  // What fastify does to a server of its own.
  server.keepAliveTimeout = KEEP_ALIVE_TIMEOUT_MS;
  server.requestTimeout = 0;
  return server;
};

/** Who asks, and what they see. */
function addAsking(http: Http, options: HttpOptions): void {
  http.decorateRequest('actor', null as never);
  http.decorateRequest('sees', function (this: FastifyRequest, labels) {
    const { scope } = this.actor;
    return isFull(scope) || options.inside?.labels(scope, labels) === true;
  });
}

/**
 * A connection that is cut while its client is still sending often takes the answer along: the client sees a broken pipe instead of
 * 413. Node discards the rest of a body that nobody read when the connection goes on, so it does.
 */
function hearOut({ raw }: FastifyRequest, reply: FastifyReply): void {
  if (reply.statusCode === 413 && Number(raw.headers['content-length']) <= MAX_DISCARDED_BYTES) reply.removeHeader('connection');
}

/** What is answered may be about whoever asked, so nobody on the way keeps it, unless its route says otherwise. */
function keepNothing(reply: FastifyReply): void {
  if (!reply.hasHeader('cache-control')) reply.header('cache-control', reply.hasHeader('etag') ? 'private, no-cache' : 'no-store');
}

function requirePermission(gate: Gate, route: RouteOptions): void {
  const permission = route.config?.permission;
  invariant(permission !== undefined, `route ${String(route.method)} ${route.url} declares no config.permission`);
  if (permission === 'public' || gate.areaOf === undefined) return;
  invariant(gate.areaOf(route.url) !== undefined, `route ${String(route.method)} ${route.url} belongs to no area`);
}

/** Unique across restarts by their beginning, which is drawn once: drawing every one costs more than all else about small requests. */
function createRequestIds(ids: Ids): () => string {
  const start = ids.secret(REQUEST_ID_BYTES);
  let count = 0;
  return () => `${start}-${(++count).toString(36)}`;
}

/** Samples wait for their turn; those with a short way do so where they are decoded. */
async function awaitTurn({ ingestTurn }: HttpOptions, { routeOptions: { config } }: FastifyRequest): Promise<void> {
  if (config?.rate === 'ingest' && config.direct === undefined) await ingestTurn?.();
}

async function admitOrCount(options: HttpOptions, request: FastifyRequest): Promise<void> {
  try {
    await admit(options, request);
  } catch (thrown) {
    if (thrown instanceof AppError) options.onDenied?.(thrown.code);
    throw thrown;
  }
}

async function admit(options: HttpOptions, request: FastifyRequest): Promise<void> {
  request.actor = NOBODY;
  checkOneHost(request);
  const address = knowAddress(options, request);
  if (options.hosts === 'loopback') checkLoopbackHost(request);
  const { permission, crossOrigin, scoped, adminApi, action, rate = 'public' } = request.routeOptions.config;
  const waitMs = options.rates?.waitOfAddress(rate, addressGroup(address)) ?? 0;
  if (waitMs > 0) throw options.rates?.refusal(rate, waitMs);
  // Unknown paths have no configuration; they end in the not-found answer.
  if (permission === undefined) return;
  const actor = permission === 'public' ? undefined : await options.gate.authenticate(request);
  if (actor !== undefined) request.known = actor;
  // Browsers attach cookies and Basic credentials by themselves; a Bearer header only a program can send.
  const isDeliberate = actor?.kind === 'token' && /^bearer /i.test(request.headers.authorization ?? '');
  if (!isDeliberate && crossOrigin !== true) checkSameOrigin(request);
  if (permission === 'public') return;
  if (actor === undefined) throw new AppError('unauthenticated', 'unauthenticated', 'sign in, or send a token: Authorization: Bearer …');
  const area = options.gate.areaOf?.(request.routeOptions.url ?? '');
  if (!options.gate.allows(actor, permission, area)) {
    const needed = area === undefined ? permission : `${permission} on ${area}`;
    throw new AppError('forbidden', 'forbidden', `needs ${needed}; the role ${actor.role} does not have it`);
  }
  if (actor.actions !== undefined && permission !== 'read' && (action === undefined || !actor.actions.includes(action))) {
    throw new AppError('forbidden', 'forbidden', `this token is for ${actor.actions.join(', ')} only`);
  }
  const isOwn = area !== undefined && area === options.gate.ownArea;
  if (!isFull(actor.scope) && !isOwn && (scoped === undefined || (options.inside === undefined && isOfThings(scoped)))) {
    throw new AppError('forbidden', 'outside_scope', 'this is not divided by team or label: only those may use it who see everything');
  }
  if (adminApi === true && options.adminApi !== true)
    throw new AppError('not_found', 'admin_api_off', 'this is off; server.admin_api: true in the configuration switches it on');
  const turnMs = options.rates?.waitOfActor(rate, actor) ?? 0;
  if (turnMs > 0) throw options.rates?.refusal(rate, turnMs);
  await options.gate.demand?.(request, actor);
  request.actor = actor;
}

/** The address of the client, which `request.ip` says from now on: limits, throttles and the audit log read it there. */
function knowAddress({ clientAddress }: HttpOptions, request: FastifyRequest): string {
  const address = clientAddress?.(request.raw) ?? plainAddress(request.ip);
  if (address !== request.ip) Object.defineProperty(request, 'ip', { value: address });
  return address;
}

/** JSON alone, because a form of another site can send text/plain without asking; raw bodies are added by the routes that take them. */
function acceptJson(http: Http): void {
  const parse = http.getDefaultJsonParser('error', 'error');
  http.removeAllContentTypeParsers();
  http.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    const encoding = request.headers['content-encoding'] ?? 'identity';
    if (encoding.toLowerCase() !== 'identity') {
      done(
        new AppError('unsupported', 'unsupported_encoding', `Content-Encoding ${encoding} is not supported; send plain JSON`),
        undefined,
      );
      return;
    }
    // Many clients name the type of a body that they then do not send; a route that needs one says which part is missing.
    if (body === '') {
      done(null, undefined);
      return;
    }
    if (jsonTooDeep(String(body))) {
      done(new AppError('bad_input', 'json_too_deep', `the JSON body is nested deeper than ${MAX_JSON_DEPTH} levels`), undefined);
      return;
    }
    void parse(request, String(body), done);
  });
}

function answerErrors(http: Http, logger: Logger): void {
  http.setErrorHandler((thrown, request, reply) => {
    const error = asAppError(thrown);
    if (error === undefined) {
      logger.error('a request failed unexpectedly', { request_id: request.id, method: request.method, path: request.url, error: thrown });
    }
    return sendError(request, reply as unknown as FastifyReply, error);
  });
  http.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0] ?? request.url;
    return sendError(
      request,
      reply as unknown as FastifyReply,
      new AppError('not_found', 'no_such_path', `nothing answers ${request.method} ${path}`),
    );
  });
}

/** What browsers could lend a page; ours asks for nothing of it. */
const PERMISSIONS_POLICY = [
  'accelerometer',
  'camera',
  'display-capture',
  'geolocation',
  'gyroscope',
  'magnetometer',
  'microphone',
  'midi',
  'payment',
  'usb',
]
  .map((feature) => `${feature}=()`)
  .join(', ');

/** The headers of every answer. `styleNonce` permits the one style sheet that the page's component library generates. */
export function securityHeaders(secure: boolean, styleNonce?: string): Record<string, string> {
  const style = styleNonce === undefined ? "'self'" : `'self' 'nonce-${styleNonce}'`;
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    `style-src ${style}`,
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "manifest-src 'self'",
    // Widgets of one's own draw in frames of this server, which have no origin.
    "frame-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ];
  return {
    'content-security-policy': policy.join('; '),
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'same-origin',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'permissions-policy': PERMISSIONS_POLICY,
    ...(secure ? { 'strict-transport-security': 'max-age=31536000; includeSubDomains' } : {}),
  };
}

/** A fresh value for `securityHeaders`' style nonce, 128 bits. */
export const freshNonce = (): string => randomBytes(16).toString('base64');
