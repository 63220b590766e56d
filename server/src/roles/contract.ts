/**
 * Roles beside the shipped ones: declared in the configuration, or made over the API. Invariants: nobody gives more than they have;
 * a role that somebody holds is not removed over the API; a role that is gone permits nothing.
 * Must never decide whether a request is allowed: `access` does, with the permits it finds here.
 */
import { z } from 'zod';
import { AREAS, type Permits, type RoleSpec, SHIPPED_ROLES, VERBS, permitsOf, scopeFields, scopeOf } from '../access/contract.ts';
import { plainText, slug, uniqueIds } from '../platform/config/fields.ts';
import type { Actor } from '../platform/http/contract.ts';
import { landing } from '../platform/http/landing.ts';

const MAX_ROLES = 200;
const SHIPPED_IDS: ReadonlySet<string> = new Set(SHIPPED_ROLES.map(({ id }) => id));

const verb = z.enum(VERBS);
/** `alerts: operate`, `metrics: [read, ingest]`; the higher of read, operate, administer includes the lower. */
export const writtenPermits = z.partialRecord(z.enum(AREAS), z.union([verb, z.array(verb).min(1).max(VERBS.length)]));

export const roleBody = z.strictObject({
  id: slug.refine((id) => !SHIPPED_IDS.has(id), 'is the id of a shipped role'),
  name: plainText.trim().min(1, 'a name is needed').max(100, 'a name has at most 100 characters'),
  /** What is not written is not permitted. */
  permits: writtenPermits,
  landing: landing.default('/'),
  /** Narrows what its holders see. */
  ...scopeFields,
});
export type RoleBody = z.output<typeof roleBody>;

export const rolesConfig = z.array(roleBody).max(MAX_ROLES).superRefine(uniqueIds('role')).default([]);

/** A role of the configuration file with the place that declares it, such as `nines.yml:12`. */
export type DeclaredRole = { readonly spec: RoleBody; readonly place: string };

export const roleView = z.object({
  id: z.string(),
  name: z.string(),
  /** `shipped`, `ui`, or its place in the configuration. */
  origin: z.string(),
  revision: z.int(),
  permits: z.partialRecord(z.enum(AREAS), z.array(verb)),
  landing: z.string(),
  /** Its holders see at most what these show; both empty: everything. */
  teams: z.array(z.string()),
  scope: z.string(),
  holders: z.array(z.object({ kind: z.enum(['user', 'token']), name: z.string() })),
});
export type RoleView = z.infer<typeof roleView>;

export const ROLE_CODES = {
  notFound: 'role_not_found',
  exists: 'role_exists',
  fixed: 'role_owned_elsewhere',
  inUse: 'role_in_use',
  beyondOwn: 'beyond_own_permits',
  tooMany: 'too_many_roles',
} as const;

/** Who holds a role. */
export type Holder = RoleView['holders'][number] & { readonly role: string };

export const roleOf = ({ id, name, landing, permits, teams, scope }: RoleBody): RoleSpec => ({
  id,
  name,
  landing,
  permits: permitsOf(permits),
  scope: scopeOf({ teams: JSON.stringify(teams), scope }),
});

/** What others need of roles. */
export interface RoleBook {
  /** Undefined for a role that is not, or no longer, there: it permits nothing. */
  find(id: string): RoleSpec | undefined;
  permitsOf(id: string): Permits;
  /** Reads again what another process may have changed, when that was not looked at for some seconds. */
  refresh(): Promise<void>;
  /** Refuses when `by` gives the role `id` away and may not: `AppError` `role_not_found`, `beyond_own_permits`. */
  judgeGift(by: Pick<Actor, 'role' | 'permits'>, id: string): void;
}
