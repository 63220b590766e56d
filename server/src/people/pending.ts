import type { Clock } from '@nines/base/clock.ts';
import { AppError } from '@nines/base/errors.ts';
import type { Ids } from '@nines/base/ids.ts';
import { MINUTE_MS } from '@nines/base/units.ts';
import type { RecordAudit } from '../audit/contract.ts';
import type { UserRow } from '../platform/db/migrations/0002-access.ts';
import type { Db } from '../platform/db/open.ts';
import { SECRET_BYTES, digestOf } from '../platform/secret-digest.ts';
import { type Throttle, createThrottle } from '../platform/throttle.ts';
import { type NewSession, type Place, type SessionBook, doneBy } from '../sessions/contract.ts';
import { type FactorKind, PEOPLE_CODES, type PendingLogins, type PendingPerson } from './contract.ts';
import * as store from './pending-store.ts';
import { personOf } from './person.ts';
import { refuseWhileWaiting } from './waiting.ts';

const PENDING_LIFE_MS = 5 * MINUTE_MS;
/** A six-digit code has a million values: one challenge lets so many be tried. */
const MAX_TRIES = 5;
/** Of the throttle's two names: whoever gets here knows the password, so that waiting can be demanded wherever they are. */
const ANYWHERE = 'second factor';

export type PendingDeps = {
  readonly db: Db;
  readonly clock: Pick<Clock, 'now'>;
  readonly ids: Ids;
  readonly record: RecordAudit;
  readonly sessions: SessionBook;
  /** Of passwords: a sign-in counts as good only once it is finished. */
  readonly passwords: Throttle;
};

/** The second step of signing in. */
export class PendingSignIns implements PendingLogins {
  readonly #deps: PendingDeps;
  readonly #throttle = createThrottle();

  constructor(deps: PendingDeps) {
    this.#deps = deps;
  }

  /** The challenge of a person whose password was right. */
  async open(userId: string, place: Place): Promise<string> {
    const { db, clock, ids } = this.#deps;
    const challenge = ids.secret(SECRET_BYTES);
    const nowMs = clock.now();
    const row = { challenge_hash: digestOf(challenge), user_id: userId, place_hash: digestOfPlace(place), tries: 0 };
    await db.kysely.transaction().execute(async (trx) => {
      await store.deleteExpired(trx, nowMs);
      await store.insertPending(trx, { ...row, created_at_ms: nowMs, expires_at_ms: nowMs + PENDING_LIFE_MS });
    });
    return challenge;
  }

  async look(challenge: string, place: Place): Promise<PendingPerson> {
    const { id, name } = await this.#find(challenge, place);
    return { userId: id, name };
  }

  async trying(challenge: string, place: Place): Promise<PendingPerson> {
    const { db, clock } = this.#deps;
    const { id, name } = await this.#find(challenge, place);
    refuseWhileWaiting(this.#throttle, { account: ANYWHERE, address: id }, clock.now());
    if (!(await store.countTry(db.kysely, digestOf(challenge), MAX_TRIES))) throw signInAgain();
    this.#throttle.trying(ANYWHERE, id, clock.now());
    return { userId: id, name };
  }

  async finish(challenge: string, place: Place, factor: FactorKind): Promise<NewSession> {
    const { db, record, sessions, passwords } = this.#deps;
    const user = await this.#find(challenge, place);
    await db.kysely.transaction().execute(async (trx) => {
      if (!(await store.usePending(trx, digestOf(challenge)))) throw signInAgain();
      await record(trx, { ...doneBy(user, place), action: 'factor.shown', object: { kind: 'people', id: user.id }, after: { factor } });
    });
    this.#throttle.succeeded(ANYWHERE, user.id);
    passwords.succeeded(user.name_key, place.address);
    return sessions.start(personOf(user), place, user.password_hash);
  }

  async #find(challenge: string, place: Place): Promise<UserRow> {
    const { db, clock } = this.#deps;
    const found = await store.findPending(db.kysely, digestOf(challenge));
    if (found === undefined || found.pending.expires_at_ms <= clock.now() || found.pending.place_hash !== digestOfPlace(place)) {
      throw signInAgain();
    }
    return found.user;
  }
}

const digestOfPlace = ({ address, userAgent }: Place): string => digestOf(`${address}\u0000${userAgent}`);

const signInAgain = (): AppError =>
  new AppError('unauthenticated', PEOPLE_CODES.signInAgain, 'this sign-in has taken too long or began elsewhere; begin again');
