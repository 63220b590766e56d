import type { Clock } from '@nines/base/clock.ts';
import { AppError } from '@nines/base/errors.ts';
import type { Ids } from '@nines/base/ids.ts';
import { HOUR_MS } from '@nines/base/units.ts';
import type { Transaction } from 'kysely';
import { COMMAND_LINE } from '../access/contract.ts';
import type { AuditEntry, RecordAudit } from '../audit/contract.ts';
import type { UserRow } from '../platform/db/migrations/0002-access.ts';
import type { PersonLinkRow } from '../platform/db/migrations/0050-people.ts';
import type { Db } from '../platform/db/open.ts';
import type { Database } from '../platform/db/schema.ts';
import { SECRET_BYTES, digestOf } from '../platform/secret-digest.ts';
import { type Place, type SessionBook, doneBy } from '../sessions/contract.ts';
import { type LinkKind, type LinkView, PEOPLE_CODES } from './contract.ts';
import type { PasswordRules } from './password-rules.ts';
import * as store from './link-store.ts';
import { hashPassword } from './password.ts';
import { deletePendingOf } from './pending-store.ts';

/** Long enough for a weekend, short enough that a forgotten mail opens nothing. */
export const LINK_LIFE_MS = 48 * HOUR_MS;

export type LinkDeps = {
  readonly db: Db;
  readonly clock: Pick<Clock, 'now'>;
  readonly ids: Ids;
  readonly record: RecordAudit;
  readonly sessions: SessionBook;
  readonly rules: PasswordRules;
  /** Whether passwords let people in; otherwise only links of the command line do, for when the identity provider is lost. */
  readonly passwordLogin: () => boolean;
};

/** One-time links with which people set their password: invitations and resets. One per person, the last one made. */
export class PersonLinks {
  readonly #deps: LinkDeps;

  constructor(deps: LinkDeps) {
    this.#deps = deps;
  }

  /** `AppError` `password_login_off`. A new link in the place of any former one. The secret is in the answer and nowhere else. */
  async issue(
    trx: Transaction<Database>,
    to: { readonly userId: string; readonly kind: LinkKind; readonly by: AuditEntry['actor'] },
  ): Promise<{ readonly secret: string; readonly expiresAtMs: number }> {
    const { clock, ids } = this.#deps;
    this.#requireWay(to.by.kind);
    const secret = ids.secret(SECRET_BYTES);
    const nowMs = clock.now();
    const expiresAtMs = nowMs + LINK_LIFE_MS;
    const row: PersonLinkRow = {
      user_id: to.userId,
      kind: to.kind,
      secret_hash: digestOf(secret),
      created_by: to.by.name,
      made_by_kind: to.by.kind,
      created_at_ms: nowMs,
      expires_at_ms: expiresAtMs,
    };
    await store.replaceLink(trx, row);
    return { secret, expiresAtMs };
  }

  /** Whom a link is for, without using it up. `AppError` `link_invalid`, the same whatever is wrong with it. */
  async look(secret: string): Promise<LinkView> {
    const { link, user } = await this.#find(secret);
    return { kind: link.kind as LinkKind, name: user.name, expires_at_ms: link.expires_at_ms };
  }

  /** Judges a password that is to be set by a link, for whom the link is. */
  async judge(secret: string, password: string): Promise<ReturnType<PasswordRules['judge']>> {
    const { user } = await this.#find(secret);
    return this.#deps.rules.judge(password, user);
  }

  /** Sets the password, once, and ends all sessions of the person. `AppError` `link_invalid`, `password_refused`. */
  async use(input: { readonly token: string; readonly password: string }, place: Place): Promise<UserRow> {
    const { db, clock, record, sessions, rules } = this.#deps;
    const { link, user } = await this.#find(input.token);
    rules.require(input.password, user);
    const passwordHash = await hashPassword(input.password);
    const nowMs = clock.now();
    await db.kysely.transaction().execute(async (trx) => {
      if (!(await store.useLink(trx, link.secret_hash, nowMs))) throw linkInvalid();
      if (!(await store.setPassword(trx, user.id, passwordHash, nowMs))) throw linkInvalid();
      await sessions.endAll(trx, user.id);
      await deletePendingOf(trx, user.id);
      const action = link.kind === 'invitation' ? 'invitation.accepted' : 'password.reset';
      await record(trx, { ...doneBy(user, place), action, object: { kind: 'people', id: user.id } });
    });
    sessions.forget();
    return { ...user, password_hash: passwordHash };
  }

  async #find(secret: string): Promise<store.FoundLink> {
    const { db, clock } = this.#deps;
    const found = await store.findLink(db.kysely, digestOf(secret), clock.now());
    // Where passwords are off, a link that is none and one that is not enough look the same.
    this.#requireWay(found?.link.made_by_kind);
    if (found === undefined) throw linkInvalid();
    return found;
  }

  #requireWay(madeByKind: string | undefined): void {
    if (this.#deps.passwordLogin() || madeByKind === COMMAND_LINE.kind) return;
    const text = 'people come in by their identity provider here; access.password_login is off';
    throw new AppError('forbidden', PEOPLE_CODES.passwordLoginOff, text);
  }
}

/** The same for links that were used, revoked, have expired or never were. */
const linkInvalid = (): AppError =>
  new AppError(
    'forbidden',
    PEOPLE_CODES.linkInvalid,
    'this link does not work: it was used, has expired or was taken back; ask for a new one',
  );
