import { createHmac } from 'node:crypto';
import type { Clock } from '@nines/base/clock.ts';
import { AppError, messageOf } from '@nines/base/errors.ts';
import type { Ids } from '@nines/base/ids.ts';
import type { Logger } from '@nines/base/logger.ts';
import { MINUTE_MS } from '@nines/base/units.ts';
import type { Transaction } from 'kysely';
import type { AuditEntry, RecordAudit } from '../audit/contract.ts';
import type { IdentityRow, SsoAttemptRow } from '../platform/db/migrations/0052-sso.ts';
import type { Db } from '../platform/db/open.ts';
import type { Outbound } from '../platform/fetch/outbound.ts';
import type { Database } from '../platform/db/schema.ts';
import type { Actor, Role } from '../platform/http/contract.ts';
import { SECRET_BYTES, digestOf } from '../platform/secret-digest.ts';
import { type NewSession, type Person, type Place, type SessionBook, doneBy } from '../sessions/contract.ts';
import { type Claims, type IdentityView, type ProvidedPeople, type ProviderConfig, SSO_CODES, type SsoRefusal } from './contract.ts';
import { admissionOf } from './evaluate.ts';
import { type Expected, type Provider, Providers } from './provider.ts';
import * as store from './store.ts';

/** Time for a person to sign in at the provider, second factor included. */
const ATTEMPT_LIFE_MS = 10 * MINUTE_MS;

export type SsoDeps = {
  readonly db: Db;
  readonly clock: Pick<Clock, 'now'>;
  readonly ids: Ids;
  readonly logger: Logger;
  readonly record: RecordAudit;
  readonly sessions: SessionBook;
  readonly people: ProvidedPeople;
  readonly outbound: Pick<Outbound, 'request'>;
  /** How people reach this server; providers send them back there. */
  readonly baseUrl: string;
};

export type Started = { readonly ok: true; readonly url: string; readonly secret: string } | Refused;
export type Finished = { readonly ok: true; readonly session: NewSession | undefined; readonly next: string } | Refused;
/** `next` is kept when it is known, so that a second try leads to the same place. */
export type Refused = { readonly ok: false; readonly refusal: SsoRefusal; readonly next?: string };

export class SingleSignOn {
  readonly #deps: SsoDeps;
  readonly #providers: Providers;
  #configs: readonly ProviderConfig[] = [];

  constructor(deps: SsoDeps) {
    this.#deps = deps;
    this.#providers = new Providers(deps.outbound);
  }

  /** The providers of the configuration, also after a reload. */
  take(configs: readonly ProviderConfig[]): void {
    this.#configs = configs;
    this.#providers.take(configs);
  }

  list(): readonly { readonly id: string; readonly name: string }[] {
    return this.#configs.map(({ id, name = id }) => ({ id, name }));
  }

  /** Begins a sign-in, or, for a person who is signed in, linking an identity to them. */
  async start(providerId: string, input: { readonly next: string; readonly linkTo?: string }): Promise<Started> {
    const { db, clock, ids, logger } = this.#deps;
    const provider = this.#providers.get(providerId);
    if (provider === undefined) return { ok: false, refusal: 'sso_unknown_provider', next: input.next };
    const secret = ids.secret(SECRET_BYTES);
    let url: string;
    try {
      url = await provider.authorizationUrl(this.#returnTo(providerId), expectedOf(secret));
    } catch (thrown) {
      logger.warn('an identity provider could not be asked', { provider: providerId, error: reasonOf(thrown) });
      return { ok: false, refusal: 'sso_provider_down', next: input.next };
    }
    const nowMs = clock.now();
    const attempt: SsoAttemptRow = {
      secret_hash: digestOf(secret),
      provider: providerId,
      next: input.next,
      link_user_id: input.linkTo ?? null,
      expires_at_ms: nowMs + ATTEMPT_LIFE_MS,
    };
    await store.insertAttempt(db.kysely, attempt, nowMs);
    return { ok: true, url, secret };
  }

  /** Takes a provider's answer. `signedIn` is who the browser's session says it is. */
  async finish(
    providerId: string,
    answer: { readonly query: string; readonly secret: string | undefined; readonly signedIn: Actor | undefined },
    place: Place,
  ): Promise<Finished> {
    const { db, clock } = this.#deps;
    if (answer.secret === undefined) return { ok: false, refusal: 'sso_other_browser' };
    const attempt = await store.takeAttempt(db.kysely, digestOf(answer.secret));
    if (attempt === undefined || attempt.expires_at_ms <= clock.now()) return { ok: false, refusal: 'sso_expired' };
    const { next } = attempt;
    const provider = this.#providers.get(providerId);
    // An answer of one provider at the address of another is how providers are played against each other (RFC 9700, 4.4).
    if (provider === undefined || attempt.provider !== providerId) return { ok: false, refusal: 'sso_answer_refused', next };
    const said = await this.#claims(provider, answer.query, answer.secret);
    if (typeof said === 'string') return { ok: false, refusal: said, next };
    const linking = attempt.link_user_id;
    if (linking === null) return this.#signIn(provider, said, next, place);
    if (answer.signedIn?.kind !== 'user' || answer.signedIn.id !== linking) return { ok: false, refusal: 'sso_other_browser', next };
    const linked = await this.#link(said, answer.signedIn, place);
    return linked === undefined ? { ok: true, session: undefined, next } : { ok: false, refusal: linked, next };
  }

  async identities(userId: string): Promise<readonly IdentityView[]> {
    return (await store.identitiesOf(this.#deps.db.kysely, userId)).map(viewOf);
  }

  /** `AppError` `identity_not_found`; `last_way_in` when the person could not sign in any more. */
  async unlink(actor: Actor, id: string, place: Place): Promise<void> {
    const { db, people, record } = this.#deps;
    const hasPassword = await people.hasPassword(actor.id);
    await db.kysely.transaction().execute(async (trx) => {
      const all = await store.identitiesOf(trx, actor.id);
      const found = all.find((identity) => identity.id === id);
      if (found === undefined) throw new AppError('not_found', SSO_CODES.identityNotFound, 'there is no such identity of yours');
      if (all.length === 1 && !hasPassword)
        throw new AppError(
          'conflict',
          SSO_CODES.lastWayIn,
          'this is your only way to sign in; link another identity or have a password set first',
        );
      await store.deleteIdentity(trx, id);
      await record(trx, { ...doneBy(actor, place), action: 'identity.unlinked', object: objectOf(found), before: viewOf(found) });
    });
  }

  async #claims(provider: Provider, query: string, secret: string): Promise<Claims | SsoRefusal> {
    const { logger } = this.#deps;
    const answer = new URL(this.#returnTo(provider.config.id));
    answer.search = query;
    try {
      return await provider.claims(answer, expectedOf(secret));
    } catch (thrown) {
      const refusal = answer.searchParams.has('error')
        ? 'sso_declined'
        : isUnreachable(thrown)
          ? 'sso_provider_down'
          : 'sso_answer_refused';
      logger.warn('the answer of an identity provider was refused', { provider: provider.config.id, refusal, error: reasonOf(thrown) });
      return refusal;
    }
  }

  async #signIn(provider: Provider, claims: Claims, next: string, place: Place): Promise<Finished> {
    const { db, clock, logger, people, sessions } = this.#deps;
    const about = { provider: provider.config.id, subject: claims.subject };
    const admission = admissionOf(claims, provider.config);
    if (admission.kind === 'no_role') {
      logger.warn('a person without a role was not let in', { ...about, because: admission.because });
      return { ok: false, refusal: 'sso_no_role', next };
    }
    const identity = await store.findIdentity(db.kysely, claims.issuer, claims.subject);
    const known = identity === undefined ? undefined : await people.find(identity.user_id);
    if (known === 'disabled') {
      logger.warn('a disabled person was not let in', about);
      return { ok: false, refusal: 'sso_disabled', next };
    }
    if (identity === undefined || known === undefined) {
      const person = await this.#admit(claims, admission.role, place);
      // Two first sign-ins at the same time: whoever comes second is the person of the first.
      if (person === undefined) return this.#signIn(provider, claims, next, place);
      return { ok: true, session: await sessions.start(person, place), next };
    }
    const person = await people.follow(known, admission.role, place);
    await store.touchIdentity(db.kysely, identity.id, claims.name, clock.now());
    return { ok: true, session: await sessions.start(person, place), next };
  }

  /** A new person with the identity, or neither when somebody has the identity. */
  async #admit(claims: Claims, role: Role, place: Place): Promise<Person | undefined> {
    const { db, people } = this.#deps;
    try {
      return await db.kysely.transaction().execute(async (trx) => {
        const person = await people.create(trx, { name: claims.name, role }, place);
        if (!(await this.#insert(trx, claims, person, place))) throw new IdentityTaken();
        return person;
      });
    } catch (thrown) {
      if (thrown instanceof IdentityTaken) return undefined;
      throw thrown;
    }
  }

  async #link(claims: Claims, actor: Actor, place: Place): Promise<SsoRefusal | undefined> {
    const known = await store.findIdentity(this.#deps.db.kysely, claims.issuer, claims.subject);
    if (known !== undefined) return known.user_id === actor.id ? undefined : 'sso_taken';
    const isLinked = await this.#deps.db.kysely.transaction().execute((trx) => this.#insert(trx, claims, actor, place));
    return isLinked ? undefined : 'sso_taken';
  }

  /** False when somebody has the identity. */
  async #insert(trx: Transaction<Database>, claims: Claims, person: Person, place: Place): Promise<boolean> {
    const { clock, ids, record } = this.#deps;
    const nowMs = clock.now();
    const row: IdentityRow = {
      id: ids.uuid(),
      issuer: claims.issuer,
      subject: claims.subject,
      user_id: person.id,
      name: claims.name,
      created_at_ms: nowMs,
      last_used_at_ms: nowMs,
    };
    if (!(await store.insertIdentity(trx, row))) return false;
    await record(trx, { ...doneBy(person, place), action: 'identity.linked', object: objectOf(row), after: viewOf(row) });
    return true;
  }

  #returnTo(providerId: string): string {
    return `${this.#deps.baseUrl.replace(/\/$/, '')}/api/sso/${providerId}/callback`;
  }
}

class IdentityTaken extends Error {}

/** State, nonce and verifier come from the cookie's secret, so that what the database holds of an attempt is of no use to its reader. */
function expectedOf(secret: string): Expected {
  const derive = (purpose: string): string => createHmac('sha256', secret).update(purpose).digest('base64url');
  return { state: derive('state'), nonce: derive('nonce'), verifier: derive('verifier') };
}

const viewOf = ({ id, issuer, name, created_at_ms, last_used_at_ms }: IdentityRow): IdentityView => ({
  id,
  issuer,
  name,
  created_at_ms,
  last_used_at_ms,
});

const objectOf = ({ id }: IdentityRow): AuditEntry['object'] => ({ kind: 'identities', id });

/** The innermost cause: the library wraps what happened in what it was doing. */
function reasonOf(thrown: unknown): string {
  return causes(thrown).map(messageOf).join(': ');
}

const isUnreachable = (thrown: unknown): boolean =>
  causes(thrown).some((cause) => cause instanceof Error && cause.name === 'OutboundError');

function causes(thrown: unknown): readonly unknown[] {
  const found: unknown[] = [];
  for (let cause = thrown; cause !== undefined && found.length < 5; cause = cause instanceof Error ? cause.cause : undefined)
    found.push(cause);
  return found;
}
