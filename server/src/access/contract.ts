/**
 * People, sessions, API tokens and what each may do. Deny by default: a role has exactly the permissions written here.
 * Invariants: no credential is stored in a form that could be used; an unknown name and a wrong password look the same and
 * cost the same; a changed password ends every session; the link for the first administrator works once and for an hour.
 * Must never put a credential into a URL's path or query, a log line or an answer (except once, when it is made).
 */
import { z } from 'zod';
import { DEFAULT_TEAM } from '../platform/records/contract.ts';
import { type Actor, type Permission, ROLES, type Role } from '../platform/http/contract.ts';

export const PERMISSIONS_OF: Readonly<Record<Role, readonly Permission[]>> = {
  administrator: ['public', 'read', 'operate', 'ingest', 'administer'],
  operator: ['public', 'read', 'operate', 'ingest'],
  'read-only': ['public', 'read'],
  executive: ['public', 'read'],
  ingest: ['public', 'ingest'],
};

export const MIN_PASSWORD_CHARS = 8;
/** Argon2 takes any length; the limit bounds the work a stranger can ask for. */
export const MAX_PASSWORD_CHARS = 256;

const name = z.string().trim().min(1, 'a name is needed').max(100, 'a name has at most 100 characters');
const password = z.string().max(MAX_PASSWORD_CHARS, `a password has at most ${MAX_PASSWORD_CHARS} characters`);
const role = z.enum(ROLES);

export const loginBody = z.strictObject({ name, password });
export const setupBody = z.strictObject({ token: z.string().min(1).max(200), name, password });
export const passwordBody = z.strictObject({ current: password, next: password });
/** Without `expires_at_ms` a token lives until it is revoked. */
export const tokenBody = z.strictObject({ name, role, expires_at_ms: z.int().positive().nullish() });

export const sessionView = z.object({
  actor: z.object({ id: z.string(), name: z.string(), role, kind: z.enum(['user', 'token', 'system', 'anonymous']) }),
  permissions: z.array(z.string()),
  /** The server runs with --insecure-no-auth: everyone is an administrator. */
  open: z.boolean(),
});
export type SessionView = z.infer<typeof sessionView>;

export const tokenView = z.object({
  id: z.string(),
  name: z.string(),
  role,
  hint: z.string(),
  created_by: z.string(),
  created_at_ms: z.int(),
  expires_at_ms: z.int().nullable(),
  last_used_at_ms: z.int().nullable(),
});
export type TokenView = z.infer<typeof tokenView>;

export type NewToken = { readonly name: string; readonly role: Role; readonly expires_at_ms?: number | null | undefined };

/** Stable refusals of this folder. */
export const ACCESS_CODES = {
  wrongCredentials: 'wrong_credentials',
  tooManyTries: 'too_many_tries',
  setupLinkInvalid: 'setup_link_invalid',
  setupLinkUsed: 'setup_link_used',
  passwordRefused: 'password_refused',
  tokenNotFound: 'token_not_found',
  sessionNeeded: 'session_needed',
} as const;

/** Everyone, when authentication is off. */
export const OPEN_ACTOR: Actor = {
  kind: 'system',
  id: 'open',
  name: 'everyone (no authentication)',
  role: 'administrator',
  teamId: DEFAULT_TEAM,
};

/** Whoever may write the data directory. */
export const COMMAND_LINE: Actor = {
  kind: 'system',
  id: 'command-line',
  name: 'command line',
  role: 'administrator',
  teamId: DEFAULT_TEAM,
};
