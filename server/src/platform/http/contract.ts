/**
 * What every route says about itself. A route without a permission, or without an area to which it belongs, does not start (the
 * server refuses it), so nothing is open by accident. Roles and scopes map to these in `access`. Routes contain no logic: schema in, service call, answer out.
 * Must never know a domain.
 */
import type { FastifyInstance, FastifyRequest, FastifyTypeProvider, RawServerDefault, RouteOptions } from 'fastify';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyBaseLogger } from 'fastify';
import { FULL_SCOPE, type Scope } from '@nines/model/storage.ts';
import type { z } from 'zod';
import type { RateClass } from './rates.ts';

export const PERMISSIONS = ['public', 'read', 'operate', 'ingest', 'administer'] as const;
export type Permission = (typeof PERMISSIONS)[number];

/** The id of a role; `access` knows what it permits. One that nobody knows permits nothing. */
export type Role = string;

/** Who is asking. `system` is the product itself. */
export type Actor = {
  readonly kind: 'user' | 'token' | 'system' | 'anonymous';
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly teamId: string;
  /** What of all this they may see and change; required so that nobody forgets it. */
  readonly scope: Scope;
  /** Of what the role permits only this, by area. Absent: all of it. */
  readonly permits?: Readonly<Partial<Record<string, readonly Permission[]>>>;
  /** Of everything that changes something only routes of these actions. Absent: all that is permitted. */
  readonly actions?: readonly string[];
};

/** The actor of requests to public routes. It may do nothing else. */
export const NOBODY: Actor = { kind: 'anonymous', id: '', name: '', role: 'ingest', teamId: '', scope: FULL_SCOPE };

/** How the server learns who asks and what they may do; implemented by `access`. */
export interface Gate {
  /** The actor of the request's credential, undefined without a valid one. */
  authenticate(request: FastifyRequest): Promise<Actor | undefined>;
  /** Whether `actor` may use a route of `area` that needs `permission`. */
  allows(actor: Actor, permission: Permission, area?: string): boolean;
  /** The area of a route by its address as registered; a route without one does not start. Absent: routes have no areas. */
  areaOf?(url: string): string | undefined;
  /** The area of what is about whoever asks, which no scope closes. */
  readonly ownArea?: string;
  /** Whether `actor` may hear facts of `topic`. Absent: whoever may read hears all. */
  hears?(actor: Actor, topic: string): boolean;
  /** Refuses who must have shown more than a session for a route that demands it. */
  demand?(request: FastifyRequest, actor: Actor): Promise<void>;
  /** The actor of a token that was authenticated a moment ago, at once; undefined when `authenticate` must tell. Absent: it always must. */
  recall?(headers: IncomingHttpHeaders): Actor | undefined;
}

/** An answer of plain text, complete; without text there is no body. */
export type DirectAnswer = { readonly status: number; readonly text: string; readonly headers?: Readonly<Record<string, string>> };
/** Answers one request to a route whose body it reads itself. */
export type DirectHandler = (request: IncomingMessage) => Promise<DirectAnswer>;

/** Types of `request.params`, `query`, `body` and of the answer come from the zod schemas of the route. */
export interface ZodTypes extends FastifyTypeProvider {
  readonly validator: this['schema'] extends z.ZodType ? z.output<this['schema']> : unknown;
  readonly serializer: this['schema'] extends z.ZodType ? z.input<this['schema']> : unknown;
}

/** The server as `routes.ts` files see it: `export function somethingRoutes(http: Http, deps: …): void`. */
export type Http = FastifyInstance<RawServerDefault, IncomingMessage, ServerResponse, FastifyBaseLogger, ZodTypes>;

/** What a route demands of people beyond a session. Programs with tokens are exempt. */
export type RouteDemands = {
  /** A password or a factor, shown within the last minutes (`access.step_up`): for administration. */
  readonly stepUp?: boolean;
  /** Answers those as well whose role needs a second factor that they do not have yet: what it takes to set one up. */
  readonly withoutFactor?: boolean;
};

/**
 * What a route does for actors who may not see everything: nothing of what is outside their scope may be in its answer, nor be
 * changed by it. A route that does not say refuses them, so that a forgotten one is closed.
 */
export type Scoped =
  /** The handler minds `request.actor.scope`. */
  | 'handler'
  /** Whatever it answers or changes is no team's; in words, why. */
  | { readonly free: string }
  | ScopedThings;

/** Kinds of things that a scope is asked about. */
export type Thing =
  | 'service'
  | 'check'
  | 'sla'
  | 'alert'
  | 'problem'
  | 'incident'
  | 'downtime'
  | 'maintenance'
  | 'status_page'
  | 'schedule'
  | 'statement';

/**
 * A route about things: those that the request names must be inside the scope, those outside are left out of the answer. What belongs
 * to several is seen by those who see all of them.
 */
export type ScopedThings = {
  /** Path parameters, query and body fields by name, and what each names: one id or several. */
  readonly names?: Readonly<Partial<Record<'params' | 'query' | 'body', Readonly<Record<string, Thing>>>>>;
  /** Fields of `names`: without any of them the request would be about everything, and is refused. */
  readonly needs?: readonly string[];
  /** What `id` names at the top of the answer or in its `items`. */
  readonly id?: Thing;
};

/** Whether something may be seen; false for what does not exist. */
export interface Inside {
  thing(scope: Scope, thing: Thing, id: string): Promise<boolean>;
  labels(scope: Scope, labels: Readonly<Record<string, string>>): boolean;
}

/** One open live stream, for what is sent to it besides facts. */
export interface StreamReader {
  /** What whoever opened it calls it. */
  readonly name?: string;
  /** Who reads, as they were examined last. */
  readonly actor: Actor;
  /** Whether it has read what it was sent before. */
  readonly takes: boolean;
  /** Sends whole events; false: it has not read what it was sent before, and nothing was sent. */
  send(events: Buffer): boolean;
}

/** Told of streams. */
export interface StreamFollower {
  /** Its credential was looked at again; what its actor may see can have changed. */
  examined(reader: StreamReader): void;
  /** Nothing can be sent any more. */
  ended(reader: StreamReader): void;
}

export interface StreamReaders {
  /** The stream that this actor opened last by that name. */
  find(actor: Actor, name: string): StreamReader | undefined;
  follow(follower: StreamFollower): void;
}

declare module 'fastify' {
  interface FastifyContextConfig extends RouteDemands {
    permission?: Permission;
    /** Absent on a route that only those may use who see everything. */
    scoped?: Scoped;
    /** What an actor who is limited to some actions must have among them; they may use no route that changes something without one. */
    action?: string;
    /** Errors of this route come in Prometheus' shape, or as Alertmanager's JSON string, instead of problem+json, refusals of access included. */
    errors?: 'problem' | 'prometheus' | 'alertmanager';
    /** The route may be called by pages of other origins (public tracking). */
    crossOrigin?: boolean;
    /** On only with `server.admin_api`; otherwise whoever may call it is told that it is off. */
    adminApi?: boolean;
    /** Whose limit of requests it counts against; by permission and path unless it says. */
    rate?: RateClass;
    /** The body may take as long as it likes as long as it goes on; it is read as it comes. */
    slowBody?: boolean;
    /** Answers POSTs in the usual form before fastify sees them (direct.ts). The route itself answers all others and must say the same. */
    direct?: DirectHandler;
    /** What the audit log keeps of requests: by default `change` for what changes something and needs the permission to operate or administer. */
    audit?: 'change' | 'read' | 'none';
    /** Left out of the OpenAPI document: pages and assets. */
    undocumented?: boolean;
  }
  interface FastifySchema {
    summary?: string;
    description?: string;
    tags?: readonly string[];
  }
  interface FastifyInstance {
    /** All routes, as they were registered. */
    everyRoute(): readonly RouteOptions[];
  }
  interface FastifyRequest {
    /** Set before any handler. `NOBODY` on public routes. */
    actor: Actor;
    /** Whose credential came along, also when the request is refused; absent on public routes and without a valid one. */
    known?: Actor;
    /** How much a large answer handed out, counted as it goes; stands in the audit log. */
    told?: Readonly<Record<string, number>>;
    /** Whether something with these labels is inside the actor's scope; what a service has counts where `service` names one. */
    sees(labels: Readonly<Record<string, string>>): boolean;
  }
}
