import { createHash, randomBytes } from 'node:crypto';
import type { Transaction } from 'kysely';
import { createCipher, seal } from '@nines/tsdb/cipher.ts';
import type { SealingKey } from '@nines/tsdb/contract.ts';
import type { AuditRow } from '../platform/db/migrations/0042-audit.ts';
import type { Database } from '../platform/db/schema.ts';
import type { Permission } from '../platform/http/contract.ts';
import type { Sql } from '../platform/records/contract.ts';
import type { Unchained } from './chain.ts';
import { type AuditEntry, type AuditEntryView, type AuditPhase, PERSONAL_KINDS } from './contract.ts';
import { withoutSecrets } from './secrets.ts';
import * as store from './store.ts';

/** Entries as rows and back. What is about people is sealed with a key of each person; drawn in docs/format/audit.md. */

/** Of what was asked, was before and is after, each; a larger one is kept as its digest. */
const MAX_PART_CHARS = 16 * 1024;
const MAX_ID_CHARS = 512;
const PERSON_KEY_BYTES = 32;
const SEALING_NAME = 'audit person';

/** Whom an entry was made by: sealed when it was a person. */
type Who = { readonly name: string; readonly address?: string };
/** What it was about: sealed when that was a person. */
type What = { readonly asked?: unknown; readonly before?: unknown; readonly after?: unknown };
type Detail = Partial<Who> &
  What & {
    readonly role: string;
    readonly needs?: Permission;
    /** Sealed `Who`. */
    readonly who?: string;
    /** Sealed `What`, and whom it is about. */
    readonly what?: string;
    readonly subject?: string;
  };

export async function rowOf(trx: Transaction<Database>, entry: AuditEntry, nowMs: number): Promise<Unchained> {
  const { actor, object } = entry;
  const who: Who = { name: actor.name, ...(entry.address !== undefined && { address: entry.address }) };
  const subject = subjectOf(entry);
  const what = whatOf(entry, subject);
  const detail: Detail = {
    role: actor.role,
    ...(entry.needs !== undefined && { needs: entry.needs }),
    ...(actor.kind === 'user' ? { who: await sealed(trx, actor.id, who) } : who),
    ...(subject === undefined || Object.keys(what).length === 0 ? what : { subject, what: await sealed(trx, subject, what) }),
  };
  return {
    at_ms: nowMs,
    actor_kind: actor.kind,
    actor_id: plain(actor.id),
    action: plain(entry.action),
    object_kind: plain(object.kind),
    object_id: object.id === null ? null : plain(object.id),
    phase: entry.phase,
    about_seq: entry.aboutSeq ?? null,
    status: entry.status ?? null,
    request_id: entry.requestId ?? null,
    detail: JSON.stringify(detail),
  };
}

function subjectOf({ actor, object, subject }: AuditEntry): string | undefined {
  if (subject !== undefined) return subject;
  if (PERSONAL_KINDS.has(object.kind)) return object.id ?? undefined;
  return object.kind === 'sessions' && actor.kind === 'user' ? actor.id : undefined;
}

/** Of a person who has no id yet only the names of the fields are kept: the entry with the outcome has the rest, sealed. */
function whatOf({ object, asked, before, after }: AuditEntry, subject: string | undefined): What {
  const isNameless = subject === undefined && PERSONAL_KINDS.has(object.kind);
  return {
    ...(asked !== undefined && { asked: isNameless ? fieldsOf(asked) : partOf(asked) }),
    ...(before !== undefined && !isNameless && { before: partOf(before) }),
    ...(after !== undefined && !isNameless && { after: partOf(after) }),
  };
}

function fieldsOf(asked: unknown): unknown {
  const { body } = (asked ?? {}) as { readonly body?: unknown };
  return { fields: typeof body === 'object' && body !== null ? Object.keys(body) : [] };
}

/** Text that every database takes and that stays on its line. */
const plain = (text: string): string =>
  text
    .toWellFormed()
    .replace(/\p{Cc}/gu, '\ufffd')
    .slice(0, MAX_ID_CHARS)
    .toWellFormed();

function partOf(value: unknown): unknown {
  const shown = withoutSecrets(value);
  const text = JSON.stringify(shown) ?? 'null';
  if (text.length <= MAX_PART_CHARS) return shown;
  return { omitted: true, chars: text.length, sha256: createHash('sha256').update(text).digest('hex') };
}

const sealingOf = (key: string): SealingKey => createCipher(new Uint8Array(Buffer.from(key, 'base64url'))).key(SEALING_NAME);
const boundTo = (personId: string): Uint8Array => new TextEncoder().encode(personId);
const freshKey = (): string => randomBytes(PERSON_KEY_BYTES).toString('base64url');

async function sealed(trx: Transaction<Database>, personId: string, value: unknown): Promise<string> {
  // Of somebody who was erased: under a key that nobody keeps.
  const key = (await store.keyOfPerson(trx, personId, freshKey())) ?? freshKey();
  return Buffer.from(seal(sealingOf(key), new TextEncoder().encode(JSON.stringify(value)), boundTo(personId))).toString('base64url');
}

/** Entries as they are shown, with what is sealed opened where its person is still known. */
export async function viewsOf(sql: Sql, rows: readonly AuditRow[]): Promise<readonly AuditEntryView[]> {
  const read = rows.map((row) => ({ row, detail: detailOf(row.detail) }));
  const people = new Set(
    read.flatMap(({ row, detail }) => [...(detail.who === undefined ? [] : [row.actor_id]), detail.subject ?? []].flat()),
  );
  const keys = await store.keysOfPeople(sql, [...people]);
  return read.map(({ row, detail }) => viewOf(row, detail, keys));
}

/** Of an entry that somebody edited there may be nothing to read; it is shown all the same. */
function detailOf(text: string): Detail {
  try {
    return JSON.parse(text) as Detail;
  } catch {
    return { role: '', asked: text };
  }
}

function opened<T>(text: string, personId: string, keys: ReadonlyMap<string, string>): T | undefined {
  const key = keys.get(personId);
  const bytes = key === undefined ? undefined : sealingOf(key).open(Buffer.from(text, 'base64url'), boundTo(personId));
  return bytes === undefined ? undefined : (JSON.parse(new TextDecoder().decode(bytes)) as T);
}

function viewOf(row: AuditRow, detail: Detail, keys: ReadonlyMap<string, string>): AuditEntryView {
  const who = detail.who === undefined ? detail : opened<Who>(detail.who, row.actor_id, keys);
  const what = detail.what === undefined ? detail : opened<What>(detail.what, detail.subject ?? '', keys);
  return {
    seq: row.seq,
    at_ms: row.at_ms,
    actor: { kind: row.actor_kind, id: row.actor_id, name: who?.name ?? '', role: detail.role },
    action: row.action,
    object: { kind: row.object_kind, id: row.object_id },
    phase: row.phase as AuditPhase,
    about_seq: row.about_seq,
    status: row.status,
    request_id: row.request_id,
    address: who?.address ?? null,
    needs: detail.needs ?? null,
    asked: what?.asked ?? null,
    before: what?.before ?? null,
    after: what?.after ?? null,
    erased: who === undefined || what === undefined,
    digest: row.digest,
  };
}
