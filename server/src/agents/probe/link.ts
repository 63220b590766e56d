import type { IncomingMessage } from 'node:http';
import { Agent, request as httpsRequest, type RequestOptions } from 'node:https';
import type { Clock } from '@nines/base/clock.ts';
import { AppError, type ErrorKind } from '@nines/base/errors.ts';
import { SECOND_MS } from '@nines/base/units.ts';
import type { z } from 'zod';
import { STATUS_OF_KIND } from '../../platform/http/problem.ts';
import { fingerprintOf } from '../../platform/x509/certificate.ts';
import { AGENT_LIMITS, authorityAnswer, SERVER_NAME } from '../contract.ts';
import type { Identity } from './identity.ts';

/** An answer never takes longer: the longest wait of the server, and time to come and go. */
const TIMEOUT_MS = AGENT_LIMITS.pollMs + 15 * SECOND_MS;
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** What the connection is secured with. Without a certificate of our own only joining is possible. */
export type Trust = { readonly authority: string; readonly certificate?: string; readonly privateKey?: string };

export type Asked<T extends z.ZodType> = {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: unknown;
  readonly answer: T;
  readonly signal?: AbortSignal;
};

/** The connection of an agent to its server, which must show a certificate of the authority that the join token named. */
export class Link implements Disposable {
  readonly #server: URL;
  readonly #clock: Clock;
  #agent: Agent;

  constructor(server: string, clock: Clock, trust: Trust) {
    this.#server = new URL(server);
    this.#clock = clock;
    this.#agent = agentOf(trust);
  }

  static of(identity: Identity, clock: Clock): Link {
    return new Link(identity.server, clock, trustOf(identity));
  }

  /** From now on shows another certificate; what is under way goes on with the one before. */
  trust(identity: Identity): void {
    const before = this.#agent;
    this.#agent = agentOf(trustOf(identity));
    before.destroy();
  }

  /** The answer, or undefined when the server has nothing to say (204). `AppError` with the server's own code when it refuses. */
  async ask<T extends z.ZodType>(asked: Asked<T>): Promise<z.output<T> | undefined> {
    const { status, text } = await send(this.#server, this.#clock, { agent: this.#agent, ...asked });
    if (status === 204) return undefined;
    if (status !== 200) throw refusalOf(status, text);
    const parsed = asked.answer.safeParse(JSON.parse(text));
    if (!parsed.success)
      throw new AppError('unavailable', 'agent_answer_unknown', `${asked.path}: ${parsed.error.issues[0]?.message ?? ''}`);
    return parsed.data;
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }
}

const trustOf = ({ authority, certificate, private_key }: Identity): Trust => ({ authority, certificate, privateKey: private_key });

const agentOf = ({ authority, certificate, privateKey }: Trust): Agent =>
  new Agent({
    keepAlive: true,
    // A session that is taken up again would not show our certificate.
    maxCachedSessions: 0,
    minVersion: 'TLSv1.3',
    ca: authority,
    ...(certificate === undefined || privateKey === undefined ? {} : { cert: certificate, key: privateKey }),
  });

/**
 * The authority of a server that nobody knows yet. Whoever answers is believed only if the certificate is the very one whose SHA-256 the join
 * token carries; nothing secret is sent before.
 */
export async function fetchAuthority(server: string, fingerprint: string, clock: Clock): Promise<string> {
  using agent = { it: new Agent({ rejectUnauthorized: false, maxCachedSessions: 0 }), [Symbol.dispose]: () => agent.it.destroy() };
  const { status, text } = await send(new URL(server), clock, { agent: agent.it, method: 'GET', path: '/agent/v1/authority' });
  if (status !== 200) throw refusalOf(status, text);
  const { certificate } = authorityAnswer.parse(JSON.parse(text));
  if (fingerprintOf(certificate) !== fingerprint)
    throw new AppError('forbidden', 'agent_server_unknown', `${server} is not the server that made this join token`);
  return certificate;
}

type Sent = Pick<RequestOptions, 'agent' | 'method' | 'path'> & { readonly body?: unknown; readonly signal?: AbortSignal };

function send(server: URL, clock: Clock, { body, signal, ...options }: Sent): Promise<{ readonly status: number; readonly text: string }> {
  const payload = body === undefined ? undefined : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const request = httpsRequest({
      host: server.hostname.replace(/^\[|\]$/g, ''),
      port: server.port === '' ? 443 : Number(server.port),
      servername: SERVER_NAME,
      ...options,
      ...(signal === undefined ? {} : { signal }),
      headers: payload === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) },
    });
    const timer = clock.after(TIMEOUT_MS, () => request.destroy(new Error(`no answer from ${server.host} within ${TIMEOUT_MS} ms`)));
    const fail = (thrown: Error): void => {
      timer[Symbol.dispose]();
      reject(thrown);
    };
    request.on('error', fail);
    request.on('response', (response) => {
      collect(response)
        .then((text) => {
          timer[Symbol.dispose]();
          resolve({ status: response.statusCode ?? 0, text });
        })
        .catch(fail);
    });
    request.end(payload);
  });
}

async function collect(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) throw new Error(`an answer of more than ${MAX_ANSWER_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function refusalOf(status: number, text: string): AppError {
  const kind = (Object.entries(STATUS_OF_KIND).find(([, of]) => of === status)?.[0] ?? 'unavailable') as ErrorKind;
  try {
    const { code, detail } = JSON.parse(text) as { readonly code?: unknown; readonly detail?: unknown };
    if (typeof code === 'string') return new AppError(kind, code, String(detail));
  } catch {
    // Not ours: something in between answered. Its status is all there is to say.
  }
  return new AppError(kind, 'agent_refused', `status ${status}`);
}
