import { AppError } from '@nines/base/errors.ts';
import type { Result } from '@nines/base/result.ts';
import { PEOPLE_CODES, type PendingLogins } from '../people/contract.ts';
import type { NewSession, Person, Place, SessionBook } from '../sessions/contract.ts';
import { type Answers, type Asked, type FactorDeps, about, refused } from './answers.ts';
import type { AssertionBody, FactorAnswer, RequestOptions } from './contract.ts';
import type { PeopleBook } from './people.ts';
import type { RelyingParty } from './webauthn.ts';

export type SignInDeps = Pick<FactorDeps, 'db' | 'record'> & {
  readonly answers: Answers;
  readonly pending: PendingLogins;
  readonly people: PeopleBook;
  readonly sessions: SessionBook;
  /** Whether people sign in here at all, not with identity providers alone. */
  readonly passwordLogin: () => boolean;
};

type Party = Result<RelyingParty, string>;

/** Signing in with a passkey alone, and the second step of signing in with a password. */
export class SignIn {
  readonly #deps: SignInDeps;

  constructor(deps: SignInDeps) {
    this.#deps = deps;
  }

  /** For whoever has a passkey here: nobody has said yet who they are, and nothing is told about anybody. */
  optionsAlone(party: Party, place: Place): Promise<RequestOptions> {
    return this.#deps.answers.requestOptions(null, asked('sign_in', party, place));
  }

  /** `AppError` `factor_refused`. */
  async alone(answer: AssertionBody, party: Party, place: Place): Promise<NewSession> {
    const { answers, people, sessions, db, record, passwordLogin } = this.#deps;
    const person = await people.person(await answers.alone(answer, asked('sign_in', party, place)));
    // Whom only a provider lets in cannot come in past it, where it has shut them out.
    const comesInHere = person !== undefined && passwordLogin() && (await people.hasPassword(person.id));
    if (!comesInHere) throw refused('this passkey is not known here');
    await db.kysely.transaction().execute(async (trx) => {
      await record(trx, { ...about(person, place.address), action: 'factor.shown', after: { factor: 'passkey', alone: true } });
    });
    return sessions.start(person, place);
  }

  /** What a browser needs to ask the person of a sign-in under way for their passkey. */
  async optionsOfPending(challenge: string, party: Party, place: Place): Promise<RequestOptions> {
    const { userId } = await this.#deps.pending.look(challenge, place);
    return this.#deps.answers.requestOptions(userId, asked('second_step', party, place, challenge));
  }

  /** Ends a sign-in under way. `AppError` `factor_refused`, `sign_in_again`, `too_many_tries`. */
  async finish(
    { challenge, factor }: { readonly challenge: string; readonly factor: FactorAnswer },
    party: Party,
    place: Place,
  ): Promise<NewSession & { readonly recoveryCodesLeft: number | undefined }> {
    const { answers, pending } = this.#deps;
    const { userId } = await pending.trying(challenge, place);
    const shown = await answers.verify(await this.#person(userId), factor, asked('second_step', party, place, challenge));
    const { cookie } = await pending.finish(challenge, place, shown.kind);
    return { cookie, recoveryCodesLeft: shown.left };
  }

  async #person(userId: string): Promise<Person> {
    const person = await this.#deps.people.person(userId);
    if (person === undefined) throw new AppError('unauthenticated', PEOPLE_CODES.signInAgain, 'this sign-in is over; begin again');
    return person;
  }
}

const asked = (purpose: Asked['purpose'], party: Party, { address }: Place, boundTo = ''): Asked => ({ purpose, boundTo, party, address });
