import type { IncomingHttpHeaders } from 'node:http';
import type { Clock } from '@nines/base/clock.ts';
import { AppError } from '@nines/base/errors.ts';
import { SECOND_MS } from '@nines/base/units.ts';
import { formatScope, isFull, narrowed } from '@nines/model/scope.ts';
import { FULL_SCOPE } from '@nines/model/storage.ts';
import type { FastifyRequest } from 'fastify';
import type { Topic } from '../platform/bus.ts';
import type { Actor, Gate, Permission } from '../platform/http/contract.ts';
import { digestOf } from '../platform/secret-digest.ts';
import type { RoleBook } from '../roles/contract.ts';
import { AREA_OF, AREA_OF_TOPIC, areaOfRoute } from './areas.ts';
import { type Area, type Known, type Knows, OPEN_ACTOR, type Permits, type SessionView, type Standing, withinPermits } from './contract.ts';
import { type Credential, credentialOf, tokenOf } from './credential.ts';

/** Authenticated credentials kept in memory, so that ingest does not ask the database per request. */
const MAX_CACHED = 1_000;
/** A revoked token or ended session works at most this much longer in another process; in this one it ends at once. */
const CACHE_MS = 5 * SECOND_MS;

export type AccessDeps = {
  readonly clock: Pick<Clock, 'now'>;
  readonly sessions: Knows;
  readonly roles: RoleBook;
  readonly tokens: Knows;
  readonly sessionOf: (request: FastifyRequest) => string | undefined;
  /** --insecure-no-auth */
  readonly open: boolean;
  /** The page somebody chose to begin with. */
  readonly landingOf?: (personId: string) => Promise<string | null>;
  /** What routes demand of people beyond a session. */
  readonly standing?: Standing;
};

export class Access implements Gate {
  readonly ownArea: Area = 'own';
  readonly #deps: AccessDeps;
  readonly #cache: Remembered;

  constructor(deps: AccessDeps, cache: Remembered) {
    this.#deps = deps;
    this.#cache = cache;
  }

  async authenticate(request: FastifyRequest): Promise<Actor | undefined> {
    const { open, clock, sessions, tokens, roles, sessionOf } = this.#deps;
    if (open) return OPEN_ACTOR;
    const credential = credentialOf(request, sessionOf);
    if (credential === undefined) return undefined;
    const nowMs = clock.now();
    let known = this.#cache.get(credential, nowMs);
    if (known === undefined) {
      const { era } = this.#cache;
      await roles.refresh();
      known = await (credential.kind === 'token' ? tokens : sessions).actorOf(credential.secret, request);
      this.#cache.set(credential, known, { nowMs, era });
    }
    if (known === undefined || known.from?.(request.ip) === false) return undefined;
    return this.#within(known.actor);
  }

  recall(headers: IncomingHttpHeaders): Actor | undefined {
    if (this.#deps.open) return OPEN_ACTOR;
    const secret = tokenOf(headers.authorization);
    const known = secret === undefined ? undefined : this.#cache.get({ kind: 'token', secret }, this.#deps.clock.now());
    // From which address a request comes is not known here.
    return known === undefined || known.from !== undefined ? undefined : this.#within(known.actor);
  }

  /** An actor sees what both their own scope and their role's show. */
  within(actor: Actor): Actor {
    return this.#within(actor);
  }

  #within(actor: Actor): Actor {
    const { scope } = this.#deps.roles.find(actor.role) ?? { scope: FULL_SCOPE };
    return isFull(scope) ? actor : { ...actor, scope: narrowed(actor.scope, scope) };
  }

  allows(actor: Actor, permission: Permission, area?: string): boolean {
    if (permission === 'public') return true;
    return area !== undefined && this.permits(actor)[area as Area]?.includes(permission) === true;
  }

  areaOf(url: string): Area | undefined {
    return areaOfRoute(url);
  }

  hears(actor: Actor, topic: string): boolean {
    return this.allows(actor, 'read', AREA_OF_TOPIC[topic as Topic]);
  }

  /** What `actor` may do: what its role permits now, as far as the actor itself is not narrowed. */
  permits({ kind, role, permits }: Pick<Actor, 'kind' | 'role' | 'permits'>): Permits {
    const given = this.#deps.roles.permitsOf(role);
    // Whoever signs in can see to their own account, whatever their role.
    const held: Permits = kind === 'user' && given.own === undefined ? { ...given, own: ['read'] } : given;
    return permits === undefined ? held : withinPermits(held, permits as Permits);
  }

  async demand(request: FastifyRequest, actor: Actor): Promise<void> {
    const { standing, sessionOf } = this.#deps;
    await standing?.demand(actor, sessionOf(request), request.routeOptions.config);
  }

  /** Who asks and what they may do; `AppError` `unauthenticated` says whether the first administrator is still to be made. */
  async session(
    request: FastifyRequest,
    { exist, closed }: { readonly exist: () => Promise<boolean>; readonly closed: () => SessionView['closed'] },
  ): Promise<SessionView> {
    const actor = await this.authenticate(request);
    if (actor === undefined) {
      throw new AppError('unauthenticated', 'unauthenticated', 'sign in, or send a token: Authorization: Bearer …', {
        details: { setup_needed: !(await exist()) },
      });
    }
    const { id, name, role, kind, scope } = actor;
    const permits = this.permits(actor);
    return {
      actor: { id, name, role, kind },
      scope: formatScope(scope),
      permits: Object.fromEntries(Object.entries(permits).map(([area, verbs]) => [area, [...verbs]])),
      areas: AREA_OF,
      closed: isFull(scope) ? [] : closed(),
      landing: (await this.#deps.landingOf?.(id)) ?? this.#deps.roles.find(role)?.landing ?? '/',
      open: this.#deps.open,
      factor_needed: kind === 'user' && (await this.#deps.standing?.isMissing(actor)) === true,
    };
  }
}

/** Credentials that were good a moment ago. Whatever ends one calls `clear`. */
export class Remembered {
  readonly #known = new Map<string, Known & { readonly untilMs: number }>();
  #era = 0;

  /** Changes whenever something ended: what was read before may not be remembered after. */
  get era(): number {
    return this.#era;
  }

  get(credential: Credential, nowMs: number): Known | undefined {
    const cached = this.#known.get(keyOf(credential));
    return cached !== undefined && nowMs < cached.untilMs && nowMs < cached.endsAtMs ? cached : undefined;
  }

  set(credential: Credential, found: Known | undefined, { nowMs, era }: { readonly nowMs: number; readonly era: number }): void {
    const key = keyOf(credential);
    this.#known.delete(key);
    if (found === undefined || era !== this.#era) return;
    if (this.#known.size >= MAX_CACHED) this.#known.clear();
    this.#known.set(key, { ...found, untilMs: nowMs + CACHE_MS });
  }

  clear(): void {
    this.#era++;
    this.#known.clear();
  }
}

const keyOf = ({ kind, secret }: Credential): string => `${kind} ${digestOf(secret)}`;
