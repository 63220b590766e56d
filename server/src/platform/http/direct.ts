import type { IncomingMessage, ServerResponse } from 'node:http';
import { invariant } from '@nines/base/errors.ts';
import type { Logger } from '@nines/base/logger.ts';
import { isFull } from '@nines/model/scope.ts';
import type { RouteOptions } from 'fastify';
import { limitBodyTime } from './body-time.ts';
import { addressGroup, plainAddress } from '../networks.ts';
import type { DirectAnswer, DirectHandler, Gate, Http, Permission } from './contract.ts';
import { hasOneHost, isLoopbackHost } from './guards.ts';
import { asAppError, problemOf, refusalHeaders } from './problem.ts';
import type { RateClass, Rates } from './rates.ts';

/**
 * The short way for routes with `config.direct`, which senders call thousands of times a second: the request is answered on the
 * same server before fastify sees it. Only a request that needs no decision goes this way: a POST of known length, with a
 * token that was authenticated a moment ago and may send more, from a program, while the server runs. All others go on to fastify untouched, so
 * that there is one place which authenticates, refuses and stops.
 */
export type DirectOptions = {
  readonly logger: Logger;
  readonly gate: Gate;
  readonly hosts: 'any' | 'loopback';
  readonly nextId: () => string;
  readonly clientAddress?: (request: IncomingMessage) => string;
  readonly rates?: Rates | undefined;
  /** Headers of every answer. */
  readonly headers: Readonly<Record<string, string>>;
};

type Direct = {
  readonly permission: Permission;
  readonly area: string | undefined;
  readonly rate: RateClass;
  readonly handle: DirectHandler;
};

export function serveDirectly(http: Http, options: DirectOptions): { add(route: RouteOptions): void } {
  const routes = new Map<string, Direct>();
  const [fastifyListener, ...others] = http.server.listeners('request');
  invariant(fastifyListener !== undefined && others.length === 0, `one listener for requests, found ${others.length + 1}`);
  const always = Object.entries(options.headers).flat();
  let closing = false;
  http.addHook('preClose', async () => void (closing = true));
  http.server.removeAllListeners('request');
  http.server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const route = routes.get(request.url ?? '');
    if (route === undefined || closing || !isUsual(request) || !isAdmitted(options, route, request)) {
      fastifyListener.call(http.server, request, response);
      return;
    }
    const id = options.nextId();
    limitBodyTime(request, false);
    void route
      .handle(request)
      .catch((thrown: unknown) => failed(options.logger, request, id, thrown))
      .then((answer) => {
        // Nobody waits for an idle connection of a server that stops.
        send(response, answer, closing ? [...always, 'x-request-id', id, 'connection', 'close'] : [...always, 'x-request-id', id]);
      });
  });
  return {
    add({ url, method, config }) {
      if (config?.direct === undefined) return;
      invariant(method === 'POST' && config.permission !== undefined, `only POST goes the short way, not ${String(method)} ${url}`);
      const { permission, rate = 'ingest', direct: handle } = config;
      routes.set(url, { permission, area: options.gate.areaOf?.(url), rate, handle });
    },
  };
}

/** A body of known length and none of the headers that browsers add. */
const isUsual = (request: IncomingMessage): boolean => isPlainPost(request) && hasOneHost(request);

const isPlainPost = ({ method, headers }: IncomingMessage): boolean =>
  method === 'POST' &&
  headers['content-length'] !== undefined &&
  headers['content-type'] !== undefined &&
  headers['transfer-encoding'] === undefined &&
  headers.expect === undefined &&
  headers.origin === undefined &&
  headers['sec-fetch-site'] === undefined;

function isAdmitted(options: DirectOptions, { permission, area, rate }: Direct, request: IncomingMessage): boolean {
  const { gate, hosts, rates } = options;
  if (hosts === 'loopback' && !isLoopbackHost(request.headers.host)) return false;
  const actor = gate.recall?.(request.headers);
  // What a scope demands of what is written, and what a token for some actions may not do, the long way knows.
  if (actor === undefined || actor.actions !== undefined || !isFull(actor.scope) || !gate.allows(actor, permission, area)) return false;
  if (rates === undefined) return true;
  // A bucket that is empty here is still empty there, where the refusal is said.
  const address = options.clientAddress?.(request) ?? plainAddress(request.socket.remoteAddress ?? '');
  return rates.waitOfActor(rate, actor) === 0 && rates.waitOfAddress(rate, addressGroup(address)) === 0;
}

function failed(logger: Logger, { method, url = '' }: IncomingMessage, id: string, thrown: unknown): DirectAnswer {
  const error = asAppError(thrown);
  if (error === undefined) logger.error('a request failed unexpectedly', { request_id: id, method, path: url, error: thrown });
  const problem = problemOf(error, url);
  return {
    status: problem.status,
    text: JSON.stringify(problem),
    headers: { ...refusalHeaders(error), 'content-type': 'application/problem+json' },
  };
}

/** Writes the answer in one piece. */
function send(response: ServerResponse, { status, text, headers }: DirectAnswer, head: string[]): void {
  if (headers !== undefined) for (const [name, value] of Object.entries(headers)) head.push(name, value);
  if (text !== '') head.push('content-length', String(Buffer.byteLength(text)));
  response.writeHead(status, head).end(text);
}
