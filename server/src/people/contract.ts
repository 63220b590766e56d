/**
 * People who sign in: the first administrator's one-time link, names and passwords. Invariants: no password is stored in a form
 * that could be used; an unknown name and a wrong password look the same and cost the same; a changed password ends every
 * session; the link works once and for an hour.
 * Must never put a credential into a URL's path or query, a log line or an answer.
 */
import { z } from 'zod';

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
} as const;
