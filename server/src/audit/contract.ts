/**
 * The audit log: who did what to which object, from where, and what it was before and after, in a chain that shows any edit.
 * Invariants: an entry is never changed; a change whose entry cannot be written does not happen; no secret stands in an entry.
 * Must never decide whether something is allowed. Drawn in docs/format/audit.md.
 */
import type { Transaction } from 'kysely';
import { z } from 'zod';
import type { Database } from '../platform/db/schema.ts';
import type { Actor, Permission } from '../platform/http/contract.ts';

export const AUDIT_PHASES = ['asked', 'answered', 'done', 'read'] as const;
export type AuditPhase = (typeof AUDIT_PHASES)[number];

export const AUDIT_CODES = {
  unavailable: 'audit_unavailable',
  keyMissing: 'audit_key_missing',
  /** Another instance chains with a key that this one does not have. */
  keyForeign: 'audit_key_foreign',
  notFound: 'audit_entry_not_found',
} as const;

/** The action of the entry after which the chain goes on with another key; its object is that key. */
export const KEY_ROTATED = 'audit.key_rotated';

/** Requests that were refused: by sign-in, and of known actors for want of a permission or a turn. */
export const SIGN_IN_REFUSED = 'sign_in.refused';
export const REFUSED = 'request.refused';

/** What there is to say about something; secrets in `asked`, `before` and `after` are replaced before anything is kept. */
export type AuditEntry = {
  readonly actor: Pick<Actor, 'kind' | 'id' | 'name' | 'role'>;
  /** `POST /api/silences/:id`, `session.started`. */
  readonly action: string;
  readonly object: { readonly kind: string; readonly id: string | null };
  readonly phase: AuditPhase;
  /** Of `answered`: the number of the entry that it ends. */
  readonly aboutSeq?: number;
  readonly status?: number;
  readonly requestId?: string;
  readonly address?: string;
  /** The permission that it needed. */
  readonly needs?: Permission;
  /**
   * The person whom `asked`, `before` and `after` are about: they become unreadable when that person is erased. Without it a
   * person is known by the kind and id of the object (`PERSONAL_KINDS`).
   */
  readonly subject?: string;
  readonly asked?: unknown;
  readonly before?: unknown;
  readonly after?: unknown;
};

/** Kinds of objects that are people; of their entries what was asked, was before and is after is sealed. */
export const PERSONAL_KINDS: ReadonlySet<string> = new Set(['users', 'people', 'oncall/people']);

/**
 * Destroys what makes a person readable in the audit log, in the transaction that removes them: their entries keep their opaque
 * id, and the chain stays whole. What is written about them later can be read by nobody either. Cannot be undone.
 */
export type ErasePerson = (trx: Transaction<Database>, by: AuditEntry['actor'], personId: string) => Promise<void>;

/** Writes an entry in the transaction of the change that it tells of, and returns its number. */
export type RecordAudit = (trx: Transaction<Database>, entry: AuditEntry) => Promise<number>;

export const auditEntryView = z.object({
  seq: z.int(),
  at_ms: z.int(),
  /** `name` is empty when the person was erased. */
  actor: z.object({ kind: z.string(), id: z.string(), name: z.string(), role: z.string() }),
  action: z.string(),
  object: z.object({ kind: z.string(), id: z.string().nullable() }),
  phase: z.enum(AUDIT_PHASES),
  about_seq: z.int().nullable(),
  status: z.int().nullable(),
  request_id: z.string().nullable(),
  address: z.string().nullable(),
  needs: z.string().nullable(),
  asked: z.unknown(),
  before: z.unknown(),
  after: z.unknown(),
  /** Something of this entry was about a person who was erased, and can be read by nobody any more. */
  erased: z.boolean(),
  digest: z.string(),
});
export type AuditEntryView = z.infer<typeof auditEntryView>;

export const AUDIT_PROBLEMS = ['missing', 'edited', 'moved', 'reordered', 'inserted', 'wrong_anchor', 'ends_edited'] as const;

/** The first thing that is wrong. `seq` is null when it is no entry. */
export const auditFault = z.object({ seq: z.int().nullable(), problem: z.enum(AUDIT_PROBLEMS), detail: z.string() });
export type AuditFault = z.infer<typeof auditFault>;

export const auditVerdict = z.object({
  whole: z.boolean(),
  /** Entries that were examined, and the numbers of the first and the last that are kept; 0 when there is none. */
  entries: z.int(),
  from_seq: z.int(),
  to_seq: z.int(),
  /** Anchors that name an entry that is kept. */
  anchors: z.int(),
  fault: auditFault.nullable(),
});
export type AuditVerdict = z.infer<typeof auditVerdict>;
