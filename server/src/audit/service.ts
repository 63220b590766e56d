import { createHash } from 'node:crypto';
import type { Clock } from '@nines/base/clock.ts';
import { AppError, messageOf } from '@nines/base/errors.ts';
import type { Logger } from '@nines/base/logger.ts';
import { DAY_MS } from '@nines/base/units.ts';
import type { AuditRow } from '../platform/db/migrations/0042-audit.ts';
import type { Db } from '../platform/db/open.ts';
import type { Actor } from '../platform/http/contract.ts';
import type { AuditKey } from '../platform/signing/audit-key.ts';
import { addAnchor, readAnchors } from './anchors.ts';
import { type Ends, type Unchained, anchored, chained, macOfEnds, verifyChain } from './chain.ts';
import { AUDIT_CODES, type AuditEntry, type AuditEntryView, type AuditPhase, type AuditVerdict, type RecordAudit } from './contract.ts';
import { withoutSecrets } from './secrets.ts';
import * as store from './store.ts';

export type AuditDeps = {
  readonly db: Pick<Db, 'kysely'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly logger: Logger;
  readonly dataDir: string;
  readonly key: AuditKey;
  readonly keptMs: number;
};

/** Of what was asked, was before and is after, each; a larger one is kept as its digest. */
const MAX_PART_CHARS = 16 * 1024;
const MAX_ID_CHARS = 512;
/** Who starts and prunes. */
const SYSTEM: AuditEntry['actor'] = { kind: 'system', id: 'nines', name: 'Nines', role: 'administrator' };

/** Writes entries at the end of the chain. `AppError` `audit_unavailable` when that fails, which undoes the change as well. */
export const createRecorder =
  ({ key, clock }: Pick<AuditDeps, 'key' | 'clock'>): RecordAudit =>
  async (trx, entry) => {
    try {
      const { seq, digest: prev, start_seq, start_prev } = await store.takeNext(trx);
      const row = chained(key, rowOf(entry, clock.now()), { seq, prev });
      await store.insertEntry(trx, row);
      const ends: Ends = { start_seq, start_prev, seq, digest: row.digest };
      await store.saveEnds(trx, { ...ends, mac: macOfEnds(key, ends) });
      return seq;
    } catch (thrown) {
      throw unavailable(thrown);
    }
  };

function unavailable(cause: unknown): AppError {
  const words = 'the audit log cannot be written, so this was not done; try again later';
  return new AppError('unavailable', AUDIT_CODES.unavailable, words, { cause });
}

export class AuditLog {
  readonly #deps: AuditDeps;
  readonly record: RecordAudit;
  #verdict: AuditVerdict | undefined;

  constructor(deps: AuditDeps) {
    this.#deps = deps;
    this.record = createRecorder(deps);
  }

  /** Writes an entry by itself. `AppError` `audit_unavailable` when that fails: what it tells of must not happen then. */
  async append(entry: AuditEntry): Promise<number> {
    try {
      return await this.#deps.db.kysely.transaction().execute((trx) => this.record(trx, entry));
    } catch (thrown) {
      const refusal = thrown instanceof AppError ? thrown : unavailable(thrown);
      this.#deps.logger.error('the audit log could not be written', { action: entry.action, error: messageOf(refusal.cause) });
      throw refusal;
    }
  }

  async list(
    filter: store.AuditFilter,
    page: { readonly beforeSeq: number | undefined; readonly limit: number },
  ): Promise<readonly AuditEntryView[]> {
    return (await store.listEntries(this.#deps.db.kysely, filter, page)).map(viewOf);
  }

  /** Every entry that is kept, oldest first. */
  async *all(filter: store.AuditFilter): AsyncGenerator<AuditEntryView & { readonly prev: string }> {
    const { seq } = await store.readEnds(this.#deps.db.kysely);
    for await (const row of store.entriesUpTo(this.#deps.db.kysely, seq, filter)) yield { ...viewOf(row), prev: row.prev };
  }

  /** Examines the whole log while others go on writing it. */
  async verify(): Promise<AuditVerdict> {
    this.#verdict = await verifyAudit(this.#deps);
    if (this.#verdict.fault !== null) this.#deps.logger.error('the audit log is broken', this.#verdict.fault);
    return this.#verdict;
  }

  /** What the last examination found. */
  get verdict(): AuditVerdict | undefined {
    return this.#verdict;
  }

  /** Writes down the last entry, when there is one that no anchor names. */
  async anchor(): Promise<void> {
    const { key, clock, db, dataDir, logger } = this.#deps;
    const { seq, digest } = await store.readEnds(db.kysely);
    if (seq === 0 || readAnchors(dataDir).at(-1)?.seq === seq) return;
    const anchor = anchored(key, { at_ms: clock.now(), seq, digest });
    await addAnchor(dataDir, anchor);
    logger.info('the audit log was anchored', { seq, digest, mac: anchor.mac });
  }

  /** Removes what is older than retention keeps, save the last entry, and returns how many entries went. */
  async prune(): Promise<number> {
    const { key, clock, db, keptMs } = this.#deps;
    return db.kysely.transaction().execute(async (trx) => {
      const before = await store.readEnds(trx);
      const first = (await store.firstSince(trx, clock.now() - keptMs)) ?? before.seq;
      if (first <= before.start_seq) return 0;
      const removed = first - before.start_seq;
      const asked = { removed, before_seq: first };
      await this.record(trx, { actor: SYSTEM, action: 'audit.pruned', object: { kind: 'audit', id: null }, phase: 'done', asked });
      const kept = await store.findEntry(trx, first - 1);
      if (kept === undefined) throw new Error(`the audit log lacks entry ${first - 1}; verify it`);
      await store.deleteBefore(trx, first);
      const { seq, digest } = await store.readEnds(trx);
      const ends: Ends = { start_seq: first, start_prev: kept.digest, seq, digest };
      await store.saveEnds(trx, { ...ends, mac: macOfEnds(key, ends) });
      return removed;
    });
  }

  /** Once a day: examine, then prune and anchor. A log that is broken stays as it is. */
  async step(): Promise<AuditVerdict> {
    const verdict = await this.verify();
    if (!verdict.whole) return verdict;
    await this.prune();
    await this.anchor();
    return verdict;
  }
}

export const AUDIT_STEP_MS = DAY_MS;

/** Also without a server, over a database that one may be writing. */
export async function verifyAudit({ db, dataDir, key }: Pick<AuditDeps, 'db' | 'dataDir' | 'key'>): Promise<AuditVerdict> {
  // Anchors first: one that is made meanwhile would name an entry that was not there yet.
  const anchors = readAnchors(dataDir);
  const ends = await store.readEnds(db.kysely);
  const verdict = await verifyChain(key, { rows: store.entriesUpTo(db.kysely, ends.seq), ends, anchors });
  if (!verdict.whole) {
    // Retention may have moved the start while we read.
    const now = await store.readEnds(db.kysely);
    return now.start_seq === ends.start_seq ? verdict : verifyAudit({ db, dataDir, key });
  }
  const beyond = await store.firstAfter(db.kysely, ends.seq);
  const { seq } = await store.readEnds(db.kysely);
  if (beyond === undefined || beyond.seq <= seq) return verdict;
  const detail = `entry ${beyond.seq} stands after the last one that was written, ${seq}`;
  return { ...verdict, whole: false, fault: { seq: beyond.seq, problem: 'inserted', detail } };
}

type Detail = {
  readonly name: string;
  readonly role: string;
  readonly address?: string;
  readonly asked?: unknown;
  readonly before?: unknown;
  readonly after?: unknown;
};

function rowOf(entry: AuditEntry, nowMs: number): Unchained {
  const { actor, object, address } = entry;
  const detail: Detail = {
    name: actor.name,
    role: actor.role,
    ...(address !== undefined && { address }),
    ...(entry.asked !== undefined && { asked: partOf(entry.asked) }),
    ...(entry.before !== undefined && { before: partOf(entry.before) }),
    ...(entry.after !== undefined && { after: partOf(entry.after) }),
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

/** Of an entry that somebody edited there may be nothing to read; it is shown all the same. */
function detailOf(text: string): Detail {
  try {
    return JSON.parse(text) as Detail;
  } catch {
    return { name: '', role: '', asked: text };
  }
}

function viewOf(row: AuditRow): AuditEntryView {
  const detail = detailOf(row.detail);
  return {
    seq: row.seq,
    at_ms: row.at_ms,
    actor: { kind: row.actor_kind as Actor['kind'], id: row.actor_id, name: detail.name, role: detail.role },
    action: row.action,
    object: { kind: row.object_kind, id: row.object_id },
    phase: row.phase as AuditPhase,
    about_seq: row.about_seq,
    status: row.status,
    request_id: row.request_id,
    address: detail.address ?? null,
    asked: detail.asked ?? null,
    before: detail.before ?? null,
    after: detail.after ?? null,
    digest: row.digest,
  };
}
