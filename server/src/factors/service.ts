import { AppError } from '@nines/base/errors.ts';
import { SECOND_MS } from '@nines/base/units.ts';
import type { Transaction } from 'kysely';
import type { AuditEntry } from '../audit/contract.ts';
import type { FactorKind, SecondFactors } from '../people/contract.ts';
import type { PasskeyRow } from '../platform/db/migrations/0051-factors.ts';
import type { Database } from '../platform/db/schema.ts';
import type { Person, SessionBook } from '../sessions/contract.ts';
import {
  Answers,
  type Asked,
  CHALLENGE_LIFE_MS,
  type FactorDeps,
  about,
  describe,
  handleOf,
  openTotp,
  partyOf,
  refused,
  totpPlace,
} from './answers.ts';
import { type CreationOptions, FACTOR_CODES, type FactorsView, type PasskeyView, type RegistrationBody } from './contract.ts';
import { RECOVERY_CODES, RECOVERY_CODE_BYTES, recoveryCodeOf, recoveryDigest } from './recovery.ts';
import type { PeopleBook } from './people.ts';
import { kindsOf, resetFactors } from './reset.ts';
import * as store from './store.ts';
import { toBase32 } from './base32.ts';
import { TOTP_SECRET_BYTES, judgeTotp, totpUri } from './totp.ts';
import { takeTry } from './tries.ts';
import { ALGORITHMS, verifyRegistration } from './webauthn.ts';

/** Passkeys of one person: every device and a key or two in a drawer. */
const MOST_PASSKEYS = 20;
/** Whether a person has a factor is asked with every request where one is required; in another process it shows at most this much later. */
const REMEMBERED_MS = 5 * SECOND_MS;
const MOST_REMEMBERED = 1_000;

export type FactorsOptions = FactorDeps & {
  readonly sessions: SessionBook;
  readonly people: Pick<PeopleBook, 'hasPassword'>;
  /** Roles whose holders need a second factor, as the configuration says now. */
  readonly requiredFor: () => readonly string[];
  /** What apps show beside the name of the person. */
  readonly host: string;
};

/** Second factors of people: made, listed, removed. */
export class Factors implements SecondFactors {
  readonly #deps: FactorsOptions;
  readonly #hasOne = new Map<string, { readonly has: boolean; readonly untilMs: number }>();
  readonly answers: Answers;

  constructor(deps: FactorsOptions) {
    this.#deps = deps;
    this.answers = new Answers(deps);
  }

  async required(userId: string): Promise<readonly FactorKind[]> {
    return kindsOf(this.#deps.db.kysely, userId);
  }

  async forget(trx: Transaction<Database>, userId: string): Promise<void> {
    await store.deleteFactors(trx, userId);
    this.#hasOne.delete(userId);
  }

  /** Whether the role of a person needs a factor and they have none: they may do nothing but make one. */
  async isMissing({ id, role }: Pick<Person, 'id' | 'role'>): Promise<boolean> {
    if (!this.#deps.requiredFor().includes(role)) return false;
    const nowMs = this.#deps.clock.now();
    const known = this.#hasOne.get(id);
    if (known !== undefined && nowMs < known.untilMs) return !known.has;
    const has = (await this.required(id)).length > 0 || !(await this.#deps.people.hasPassword(id));
    if (this.#hasOne.size >= MOST_REMEMBERED) this.#hasOne.clear();
    this.#hasOne.set(id, { has, untilMs: nowMs + REMEMBERED_MS });
    return !has;
  }

  async view(person: Person, { party }: Pick<Asked, 'party'>): Promise<FactorsView> {
    const sql = this.#deps.db.kysely;
    const totp = await store.confirmedTotp(sql, person.id);
    const codes = await store.recoveryCodes(sql, person.id);
    const [first] = codes;
    return {
      totp: totp === undefined ? null : { created_at_ms: totp.created_at_ms, last_used_at_ms: totp.last_used_at_ms },
      passkeys: (await store.passkeysOf(sql, person.id)).map(viewOf),
      recovery:
        first === undefined
          ? null
          : {
              left: codes.filter(({ used_at_ms }) => used_at_ms === null).length,
              created_at_ms: first.created_at_ms,
              last_used_at_ms: codes.reduce<number | null>(
                (last, { used_at_ms: at }) => (at !== null && at > (last ?? 0) ? at : last),
                null,
              ),
            },
      required: this.#deps.requiredFor().includes(person.role),
      passkeys_at: party.ok ? (party.value.origins[0] ?? null) : null,
      passkeys_fault: party.ok ? null : party.error,
    };
  }

  /** A fresh secret for an authenticator app; in force once a first code has shown that the app has it. */
  async startTotp(person: Person): Promise<{ readonly uri: string; readonly secret: string }> {
    const { db, clock, ids, secrets, host } = this.#deps;
    const id = ids.uuid();
    const secret = Buffer.from(ids.secret(TOTP_SECRET_BYTES), 'base64url');
    const row = {
      id,
      user_id: person.id,
      secret: secrets.seal(totpPlace(id), secret.toString('base64url')),
      created_at_ms: clock.now(),
      confirmed_at_ms: null,
      last_used_at_ms: null,
      last_step: -1,
    };
    await db.kysely.transaction().execute((trx) => store.replaceUnconfirmedTotp(trx, row));
    return { uri: totpUri({ secret, person: person.name, host }), secret: toBase32(secret) };
  }

  /** Puts the app in force, in the place of one before. Returns recovery codes when there were none. */
  async confirmTotp(person: Person, code: string, address: string): Promise<readonly string[]> {
    const { db, clock, secrets, record } = this.#deps;
    const nowMs = clock.now();
    const row = await store.unconfirmedTotp(db.kysely, person.id);
    if (row === undefined) throw new AppError('conflict', FACTOR_CODES.notEnrolling, 'no authenticator app is being set up; begin again');
    await takeTry(db.kysely, person.id, 'totp', nowMs);
    const verdict = judgeTotp(openTotp(secrets, row), code, nowMs, row.last_step);
    if (verdict.kind !== 'fits') throw refused('the code is not the one that the app should show now; are the clocks right?');
    return this.#added(person, async (trx) => {
      if (!(await store.confirmTotp(trx, row, verdict.step, nowMs))) throw refused('the app was confirmed at the same time elsewhere');
      await store.clearTries(trx, person.id, 'totp');
      await record(trx, { ...about(person, address), action: 'factor.added', after: { kind: 'totp' } });
    });
  }

  async removeTotp(person: Person, address: string): Promise<void> {
    const { db, record } = this.#deps;
    await db.kysely.transaction().execute(async (trx) => {
      if (!(await store.deleteTotp(trx, person.id))) throw notFound('there is no authenticator app');
      await record(trx, { ...about(person, address), action: 'factor.removed', before: { kind: 'totp' } });
      await this.#afterRemoval(trx, person);
    });
    this.#hasOne.delete(person.id);
  }

  /** Fresh recovery codes; those of before end. */
  async makeRecoveryCodes(person: Person, address: string): Promise<readonly string[]> {
    const { db, record } = this.#deps;
    if ((await this.required(person.id)).length === 0) throw notFound('recovery codes stand in for a factor; set one up first');
    return db.kysely.transaction().execute(async (trx) => {
      const codes = await this.#freshCodes(trx, person.id);
      await record(trx, { ...about(person, address), action: 'recovery_codes.made', after: { count: codes.length } });
      return codes;
    });
  }

  /** What a browser needs to make a passkey. */
  async creationOptions(person: Person, asked: Asked): Promise<CreationOptions> {
    const party = partyOf(asked);
    const known = await store.passkeysOf(this.#deps.db.kysely, person.id);
    if (known.length >= MOST_PASSKEYS) {
      throw new AppError('conflict', FACTOR_CODES.tooMany, `a person has at most ${MOST_PASSKEYS} passkeys; remove one first`);
    }
    return {
      challenge: await this.answers.challenge(person.id, asked),
      rp: { id: party.id, name: 'Nines' },
      user: { id: handleOf(person.id), name: person.name, displayName: person.name },
      pubKeyCredParams: ALGORITHMS.map((alg) => ({ type: 'public-key', alg })),
      timeout: CHALLENGE_LIFE_MS,
      attestation: 'none',
      authenticatorSelection: { residentKey: 'preferred', userVerification: 'preferred' },
      excludeCredentials: known.map(describe),
    };
  }

  /** Keeps a passkey that a browser made. Returns recovery codes when there were none. */
  async register(
    person: Person,
    made: { readonly name: string; readonly answer: RegistrationBody },
    asked: Asked,
  ): Promise<readonly string[]> {
    const { clock, ids, record } = this.#deps;
    const { id, response } = made.answer;
    const party = partyOf(asked);
    const challenge = await this.answers.take(response.clientDataJSON, person.id, asked);
    if (challenge === undefined) throw refused('this answer is for something else, too late or was given before; begin again');
    const verdict = verifyRegistration({ id, ...response }, { challenge, party, verifiedPerson: false });
    if (!verdict.ok) throw refused(`the passkey was refused: ${verdict.error}`);
    const { publicKey, counter, userVerified, backedUp } = verdict.value;
    const row: PasskeyRow = {
      id: ids.uuid(),
      user_id: person.id,
      name: made.name,
      credential_id: id,
      public_key: publicKey,
      counter,
      verifies: Number(userVerified),
      backed_up: Number(backedUp),
      transports: response.transports.join(','),
      created_at_ms: clock.now(),
      last_used_at_ms: null,
    };
    return this.#added(person, async (trx) => {
      if (!(await store.insertPasskey(trx, row))) throw new AppError('conflict', FACTOR_CODES.taken, 'this passkey is known already');
      await record(trx, { ...about(person, asked.address), action: 'factor.added', after: { kind: 'passkey', name: row.name } });
    });
  }

  async renamePasskey(person: Person, id: string, name: string): Promise<void> {
    if (!(await store.renamePasskey(this.#deps.db.kysely, person.id, id, name))) throw notFound('there is no such passkey');
  }

  async removePasskey(person: Person, id: string, address: string): Promise<void> {
    const { db, record } = this.#deps;
    await db.kysely.transaction().execute(async (trx) => {
      if (!(await store.deletePasskey(trx, person.id, id))) throw notFound('there is no such passkey');
      await record(trx, { ...about(person, address), action: 'factor.removed', before: { kind: 'passkey', id } });
      await this.#afterRemoval(trx, person);
    });
    this.#hasOne.delete(person.id);
  }

  /** See `resetFactors`. */
  async reset(by: AuditEntry['actor'], userId: string, address?: string): Promise<void> {
    await resetFactors(this.#deps, { by, userId, address });
    this.#hasOne.delete(userId);
  }

  /** Makes recovery codes together with the first factor. */
  async #added(person: Person, add: (trx: Transaction<Database>) => Promise<void>): Promise<readonly string[]> {
    const codes = await this.#deps.db.kysely.transaction().execute(async (trx) => {
      await add(trx);
      return (await store.recoveryCodes(trx, person.id)).length > 0 ? [] : this.#freshCodes(trx, person.id);
    });
    this.#hasOne.delete(person.id);
    return codes;
  }

  async #freshCodes(trx: Transaction<Database>, userId: string): Promise<readonly string[]> {
    const { ids, clock } = this.#deps;
    const codes = Array.from({ length: RECOVERY_CODES }, () => recoveryCodeOf(Buffer.from(ids.secret(RECOVERY_CODE_BYTES), 'base64url')));
    const rows = codes.map((code) => ({
      digest: recoveryDigest(userId, code),
      user_id: userId,
      created_at_ms: clock.now(),
      used_at_ms: null,
    }));
    await store.replaceRecoveryCodes(trx, userId, rows);
    return codes;
  }

  /** Without a factor recovery codes stand in for nothing; where the role needs one, the last stays. */
  async #afterRemoval(trx: Transaction<Database>, { id, role }: Person): Promise<void> {
    if ((await store.confirmedTotp(trx, id)) !== undefined || (await store.passkeysOf(trx, id)).length > 0) return;
    if (this.#deps.requiredFor().includes(role)) {
      throw new AppError('conflict', FACTOR_CODES.lastOne, `the role ${role} needs a second factor; set another one up first`);
    }
    await store.replaceRecoveryCodes(trx, id, []);
  }
}

const notFound = (message: string): AppError => new AppError('not_found', FACTOR_CODES.notFound, message);

const viewOf = (row: PasskeyRow): PasskeyView => ({
  id: row.id,
  name: row.name,
  created_at_ms: row.created_at_ms,
  last_used_at_ms: row.last_used_at_ms,
  signs_in_alone: row.verifies === 1,
  backed_up: row.backed_up === 1,
});
