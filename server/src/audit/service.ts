import type { Clock } from '@nines/base/clock.ts';
import { AppError, messageOf } from '@nines/base/errors.ts';
import type { Logger } from '@nines/base/logger.ts';
import { DAY_MS } from '@nines/base/units.ts';
import type { Transaction } from 'kysely';
import type { Permits } from '../access/contract.ts';
import type { Db } from '../platform/db/open.ts';
import type { Database } from '../platform/db/schema.ts';
import type { AuditKeys } from '../platform/signing/audit-key.ts';
import { addAnchor, readAnchors } from './anchors.ts';
import { type Ends, anchored, chained, macOfEnds, verifyChain } from './chain.ts';
import {
  AUDIT_CODES,
  type AuditEntry,
  type AuditEntryView,
  type AuditVerdict,
  type ErasePerson,
  KEY_ROTATED,
  type RecordAudit,
} from './contract.ts';
import { Refusals } from './refusals.ts';
import { rowOf, viewsOf } from './entry.ts';
import type { KeyBook } from './keys.ts';
import * as store from './store.ts';

export type AuditDeps = {
  readonly db: Pick<Db, 'kysely'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly logger: Logger;
  readonly dataDir: string;
  readonly keys: KeyBook;
  readonly keptMs: number;
};

/** Who starts and prunes. */
export const SYSTEM: AuditEntry['actor'] = { kind: 'system', id: 'nines', name: 'Nines', role: 'administrator' };
/** Whoever may send the process a signal. */
export const SIGNAL: AuditEntry['actor'] = { kind: 'system', id: 'signal', name: 'SIGHUP', role: 'administrator' };
const ADMINISTRATOR = 'administrator';
const NAMELESS_CHARS = 16;
/** Actors that a filter offers. */
const MAX_ACTORS = 200;

/** Writes entries at the end of the chain. `AppError` `audit_unavailable` when that fails, which undoes the change as well. */
export const createRecorder =
  ({ keys, clock }: Pick<AuditDeps, 'keys' | 'clock'>): RecordAudit =>
  async (trx, entry) => {
    try {
      const { seq, digest: prev, start_seq, start_prev, key_id } = await store.takeNext(trx);
      const key = keys.get(key_id);
      const row = chained(key, await rowOf(trx, entry, clock.now()), { seq, prev });
      await store.insertEntry(trx, row);
      // After the entry that says so, the chain goes on with the next key.
      const next = entry.action === KEY_ROTATED ? keys.get(entry.object.id) : key;
      await saveEnds(trx, next.id, keys, { start_seq, start_prev, seq, digest: row.digest });
      return seq;
    } catch (thrown) {
      throw unavailable(thrown);
    }
  };

async function saveEnds(trx: Transaction<Database>, keyId: string, keys: KeyBook, at: Omit<Ends, 'key_id'>): Promise<void> {
  const ends: Ends = { ...at, key_id: keyId };
  await store.saveEnds(trx, { ...ends, mac: macOfEnds(keys.get(keyId), ends) });
}

/** Erases people from the log; the command line may do so as well. */
export const createEraser =
  (record: RecordAudit, clock: Pick<Clock, 'now'>): ErasePerson =>
  async (trx, by, personId) => {
    await store.erasePerson(trx, personId, clock.now());
    await record(trx, { actor: by, action: 'person.erased', object: { kind: 'people', id: personId }, phase: 'done' });
  };

function unavailable(cause: unknown): AppError {
  const words = 'the audit log cannot be written, so this was not done; try again later';
  return new AppError('unavailable', AUDIT_CODES.unavailable, words, { cause });
}

export class AuditLog {
  readonly #deps: AuditDeps;
  readonly record: RecordAudit;
  #verdict: AuditVerdict | undefined;
  #permitsOf: (role: string) => Permits = () => ({});

  readonly erase: ErasePerson;
  readonly refusals: Refusals;

  constructor(deps: AuditDeps) {
    this.#deps = deps;
    this.record = createRecorder(deps);
    this.erase = createEraser(this.record, deps.clock);
    this.refusals = new Refusals({ ...deps, append: (entry) => this.append(entry) });
  }

  /** Says what roles permit, once they are known; until then nobody but `administrator` administers. */
  knowRoles(permitsOf: (role: string) => Permits): void {
    this.#permitsOf = permitsOf;
  }

  /** Whether the holders of a role may administer anything. */
  administers(role: string): boolean {
    return role === ADMINISTRATOR || Object.values(this.#permitsOf(role)).some((verbs) => verbs.includes('administer'));
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
    const sql = this.#deps.db.kysely;
    return viewsOf(sql, await store.listEntries(sql, filter, page));
  }

  /** Entries after a number, oldest first. */
  async after(seq: number, limit: number): Promise<readonly AuditEntryView[]> {
    const sql = this.#deps.db.kysely;
    return viewsOf(sql, await store.entriesAfter(sql, seq, limit));
  }

  /** The number of the last entry before an instant; 0 when there is none. */
  async seqBefore(atMs: number): Promise<number> {
    const sql = this.#deps.db.kysely;
    const first = await store.firstSince(sql, atMs);
    return first === undefined ? (await store.readEnds(sql)).seq : first - 1;
  }

  /** The same for the same name, and tells it to nobody. */
  nameless(name: string): string {
    return this.#deps.keys.known().all[0]?.digest('account', name).slice(0, NAMELESS_CHARS) ?? '';
  }

  /** Everybody who is in the log, by the names of their newest entries. */
  async actors(): Promise<readonly AuditEntryView['actor'][]> {
    const sql = this.#deps.db.kysely;
    const found = await store.listActors(sql, MAX_ACTORS);
    const views = await viewsOf(
      sql,
      await store.entriesBySeq(
        sql,
        found.map(({ last_seq }) => Number(last_seq)),
      ),
    );
    return views.toSorted((a, b) => b.seq - a.seq).map(({ actor }) => actor);
  }

  /** Every entry that is kept, oldest first. */
  async *all(filter: store.AuditFilter): AsyncGenerator<AuditEntryView & { readonly prev: string }> {
    const { seq } = await store.readEnds(this.#deps.db.kysely);
    const sql = this.#deps.db.kysely;
    for await (const rows of store.pagesUpTo(sql, seq, filter)) {
      const views = await viewsOf(sql, rows);
      for (const [i, view] of views.entries()) yield { ...view, prev: rows[i]?.prev ?? '' };
    }
  }

  /** Examines the whole log while others go on writing it. */
  async verify(): Promise<AuditVerdict> {
    this.#verdict = await verifyAudit({ ...this.#deps, keys: this.#deps.keys.known() });
    if (this.#verdict.fault !== null) this.#deps.logger.error('the audit log is broken', this.#verdict.fault);
    return this.#verdict;
  }

  get keys(): KeyBook {
    return this.#deps.keys;
  }

  /** What the last examination found. */
  get verdict(): AuditVerdict | undefined {
    return this.#verdict;
  }

  /** Writes down the last entry, when there is one that no anchor names. */
  async anchor(): Promise<void> {
    const { keys, clock, db, dataDir, logger } = this.#deps;
    const { seq, digest, key_id } = await store.readEnds(db.kysely);
    if (seq === 0 || readAnchors(dataDir).at(-1)?.seq === seq) return;
    const anchor = anchored(keys.get(key_id), { at_ms: clock.now(), seq, digest });
    await addAnchor(dataDir, anchor);
    logger.info('the audit log was anchored', { seq, digest, mac: anchor.mac });
  }

  /** Removes what is older than retention keeps, save the last entry, and returns how many entries went. */
  async prune(): Promise<number> {
    const { keys, clock, db, keptMs } = this.#deps;
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
      const { seq, digest, key_id } = await store.readEnds(trx);
      await saveEnds(trx, keys.get(key_id).id, keys, { start_seq: first, start_prev: kept.digest, seq, digest });
      return removed;
    });
  }

  /** Goes on with a new key, and returns its id. Entries of before stay genuine by the key that they were made with. */
  async rotateKey(by: AuditEntry['actor']): Promise<string> {
    const next = await this.#deps.keys.add(this.#deps.clock.now());
    await this.append({ actor: by, action: KEY_ROTATED, object: { kind: 'audit', id: next.id }, phase: 'done' });
    await this.#deps.keys.force(next.id);
    return next.id;
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
export async function verifyAudit({
  db,
  dataDir,
  keys,
}: Pick<AuditDeps, 'db' | 'dataDir'> & { readonly keys: AuditKeys }): Promise<AuditVerdict> {
  // Anchors first: one that is made meanwhile would name an entry that was not there yet.
  const anchors = readAnchors(dataDir);
  const ends = await store.readEnds(db.kysely);
  const verdict = await verifyChain(keys, { rows: store.entriesUpTo(db.kysely, ends.seq), ends, anchors });
  if (!verdict.whole) {
    // Retention may have moved the start while we read.
    const now = await store.readEnds(db.kysely);
    return now.start_seq === ends.start_seq ? verdict : verifyAudit({ db, dataDir, keys });
  }
  const beyond = await store.firstAfter(db.kysely, ends.seq);
  const { seq } = await store.readEnds(db.kysely);
  if (beyond === undefined || beyond.seq <= seq) return verdict;
  const detail = `entry ${beyond.seq} stands after the last one that was written, ${seq}`;
  return { ...verdict, whole: false, fault: { seq: beyond.seq, problem: 'inserted', detail } };
}
