/**
 * People who sign in: the first administrator's one-time link, names and passwords. Invariants: no password is stored in a form
 * that could be used; an unknown name and a wrong password look the same and cost the same; a changed password ends every
 * session; the link works once and for an hour.
 * Must never put a credential into a URL's path or query, a log line or an answer.
 */
import type { Transaction } from 'kysely';
import { z } from 'zod';
import type { Database } from '../platform/db/schema.ts';
import { scopeFields } from '../access/contract.ts';
import type { Role } from '../platform/http/contract.ts';
import type { NewSession, Place } from '../sessions/contract.ts';

export const MIN_PASSWORD_CHARS = 8;
/** What the pages advise (NIST SP 800-63B-4). */
export const GOOD_PASSWORD_CHARS = 15;
/** Argon2 takes any length; the limit bounds the work a stranger can ask for. */
export const MAX_PASSWORD_CHARS = 256;

/**
 * As passwords are counted, judged and hashed: Unicode's NFKC form, so that the same letters from another keyboard are the same
 * password. Nothing else is changed, and nothing is cut off.
 */
export const normalPassword = (password: string): string => password.normalize('NFKC');

/** A name is found however it is typed. */
export const keyOf = (name: string): string => name.normalize('NFKC').trim().toLowerCase();

const name = z.string().trim().min(1, 'a name is needed').max(100, 'a name has at most 100 characters');
/** Characters, not the units of UTF-16: two of these make one emoji. */
const password = z.string().refine((text) => text.length <= 2 * MAX_PASSWORD_CHARS && Array.from(text).length <= MAX_PASSWORD_CHARS, {
  error: `a password has at most ${MAX_PASSWORD_CHARS} characters`,
});

export const loginBody = z.strictObject({ name, password });
export const setupBody = z.strictObject({ token: z.string().min(1).max(200), name, password });
export const passwordBody = z.strictObject({ current: password, next: password });

export const PEOPLE_CODES = {
  wrongCredentials: 'wrong_credentials',
  tooManyTries: 'too_many_tries',
  setupLinkInvalid: 'setup_link_invalid',
  setupLinkUsed: 'setup_link_used',
  passwordRefused: 'password_refused',
  sessionNeeded: 'session_needed',
  signInAgain: 'sign_in_again',
  passwordLoginOff: 'password_login_off',
  linkInvalid: 'link_invalid',
  linkNotFound: 'link_not_found',
  nameTaken: 'name_taken',
  personNotFound: 'person_not_found',
  personDisabled: 'person_disabled',
  lastAdministrator: 'last_administrator',
  unknownRole: 'unknown_role',
  roleTooWide: 'role_too_wide',
} as const;

/** Whose password it is: `token` is of a one-time link, `name` of whoever has none. */
export const judgeBody = z.strictObject({ password, name: z.string().max(100).optional(), token: z.string().max(200).optional() });
export const passwordJudgement = z.object({
  acceptable: z.boolean(),
  /** Why not, in a sentence. */
  reason: z.string().nullable(),
  /** What would make an acceptable password better. */
  advice: z.string().nullable(),
});
export type PasswordJudgement = z.infer<typeof passwordJudgement>;

/** The id of a role. */
const role = z.string().min(1, 'a role is needed').max(100);
const email = z.email('this is no e-mail address').max(254);

export const PERSON_STATES = ['active', 'invited', 'disabled'] as const;
export type PersonState = (typeof PERSON_STATES)[number];
export const LINK_KINDS = ['invitation', 'reset'] as const;
export type LinkKind = (typeof LINK_KINDS)[number];

/** `send`: by mail, through the first e-mail channel. */
export const newPersonBody = z.strictObject({ name, role, ...scopeFields, email: email.nullish(), send: z.boolean().default(false) });
export type NewPerson = {
  readonly name: string;
  readonly role: Role;
  readonly teams?: readonly string[];
  readonly scope?: string;
  readonly email?: string | null | undefined;
};
/** `revision` is the one that was seen. */
export const personChangeBody = z.strictObject({
  revision: z.int(),
  role: role.optional(),
  teams: scopeFields.teams.unwrap().optional(),
  scope: scopeFields.scope.unwrap().optional(),
  email: email.nullable().optional(),
  disabled: z.boolean().optional(),
});
export type PersonChange = z.infer<typeof personChangeBody>;
/** `factors`: their second factors are forgotten as well. */
export const resetBody = z.strictObject({ send: z.boolean().default(false), factors: z.boolean().default(false) });
export const joinBody = z.strictObject({ token: z.string().min(1).max(200), password });
export const lookBody = z.strictObject({ token: z.string().min(1).max(200) });

export const personView = z.object({
  id: z.string(),
  name: z.string(),
  role: z.string(),
  /** What they see; both empty: everything. */
  teams: z.array(z.string()),
  scope: z.string(),
  email: z.string().nullable(),
  state: z.enum(PERSON_STATES),
  created_at_ms: z.int(),
  joined_at_ms: z.int().nullable(),
  signed_in_at_ms: z.int().nullable(),
  /** An open one-time link. */
  link: z.object({ kind: z.enum(LINK_KINDS), made_by: z.string(), expires_at_ms: z.int() }).nullable(),
  /** How many they are signed in with now. */
  sessions: z.int(),
  /** Cannot be lowered, disabled or removed. */
  last_administrator: z.boolean(),
  revision: z.int(),
});
export type PersonView = z.infer<typeof personView>;

/** Whom a link is for, to whoever holds it. */
export const linkView = z.object({ kind: z.enum(LINK_KINDS), name: z.string(), expires_at_ms: z.int() });
export type LinkView = z.infer<typeof linkView>;

/** A link that was made just now. */
export type IssuedLink = {
  readonly id: string;
  readonly name: string;
  readonly email: string | null;
  readonly kind: LinkKind;
  readonly secret: string;
  readonly expires_at_ms: number;
};

/** Where a link leads. The secret stands behind the `#`, which browsers send nowhere. */
export const joinUrl = (base: string, secret: string): string => `${base.replace(/\/$/, '')}/join#token=${secret}`;

/** `sent` is null when no mail was asked for; `link` is shown once. */
export const issuedView = z.object({
  id: z.string(),
  name: z.string(),
  kind: z.enum(LINK_KINDS),
  link: z.string(),
  expires_at_ms: z.int(),
  sent: z.object({ to: z.string(), ok: z.boolean(), error: z.string().nullable() }).nullable(),
});
export type IssuedView = z.infer<typeof issuedView>;

export const FACTOR_KINDS = ['totp', 'passkey', 'recovery_code'] as const;
export type FactorKind = (typeof FACTOR_KINDS)[number];

/** What a password that was right leads to. */
export type LoginAnswer =
  | ({ readonly kind: 'session' } & NewSession)
  /** Show `challenge` with the factor, from the same browser and address, within five minutes. */
  | { readonly kind: 'factor_needed'; readonly challenge: string; readonly kinds: readonly FactorKind[] };

/** The same on the wire, beside the cookie: `factor_needed` is absent when the person is signed in. */
export const factorNeededView = z.object({
  kind: z.literal('factor_needed'),
  challenge: z.string(),
  kinds: z.array(z.enum(FACTOR_KINDS)),
});

/** What `factors` knows of people's second factors. */
export interface SecondFactors {
  /** The kinds with which a person may finish signing in; empty when the password alone is enough. */
  required(userId: string): Promise<readonly FactorKind[]>;
  /** Removes all factors of a person, together with the change of `trx`. */
  forget(trx: Transaction<Database>, userId: string): Promise<void>;
}

/** Whose sign-in waits for a second factor. */
export type PendingPerson = { readonly userId: string; readonly name: string };

/** Sign-ins whose password was right and whose second factor is still to be shown. */
export interface PendingLogins {
  /** Whose challenge it is, without counting anything: for what has to be asked first (a passkey's challenge). `AppError` `sign_in_again`. */
  look(challenge: string, place: Place): Promise<PendingPerson>;
  /**
   * Counts a try before its outcome is known and says whose it is. `AppError` `sign_in_again` when the challenge is unknown, expired,
   * used up, tried too often or shown from elsewhere, `too_many_tries` while former failures of the person demand a wait.
   */
  trying(challenge: string, place: Place): Promise<PendingPerson>;
  /** Signs in, once, whose factor was right; throws as `trying`. `factor` goes into the audit log. */
  finish(challenge: string, place: Place, factor: FactorKind): Promise<NewSession>;
}
