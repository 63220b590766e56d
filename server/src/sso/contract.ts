/**
 * Signing in by identity providers: OpenID Connect's authorization code with PKCE. Invariants: a person is issuer and subject,
 * never a name or a mail address; an answer counts once, in the browser that asked, from the provider that was asked; what a
 * provider says about groups decides the role anew at each sign-in; nobody without a role comes in.
 * Must never keep what a provider issues: its tokens are read and forgotten.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Transaction } from 'kysely';
import { z } from 'zod';
import type { Database } from '../platform/db/schema.ts';
import type { Role } from '../platform/http/contract.ts';
import { httpUrl, secret, slug, uniqueIds } from '../platform/config/fields.ts';
import type { Person, Place } from '../sessions/contract.ts';

/** The id of a role; the whole configuration says which there are. */
const role = slug;

const LOOPBACK = /^http:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?(?:\/|$)/;

const provider = z
  .strictObject({
    /** Stands in the address that the provider sends people back to: `BASE_URL/api/sso/ID/callback`. */
    id: slug,
    /** On the button; the id when absent. */
    name: z.string().trim().min(1).max(60).optional(),
    /** Its address, exactly as the provider spells it in its tokens. */
    issuer: httpUrl.refine((url) => url.startsWith('https://') || LOOPBACK.test(url), 'an identity provider is asked over https:// only'),
    client_id: z.string().min(1).max(500),
    client_secret: secret.optional(),
    scopes: z.array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, 'one scope per item')).default(['openid', 'profile', 'email']),
    /** The claim that lists a person's groups, in the ID token or else in the answer about the user. */
    groups_claim: z.string().min(1).max(200).default('groups'),
    /** The role of each group; of several the one that is written first. */
    roles: z.record(z.string().min(1).max(300), role).default({}),
    /** The role of people in none of these groups. Without it they are refused. */
    default_role: role.optional(),
  })
  .refine(({ scopes }) => scopes.includes('openid'), { path: ['scopes'], error: 'OpenID Connect needs the scope openid' });
export type ProviderConfig = z.output<typeof provider>;

const MAX_PROVIDERS = 20;

export const providersConfig = z.array(provider).max(MAX_PROVIDERS).superRefine(uniqueIds('provider')).default([]);

export const providersView = z.object({
  /** Whether name and password are taken here at all. */
  password_login: z.boolean(),
  providers: z.array(z.object({ id: z.string(), name: z.string() })),
});
export type ProvidersView = z.infer<typeof providersView>;

export const identityView = z.object({
  id: z.string(),
  issuer: z.string(),
  name: z.string(),
  created_at_ms: z.int(),
  last_used_at_ms: z.int(),
});
export type IdentityView = z.infer<typeof identityView>;

/** Why nobody was signed in. Each has a sentence on the page that people are sent back to. */
export const SSO_REFUSALS = [
  'sso_unknown_provider',
  'sso_provider_down',
  'sso_expired',
  'sso_other_browser',
  'sso_declined',
  'sso_answer_refused',
  'sso_no_role',
  'sso_disabled',
  'sso_taken',
  'sso_failed',
] as const;
export type SsoRefusal = (typeof SSO_REFUSALS)[number];

export const SSO_CODES = { identityNotFound: 'identity_not_found', lastWayIn: 'last_way_in', personNeeded: 'person_needed' } as const;

/** What a provider says of a person, after every check. */
export type Claims = {
  readonly issuer: string;
  readonly subject: string;
  /** The name to show; the subject when the provider tells none. */
  readonly name: string;
  readonly groups: readonly string[];
};

/** What single sign-on needs of people. */
export interface ProvidedPeople {
  /** Undefined when there is no such person, `disabled` when they may not sign in. */
  find(userId: string): Promise<Person | 'disabled' | undefined>;
  /** Makes a person without a password, in `trx`; a name that is taken gets a number behind it. */
  create(trx: Transaction<Database>, input: { readonly name: string; readonly role: Role }, place: Place): Promise<Person>;
  /** Takes over a role that the provider gives; the answer is the person as they are then. */
  follow(person: Person, role: Role, place: Place): Promise<Person>;
  hasPassword(userId: string): Promise<boolean>;
}

/** Where the browser keeps the secret of a sign-in that is under way. */
export interface AttemptCookie {
  read(request: FastifyRequest): string | undefined;
  set(reply: FastifyReply, value: string): void;
  clear(reply: FastifyReply): void;
}
