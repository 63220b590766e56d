/**
 * Sessions: that a person is signed in, in one browser, until when. Invariants: the cookie's value is stored as a digest only; a
 * session ends when idle, at its absolute end, on signing out, and with everything that ends all of a person's sessions.
 * Must never decide whether somebody may sign in: `people` does.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Transaction } from 'kysely';
import { z } from 'zod';
import type { AuditEntry } from '../audit/contract.ts';
import type { Database } from '../platform/db/schema.ts';
import type { Role } from '../platform/http/contract.ts';

/** Whom a session is for. */
export type Person = { readonly id: string; readonly name: string; readonly role: Role };

/** Where a person is. `cookie` is of the session that their browser has already: signing in ends it. */
export type Place = { readonly address: string; readonly userAgent: string; readonly cookie?: string | undefined };

/** The beginning of an entry in the audit log about what a person did. */
export const doneBy = (
  { id, name, role }: Person,
  { address }: Pick<Place, 'address'>,
): Pick<AuditEntry, 'actor' | 'address' | 'phase'> => ({
  actor: { kind: 'user', id, name, role },
  address,
  phase: 'done',
});

/** The value of the cookie; nobody sees it again. */
export type NewSession = { readonly cookie: string };

export const sessionRow = z.object({
  /** Names it; opens nothing. */
  id: z.string(),
  address: z.string(),
  user_agent: z.string(),
  created_at_ms: z.int(),
  last_seen_at_ms: z.int(),
  expires_at_ms: z.int(),
  /** The one that asks. */
  current: z.boolean(),
});
export type SessionRowView = z.infer<typeof sessionRow>;

export const SESSION_CODES = { notFound: 'session_not_found', sessionNeeded: 'session_needed', signInAgain: 'sign_in_again' } as const;

/** What those who examine people need of sessions. */
export interface SessionBook {
  /**
   * Signs `person` in, whose right to it the caller has examined; the session of `place.cookie` ends. `passwordHash` is what the password
   * was examined with. `AppError` `sign_in_again` when the person was disabled or removed, or the password changed, meanwhile.
   */
  start(person: Person, place: Place, passwordHash?: string): Promise<NewSession>;
  /** Ends all sessions of a person together with the change of `trx`; call `forget` once it is committed. */
  endAll(trx: Transaction<Database>, userId: string): Promise<void>;
  /** Drops what is remembered of ended sessions. */
  forget(): void;
  /** Signs out. A value that is no session changes nothing. */
  end(cookie: string, address: string): Promise<void>;
  /** The live sessions of a person, the last used first; `cookie` is the one that asks. */
  list(userId: string, cookie?: string): Promise<readonly SessionRowView[]>;
  /** Ends one session of a person. `AppError` `session_not_found`. */
  revoke(by: AuditEntry['actor'], userId: string, id: string): Promise<void>;
  /** Ends all sessions of a person, but not that of `cookie`; how many. */
  revokeOthers(by: AuditEntry['actor'], userId: string, cookie?: string): Promise<number>;
  /** How many live sessions each person has. */
  counts(): Promise<ReadonlyMap<string, number>>;
  /** When the person of a live session last showed a password or a factor in it; undefined when it is none. */
  provedAtMs(cookie: string): Promise<number | undefined>;
  /** The person has shown a password or a factor again: the session goes on under a new cookie. Undefined when it is no live session. */
  prove(cookie: string): Promise<NewSession | undefined>;
}

/** Where a browser keeps its session. */
export interface SessionCookie {
  /** Undefined without one. */
  read(request: FastifyRequest): string | undefined;
  placeOf(request: FastifyRequest): Place;
  set(reply: FastifyReply, value: string): void;
  clear(reply: FastifyReply): void;
}
