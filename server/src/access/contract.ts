/**
 * Who asks, and what they may do. Deny by default: a role has exactly the permits written for it.
 * Must never make a credential: people, sessions and tokens do, and say here whom theirs stand for.
 */
import { NOTHING, narrowed, parseScope, scopeOfTeams } from '@nines/model/scope.ts';
import { FULL_SCOPE, type Scope } from '@nines/model/storage.ts';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { DEFAULT_TEAM } from '../platform/records/contract.ts';
import { type Actor, type Permission, type RouteDemands } from '../platform/http/contract.ts';

/** What the product is divided into for permissions; glossary: area. `areas.ts` says which route belongs to which. */
export const AREAS = [
  'own',
  'services',
  'checks',
  'maintenance',
  'slas',
  'reports',
  'alerts',
  'incidents',
  'oncall',
  'notifications',
  'status_pages',
  'metrics',
  'analytics',
  'dashboards',
  'agents',
  'audit',
  'access',
  'system',
] as const;
export type Area = (typeof AREAS)[number];

/** What may be done in an area. `administer` includes `operate`, which includes `read`; `ingest` stands alone. */
export const VERBS = ['read', 'operate', 'administer', 'ingest'] as const satisfies readonly Permission[];
export type Verb = (typeof VERBS)[number];

/** Per area the verbs that are held, all of them written out; what is absent is not allowed. */
export type Permits = Readonly<Partial<Record<Area, readonly Verb[]>>>;
/** As people write them: the highest verb, or several. */
export type WrittenPermits = Readonly<Partial<Record<Area, Verb | readonly Verb[]>>>;

const INCLUDES: Readonly<Record<Verb, readonly Verb[]>> = {
  read: ['read'],
  operate: ['read', 'operate'],
  administer: ['read', 'operate', 'administer'],
  ingest: ['ingest'],
};

export function permitsOf(written: WrittenPermits): Permits {
  const areas = AREAS.flatMap((area) => {
    const held = new Set([written[area] ?? []].flat().flatMap((verb) => INCLUDES[verb]));
    return held.size === 0 ? [] : [[area, VERBS.filter((verb) => held.has(verb))] as const];
  });
  return Object.fromEntries(areas);
}

/** What `asked` has and `held` has not, as `area:verb`. */
export const beyond = (held: Permits, asked: Permits): readonly string[] =>
  AREAS.flatMap((area) => (asked[area] ?? []).filter((verb) => held[area]?.includes(verb) !== true).map((verb) => `${area}:${verb}`));

/** What both permit. */
export const withinPermits = (held: Permits, only: Permits): Permits =>
  Object.fromEntries(
    AREAS.flatMap((area) => {
      const verbs = (held[area] ?? []).filter((verb) => only[area]?.includes(verb) === true);
      return verbs.length === 0 ? [] : [[area, verbs]];
    }),
  );

/** What whoever asks may do: what their role permits, as far as they themselves are not narrowed. */
export function heldBy({ role, permits }: Pick<Actor, 'role' | 'permits'>, ofRole: (role: string) => Permits): Permits {
  return permits === undefined ? ofRole(role) : withinPermits(ofRole(role), permits as Permits);
}

/** A role: what its holders may do, and the page they begin with. */
export type RoleSpec = {
  readonly id: string;
  readonly name: string;
  readonly permits: Permits;
  readonly landing: string;
  /** What its holders see at most, whatever their own scope. */
  readonly scope: Scope;
};

type Column = { readonly id: string; readonly name: string; readonly landing: string; readonly permits: WrittenPermits };

/** The roles that every installation has. docs/access.md shows the same table. */
const SHIPPED: readonly Column[] = [
  {
    id: 'administrator',
    name: 'Administrator',
    landing: '/',
    permits: {
      own: 'read',
      services: 'administer',
      checks: ['administer', 'ingest'],
      maintenance: 'administer',
      slas: 'administer',
      reports: 'administer',
      alerts: ['administer', 'ingest'],
      incidents: 'administer',
      oncall: 'administer',
      notifications: 'administer',
      status_pages: 'administer',
      metrics: ['administer', 'ingest'],
      analytics: 'administer',
      dashboards: 'administer',
      agents: 'administer',
      audit: 'administer',
      access: 'administer',
      system: 'administer',
    },
  },
  {
    id: 'operator',
    name: 'Operator',
    landing: '/',
    permits: {
      own: 'read',
      services: 'operate',
      checks: ['operate', 'ingest'],
      maintenance: 'operate',
      slas: 'operate',
      reports: 'operate',
      alerts: ['operate', 'ingest'],
      incidents: 'operate',
      oncall: 'operate',
      notifications: 'operate',
      status_pages: 'operate',
      metrics: ['operate', 'ingest'],
      analytics: 'operate',
      dashboards: 'operate',
      agents: 'operate',
      system: 'operate',
    },
  },
  {
    id: 'read-only',
    name: 'Read-only',
    landing: '/',
    permits: {
      own: 'read',
      services: 'read',
      checks: 'read',
      maintenance: 'read',
      slas: 'read',
      reports: 'read',
      alerts: 'read',
      incidents: 'read',
      oncall: 'read',
      notifications: 'read',
      status_pages: 'read',
      metrics: 'read',
      analytics: 'read',
      dashboards: 'read',
      agents: 'read',
      system: 'read',
    },
  },
  {
    id: 'executive',
    name: 'Executive',
    landing: '/dashboards/executive',
    permits: {
      own: 'read',
      services: 'read',
      maintenance: 'read',
      slas: 'read',
      reports: 'read',
      alerts: 'read',
      incidents: 'read',
      status_pages: 'read',
      metrics: 'read',
      analytics: 'read',
      dashboards: 'read',
    },
  },
  {
    id: 'technical',
    name: 'Technical',
    landing: '/dashboards/technical',
    permits: {
      own: 'read',
      services: 'operate',
      checks: ['operate', 'ingest'],
      maintenance: 'operate',
      slas: 'read',
      reports: 'read',
      alerts: 'operate',
      incidents: 'operate',
      oncall: 'read',
      notifications: 'read',
      status_pages: 'read',
      metrics: ['operate', 'ingest'],
      analytics: 'operate',
      dashboards: 'operate',
      agents: 'read',
      system: 'read',
    },
  },
  {
    id: 'operations',
    name: 'Operations',
    landing: '/dashboards/operations',
    permits: {
      own: 'read',
      services: 'read',
      checks: 'operate',
      maintenance: 'operate',
      slas: 'read',
      reports: 'read',
      alerts: 'operate',
      incidents: 'operate',
      oncall: 'operate',
      notifications: 'operate',
      status_pages: 'operate',
      metrics: 'read',
      analytics: 'read',
      dashboards: 'operate',
      agents: 'read',
      system: 'read',
    },
  },
  {
    id: 'business',
    name: 'Business',
    landing: '/dashboards/business',
    permits: {
      own: 'read',
      services: 'read',
      maintenance: 'read',
      slas: 'read',
      reports: 'operate',
      incidents: 'read',
      status_pages: 'operate',
      metrics: 'read',
      analytics: 'read',
      dashboards: 'operate',
    },
  },
  { id: 'ingest', name: 'Ingest', landing: '/settings', permits: { checks: 'ingest', alerts: 'ingest', metrics: 'ingest' } },
];

export const SHIPPED_ROLES: readonly RoleSpec[] = SHIPPED.map((role) => ({ ...role, permits: permitsOf(role.permits), scope: FULL_SCOPE }));

/** Whom a credential stands for, and until when. */
export type Known = {
  readonly actor: Actor;
  readonly endsAtMs: number;
  /** Whether it is taken from an address; asked at every request. Absent: from everywhere. */
  readonly from?: (address: string) => boolean;
};
/** Whoever makes a kind of credential knows whom it stands for; undefined when it is not, or no longer, one. */
export type Knows = { actorOf(secret: string, request: Pick<FastifyRequest, 'ip'>): Promise<Known | undefined> };

/** The most teams of one person or token, and the longest list of matchers. */
const MAX_TEAMS = 50;
const MAX_SCOPE_CHARS = 2_000;

/** Fields of whoever can be given less than everything to see: a person, a token. Both empty: everything. */
export const scopeFields = {
  /** Any of them: the values of the label `team`. */
  teams: z.array(z.string().trim().min(1, 'a team has a name').max(100)).max(MAX_TEAMS).default([]),
  /** Matchers in PromQL's form, all of which count, beside the teams: `env=~"prod|stage"`. */
  scope: z
    .string()
    .max(MAX_SCOPE_CHARS)
    .default('')
    .superRefine((text, context) => {
      const parsed = parseScope(text);
      if (!parsed.ok) context.addIssue({ code: 'custom', message: parsed.error });
    }),
};
/** How the two are stored: `teams` as a JSON list of texts. */
export type ScopeColumns = { readonly teams: string; readonly scope: string };

/** What the holder sees; nothing when what is stored cannot be read. */
export function scopeOf({ teams, scope }: ScopeColumns): Scope {
  const parsed = parseScope(scope);
  const names = teamsOf(teams);
  return parsed.ok && names !== undefined ? narrowed(scopeOfTeams(names), parsed.value) : NOTHING;
}

/** Undefined when the column cannot be read. */
export function teamsOf(text: string): readonly string[] | undefined {
  try {
    return z.array(z.string()).parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

const verbs = z.array(z.enum(VERBS));

/** What people must have shown beyond a session. */
export interface Standing {
  /** Throws the `AppError` that says what is to be shown first. `cookie` is of the session that the request came with. */
  demand(actor: Actor, cookie: string | undefined, demands: RouteDemands): Promise<void>;
  /** Whether a person may do nothing but set up a second factor. */
  isMissing(actor: Actor): Promise<boolean>;
}

export const sessionView = z.object({
  actor: z.object({ id: z.string(), name: z.string(), role: z.string(), kind: z.enum(['user', 'token', 'system', 'anonymous']) }),
  /** What is seen, as matchers in PromQL's form; empty for everything. */
  scope: z.string(),
  permits: z.partialRecord(z.enum(AREAS), verbs),
  /** The area of each address of the API, by the beginning of the address; the longest counts. */
  areas: z.record(z.string(), z.enum(AREAS)),
  /** What is not answered to whoever sees a part: addresses that are read, unless the question names one of these fields. */
  closed: z.array(z.object({ path: z.string(), unless: z.array(z.string()) })),
  /** The page to begin with. */
  landing: z.string(),
  /** The server runs with --insecure-no-auth: everyone is an administrator. */
  open: z.boolean(),
  /** The role needs a second factor, and nothing else is answered before there is one. */
  factor_needed: z.boolean(),
});
export type SessionView = z.infer<typeof sessionView>;

/** Everyone, when authentication is off. */
export const OPEN_ACTOR: Actor = {
  kind: 'system',
  id: 'open',
  name: 'everyone (no authentication)',
  role: 'administrator',
  teamId: DEFAULT_TEAM,
  scope: FULL_SCOPE,
};

/** Whoever may write the data directory. */
export const COMMAND_LINE: Actor = {
  kind: 'system',
  id: 'command-line',
  name: 'command line',
  role: 'administrator',
  teamId: DEFAULT_TEAM,
  scope: FULL_SCOPE,
};
