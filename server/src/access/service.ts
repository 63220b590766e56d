import type { IncomingHttpHeaders } from 'node:http';
import type { Clock } from '@nines/base/clock.ts';
import { AppError } from '@nines/base/errors.ts';
import { SECOND_MS } from '@nines/base/units.ts';
import type { FastifyRequest } from 'fastify';
import type { Actor, Gate, Permission } from '../platform/http/contract.ts';
import { digestOf } from '../platform/secret-digest.ts';
import { type Known, type Knows, OPEN_ACTOR, PERMISSIONS_OF, type SessionView } from './contract.ts';
import { type Credential, credentialOf, tokenOf } from './credential.ts';

/** Authenticated credentials kept in memory, so that ingest does not ask the database per request. */
const MAX_CACHED = 1_000;
/** A revoked token or ended session works at most this much longer in another process; in this one it ends at once. */
const CACHE_MS = 5 * SECOND_MS;

export type AccessDeps = {
  readonly clock: Pick<Clock, 'now'>;
  readonly sessions: Knows;
  readonly tokens: Knows;
  readonly sessionOf: (request: FastifyRequest) => string | undefined;
  /** --insecure-no-auth */
  readonly open: boolean;
};

export class Access implements Gate {
  readonly #deps: AccessDeps;
  readonly #cache: Remembered;

  constructor(deps: AccessDeps, cache: Remembered) {
    this.#deps = deps;
    this.#cache = cache;
  }

  async authenticate(request: FastifyRequest): Promise<Actor | undefined> {
    const { open, clock, sessions, tokens, sessionOf } = this.#deps;
    if (open) return OPEN_ACTOR;
    const credential = credentialOf(request, sessionOf);
    if (credential === undefined) return undefined;
    const nowMs = clock.now();
    const cached = this.#cache.get(credential, nowMs);
    if (cached !== undefined) return cached;
    const found = await (credential.kind === 'token' ? tokens : sessions).actorOf(credential.secret);
    this.#cache.set(credential, found, nowMs);
    return found?.actor;
  }

  recall(headers: IncomingHttpHeaders): Actor | undefined {
    if (this.#deps.open) return OPEN_ACTOR;
    const secret = tokenOf(headers.authorization);
    return secret === undefined ? undefined : this.#cache.get({ kind: 'token', secret }, this.#deps.clock.now());
  }

  allows(actor: Actor, permission: Permission): boolean {
    return PERMISSIONS_OF[actor.role].includes(permission);
  }

  /** Who asks and what they may do; `AppError` `unauthenticated` says whether the first administrator is still to be made. */
  async session(request: FastifyRequest, exist: () => Promise<boolean>): Promise<SessionView> {
    const actor = await this.authenticate(request);
    if (actor === undefined) {
      throw new AppError('unauthenticated', 'unauthenticated', 'sign in, or send a token: Authorization: Bearer …', {
        details: { setup_needed: !(await exist()) },
      });
    }
    const { id, name, role, kind } = actor;
    return { actor: { id, name, role, kind }, permissions: [...PERMISSIONS_OF[role]], open: this.#deps.open };
  }
}

/** Credentials that were good a moment ago. Whatever ends one calls `clear`. */
export class Remembered {
  readonly #known = new Map<string, Known & { readonly untilMs: number }>();

  get(credential: Credential, nowMs: number): Actor | undefined {
    const cached = this.#known.get(keyOf(credential));
    return cached !== undefined && nowMs < cached.untilMs && nowMs < cached.endsAtMs ? cached.actor : undefined;
  }

  set(credential: Credential, found: Known | undefined, nowMs: number): void {
    const key = keyOf(credential);
    this.#known.delete(key);
    if (found === undefined) return;
    if (this.#known.size >= MAX_CACHED) this.#known.clear();
    this.#known.set(key, { ...found, untilMs: nowMs + CACHE_MS });
  }

  clear(): void {
    this.#known.clear();
  }
}

const keyOf = ({ kind, secret }: Credential): string => `${kind} ${digestOf(secret)}`;
