/**
 * People who sign in: the first administrator's one-time link, names and passwords. Invariants: no password is stored in a form
 * that could be used; an unknown name and a wrong password look the same and cost the same; a changed password ends every
 * session; the link works once and for an hour.
 * Must never put a credential into a URL's path or query, a log line or an answer.
 */
import type { Transaction } from 'kysely';
import { z } from 'zod';
import type { Database } from '../platform/db/schema.ts';
import type { NewSession, Place } from '../sessions/contract.ts';

export const MIN_PASSWORD_CHARS = 8;
/** Argon2 takes any length; the limit bounds the work a stranger can ask for. */
export const MAX_PASSWORD_CHARS = 256;

const name = z.string().trim().min(1, 'a name is needed').max(100, 'a name has at most 100 characters');
const password = z.string().max(MAX_PASSWORD_CHARS, `a password has at most ${MAX_PASSWORD_CHARS} characters`);

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
} as const;

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
