import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { constants } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Clock } from '@nines/base/clock.ts';
import { AppError, messageOf } from '@nines/base/errors.ts';
import type { Logger } from '@nines/base/logger.ts';
import { DAY_MS, MINUTE_MS, SECOND_MS } from '@nines/base/units.ts';
import type { z } from 'zod';
import { asAppError, problemOf, refusalHeaders } from '../platform/http/problem.ts';
import { requestError } from '../platform/http/schemas.ts';
import { type Authority, SERVER_CERTIFICATE_LIFE_MS } from './authority.ts';
import { AGENT_CODES, AGENT_LIMITS, joinRequest, renewRequest, resultsRequest } from './contract.ts';
import type { Agents, Known } from './service.ts';

export type ListenerDeps = {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly agents: Agents;
  readonly authority: Authority;
  readonly host: string;
  readonly port: number;
};

/** Each agent holds two connections; more than this many are not answered. */
const MAX_CONNECTIONS = 4 * AGENT_LIMITS.agents;
const HANDSHAKE_TIMEOUT_MS = 10 * SECOND_MS;
const REQUEST_TIMEOUT_MS = MINUTE_MS;

type Answer = { readonly status: number; readonly body: unknown };
const ok = (body: unknown): Answer => ({ status: 200, body });

/** The door of agents: TLS 1.3 that both sides show certificates in. Only joining, and learning whose authority this is, need none. */
export class AgentListener implements AsyncDisposable {
  readonly #deps: ListenerDeps;
  readonly #server: Server;
  readonly #sockets = new Map<string, Set<TLSSocket>>();
  #certificateUntilMs = 0;

  constructor(deps: ListenerDeps) {
    this.#deps = deps;
    this.#server = createServer({
      ...this.#context(),
      requestCert: true,
      // Whoever shows none may still join; every other path asks for it.
      rejectUnauthorized: false,
      minVersion: 'TLSv1.3',
      // A resumed session would show a certificate that was judged once.
      secureOptions: constants.SSL_OP_NO_TICKET,
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: 2 * AGENT_LIMITS.pollMs,
    });
    this.#server.maxConnections = MAX_CONNECTIONS;
    this.#server.on('request', (request, response) => void this.#answer(request, response));
    this.#server.on('tlsClientError', (fault) => deps.logger.debug('a connection of an agent failed', { error: messageOf(fault) }));
    deps.agents.onRevoked = (agent) => this.#cut(agent);
  }

  async listen(): Promise<void> {
    const { host, port } = this.#deps;
    this.#server.listen(port, host);
    await once(this.#server, 'listening');
    this.#deps.logger.info('agents connect here', { host, port: (this.#server.address() as AddressInfo).port });
  }

  /** Shows a new certificate before the one in use ends. Once a day is enough. */
  async step(nowMs: number): Promise<void> {
    if (this.#certificateUntilMs - nowMs < SERVER_CERTIFICATE_LIFE_MS / 3) this.#server.setSecureContext(this.#context());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    if (this.#server.listening) await once(this.#server, 'close');
  }

  #context() {
    const { authority, clock } = this.#deps;
    const { certificate, key, untilMs } = authority.issueForServer(clock.now());
    this.#certificateUntilMs = untilMs;
    return { key, cert: certificate, ca: authority.certificate };
  }

  #cut(agent: string): void {
    for (const socket of this.#sockets.get(agent) ?? []) socket.destroy();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = request.url ?? '';
    try {
      const { status, body } = await this.#route(request, response);
      send(response, status, body);
    } catch (thrown) {
      const error = asAppError(thrown);
      if (error === undefined) this.#deps.logger.error('a request of an agent failed unexpectedly', { path: url, error: thrown });
      const problem = problemOf(error, url);
      send(response, problem.status, problem, { ...refusalHeaders(error), connection: 'close' });
    }
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<Answer> {
    const receivedAtMs = this.#deps.clock.now();
    const { agents, authority, clock } = this.#deps;
    const asked = request.url ?? '';
    if (!URL.canParse(asked, 'https://agents')) throw new AppError('bad_input', 'invalid_request', 'this is no path');
    const url = new URL(asked, 'https://agents');
    switch (`${request.method} ${url.pathname}`) {
      case 'GET /agent/v1/authority':
        return ok({ certificate: authority.certificate });
      case 'POST /agent/v1/join': {
        const { secret, public_key } = await read(request, joinRequest, AGENT_LIMITS.joinBytes);
        return ok(await agents.join({ secret, publicKey: public_key }));
      }
      case 'POST /agent/v1/renew': {
        const agent = await this.#agent(request);
        return ok(await agents.renew(agent, (await read(request, renewRequest)).public_key));
      }
      case 'GET /agent/v1/checks': {
        const agent = await this.#agent(request);
        const gone = new AbortController();
        response.once('close', () => gone.abort());
        const answer = await agents.checksFor(agent, url.searchParams.get('have') ?? '', gone.signal);
        return answer === undefined ? { status: 204, body: undefined } : ok(answer);
      }
      case 'POST /agent/v1/results': {
        const agent = await this.#agent(request);
        const taken = await agents.take(agent, await read(request, resultsRequest));
        return ok({ taken, received_at_ms: receivedAtMs, answered_at_ms: clock.now() });
      }
      default:
        throw new AppError('not_found', 'no_such_path', `nothing answers ${request.method} ${url.pathname} here`);
    }
  }

  async #agent(request: IncomingMessage): Promise<Known> {
    const socket = request.socket as TLSSocket;
    const certificate = socket.getPeerX509Certificate();
    // TLS judges the certificate once; a connection may stay open for longer than it is valid.
    if (!socket.authorized || certificate === undefined || certificate.validToDate.getTime() <= this.#deps.clock.now())
      throw new AppError('forbidden', AGENT_CODES.unknownCertificate, 'show the certificate that this server signed when the agent joined');
    const agent = await this.#deps.agents.authenticate(certificate.raw);
    const sockets = this.#sockets.get(agent.row.id) ?? new Set();
    this.#sockets.set(agent.row.id, sockets);
    if (!sockets.has(socket)) {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    }
    return agent;
  }
}

function send(response: ServerResponse, status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): void {
  if (response.headersSent || response.destroyed) return;
  const text = body === undefined ? '' : JSON.stringify(body);
  response.writeHead(status, { ...headers, 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }).end(text);
}

async function read<T extends z.ZodType>(
  request: IncomingMessage,
  schema: T,
  maxBytes: number = AGENT_LIMITS.bodyBytes,
): Promise<z.output<T>> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new AppError('too_large', 'body_too_large', `a body is at most ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  let value: unknown;
  try {
    value = JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    throw new AppError('bad_input', 'invalid_json', 'the body is no JSON');
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw requestError(parsed.error, 'body');
  return parsed.data;
}

/** How often `step` is to be called. */
export const LISTENER_STEP_MS = DAY_MS / 24;
