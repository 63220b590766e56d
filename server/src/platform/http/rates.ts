import type { Clock } from '@nines/base/clock.ts';
import { AppError } from '@nines/base/errors.ts';
import { z } from 'zod';
import type { Actor, Permission } from './contract.ts';

/** Kinds of requests that are counted apart, so that a flood of one kind leaves the others alone. */
export const RATE_CLASSES = ['ingest', 'query', 'api', 'login', 'public'] as const;
export type RateClass = (typeof RATE_CLASSES)[number];

export type RateLimit = { readonly per_second: number; readonly burst: number };
type ClassLimits = { readonly per_token: RateLimit | 'none'; readonly per_address: RateLimit | 'none' };
export type RateLimits = Readonly<Record<RateClass, ClassLimits>>;

const rateLimit = z.union(
  [z.literal('none'), z.strictObject({ per_second: z.number().positive().max(1e6), burst: z.int().min(1).max(1e7) })],
  { error: 'write none, or { per_second: 100, burst: 1000 }' },
);
const limitsOf = (perToken: ClassLimits['per_token'], perAddress: ClassLimits['per_address']) =>
  z.strictObject({ per_token: rateLimit.prefault(perToken), per_address: rateLimit.prefault(perAddress) }).prefault({});

/**
 * Bounds that no honest client meets. A token is also a signed-in person, whatever they have open. Addresses: a large Prometheus sends
 * from one (200 shards, a few requests a second each), and two thousand viewers may sit behind one proxy that nobody declared.
 */
export const rateLimitsConfig = z
  .strictObject({
    /** Samples and events coming in. */
    ingest: limitsOf({ per_second: 5_000, burst: 20_000 }, { per_second: 20_000, burst: 50_000 }),
    /** PromQL, analytics, exports: what may take long. */
    query: limitsOf({ per_second: 200, burst: 2_000 }, { per_second: 10_000, burst: 50_000 }),
    /** Everything else that needs a credential. */
    api: limitsOf({ per_second: 200, burst: 2_000 }, { per_second: 10_000, burst: 50_000 }),
    /** Signing in, setting up, and all that strangers send; guesses are slowed much earlier, per account. */
    login: limitsOf('none', { per_second: 20, burst: 1_000 }),
    /** Pages, assets, status pages, health. */
    public: limitsOf('none', { per_second: 2_000, burst: 50_000 }),
  })
  .prefault({});

/** Buckets of one half of the memory; beyond it those that were not used lately are forgotten, as if they were full again. */
const MAX_BUCKETS = 20_000;
/** Nobody is sent away for longer. */
const MAX_WAIT_MS = 60_000;

type Bucket = { tokens: number; atMs: number };

/** Token buckets by key: each holds `burst` requests and gains `per_second`. Forgets the keys that were used least lately. */
export class Buckets {
  readonly #limit: RateLimit;
  #young = new Map<string, Bucket>();
  #old = new Map<string, Bucket>();

  constructor(limit: RateLimit) {
    this.#limit = limit;
  }

  /** Takes one; 0, or after how many milliseconds there will be one. */
  take(key: string, nowMs: number): number {
    const { per_second: rate, burst } = this.#limit;
    const bucket = this.#bucket(key, nowMs);
    bucket.tokens = Math.min(burst, bucket.tokens + (Math.max(0, nowMs - bucket.atMs) * rate) / 1000);
    bucket.atMs = nowMs;
    if (bucket.tokens >= 1) {
      bucket.tokens -= 1;
      return 0;
    }
    return Math.min(MAX_WAIT_MS, Math.max(1, Math.ceil(((1 - bucket.tokens) / rate) * 1000)));
  }

  #bucket(key: string, nowMs: number): Bucket {
    const known = this.#young.get(key);
    if (known !== undefined) return known;
    const bucket = this.#old.get(key) ?? { tokens: this.#limit.burst, atMs: nowMs };
    if (this.#young.size >= MAX_BUCKETS) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, bucket);
    return bucket;
  }
}

export type RateDeps = {
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly limits: RateLimits;
  /** Called for each request that is refused. */
  readonly onLimited: (rateClass: RateClass) => void;
};

/** How many requests an address and a token may send, by class. */
export class Rates {
  readonly #deps: RateDeps;
  readonly #buckets: Readonly<Record<RateClass, { readonly token: Buckets | undefined; readonly address: Buckets | undefined }>>;

  constructor(deps: RateDeps) {
    this.#deps = deps;
    const made = (limit: RateLimit | 'none') => (limit === 'none' ? undefined : new Buckets(limit));
    const of = (name: RateClass) => ({ token: made(deps.limits[name].per_token), address: made(deps.limits[name].per_address) });
    this.#buckets = { ingest: of('ingest'), query: of('query'), api: of('api'), login: of('login'), public: of('public') };
  }

  /** Before anything is known but the address. 0, or how long to wait. */
  waitOfAddress(rateClass: RateClass, group: string): number {
    return this.#buckets[rateClass].address?.take(group, this.#deps.clock.monotonic()) ?? 0;
  }

  /** Once it is known who asks; nobody in particular is limited by address alone. 0, or how long to wait. */
  waitOfActor(rateClass: RateClass, { kind, id }: Actor): number {
    if (kind !== 'user' && kind !== 'token') return 0;
    return this.#buckets[rateClass].token?.take(`${kind} ${id}`, this.#deps.clock.monotonic()) ?? 0;
  }

  /** Counts a refusal and says it. */
  refusal(rateClass: RateClass, waitMs: number): AppError {
    this.#deps.onLimited(rateClass);
    return new AppError('limited', 'rate_limited', `too many requests of the kind "${rateClass}" (server.rate_limits); come back later`, {
      retryAfterMs: waitMs,
    });
  }
}

/** Areas whose requests may take long. */
const QUERY_PATHS =
  /^\/(?:federate|api\/(?:v1\/(?:export|query|query_range|query_exemplars|series|labels?|read|format_query|parse_query)|analytics|export|metrics\/history)(?:\/|$))/;
/** The class of a route, by what it needs and where it lies. */
export function rateClassOf(route: {
  readonly url: string;
  readonly method: string | readonly string[];
  readonly permission: Permission | undefined;
}): RateClass {
  const { url, method, permission } = route;
  const changes = [method].flat().some((one) => one !== 'GET' && one !== 'HEAD');
  if (permission === 'ingest') return 'ingest';
  // What strangers send is a password, an address to mail to, or a secret of a link: work for us, and a guess.
  if (permission === 'public' || permission === undefined) return changes ? 'login' : 'public';
  if (changes && url === '/api/password') return 'login';
  return QUERY_PATHS.test(url) ? 'query' : 'api';
}
