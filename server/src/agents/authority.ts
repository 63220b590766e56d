import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { AppError } from '@nines/base/errors.ts';
import { DAY_MS } from '@nines/base/units.ts';
import type { Sql } from '../platform/records/contract.ts';
import type { Secrets } from '../platform/secrets/contract.ts';
import { fingerprintOf, issueCertificate, type Issuer } from '../platform/x509/certificate.ts';
import { SERVER_NAME } from './contract.ts';
import { AUTHORITY, keepAuthority, loadAuthority } from './store.ts';

const AUTHORITY_NAME = 'Nines agents';
const AUTHORITY_LIFE_MS = 30 * 365 * DAY_MS;
/** The server's own certificate is made anew at every start, and while it runs before it ends. */
export const SERVER_CERTIFICATE_LIFE_MS = 90 * DAY_MS;
/** Clocks at other places may be behind by this much. */
const BACKDATED_MS = DAY_MS;

/** A certificate in PEM with its private key, and until when it holds. */
export type Issued = { readonly certificate: string; readonly key: string; readonly untilMs: number };

/** The authority that agents and this server know each other by. It is made at the first start that takes agents, and kept in the state. */
export class Authority {
  /** PEM. */
  readonly certificate: string;
  /** SHA-256 of the certificate, base64url: what a join token pins. */
  readonly fingerprint: string;
  readonly #issuer: Issuer;

  private constructor(certificate: string, privateKey: KeyObject) {
    this.certificate = certificate;
    this.fingerprint = fingerprintOf(certificate);
    this.#issuer = { name: AUTHORITY_NAME, privateKey };
  }

  /** Undefined when its key cannot be read: another authority would lock every agent out for good. */
  static async open({ sql, secrets }: { readonly sql: Sql; readonly secrets: Secrets }, nowMs: number): Promise<Authority | undefined> {
    const row = (await loadAuthority(sql)) ?? (await keepAuthority(sql, makeAuthority(secrets, nowMs)));
    const key = secrets.open(KEY_PLACE, row.private_key);
    return key.ok ? new Authority(row.certificate, createPrivateKey(key.value)) : undefined;
  }

  /** A fresh key and certificate for the server. */
  issueForServer(nowMs: number): Issued {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const untilMs = nowMs + SERVER_CERTIFICATE_LIFE_MS;
    const certificate = issueCertificate(
      { name: 'Nines server', publicKey, purpose: 'server', hosts: [SERVER_NAME], fromMs: nowMs - BACKDATED_MS, untilMs },
      this.#issuer,
    );
    return { certificate, key: pemOf(privateKey), untilMs };
  }

  /** A certificate for the key of an agent. `AppError` `invalid_request` when the text is no Ed25519 public key in PEM. */
  issueForAgent(agent: string, publicKey: string, at: { readonly nowMs: number; readonly lifeMs: number }): Omit<Issued, 'key'> {
    const untilMs = at.nowMs + at.lifeMs;
    const certificate = issueCertificate(
      { name: agent, publicKey: readKey(publicKey), purpose: 'client', fromMs: at.nowMs - BACKDATED_MS, untilMs },
      this.#issuer,
    );
    return { certificate, untilMs };
  }
}

const KEY_PLACE = { table: 'agent_authority', id: AUTHORITY, column: 'private_key' };

function makeAuthority(secrets: Secrets, nowMs: number) {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const validity = { fromMs: nowMs - BACKDATED_MS, untilMs: nowMs + AUTHORITY_LIFE_MS };
  const issuer = { name: AUTHORITY_NAME, privateKey };
  const certificate = issueCertificate({ name: AUTHORITY_NAME, publicKey, purpose: 'authority', ...validity }, issuer);
  return { certificate, private_key: secrets.seal(KEY_PLACE, pemOf(privateKey)), created_at_ms: nowMs };
}

const pemOf = (key: KeyObject): string => String(key.export({ type: 'pkcs8', format: 'pem' }));

function readKey(pem: string): KeyObject {
  try {
    const key = createPublicKey(pem);
    if (key.asymmetricKeyType === 'ed25519' && !pem.includes('PRIVATE')) return key;
  } catch {
    // Said below.
  }
  throw new AppError('bad_input', 'invalid_request', 'public_key is not an Ed25519 public key in PEM', { field: 'public_key' });
}
