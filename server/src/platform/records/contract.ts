/**
 * The records that every domain shares: entities, events, jobs, documents and the outbox, each pointing at an entity of the
 * catalogue. Domains decide what they mean; this folder keeps them, and must never know a domain.
 * Every function takes the connection to use, so that a caller can put several into one transaction.
 * Events are append-only, outbox rows are written in the transaction of the change that causes them.
 */
import type { Kysely, Transaction } from 'kysely';
import type { Database } from '../db/schema.ts';

/** A connection or a transaction; stores never open transactions of their own unless they say so. */
export type Sql = Kysely<Database> | Transaction<Database>;

/** Until teams are built everything belongs to one. */
export const DEFAULT_TEAM = 'default';

export type OriginKind = 'file' | 'ui';

export type Entity = {
  readonly id: string;
  readonly kind: string;
  readonly slug: string;
  readonly name: string;
  readonly teamId: string;
  readonly origin: OriginKind;
  readonly originPlace: string;
  readonly spec: unknown;
  readonly createdAtMs: number;
  readonly retiredAtMs: number | null;
  readonly revision: number;
};

export type RetentionClass = 'operational' | 'audit' | 'personal';

export type StoredEvent = {
  readonly id: string;
  readonly kind: string;
  readonly dedupKey: string;
  readonly entityId: string | null;
  readonly teamId: string;
  readonly atMs: number;
  readonly recordedAtMs: number;
  readonly retentionClass: RetentionClass;
  readonly data: unknown;
  readonly personal: unknown;
};

export type JobState = 'queued' | 'running' | 'done' | 'failed';

export type Job = {
  readonly id: string;
  readonly kind: string;
  readonly entityId: string | null;
  readonly teamId: string;
  readonly state: JobState;
  readonly runAtMs: number;
  readonly leaseOwner: string | null;
  readonly fence: number;
  readonly leaseUntilMs: number | null;
  readonly tries: number;
  readonly maxTries: number;
  readonly input: unknown;
  /** Names of the steps that are done, with what each left behind. */
  readonly steps: Readonly<Record<string, unknown>>;
  readonly outcome: unknown;
  readonly createdAtMs: number;
  readonly finishedAtMs: number | null;
};

export type StoredDocument = {
  readonly id: string;
  readonly kind: string;
  readonly entityId: string | null;
  readonly teamId: string;
  readonly name: string;
  readonly mediaType: string;
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly author: string;
  readonly createdAtMs: number;
  readonly expiresAtMs: number | null;
};

/** What a handler is given. `tries` counts this attempt. */
export type OutboxMessage = {
  readonly id: string;
  readonly topic: string;
  readonly key: string;
  /** JSON, as it was enqueued. */
  readonly payload: string;
  readonly tries: number;
  readonly createdAtMs: number;
  /** The attempt before this one has no end: its process was killed, or stood still for longer than its lease. What it sent may have arrived. */
  readonly cutOff: boolean;
};

/** What a handler says. `retry` waits by the outbox' own backoff, or `afterMs` when that is longer, an hour at most. */
export type OutboxVerdict =
  | { readonly kind: 'done'; readonly receipt: string }
  | { readonly kind: 'retry'; readonly error: string; readonly afterMs?: number }
  | { readonly kind: 'dead'; readonly error: string };

export type OutboxHandler = (message: OutboxMessage, options: { readonly signal: AbortSignal }) => Promise<OutboxVerdict>;

/** JSON in a text column; what cannot be read is a broken invariant, because only this product writes it. */
export const fromJson = (text: string): unknown => JSON.parse(text) as unknown;
export const toJson = (value: unknown): string => JSON.stringify(value ?? null);

/** What somebody else's server said, as every database keeps it: PostgreSQL refuses the character 0. */
export const keepable = (text: string): string => text.replaceAll('\0', '\ufffd').toWellFormed();
