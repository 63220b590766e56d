/**
 * API tokens: what programs show instead of a password. Invariants: the secret is in the answer that makes it and nowhere else;
 * what is stored opens nothing; a revoked, expired or replaced token opens nothing; a token may do at most what its role may, and
 * whoever made it could. Must never be taken from an address: it goes into the Authorization header.
 */
import { z } from 'zod';
import { AREAS, VERBS, type WrittenPermits, scopeFields } from '../access/contract.ts';
import type { Role } from '../platform/http/contract.ts';
import { parseNetwork } from '../platform/networks.ts';

const role = z.string().min(1, 'a role is needed').max(63);
const MAX_NETWORKS = 50;
/** What can be done with an alert; a token may be limited to some of it. */
export const ALERT_ACTIONS = [
  'acknowledge',
  'unacknowledge',
  'suppress',
  'unsuppress',
  'snooze',
  'unsnooze',
  'resolve',
  'assign',
  'escalate',
  'comment',
] as const;

const verb = z.enum(VERBS);
const narrowing = {
  ...scopeFields,
  /** Of what the role may do only this: `{ "alerts": "operate" }`. */
  permits: z.partialRecord(z.enum(AREAS), z.union([verb, z.array(verb).min(1)])).optional(),
  /** Of all that changes something only these actions on alerts. */
  actions: z.array(z.enum(ALERT_ACTIONS)).min(1, 'name at least one action').optional(),
  /** Networks from which the token is taken: `10.0.0.0/8`. */
  addresses: z
    .array(
      z.string().refine((text) => parseNetwork(text) !== undefined, 'write an address or a network: 192.0.2.7, 10.0.0.0/8, 2001:db8::/32'),
    )
    .min(1, 'name at least one network, or leave the list out')
    .max(MAX_NETWORKS)
    .optional(),
};

/** Without `expires_at_ms` a token lives as long as `access.tokens` lets it: until it is revoked, by default. */
export const tokenBody = z.strictObject({
  name: z.string().trim().min(1, 'a name is needed').max(100, 'a name has at most 100 characters'),
  role,
  ...narrowing,
  expires_at_ms: z.int().positive().nullish(),
});
/** To make another token look into one's own hands: the whole secret. */
export const introspectBody = z.strictObject({ token: z.string().min(1).max(500) });

export const tokenView = z.object({
  id: z.string(),
  name: z.string(),
  role,
  teams: z.array(z.string()),
  scope: z.string(),
  permits: z.record(z.string(), z.array(z.string())).nullable(),
  actions: z.array(z.string()).nullable(),
  addresses: z.array(z.string()).nullable(),
  hint: z.string(),
  created_by: z.string(),
  created_at_ms: z.int(),
  expires_at_ms: z.int().nullable(),
  last_used_at_ms: z.int().nullable(),
  last_used_address: z.string().nullable(),
  /** The secret before the present one still counts until then; null when it does not. */
  previous_until_ms: z.int().nullable(),
});
export type TokenView = z.infer<typeof tokenView>;

/** RFC 7662's answer: `active` and nothing else for whatever is no good token. */
export const introspectionView = z.union([z.object({ active: z.literal(false) }), tokenView.extend({ active: z.literal(true) })]);

export type NewToken = {
  readonly name: string;
  readonly role: Role;
  readonly teams?: readonly string[];
  readonly scope?: string;
  readonly permits?: WrittenPermits | undefined;
  readonly actions?: readonly string[] | undefined;
  readonly addresses?: readonly string[] | undefined;
  readonly expires_at_ms?: number | null | undefined;
};

/** `access.tokens` of the configuration. */
export type TokenLimits = { readonly maxLifeMs: number | undefined };

export const TOKEN_CODES = {
  notFound: 'token_not_found',
  alreadyExpired: 'token_already_expired',
  livesTooLong: 'token_lives_too_long',
  inAddress: 'token_in_address',
  beyondRole: 'beyond_role',
  beyondOwn: 'beyond_own_permits',
} as const;
