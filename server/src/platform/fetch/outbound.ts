import { once } from 'node:events';
import type { LookupAddress } from 'node:dns';
import { type LookupFunction, isIP, type Socket } from 'node:net';
import { callbackify } from 'node:util';
import type { Clock } from '@nines/base/clock.ts';
import { messageOf } from '@nines/base/errors.ts';
import type { Dispatcher } from 'undici';
import { lookUp, openSocket } from './dial.ts';
import { type Judge, type JudgedAddress, type Trust, judgeAddress } from './judge.ts';

export type OutboundOptions = {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** For the whole exchange, from resolving to the last byte. */
  readonly timeoutMs: number;
  /** The answer's body may have at most this many bytes; 1 MiB by default. */
  readonly maxBytes?: number;
  /** Who chose the target; `trusted` by default: it stands in the configuration file. */
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
  /** A connection for protocols that are not HTTP: resolved, judged, one judged address after the other until one takes it. It is the caller's to end. */
  connect(
    to: { readonly host: string; readonly port: number },
    options: Pick<OutboundOptions, 'timeoutMs' | 'trust' | 'signal'>,
  ): Promise<Socket>;
};

/** What names stand for; the system's resolver unless said otherwise. */
export type Lookup = (hostname: string) => Promise<LookupAddress[]>;
export type OutboundDeps = {
  readonly clock: Clock;
  /** The policy; what holds without one by default. */
  readonly judge?: Judge;
  readonly lookup?: Lookup;
};
type Guarded = { readonly judge: Judge; readonly lookup: Lookup };

const systemLookup: Lookup = (hostname) => lookUp(hostname, { all: true });

export const DEFAULT_MAX_BYTES = 1_048_576;

/** The only way out for HTTP and mail: webhooks, scrapes, discovery. Checks go out by `dial.ts`, under the same policy. */
export function createOutbound({ clock, judge = judgeAddress, lookup = systemLookup }: OutboundDeps): Outbound {
  const guarded: Guarded = { judge, lookup };
  let loading: Promise<Client> | undefined;
  const send = async (target: URL, options: OutboundOptions, signal: AbortSignal): Promise<Dispatcher.ResponseData> => {
    loading ??= loadClient(guarded);
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
      const target = parseTarget(url, options, judge);
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
      const target = parseTarget(url, options, judge);
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
    async connect(to, options) {
      const host = to.host.replace(/^\[|\]$/g, '');
      using exchange = limited(clock, { host: `${to.host}:${to.port}` }, options);
      try {
        return await connectFirst(await judgedAddresses(host, options.trust ?? 'trusted', guarded), to.port, exchange.signal);
      } catch (thrown) {
        if (exchange.signal.aborted) throw exchange.signal.reason;
        throw toOutboundError(thrown, { host: `${to.host}:${to.port}` });
      }
    },
    async [Symbol.asyncDispose]() {
      if (loading !== undefined) await (await loading).destroy();
    },
  };
}

type Limited = Disposable & { readonly signal: AbortSignal; endTimeout(): void };

/** A signal that aborts with the caller's, or when the time is over. */
function limited(clock: Clock, target: Pick<URL, 'host'>, { timeoutMs, signal }: Pick<OutboundOptions, 'timeoutMs' | 'signal'>): Limited {
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

function parseTarget(url: string, { trust = 'trusted', transport }: Pick<OutboundOptions, 'trust' | 'transport'>, judge: Judge): URL {
  const target = parsedUrl(url);
  refuseLiteral(target, trust, judge);
  if (trust === 'trusted' && transport?.proxy !== undefined) refuseLiteral(parsedUrl(transport.proxy.url), trust, judge);
  return target;
}

function parsedUrl(url: string): URL {
  let target: URL;
  try {
    target = new URL(url);
  } catch (thrown) {
    throw new OutboundError('bad_url', `not a URL: ${url}`, { cause: thrown });
  }
  if (target.protocol !== 'http:' && target.protocol !== 'https:')
    throw new OutboundError('bad_url', `${target.protocol} is not spoken here; use http or https`);
  return target;
}

/** A literal address is never looked up, so it is judged here; the URL parser has already undone octal and decimal spellings. */
function refuseLiteral({ hostname }: URL, trust: Trust, judge: Judge): void {
  const literal = hostname.replace(/^\[|\]$/g, '');
  const judgement = isIP(literal) === 0 ? undefined : judge(literal, trust);
  if (judgement?.allowed === false) throw new OutboundError('refused_address', judgement.reason);
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
async function loadClient(guarded: Guarded): Promise<Client> {
  const undici = await import('undici');
  const agents = new Map<string, Dispatcher>();
  return {
    request: undici.request,
    dispatcher(trust, transport) {
      const key = trust === 'trusted' ? JSON.stringify([transport?.tls ?? {}, transport?.proxy]) : trust;
      const agent = agents.get(key) ?? agentFor(undici, { trust, transport, guarded });
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

type Way = { readonly trust: Trust; readonly transport: Transport | undefined; readonly guarded: Guarded };

function agentFor({ Agent, ProxyAgent }: Undici, { trust, transport, guarded }: Way): Dispatcher {
  const limits = {
    keepAliveTimeout: KEEP_ALIVE_MS,
    // The timer around the whole exchange decides; undici's own would only be a second, hidden limit.
    headersTimeout: 0,
    bodyTimeout: 0,
    allowH2: false,
  };
  const lookup = judgedLookup(trust, guarded);
  if (trust !== 'trusted') return new Agent({ ...limits, connect: { lookup, allowH2: false } });
  const { tls = {}, proxy } = transport ?? {};
  if (proxy === undefined) return new Agent({ ...limits, connect: { ...tls, lookup, allowH2: false } });
  const { url: uri, headers } = proxy;
  return new ProxyAgent({ ...limits, uri, headers, requestTls: tls, proxyTls: { lookup }, proxyTunnel: false });
}

/** For libraries that resolve by themselves: they get judged addresses only. */
const judgedLookup =
  (trust: Trust, guarded: Guarded): LookupFunction =>
  (hostname, options, callback) => {
    const told = callbackify(() => judgedAddresses(hostname, trust, guarded));
    told((fault, judged) => {
      if (fault !== null) return callback(fault, []);
      const found = judged.map((address) => ({ address, family: isIP(address) }));
      if (options.all === true) return callback(null, found);
      const [first] = found;
      callback(first === undefined ? new Error(`${hostname} has no address`) : null, first?.address ?? '', first?.family ?? 4);
    });
  };

/** One refused address refuses the name: a name that points both ways is how a guard is walked around. */
async function judgedAddresses(host: string, trust: Trust, { judge, lookup }: Guarded): Promise<readonly JudgedAddress[]> {
  const found = isIP(host) === 0 ? await lookup(host) : [{ address: host }];
  return found.map(({ address }) => {
    const judgement = judge(address, trust, host);
    if (!judgement.allowed) throw new OutboundError('refused_address', `${host}: ${judgement.reason}`);
    return judgement.address;
  });
}

async function connectFirst(addresses: readonly JudgedAddress[], port: number, signal: AbortSignal): Promise<Socket> {
  let failure: unknown = new Error('the name has no address');
  for (const address of addresses) {
    const socket = openSocket({ address, port });
    // Errors after the attempt ended have nobody left to tell.
    socket.on('error', () => {});
    try {
      await once(socket, 'connect', { signal });
      return socket;
    } catch (thrown) {
      socket.destroy();
      if (signal.aborted) throw thrown;
      failure = thrown;
    }
  }
  throw failure;
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
function toOutboundError(thrown: unknown, target: Pick<URL, 'host'>): OutboundError {
  let inner = thrown;
  while (inner instanceof Error && !(inner instanceof OutboundError) && inner.cause instanceof Error) inner = inner.cause;
  if (inner instanceof OutboundError) return inner;
  const first = inner instanceof AggregateError ? inner.errors[0] : inner;
  return new OutboundError('connection', `${target.host}: ${messageOf(first)}`, { cause: thrown });
}
