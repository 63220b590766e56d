import { AppError } from '@nines/base/errors.ts';
import type { Clock } from '@nines/base/clock.ts';
import type { Ids } from '@nines/base/ids.ts';
import type { Result } from '@nines/base/result.ts';
import { MINUTE_MS } from '@nines/base/units.ts';
import type { RecordAudit } from '../audit/contract.ts';
import type { FactorKind } from '../people/contract.ts';
import type { PasskeyRow } from '../platform/db/migrations/0051-factors.ts';
import type { Db } from '../platform/db/open.ts';
import { SECRET_CODES, type Secrets } from '../platform/secrets/contract.ts';
import { SECRET_BYTES, digestOf } from '../platform/secret-digest.ts';
import { type Person, doneBy } from '../sessions/contract.ts';
import { type AssertionBody, FACTOR_CODES, type FactorAnswer, type RequestOptions } from './contract.ts';
import { recoveryDigest } from './recovery.ts';
import * as store from './store.ts';
import { judgeTotp } from './totp.ts';
import { takeTry } from './tries.ts';
import { type RelyingParty, challengeIn, verifyAssertion } from './webauthn.ts';

/** A person has as long as this to use their authenticator. */
export const CHALLENGE_LIFE_MS = 5 * MINUTE_MS;
/** Challenges that strangers asked for and did not answer yet; beyond it the oldest end. */
const MOST_OF_STRANGERS = 1_000;

export type FactorDeps = {
  readonly db: Db;
  readonly clock: Pick<Clock, 'now'>;
  readonly ids: Ids;
  readonly record: RecordAudit;
  readonly secrets: Secrets;
};

/** What an answer is for. One that was given for something else is refused. */
export type Asked = {
  readonly purpose: 'register' | 'sign_in' | 'second_step' | 'step_up';
  /** What else must be the same when it is answered: the sign-in under way. */
  readonly boundTo: string;
  readonly party: Result<RelyingParty, string>;
  readonly address: string;
};

export type Shown = {
  readonly kind: FactorKind;
  /** Recovery codes that are left, after one was used. */
  readonly left?: number;
};

/** Judges what people show to prove who they are, each thing once. */
export class Answers {
  readonly #deps: FactorDeps;

  constructor(deps: FactorDeps) {
    this.#deps = deps;
  }

  /** A fresh challenge, base64url. */
  async challenge(userId: string | null, { purpose, boundTo }: Asked): Promise<string> {
    const { db, clock, ids } = this.#deps;
    const challenge = ids.secret(SECRET_BYTES);
    const nowMs = clock.now();
    const row = {
      digest: digestOf(challenge),
      purpose,
      user_id: userId,
      bound_to: digestOf(boundTo),
      expires_at_ms: nowMs + CHALLENGE_LIFE_MS,
    };
    await db.kysely.transaction().execute((trx) => store.insertChallenge(trx, row, nowMs, MOST_OF_STRANGERS));
    return challenge;
  }

  /** What a browser needs to ask for a passkey: of `userId`, or of whoever it is. `AppError` `passkeys_unavailable`, `factor_not_found`. */
  async requestOptions(userId: string | null, asked: Asked): Promise<RequestOptions> {
    const party = partyOf(asked);
    const keys = userId === null ? [] : await store.passkeysOf(this.#deps.db.kysely, userId);
    if (userId !== null && keys.length === 0) throw new AppError('not_found', FACTOR_CODES.notFound, 'there is no passkey to ask for');
    return {
      challenge: await this.challenge(userId, asked),
      rpId: party.id,
      timeout: CHALLENGE_LIFE_MS,
      userVerification: userId === null ? 'required' : 'preferred',
      allowCredentials: keys.map(describe),
    };
  }

  /** `AppError` `factor_refused`, `too_many_tries`. */
  async verify(person: Person, answer: FactorAnswer, asked: Asked): Promise<Shown> {
    if (answer.kind === 'passkey') {
      await this.#passkey(answer.answer, person.id, asked);
      return { kind: 'passkey' };
    }
    const { db, clock } = this.#deps;
    await takeTry(db.kysely, person.id, answer.kind, clock.now());
    const shown = answer.kind === 'totp' ? await this.#totp(person, answer.code) : await this.#recoveryCode(person, answer.code, asked);
    await store.clearTries(db.kysely, person.id, answer.kind);
    return shown;
  }

  /** Whose passkey answered, when it has examined who uses it. `AppError` `factor_refused`. */
  alone(answer: AssertionBody, asked: Asked): Promise<string> {
    return this.#passkey(answer, null, asked);
  }

  /** Uses the challenge of an answer up and returns it; undefined when it was for something else, is over or was used. */
  async take(clientDataJSON: string, userId: string | null, { purpose, boundTo }: Asked): Promise<string | undefined> {
    const { db, clock } = this.#deps;
    const challenge = challengeIn(clientDataJSON);
    if (challenge === undefined) return undefined;
    const known = await store.takeChallenge(db.kysely, digestOf(challenge));
    const fits =
      known !== undefined &&
      known.purpose === purpose &&
      known.user_id === userId &&
      known.bound_to === digestOf(boundTo) &&
      known.expires_at_ms > clock.now();
    return fits ? challenge : undefined;
  }

  async #totp(person: Person, code: string): Promise<Shown> {
    const { db, clock, secrets } = this.#deps;
    const row = await store.confirmedTotp(db.kysely, person.id);
    if (row === undefined) throw refused('the code is wrong, too old or was used before');
    const verdict = judgeTotp(openTotp(secrets, row), code, clock.now(), row.last_step);
    const isFirst = verdict.kind === 'fits' && (await store.useTotpStep(db.kysely, row.id, verdict.step, clock.now()));
    if (!isFirst) throw refused('the code is wrong, too old or was used before');
    return { kind: 'totp' };
  }

  async #recoveryCode(person: Person, code: string, { address }: Asked): Promise<Shown> {
    const { db, clock, record } = this.#deps;
    const left = await db.kysely.transaction().execute(async (trx) => {
      const isFirst = await store.useRecoveryCode(trx, person.id, recoveryDigest(person.id, code), clock.now());
      if (!isFirst) throw refused('the recovery code is wrong or was used before');
      const unused = (await store.recoveryCodes(trx, person.id)).filter(({ used_at_ms }) => used_at_ms === null).length;
      await record(trx, { ...about(person, address), action: 'recovery_code.used', after: { left: unused } });
      return unused;
    });
    return { kind: 'recovery_code', left };
  }

  /** `userId` null: whoever it is, so that the authenticator must have examined them. Returns whose it is. */
  async #passkey({ id, response }: AssertionBody, userId: string | null, asked: Asked): Promise<string> {
    const { db, clock } = this.#deps;
    const party = partyOf(asked);
    const challenge = await this.take(response.clientDataJSON, userId, asked);
    if (challenge === undefined) throw refused('this answer is for something else, too late or was given before; begin again');
    const row = await store.passkeyByCredential(db.kysely, id);
    const isTheirs = row !== undefined && (userId === null || row.user_id === userId);
    if (!isTheirs || !handleFits(response.userHandle, row.user_id)) throw refused('this passkey is not known here');
    const known = { id: row.credential_id, publicKey: row.public_key, counter: row.counter };
    const { clientDataJSON, authenticatorData, signature } = response;
    const ceremony = { challenge, party, verifiedPerson: userId === null };
    const verdict = verifyAssertion({ id, clientDataJSON, authenticatorData, signature }, known, ceremony);
    if (!verdict.ok) {
      await this.#noteRefusal(row, verdict.error, asked);
      throw refused(`the passkey was refused: ${verdict.error}`);
    }
    const { counter, backedUp } = verdict.value;
    const used = { counter, backed_up: Number(backedUp), last_used_at_ms: clock.now() };
    if (!(await store.usePasskey(db.kysely, row, used))) throw refused('the passkey was used elsewhere at the same time; begin again');
    return row.user_id;
  }

  /** A copied passkey shows here; whoever looks for it must find it. */
  async #noteRefusal({ id, user_id, name }: PasskeyRow, reason: string, { address }: Asked): Promise<void> {
    const { db, record } = this.#deps;
    const actor = { kind: 'anonymous', id: '', name: '', role: 'ingest' } as const;
    const object = { kind: 'people', id: user_id };
    await db.kysely.transaction().execute(async (trx) => {
      await record(trx, { actor, address, object, action: 'passkey.refused', phase: 'done', after: { passkey: id, name, reason } });
    });
  }
}

/** Throws `AppError` `passkeys_unavailable` with what to do. */
export function partyOf({ party }: Pick<Asked, 'party'>): RelyingParty {
  if (party.ok) return party.value;
  throw new AppError('conflict', FACTOR_CODES.noPasskeys, party.error);
}

export const describe = ({ credential_id, transports }: PasskeyRow): RequestOptions['allowCredentials'][number] => ({
  type: 'public-key',
  id: credential_id,
  transports: transports === '' ? [] : transports.split(','),
});

/** The beginning of an entry in the audit log about a person by themselves. */
export const about = (person: Person, address: string) => ({ ...doneBy(person, { address }), object: { kind: 'people', id: person.id } });

export const refused = (message: string): AppError => new AppError('bad_input', FACTOR_CODES.refused, message);

/** The name that passkeys know a person by. */
export const handleOf = (userId: string): string => Buffer.from(userId).toString('base64url');

const handleFits = (handle: string | null | undefined, userId: string): boolean =>
  handle === undefined || handle === null || handle === '' || handle === handleOf(userId);

export const totpPlace = (id: string) => ({ table: 'totp_factors', id, column: 'secret' }) as const;

export function openTotp(secrets: Secrets, row: { readonly id: string; readonly secret: string }): Uint8Array {
  const opened = secrets.open(totpPlace(row.id), row.secret);
  if (!opened.ok) throw new AppError('unavailable', SECRET_CODES.unreadable, opened.error);
  return Buffer.from(opened.value, 'base64url');
}
