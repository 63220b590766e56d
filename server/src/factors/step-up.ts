import type { Clock } from '@nines/base/clock.ts';
import { AppError } from '@nines/base/errors.ts';
import { MINUTE_MS } from '@nines/base/units.ts';
import type { Result } from '@nines/base/result.ts';
import type { FactorKind } from '../people/contract.ts';
import type { Actor, RouteDemands } from '../platform/http/contract.ts';
import type { NewSession, Person, Place, SessionBook } from '../sessions/contract.ts';
import { type Asked, type FactorDeps, about } from './answers.ts';
import { FACTOR_CODES, type ProofBody, type ProofKind, type RequestOptions } from './contract.ts';
import type { PeopleBook } from './people.ts';
import type { Factors } from './service.ts';
import type { RelyingParty } from './webauthn.ts';

export type StepUpDeps = Pick<FactorDeps, 'db' | 'record'> & {
  readonly clock: Pick<Clock, 'now'>;
  readonly factors: Pick<Factors, 'answers' | 'required' | 'isMissing'>;
  readonly people: PeopleBook;
  readonly sessions: SessionBook;
  /** How long a proof suffices, as the configuration says now. */
  readonly maxAgeMs: () => number;
};

/** A clock that was set back does not make a proof last longer. */
export const isFresh = (provedAtMs: number, nowMs: number, maxAgeMs: number): boolean => Math.abs(nowMs - provedAtMs) < maxAgeMs;

/** What people must have shown beyond a session, and how they show it. */
export class StepUp {
  readonly #deps: StepUpDeps;

  constructor(deps: StepUpDeps) {
    this.#deps = deps;
  }

  /**
   * Refuses whoever must set up a factor first, or prove anew who they are, for a route that says so. Programs show tokens, which are
   * scoped; they are exempt. `AppError` `second_factor_needed`, `step_up_needed` with the kinds that would do.
   */
  async demand(actor: Actor, cookie: string | undefined, { stepUp = false, withoutFactor = false }: RouteDemands): Promise<void> {
    if (actor.kind !== 'user') return;
    const { factors, sessions, clock, maxAgeMs } = this.#deps;
    if (!withoutFactor && (await factors.isMissing(actor))) {
      const message = `the role ${actor.role} needs a second factor; set one up under Settings, Account, before anything else`;
      throw new AppError('forbidden', FACTOR_CODES.needed, message);
    }
    if (!stepUp) return;
    const provedAtMs = cookie === undefined ? undefined : await sessions.provedAtMs(cookie);
    if (provedAtMs !== undefined && isFresh(provedAtMs, clock.now(), maxAgeMs())) return;
    const minutes = Math.round(maxAgeMs() / MINUTE_MS);
    const details = { kinds: await this.#kinds(actor.id), max_age_ms: maxAgeMs() };
    throw new AppError('forbidden', FACTOR_CODES.stepUpNeeded, `this needs a proof of who you are that is not older than ${minutes} min`, {
      details,
    });
  }

  isMissing(actor: Actor): Promise<boolean> {
    return this.#deps.factors.isMissing(actor);
  }

  /** What a browser needs to ask a person for their passkey. */
  options(person: Person, party: Result<RelyingParty, string>, place: Place): Promise<RequestOptions> {
    return this.#deps.factors.answers.requestOptions(person.id, asked(party, place));
  }

  /** The session goes on under a new cookie. `AppError` `wrong_credentials`, `factor_refused`, `too_many_tries`, `session_needed`. */
  async prove(
    { person, cookie }: { readonly person: Person; readonly cookie: string },
    proof: ProofBody,
    party: Result<RelyingParty, string>,
    place: Place,
  ): Promise<NewSession> {
    const { db, record, factors, people, sessions } = this.#deps;
    if (proof.kind === 'password') await people.examinePassword(person, proof.password, place);
    else await factors.answers.verify(person, proof, asked(party, place));
    const next = await sessions.prove(cookie);
    if (next === undefined) throw new AppError('unauthenticated', FACTOR_CODES.sessionNeeded, 'the session has ended; sign in again');
    await db.kysely.transaction().execute(async (trx) => {
      await record(trx, { ...about(person, place.address), action: 'session.proved', after: { proof: proof.kind } });
    });
    return next;
  }

  /** None for whom a provider lets in: they sign in again. */
  async #kinds(userId: string): Promise<readonly ProofKind[]> {
    const kinds = await this.#deps.factors.required(userId);
    const password: readonly ProofKind[] = (await this.#deps.people.hasPassword(userId)) ? ['password'] : [];
    return [...password, ...kinds.filter((kind): kind is Exclude<FactorKind, 'recovery_code'> => kind !== 'recovery_code')];
  }
}

const asked = (party: Result<RelyingParty, string>, { address }: Place): Asked => ({ purpose: 'step_up', boundTo: '', party, address });
