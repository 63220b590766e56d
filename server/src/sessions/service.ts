import type { Clock } from '@nines/base/clock.ts';
import { AppError } from '@nines/base/errors.ts';
import type { Ids } from '@nines/base/ids.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '@nines/base/units.ts';
import type { Transaction } from 'kysely';
import type { AuditEntry, RecordAudit } from '../audit/contract.ts';
import type { Database } from '../platform/db/schema.ts';
import type { Db } from '../platform/db/open.ts';
import { SECRET_BYTES, digestOf } from '../platform/secret-digest.ts';
import { type Known, type Knows, scopeOf } from '../access/contract.ts';
import { type NewSession, type Person, type Place, SESSION_CODES, type SessionBook, type SessionRowView, doneBy } from './contract.ts';
import * as store from './store.ts';

const SESSION_IDLE_MS = 12 * HOUR_MS;
const SESSION_LIFE_MS = 7 * DAY_MS;
/** Last use is shown to the minute; writing it more often would only cost. */
const TOUCH_EVERY_MS = MINUTE_MS;
/** What is kept of the browser's own name, for the list of sessions. */
const MAX_USER_AGENT_CHARS = 200;
const SHOWN_DIGEST_CHARS = 16;

export type SessionDeps = {
  readonly db: Db;
  readonly clock: Pick<Clock, 'now'>;
  readonly ids: Ids;
  readonly record: RecordAudit;
  /** Sessions have ended: what is remembered of them is to be forgotten. */
  readonly onEnded: () => void;
};

export class Sessions implements SessionBook, Knows {
  readonly #deps: SessionDeps;

  constructor(deps: SessionDeps) {
    this.#deps = deps;
  }

  async start(person: Person, place: Place, passwordHash?: string): Promise<NewSession> {
    const { db, clock, ids, record, onEnded } = this.#deps;
    const cookie = ids.secret(SECRET_BYTES);
    const nowMs = clock.now();
    const session = {
      id_hash: digestOf(cookie),
      user_id: person.id,
      created_at_ms: nowMs,
      last_seen_at_ms: nowMs,
      expires_at_ms: nowMs + SESSION_LIFE_MS,
      user_agent: place.userAgent.slice(0, MAX_USER_AGENT_CHARS),
      address: place.address,
      proved_at_ms: nowMs,
    };
    await db.kysely.transaction().execute(async (trx) => {
      // Before the session: whoever changes the person waits, and then ends it; or was faster, and there is none.
      if (!(await store.signedIn(trx, { id: person.id, passwordHash }, nowMs)))
        throw new AppError('unauthenticated', SESSION_CODES.signInAgain, 'who you are was changed while you signed in; begin again');
      await store.deleteEndedSessions(trx, nowMs, nowMs - SESSION_IDLE_MS);
      await store.insertSession(trx, session);
      const after = { user_agent: session.user_agent, expires_at_ms: session.expires_at_ms };
      if (place.cookie !== undefined) await this.#end(trx, place.cookie, place.address);
      await record(trx, { ...doneBy(person, place), action: 'session.started', object: sessionOf(session.id_hash), after });
    });
    if (place.cookie !== undefined) onEnded();
    return { cookie };
  }

  /** Whom a cookie's value stands for; undefined when it is no live session. */
  async actorOf(cookie: string): Promise<Known | undefined> {
    const { db, clock } = this.#deps;
    const nowMs = clock.now();
    const found = await this.#live(cookie);
    if (found === undefined) return undefined;
    const { session, user } = found;
    if (nowMs - session.last_seen_at_ms > TOUCH_EVERY_MS) await store.touchSession(db.kysely, session.id_hash, nowMs);
    return {
      actor: { kind: 'user', id: user.id, name: user.name, role: user.role, teamId: user.team_id, scope: scopeOf(user) },
      endsAtMs: session.expires_at_ms,
    };
  }

  async provedAtMs(cookie: string): Promise<number | undefined> {
    return (await this.#live(cookie))?.session.proved_at_ms;
  }

  async prove(cookie: string): Promise<NewSession | undefined> {
    const { db, clock, ids, onEnded } = this.#deps;
    const next = ids.secret(SECRET_BYTES);
    if ((await this.#live(cookie)) === undefined) return undefined;
    if (!(await store.rotateSession(db.kysely, digestOf(cookie), digestOf(next), clock.now()))) return undefined;
    onEnded();
    return { cookie: next };
  }

  async #live(cookie: string): Promise<store.FoundSession | undefined> {
    const { db, clock } = this.#deps;
    const nowMs = clock.now();
    const found = await store.findSession(db.kysely, digestOf(cookie));
    if (found === undefined) return undefined;
    const { session } = found;
    if (session.expires_at_ms > nowMs && nowMs - session.last_seen_at_ms <= SESSION_IDLE_MS) return found;
    await store.deleteSession(db.kysely, session.id_hash);
    return undefined;
  }

  async end(cookie: string, address: string): Promise<void> {
    const { db, onEnded } = this.#deps;
    await db.kysely.transaction().execute((trx) => this.#end(trx, cookie, address));
    onEnded();
  }

  async #end(trx: Transaction<Database>, cookie: string, address: string): Promise<void> {
    const idHash = digestOf(cookie);
    const found = await store.findSession(trx, idHash);
    if (found === undefined) return;
    await store.deleteSession(trx, idHash);
    await this.#deps.record(trx, { ...doneBy(found.user, { address }), action: 'session.ended', object: sessionOf(idHash) });
  }

  async endAll(trx: Transaction<Database>, userId: string): Promise<void> {
    await store.deleteSessionsOf(trx, userId);
  }

  async list(userId: string, cookie?: string): Promise<readonly SessionRowView[]> {
    const { db, clock } = this.#deps;
    const nowMs = clock.now();
    const current = cookie === undefined ? undefined : digestOf(cookie);
    const rows = await store.listSessions(db.kysely, { nowMs, idleBeforeMs: nowMs - SESSION_IDLE_MS, userId });
    return rows.map(({ id_hash, address, user_agent, created_at_ms, last_seen_at_ms, expires_at_ms }) => ({
      id: shownId(id_hash),
      address,
      user_agent,
      created_at_ms,
      last_seen_at_ms,
      expires_at_ms,
      current: id_hash === current,
    }));
  }

  async counts(): Promise<ReadonlyMap<string, number>> {
    const { db, clock } = this.#deps;
    const nowMs = clock.now();
    const rows = await store.listSessions(db.kysely, { nowMs, idleBeforeMs: nowMs - SESSION_IDLE_MS });
    const counts = new Map<string, number>();
    for (const { user_id } of rows) counts.set(user_id, (counts.get(user_id) ?? 0) + 1);
    return counts;
  }

  async revoke(by: AuditEntry['actor'], userId: string, id: string): Promise<void> {
    await this.#revokeAll(by, userId, (hash) => shownId(hash) === id, true);
  }

  async revokeOthers(by: AuditEntry['actor'], userId: string, cookie?: string): Promise<number> {
    const kept = cookie === undefined ? undefined : digestOf(cookie);
    return this.#revokeAll(by, userId, (hash) => hash !== kept, false);
  }

  async #revokeAll(by: AuditEntry['actor'], userId: string, meant: (idHash: string) => boolean, needed: boolean): Promise<number> {
    const { db, clock, record, onEnded } = this.#deps;
    const nowMs = clock.now();
    const ended = await db.kysely.transaction().execute(async (trx) => {
      const live = await store.listSessions(trx, { nowMs, idleBeforeMs: nowMs - SESSION_IDLE_MS, userId });
      const hashes = live.map(({ id_hash }) => id_hash).filter(meant);
      if (needed && hashes.length === 0)
        throw new AppError('not_found', SESSION_CODES.notFound, 'there is no such session, or it has ended');
      for (const hash of hashes) {
        await store.deleteSession(trx, hash);
        const before = { user: userId };
        await record(trx, { actor: by, action: 'session.revoked', object: sessionOf(hash), phase: 'done', subject: userId, before });
      }
      return hashes.length;
    });
    onEnded();
    return ended;
  }

  forget(): void {
    this.#deps.onEnded();
  }
}

const shownId = (idHash: string): string => idHash.slice(0, SHOWN_DIGEST_CHARS);

/** Sessions are named by the beginning of their digest, which opens nothing. */
const sessionOf = (idHash: string): AuditEntry['object'] => ({ kind: 'sessions', id: shownId(idHash) });
