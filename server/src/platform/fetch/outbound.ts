import { type LookupAddress, lookup } from 'node:dns';
import { isIP } from 'node:net';
import type { Clock } from '@nines/base/clock.ts';
import { messageOf } from '@nines/base/errors.ts';
import type { Agent } from 'undici';
import { type Trust, judgeAddress } from './judge.ts';

export type OutboundOptions = {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'HEAD';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** For the whole exchange, from resolving to the last byte. */
  readonly timeoutMs: number;
  /** The answer's body may have at most this many bytes; 1 MiB by default. */
  readonly maxBytes?: number;
  /** `trusted` by default: the target stands in the configuration file. */
  readonly trust?: Trust;
  readonly signal?: AbortSignal;
};

export type OutboundAnswer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
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
};

export const DEFAULT_MAX_BYTES = 1_048_576;

/** The only way out for HTTP: webhooks, scrapes, discovery. */
export function createOutbound({ clock }: { readonly clock: Clock }): Outbound {
  let client: Promise<Client> | undefined;
  return {
    async request(url, options) {
      const target = parseTarget(url, options.trust ?? 'trusted');
      const ending = new AbortController();
      using _timer = clock.after(options.timeoutMs, () =>
        ending.abort(new OutboundError('timeout', `${target.host}: no answer within ${options.timeoutMs} ms`)),
      );
      const onAbort = (): void => ending.abort(options.signal?.reason);
      options.signal?.throwIfAborted();
      options.signal?.addEventListener('abort', onAbort, { once: true });
      try {
        client ??= loadClient();
        const { request, agents } = await client;
        const answer = await request(target, {
          dispatcher: agents[options.trust ?? 'trusted'],
          method: options.method ?? 'GET',
          headers: options.headers ?? {},
          body: options.body ?? null,
          signal: ending.signal,
        });
        return {
          status: answer.statusCode,
          headers: answer.headers,
          body: await readBody(answer.body, target, options.maxBytes ?? DEFAULT_MAX_BYTES),
        };
      } catch (thrown) {
        if (ending.signal.aborted) throw ending.signal.reason;
        throw toOutboundError(thrown, target);
      } finally {
        options.signal?.removeEventListener('abort', onAbort);
      }
    },
    async [Symbol.asyncDispose]() {
      if (client === undefined) return;
      await Promise.all(Object.values((await client).agents).map((agent) => agent.destroy()));
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

type Undici = typeof import('undici');
type Client = { readonly request: Undici['request']; readonly agents: Readonly<Record<Trust, Agent>> };

/** Loaded with the first request: a server that only measures its own host goes without its megabytes. */
async function loadClient(): Promise<Client> {
  const undici = await import('undici');
  return { request: undici.request, agents: { trusted: agentFor(undici, 'trusted'), untrusted: agentFor(undici, 'untrusted') } };
}

const agentFor = ({ Agent }: Undici, trust: Trust): Agent =>
  new Agent({
    keepAliveTimeout: KEEP_ALIVE_MS,
    // The timer around the whole exchange decides; undici's own would only be a second, hidden limit.
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: {
      lookup: (hostname, options, callback) =>
        lookup(hostname, { ...options, all: true }, (error, addresses) => {
          if (error !== null) return callback(error, []);
          const judged = judgeAll(hostname, addresses, trust);
          if (judged instanceof OutboundError) return callback(judged, []);
          if (options.all === true) return callback(null, judged);
          const first = judged[0];
          callback(first === undefined ? new Error(`${hostname} has no address`) : null, first?.address ?? '', first?.family ?? 4);
        }),
    },
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
