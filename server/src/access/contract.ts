/**
 * Who asks, and what they may do. Deny by default: a role has exactly the permissions written here.
 * Must never make a credential: people, sessions and tokens do, and say here whom theirs stand for.
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

/** Whom a credential stands for, and until when. */
export type Known = { readonly actor: Actor; readonly endsAtMs: number };
/** Whoever makes a kind of credential knows whom it stands for; undefined when it is not, or no longer, one. */
export type Knows = { actorOf(secret: string): Promise<Known | undefined> };

export const sessionView = z.object({
  actor: z.object({ id: z.string(), name: z.string(), role: z.enum(ROLES), kind: z.enum(['user', 'token', 'system', 'anonymous']) }),
  permissions: z.array(z.string()),
  /** The server runs with --insecure-no-auth: everyone is an administrator. */
  open: z.boolean(),
});
export type SessionView = z.infer<typeof sessionView>;

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
