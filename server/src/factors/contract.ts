/**
 * Second factors: codes of an authenticator app, passkeys, recovery codes; and what a person must prove anew before administering.
 * Invariants: a code, a recovery code and a challenge work once, whoever is faster; the app's secret is sealed at rest; what is kept
 * of recovery codes opens nothing; who has a factor does not sign in with the password alone.
 * Must never decide who somebody is by a name: `people` does.
 */
import { MINUTE_MS } from '@nines/base/units.ts';
import { z } from 'zod';
import { duration } from '../platform/config/fields.ts';

/** With what a person proves anew who they are. Recovery codes are for those who have lost the others. */
export const PROOF_KINDS = ['password', 'totp', 'passkey'] as const;
export type ProofKind = (typeof PROOF_KINDS)[number];

export const FACTOR_CODES = {
  refused: 'factor_refused',
  tooManyTries: 'too_many_tries',
  /** The role needs a second factor and there is none: nothing else is answered. */
  needed: 'second_factor_needed',
  stepUpNeeded: 'step_up_needed',
  notEnrolling: 'factor_not_enrolling',
  notFound: 'factor_not_found',
  tooMany: 'too_many_factors',
  taken: 'passkey_known',
  lastOne: 'last_factor',
  noPasskeys: 'passkeys_unavailable',
  sessionNeeded: 'session_needed',
} as const;

const LEAST_STEP_UP_MS = MINUTE_MS;
const MOST_STEP_UP_MS = 24 * 60 * MINUTE_MS;

/** Fields of the section `access`. */
export const factorConfig = {
  /** Roles whose holders need a second factor. */
  require_second_factor: z.array(z.string().min(1).max(100)).max(100).default([]),
  /** How long a proof of who somebody is suffices for administration. */
  step_up: duration({ minMs: LEAST_STEP_UP_MS, maxMs: MOST_STEP_UP_MS }).prefault('15m'),
};

/** Longest that a browser's answer may be in each part; a passkey's own are below 2 kB. */
const base64url = (maxChars: number) =>
  z
    .string()
    .min(1)
    .max(maxChars)
    .regex(/^[A-Za-z0-9_-]+$/, 'base64url is expected');
const credentialId = base64url(1_364);
const clientDataJSON = base64url(5_500);

export const MAX_PASSKEY_NAME_CHARS = 60;
export const passkeyName = z.string().trim().min(1, 'a name is needed').max(MAX_PASSKEY_NAME_CHARS);

/** `PublicKeyCredential.toJSON()`; browsers add more, which is not read. */
export const registrationAnswer = z.object({
  id: credentialId,
  type: z.literal('public-key'),
  response: z.object({
    clientDataJSON,
    attestationObject: base64url(22_000),
    transports: z
      .array(z.string().regex(/^[a-z-]{1,20}$/))
      .max(10)
      .default([]),
  }),
});
export const assertionAnswer = z.object({
  id: credentialId,
  type: z.literal('public-key'),
  response: z.object({
    clientDataJSON,
    authenticatorData: base64url(2_800),
    signature: base64url(1_500),
    userHandle: z
      .string()
      .max(100)
      .regex(/^[A-Za-z0-9_-]*$/)
      .nullish(),
  }),
});
export type AssertionBody = z.output<typeof assertionAnswer>;
export type RegistrationBody = z.output<typeof registrationAnswer>;

const typedCode = z
  .string()
  .transform((text) => text.replace(/\s/g, ''))
  .pipe(z.string().regex(/^\d{6}$/, 'a code has six digits'));
const totpAnswer = z.strictObject({ kind: z.literal('totp'), code: typedCode });
const recoveryAnswer = z.strictObject({ kind: z.literal('recovery_code'), code: z.string().min(16).max(40) });
const passkeyAnswer = z.strictObject({ kind: z.literal('passkey'), answer: assertionAnswer });

export const factorAnswer = z.discriminatedUnion('kind', [totpAnswer, recoveryAnswer, passkeyAnswer]);
export type FactorAnswer = z.output<typeof factorAnswer>;
export const proofBody = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('password'), password: z.string().min(1).max(256) }),
  totpAnswer,
  passkeyAnswer,
]);
export type ProofBody = z.output<typeof proofBody>;

export const codeBody = z.strictObject({ code: typedCode });
export const registerBody = z.strictObject({ name: passkeyName, answer: registrationAnswer });
export const renameBody = z.strictObject({ name: passkeyName });

export const passkeyView = z.object({
  id: z.string(),
  name: z.string(),
  created_at_ms: z.int(),
  last_used_at_ms: z.int().nullable(),
  /** The authenticator examines who uses it: no password is needed. */
  signs_in_alone: z.boolean(),
  backed_up: z.boolean(),
});
export type PasskeyView = z.infer<typeof passkeyView>;

export const factorsView = z.object({
  totp: z.object({ created_at_ms: z.int(), last_used_at_ms: z.int().nullable() }).nullable(),
  passkeys: z.array(passkeyView),
  /** Null before the first factor. */
  recovery: z.object({ left: z.int(), created_at_ms: z.int(), last_used_at_ms: z.int().nullable() }).nullable(),
  /** The role needs a second factor. */
  required: z.boolean(),
  /** Where passkeys can be made and used, or why nowhere. */
  passkeys_at: z.string().nullable(),
  passkeys_fault: z.string().nullable(),
});
export type FactorsView = z.infer<typeof factorsView>;

export const totpStarted = z.object({ uri: z.string(), secret: z.string() });
/** Shown once; empty when there were codes before, which stay valid. */
export const factorAdded = z.object({ recovery_codes: z.array(z.string()) });

/** `PublicKeyCredentialRequestOptionsJSON`, as browsers parse it. */
export const requestOptions = z.object({
  challenge: z.string(),
  rpId: z.string(),
  timeout: z.int(),
  userVerification: z.string(),
  allowCredentials: z.array(z.object({ type: z.literal('public-key'), id: z.string(), transports: z.array(z.string()) })),
});
export type RequestOptions = z.infer<typeof requestOptions>;

/** `PublicKeyCredentialCreationOptionsJSON`. */
export const creationOptions = z.object({
  challenge: z.string(),
  rp: z.object({ id: z.string(), name: z.string() }),
  user: z.object({ id: z.string(), name: z.string(), displayName: z.string() }),
  pubKeyCredParams: z.array(z.object({ type: z.literal('public-key'), alg: z.int() })),
  timeout: z.int(),
  attestation: z.literal('none'),
  authenticatorSelection: z.object({ residentKey: z.string(), userVerification: z.string() }),
  excludeCredentials: z.array(z.object({ type: z.literal('public-key'), id: z.string(), transports: z.array(z.string()) })),
});
export type CreationOptions = z.infer<typeof creationOptions>;
