/**
 * The ceremonies of Web Authentication (W3C, level 3, sections 7.1 and 7.2) as far as they decide something here. Attestation is asked
 * for as `none` and not read: nothing is concluded from who made an authenticator.
 */
import { type JsonWebKey, type KeyObject, createHash, createPublicKey, timingSafeEqual, verify } from 'node:crypto';
import { type Result, err, ok } from '@nines/base/result.ts';
import { type Cbor, CborFault, type CborMap, asBytes, asMap, readCbor, readCborMap } from './cbor.ts';

/** Where passkeys are valid: a host name, and the pages that may ask for them. */
export type RelyingParty = { readonly id: string; readonly origins: readonly string[] };

/** COSE algorithms in the order of preference: Ed25519, ECDSA with P-256, RSA with SHA-256. Nothing else is taken, `none` least of all. */
export const ALGORITHMS = [-8, -7, -257] as const;

/** Everything is base64url. */
export type RegistrationAnswer = { readonly id: string; readonly clientDataJSON: string; readonly attestationObject: string };
export type AssertionAnswer = {
  readonly id: string;
  readonly clientDataJSON: string;
  readonly authenticatorData: string;
  readonly signature: string;
};

export type NewCredential = {
  /** base64url */
  readonly id: string;
  /** COSE key, base64url. */
  readonly publicKey: string;
  readonly counter: number;
  readonly userVerified: boolean;
  /** Kept by a service of the maker on several devices. */
  readonly backedUp: boolean;
};
export type KnownCredential = Pick<NewCredential, 'id' | 'publicKey' | 'counter'>;
export type Asserted = Pick<NewCredential, 'counter' | 'userVerified' | 'backedUp'>;

type Ceremony = {
  /** base64url, as it was sent. */
  readonly challenge: string;
  readonly party: RelyingParty;
  readonly verifiedPerson: boolean;
};

/** The challenge in what a browser answers, to find what was asked; everything else about it is examined later. */
export function challengeIn(clientDataJSON: string): string | undefined {
  try {
    return clientDataOf(clientDataJSON).challenge;
  } catch {
    return undefined;
  }
}

/** Section 7.1. The error is a sentence. */
export const verifyRegistration = (answer: RegistrationAnswer, ceremony: Ceremony): Result<NewCredential, string> =>
  attempt(() => {
    examineClientData(answer.clientDataJSON, 'webauthn.create', ceremony);
    const attestation = readCborMap(bytesOf(answer.attestationObject));
    if (typeof attestation.get('fmt') !== 'string') throw new Refused('the attestation names no format');
    asMap(attestation.get('attStmt'));
    const data = readAuthenticatorData(asBytes(attestation.get('authData')));
    examineAuthenticator(data, ceremony);
    const { credential } = data;
    if (credential === undefined) throw new Refused('no credential was made');
    const id = base64url(credential.id);
    if (id !== answer.id) throw new Refused('the credential has another id than the answer names');
    keyOf(credential.publicKey);
    return {
      id,
      publicKey: base64url(credential.publicKey),
      counter: data.counter,
      userVerified: data.userVerified,
      backedUp: data.backedUp,
    };
  });

/** Section 7.2. The error is a sentence. */
export const verifyAssertion = (answer: AssertionAnswer, known: KnownCredential, ceremony: Ceremony): Result<Asserted, string> =>
  attempt(() => {
    if (answer.id !== known.id) throw new Refused('another credential answered');
    const clientData = examineClientData(answer.clientDataJSON, 'webauthn.get', ceremony);
    const bytes = bytesOf(answer.authenticatorData);
    const data = readAuthenticatorData(bytes);
    examineAuthenticator(data, ceremony);
    const signed = Buffer.concat([bytes, createHash('sha256').update(clientData).digest()]);
    const { key, hash } = keyOf(bytesOf(known.publicKey));
    if (!verify(hash, signed, key, bytesOf(answer.signature))) throw new Refused('the signature is wrong');
    // Section 6.1.1: one that counts must count up; it was copied otherwise.
    if ((data.counter !== 0 || known.counter !== 0) && data.counter <= known.counter) {
      throw new Refused('the signature counter did not go up: the passkey may have been copied');
    }
    return { counter: data.counter, userVerified: data.userVerified, backedUp: data.backedUp };
  });

class Refused extends Error {
  override readonly name = 'Refused';
}

function attempt<T>(examine: () => T): Result<T, string> {
  try {
    return ok(examine());
  } catch (thrown) {
    if (thrown instanceof Refused) return err(thrown.message);
    if (thrown instanceof CborFault) return err(`the authenticator's answer cannot be read: ${thrown.message}`);
    // What a stranger sent was no JSON, no UTF-8 or no key; the words of the parser are of no use to anybody.
    if (thrown instanceof SyntaxError || thrown instanceof TypeError || isCryptoFault(thrown)) {
      return err("the authenticator's answer cannot be read");
    }
    throw thrown;
  }
}

const isCryptoFault = (thrown: unknown): boolean => /^ERR_(CRYPTO|OSSL|INVALID_ARG)/.test((thrown as NodeJS.ErrnoException).code ?? '');

const bytesOf = (text: string): Buffer => Buffer.from(text, 'base64url');
const base64url = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');

function clientDataOf(clientDataJSON: string): {
  readonly type: unknown;
  readonly challenge: string;
  readonly origin: unknown;
  readonly crossOrigin: unknown;
} {
  const text = new TextDecoder('utf-8', { fatal: true }).decode(bytesOf(clientDataJSON));
  const parsed = JSON.parse(text) as unknown;
  if (typeof parsed !== 'object' || parsed === null) throw new Refused('the client data are no object');
  const { type, challenge, origin, crossOrigin } = parsed as Record<string, unknown>;
  if (typeof challenge !== 'string') throw new Refused('the client data name no challenge');
  return { type, challenge, origin, crossOrigin };
}

function examineClientData(clientDataJSON: string, expected: 'webauthn.create' | 'webauthn.get', { challenge, party }: Ceremony): Buffer {
  const data = clientDataOf(clientDataJSON);
  if (data.type !== expected) throw new Refused(`the answer is of another kind than ${expected}`);
  if (!isSame(data.challenge, challenge)) throw new Refused('the answer is for another challenge');
  if (typeof data.origin !== 'string' || !party.origins.includes(data.origin)) {
    throw new Refused(`the answer comes from a page of another site than ${party.origins.join(', ')}`);
  }
  if (data.crossOrigin === true) throw new Refused('the answer comes from a page within a page of another site');
  return bytesOf(clientDataJSON);
}

function isSame(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

type AuthenticatorData = {
  readonly rpIdHash: Uint8Array;
  readonly userPresent: boolean;
  readonly userVerified: boolean;
  readonly backupEligible: boolean;
  readonly backedUp: boolean;
  readonly counter: number;
  readonly credential: { readonly id: Uint8Array; readonly publicKey: Uint8Array } | undefined;
};

const FLAG = { userPresent: 0x01, userVerified: 0x04, backupEligible: 0x08, backedUp: 0x10, credential: 0x40, extensions: 0x80 } as const;
/** Hash, flags, counter. */
const HEAD_BYTES = 37;
const AAGUID_BYTES = 16;
const MAX_CREDENTIAL_ID_BYTES = 1_023;

/** Section 6.1. */
function readAuthenticatorData(bytes: Uint8Array): AuthenticatorData {
  if (bytes.length < HEAD_BYTES) throw new Refused('the authenticator data are too short');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const flags = view.getUint8(32);
  const has = (flag: number): boolean => (flags & flag) !== 0;
  let end = HEAD_BYTES;
  let credential: AuthenticatorData['credential'];
  if (has(FLAG.credential)) {
    const idAt = HEAD_BYTES + AAGUID_BYTES + 2;
    if (bytes.length < idAt) throw new Refused('the authenticator data are too short');
    const idLength = view.getUint16(idAt - 2);
    if (idLength === 0 || idLength > MAX_CREDENTIAL_ID_BYTES) throw new Refused('the id of the credential is empty or too long');
    const keyAt = idAt + idLength;
    end = readCbor(bytes, keyAt).end;
    credential = { id: bytes.slice(idAt, keyAt), publicKey: bytes.slice(keyAt, end) };
  }
  if (has(FLAG.extensions)) end = readCbor(bytes, end).end;
  if (end !== bytes.length) throw new Refused('the authenticator data have another length than they say');
  return {
    rpIdHash: bytes.subarray(0, 32),
    userPresent: has(FLAG.userPresent),
    userVerified: has(FLAG.userVerified),
    backupEligible: has(FLAG.backupEligible),
    backedUp: has(FLAG.backedUp),
    counter: view.getUint32(33),
    credential,
  };
}

function examineAuthenticator(data: AuthenticatorData, { party, verifiedPerson }: Ceremony): void {
  const expected = createHash('sha256').update(party.id).digest();
  if (!timingSafeEqual(expected, data.rpIdHash)) throw new Refused(`the answer is for another site than ${party.id}`);
  if (!data.userPresent) throw new Refused('nobody touched the authenticator');
  if (verifiedPerson && !data.userVerified) throw new Refused('the authenticator did not examine who uses it (fingerprint, face or PIN)');
  if (data.backedUp && !data.backupEligible) throw new Refused('the authenticator says that what cannot be copied was copied');
}

const LEAST_RSA_BITS = 2_048;
const MOST_RSA_BITS = 8_192;

/** A COSE key (RFC 9053) of an algorithm that we take, and the hash that is signed with it. */
function keyOf(bytes: Uint8Array): { readonly key: KeyObject; readonly hash: 'sha256' | null } {
  const cose = readCborMap(bytes);
  const key = createPublicKey({ key: jwkOf(cose), format: 'jwk' });
  const bits = key.asymmetricKeyDetails?.modulusLength;
  if (bits !== undefined && (bits < LEAST_RSA_BITS || bits > MOST_RSA_BITS)) throw new Refused(`an RSA key of ${bits} bits is not taken`);
  return { key, hash: cose.get(3) === -8 ? null : 'sha256' };
}

/** Parameters of COSE keys by number: 1 kind, 3 algorithm, -1 curve or modulus, -2 x or exponent, -3 y. */
function jwkOf(cose: CborMap): JsonWebKey {
  const [kind, algorithm, curve] = [cose.get(1), cose.get(3), cose.get(-1)];
  const text = (value: Cbor | undefined): string => base64url(asBytes(value));
  if (algorithm === -8 && kind === 1 && curve === 6) return { kty: 'OKP', crv: 'Ed25519', x: text(cose.get(-2)) };
  if (algorithm === -7 && kind === 2 && curve === 1) return { kty: 'EC', crv: 'P-256', x: text(cose.get(-2)), y: text(cose.get(-3)) };
  if (algorithm === -257 && kind === 3) return { kty: 'RSA', n: text(curve), e: text(cose.get(-2)) };
  throw new Refused('the key is of an algorithm that is not taken');
}
