import type { Clock } from '@nines/base/clock.ts';
import { AppError } from '@nines/base/errors.ts';
import type { Ids } from '@nines/base/ids.ts';
import { HOUR_MS } from '@nines/base/units.ts';
import { scopeOf } from '../access/contract.ts';
import type { RecordAudit } from '../audit/contract.ts';
import type { UserRow } from '../platform/db/migrations/0002-access.ts';
import type { Db } from '../platform/db/open.ts';
import type { Actor } from '../platform/http/contract.ts';
import { SECRET_BYTES, digestOf } from '../platform/secret-digest.ts';
import type { Throttle } from '../platform/throttle.ts';
import { type NewSession, type Place, type SessionBook, doneBy } from '../sessions/contract.ts';
import { type LoginAnswer, PEOPLE_CODES, type PasswordJudgement, type SecondFactors, keyOf } from './contract.ts';
import type { PasswordRules } from './password-rules.ts';
import { deleteLinkOf } from './link-store.ts';
import type { PersonLinks } from './links.ts';
import { NO_ONES_HASH, hashPassword, isOutdated, verifyPassword } from './password.ts';
import { deletePendingOf } from './pending-store.ts';
import { newUser, personOf } from './person.ts';
import * as store from './store.ts';
import { takeTurn } from './waiting.ts';

const SETUP_LIFE_MS = HOUR_MS;

export type PeopleDeps = {
  readonly db: Db;
  readonly clock: Pick<Clock, 'now'>;
  readonly ids: Ids;
  /** People change together with their entries in the audit log, or not at all. */
  readonly record: RecordAudit;
  readonly sessions: SessionBook;
  readonly rules: PasswordRules;
  readonly links: Pick<PersonLinks, 'use' | 'judge'>;
  readonly factors: Pick<SecondFactors, 'required'>;
  /** Where a sign-in waits for its second factor. */
  readonly pending: { open(userId: string, place: Place): Promise<string> };
  /** Failed tries, which `pending` forgets as well once it signs somebody in. */
  readonly throttle: Throttle;
  /** Whether names and passwords are taken; otherwise identity providers alone let people in. */
  readonly passwordLogin: () => boolean;
};

type Typed = { readonly password: string; readonly name?: string | undefined; readonly token?: string | undefined };

export class People {
  readonly #deps: PeopleDeps;

  constructor(deps: PeopleDeps) {
    this.#deps = deps;
  }

  /** Whether anyone can sign in yet. */
  exist(): Promise<boolean> {
    return store.hasUsers(this.#deps.db.kysely);
  }

  /** Everybody with their role. */
  holders(): Promise<readonly { readonly name: string; readonly role: string }[]> {
    return store.listRoles(this.#deps.db.kysely);
  }

  /** A person as they are now, without their having signed in; undefined when they may not sign in any more. */
  async actorOf(id: string): Promise<Actor | undefined> {
    const user = await store.enabledUserById(this.#deps.db.kysely, id);
    if (user === undefined) return undefined;
    return { kind: 'user', id: user.id, name: user.name, role: user.role, teamId: user.team_id, scope: scopeOf(user) };
  }

  /** A fresh one-time secret while nobody can sign in, otherwise undefined. The last one made is the only one that works. */
  async startSetup(): Promise<string | undefined> {
    const { ids, clock, db } = this.#deps;
    if (await this.exist()) return undefined;
    const secret = ids.secret(SECRET_BYTES);
    const nowMs = clock.now();
    await store.replaceSetupLink(db.kysely, digestOf(secret), nowMs, nowMs + SETUP_LIFE_MS);
    return secret;
  }

  /** Makes the first administrator and signs them in. `AppError` `setup_link_invalid`, `setup_link_used`, `password_refused`. */
  async setup(input: { readonly token: string; readonly name: string; readonly password: string }, place: Place): Promise<NewSession> {
    const { db, clock, ids, record, sessions } = this.#deps;
    this.#deps.rules.require(input.password, { name: input.name });
    const nowMs = clock.now();
    // A look before the costly hash; the transaction below decides.
    const link = await store.judgeSetupLink(db.kysely, digestOf(input.token), nowMs);
    if (link !== 'usable') throw setupRefusal(link);
    const joined = { password_hash: await hashPassword(input.password), created_at_ms: nowMs, joined_at_ms: nowMs };
    const user = newUser({ id: ids.uuid(), name: input.name, role: 'administrator', ...joined });
    await db.kysely.transaction().execute(async (trx) => {
      const use = await store.useSetupLink(trx, digestOf(input.token), nowMs);
      if (use !== 'used_now') throw setupRefusal(use);
      if (await store.hasUsers(trx)) throw setupRefusal('used_before');
      await store.insertUser(trx, user);
      const after = { name: user.name, role: user.role };
      await record(trx, { ...doneBy(user, place), action: 'user.created', object: { kind: 'people', id: user.id }, after });
    });
    return sessions.start(personOf(user), place);
  }

  /** Signs a person in, or says which second factor is still needed. `AppError` `wrong_credentials`, `too_many_tries`. */
  async login({ name, password }: { readonly name: string; readonly password: string }, place: Place): Promise<LoginAnswer> {
    const { db, clock, throttle, passwordLogin } = this.#deps;
    if (!passwordLogin())
      throw new AppError('forbidden', PEOPLE_CODES.passwordLoginOff, 'sign in by your identity provider; access.password_login is off');
    takeTurn(throttle, { account: keyOf(name), address: place.address }, clock.now());
    const user = await store.enabledUserByName(db.kysely, keyOf(name));
    const fits = await verifyPassword(password, user?.password_hash ?? NO_ONES_HASH);
    if (user === undefined || !fits) {
      throw new AppError('unauthenticated', PEOPLE_CODES.wrongCredentials, 'the name or the password is wrong');
    }
    // Whoever was faster has written a hash of today, or another password: they begin again.
    const renewed = isOutdated(user.password_hash) ? await hashPassword(password) : undefined;
    if (renewed !== undefined && (await store.updatePassword(db.kysely, user, renewed)))
      return this.#admit({ ...user, password_hash: renewed }, place);
    return this.#admit(user, place);
  }

  /** The password was right. It clears the failures only when nothing else is to be shown: else it would, between guesses of the factor. */
  async #admit(user: UserRow, place: Place): Promise<LoginAnswer> {
    const { factors, pending, sessions, throttle } = this.#deps;
    const kinds = await factors.required(user.id);
    if (kinds.length > 0) return { kind: 'factor_needed', challenge: await pending.open(user.id, place), kinds };
    throttle.succeeded(user.name_key, place.address);
    return { kind: 'session', ...(await sessions.start(personOf(user), place, user.password_hash)) };
  }

  /** Sets the password of whom a link is for and signs them in. `AppError` `link_invalid`, `password_refused`, `password_login_off`. */
  async join(input: { readonly token: string; readonly password: string }, place: Place): Promise<LoginAnswer> {
    return this.#admit(await this.#deps.links.use(input, place), place);
  }

  /** What is to be said about a password while it is typed, for whom the link is or for the given name. `AppError` `link_invalid`. */
  async judge({ password, name = '', token }: Typed): Promise<PasswordJudgement> {
    const { links, rules } = this.#deps;
    return token === undefined ? rules.judge(password, { name }) : links.judge(token, password);
  }

  /** Changes the password of whoever asks and ends all their sessions; the answer is a new one. */
  async changePassword(actor: Actor, input: { readonly current: string; readonly next: string }, place: Place): Promise<NewSession> {
    const { db, clock, record, sessions, throttle } = this.#deps;
    const user = actor.kind === 'user' ? await store.enabledUserByName(db.kysely, keyOf(actor.name)) : undefined;
    if (user === undefined) {
      throw new AppError('forbidden', PEOPLE_CODES.sessionNeeded, 'only a signed-in person has a password to change');
    }
    const who = { account: user.name_key, address: place.address };
    takeTurn(throttle, who, clock.now());
    if (!(await verifyPassword(input.current, user.password_hash))) {
      throw new AppError('bad_input', PEOPLE_CODES.wrongCredentials, 'the current password is wrong', { field: 'current' });
    }
    throttle.succeeded(who.account, who.address);
    this.#deps.rules.require(input.next, user, 'next');
    const passwordHash = await hashPassword(input.next);
    await db.kysely.transaction().execute(async (trx) => {
      if (!(await store.updatePassword(trx, user, passwordHash))) {
        throw new AppError('conflict', 'revision_conflict', 'the password was changed meanwhile');
      }
      await sessions.endAll(trx, user.id);
      // Whoever had a link to a new password, or half a sign-in, had it for the old one.
      await deleteLinkOf(trx, user.id);
      await deletePendingOf(trx, user.id);
      await record(trx, { ...doneBy(user, place), action: 'password.changed', object: { kind: 'people', id: user.id } });
    });
    sessions.forget();
    return sessions.start(personOf(user), place, passwordHash);
  }
}

function setupRefusal(use: Exclude<store.SetupLinkState, 'usable'>): AppError {
  if (use === 'used_before') return new AppError('conflict', PEOPLE_CODES.setupLinkUsed, 'this link has been used; sign in instead');
  return new AppError(
    'forbidden',
    PEOPLE_CODES.setupLinkInvalid,
    'this link is not valid or has expired; start the server again for a new one',
  );
}
