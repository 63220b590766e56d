import { type LookupAddress, lookup } from 'node:dns';
import { type LookupFunction, isIP } from 'node:net';
import type { Clock } from '@nines/base/clock.ts';
import { messageOf } from '@nines/base/errors.ts';
import type { Dispatcher } from 'undici';
import { type Trust, judgeAddress } from './judge.ts';

export type OutboundOptions = {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** For the whole exchange, from resolving to the last byte. */
  readonly timeoutMs: number;
  /** The answer's body may have at most this many bytes; 1 MiB by default. */
  readonly maxBytes?: number;
  /** `trusted` by default: the target stands in the configuration file. */
  readonly trust?: Trust;
  /** How a trusted target is reached when not plainly; ignored for others. */
  readonly transport?: Transport;
  readonly signal?: AbortSignal;
};

/** PEM texts and names, as `node:tls` takes them. */
export type OutboundTls = {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly servername?: string;
  readonly minVersion?: 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';
  readonly maxVersion?: 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';
  readonly rejectUnauthorized?: false;
};
/** Requests with an equal transport share their connections. The proxy resolves names itself, so only its own address is judged. */
export type Transport = {
  readonly tls?: OutboundTls;
  readonly proxy?: { readonly url: string; readonly headers: Readonly<Record<string, string>> };
};

export type OutboundAnswer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
};

/** An answer whose body still comes. It must be read to its end or `close`d. */
export type OpenAnswer = Pick<OutboundAnswer, 'status' | 'headers'> & {
  readonly body: AsyncIterable<Buffer>;
  close(): void;
};

export type OutboundFailure = 'bad_url' | 'refused_address' | 'timeout' | 'too_large' | 'connection';

/** Why there was no answer. `message` names the address or limit and fits in one line. */
export class OutboundError extends Error {
  readonly failure: OutboundFailure;
  constructor(failure: OutboundFailure, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = 'OutboundError';
    this.failure = failure;
  }
}

export type Outbound = AsyncDisposable & {
  /**
   * One request, one attempt, no redirect. The name is resolved, every address judged, and the connection goes to a judged
   * address. Rejects with `OutboundError`, or with the signal's reason.
   */
  request(url: string, options: OutboundOptions): Promise<OutboundAnswer>;
  /** As `request`, but resolves with the headers; `timeoutMs` ends there, `signal` also ends the body. */
  open(url: string, options: Omit<OutboundOptions, 'maxBytes'>): Promise<OpenAnswer>;
};

export const DEFAULT_MAX_BYTES = 1_048_576;

/** The only way out for HTTP: webhooks, scrapes, discovery. */
export function createOutbound({ clock }: { readonly clock: Clock }): Outbound {
  let loading: Promise<Client> | undefined;
  const send = async (target: URL, options: OutboundOptions, signal: AbortSignal): Promise<Dispatcher.ResponseData> => {
    loading ??= loadClient();
    const client = await loading;
    return client.request(target, {
      dispatcher: client.dispatcher(options.trust ?? 'trusted', options.transport),
      method: options.method ?? 'GET',
      headers: options.headers ?? {},
      body: options.body ?? null,
      signal,
    });
  };
  return {
    async request(url, options) {
      const target = parseTarget(url, options.trust ?? 'trusted');
      using exchange = limited(clock, target, options);
      try {
        const answer = await send(target, options, exchange.signal);
        const body = await readBody(answer.body, target, options.maxBytes ?? DEFAULT_MAX_BYTES);
        return { status: answer.statusCode, headers: answer.headers, body };
      } catch (thrown) {
        if (exchange.signal.aborted) throw exchange.signal.reason;
        throw toOutboundError(thrown, target);
      }
    },
    async open(url, options) {
      const target = parseTarget(url, options.trust ?? 'trusted');
      const exchange = limited(clock, target, options);
      try {
        const answer = await send(target, options, exchange.signal);
        exchange.endTimeout();
        const close = (): void => {
          exchange[Symbol.dispose]();
          answer.body.on('error', () => undefined).destroy();
        };
        return { status: answer.statusCode, headers: answer.headers, body: answer.body, close };
      } catch (thrown) {
        exchange[Symbol.dispose]();
        if (exchange.signal.aborted) throw exchange.signal.reason;
        throw toOutboundError(thrown, target);
      }
    },
    async [Symbol.asyncDispose]() {
      if (loading !== undefined) await (await loading).destroy();
    },
  };
}

type Limited = Disposable & { readonly signal: AbortSignal; endTimeout(): void };

/** A signal that aborts with the caller's, or when the time is over. */
function limited(clock: Clock, target: URL, { timeoutMs, signal }: OutboundOptions): Limited {
  signal?.throwIfAborted();
  const ending = new AbortController();
  const timer = clock.after(timeoutMs, () =>
    ending.abort(new OutboundError('timeout', `${target.host}: no answer within ${timeoutMs} ms`)),
  );
  const onAbort = (): void => ending.abort(signal?.reason);
  signal?.addEventListener('abort', onAbort, { once: true });
  return {
    signal: ending.signal,
    endTimeout: () => timer[Symbol.dispose](),
    [Symbol.dispose]: () => {
      timer[Symbol.dispose]();
      signal?.removeEventListener('abort', onAbort);
    },
  };
}

function parseTarget(url: string, trust: Trust): URL {
  let target: URL;
  try {
    target = new URL(url);
  } catch (thrown) {
    throw new OutboundError('bad_url', `not a URL: ${url}`, { cause: thrown });
  }
  if (target.protocol !== 'http:' && target.protocol !== 'https:')
    throw new OutboundError('bad_url', `${target.protocol} is not spoken here; use http or https`);
  // A literal address is never looked up, so it is judged here; the URL parser has already undone octal and decimal spellings.
  const literal = target.hostname.replace(/^\[|\]$/g, '');
  if (isIP(literal) !== 0) {
    const judgement = judgeAddress(literal, trust);
    if (!judgement.allowed) throw new OutboundError('refused_address', judgement.reason);
  }
  return target;
}

/** Idle connections are closed soon: a webhook's receiver may be replaced behind its name. */
const KEEP_ALIVE_MS = 10_000;

/** Transports whose connections are kept; beyond them the longest unused one is closed. */
const MAX_TRANSPORTS = 256;

type Undici = typeof import('undici');
type Client = {
  readonly request: Undici['request'];
  dispatcher(trust: Trust, transport: Transport | undefined): Dispatcher;
  destroy(): Promise<void>;
};

/** Loaded with the first request: a server that only measures its own host goes without its megabytes. */
async function loadClient(): Promise<Client> {
  const undici = await import('undici');
  const agents = new Map<string, Dispatcher>();
  return {
    request: undici.request,
    dispatcher(trust, transport) {
      const key = trust === 'trusted' ? JSON.stringify([transport?.tls ?? {}, transport?.proxy]) : trust;
      const agent = agents.get(key) ?? agentFor(undici, trust, transport);
      // Last in the map is last used.
      agents.delete(key);
      agents.set(key, agent);
      for (const [oldest, unused] of agents) {
        if (agents.size <= MAX_TRANSPORTS) break;
        agents.delete(oldest);
        void unused.close();
      }
      return agent;
    },
    destroy: async () => void (await Promise.all([...agents.values()].map((agent) => agent.destroy()))),
  };
}

function agentFor({ Agent, ProxyAgent }: Undici, trust: Trust, transport: Transport | undefined): Dispatcher {
  const limits = {
    keepAliveTimeout: KEEP_ALIVE_MS,
    // The timer around the whole exchange decides; undici's own would only be a second, hidden limit.
    headersTimeout: 0,
    bodyTimeout: 0,
    allowH2: false,
  };
  const lookup = judgedLookup(trust);
  if (trust === 'untrusted') return new Agent({ ...limits, connect: { lookup, allowH2: false } });
  const { tls = {}, proxy } = transport ?? {};
  if (proxy === undefined) return new Agent({ ...limits, connect: { ...tls, lookup, allowH2: false } });
  const { url: uri, headers } = proxy;
  return new ProxyAgent({ ...limits, uri, headers, requestTls: tls, proxyTls: { lookup }, proxyTunnel: false });
}

const judgedLookup =
  (trust: Trust): LookupFunction =>
  (hostname, options, callback) =>
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, []);
      const judged = judgeAll(hostname, addresses, trust);
      if (judged instanceof OutboundError) return callback(judged, []);
      if (options.all === true) return callback(null, judged);
      const first = judged[0];
      callback(first === undefined ? new Error(`${hostname} has no address`) : null, first?.address ?? '', first?.family ?? 4);
    });

/** One refused address refuses the name: a name that points both ways is how a guard is walked around. */
function judgeAll(hostname: string, addresses: LookupAddress[], trust: Trust): LookupAddress[] | OutboundError {
  for (const { address } of addresses) {
    const judgement = judgeAddress(address, trust);
    if (!judgement.allowed) return new OutboundError('refused_address', `${hostname}: ${judgement.reason}`);
  }
  return addresses;
}

async function readBody(body: AsyncIterable<Buffer>, target: URL, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > maxBytes) throw new OutboundError('too_large', `${target.host}: the answer is longer than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

/** The innermost cause says what happened (`connect ECONNREFUSED 127.0.0.1:9`), the outer ones only that something did. */
function toOutboundError(thrown: unknown, target: URL): OutboundError {
  let inner = thrown;
  while (inner instanceof Error && !(inner instanceof OutboundError) && inner.cause instanceof Error) inner = inner.cause;
  if (inner instanceof OutboundError) return inner;
  const first = inner instanceof AggregateError ? inner.errors[0] : inner;
  return new OutboundError('connection', `${target.host}: ${messageOf(first)}`, { cause: thrown });
}
