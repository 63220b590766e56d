import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { hostname, networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { DAY_MS } from '@nines/base/units.ts';
import type { TlsAuthorityRow } from '../db/migrations/0046-tls-authority.ts';
import type { Sql } from '../records/contract.ts';
import type { Secrets } from '../secrets/contract.ts';
import { issueCertificate, type Issuer } from '../x509/certificate.ts';

/** The part of the authority that programs and browsers are told to trust, in the data directory. */
export const AUTHORITY_FILE = 'tls-authority.pem';
const AUTHORITY_NAME = 'Nines TLS';
const AUTHORITY = 'authority';
const AUTHORITY_LIFE_MS = 10 * 365 * DAY_MS;
/** Below the 398 days that browsers allow; made anew at every start and when a third is left. */
export const OWN_LIFE_MS = 90 * DAY_MS;
/** Clocks elsewhere may be behind by this much. */
const BACKDATED_MS = DAY_MS;

/** A certificate chain with its private key, both in PEM. */
export type Pair = { readonly certificate: string; readonly key: string };

export type AuthorityDeps = { readonly sql: Sql; readonly secrets: Secrets; readonly dataDir: string };

const KEY_PLACE = { table: 'tls_authority', id: AUTHORITY, column: 'private_key' };

/** Signs the server's own certificates. Made at the first start that needs it, kept in the state; ECDSA over P-256, as browsers take no Ed25519. */
export class TlsAuthority {
  /** PEM. */
  readonly certificate: string;
  readonly #issuer: Issuer;

  private constructor({ certificate, key }: Pair) {
    this.certificate = certificate;
    this.#issuer = { name: AUTHORITY_NAME, privateKey: createPrivateKey(key) };
  }

  /** Writes `tls-authority.pem` too. One whose key cannot be read is replaced by another for as long as this process runs. */
  static async open({ sql, secrets, dataDir }: AuthorityDeps, nowMs: number): Promise<TlsAuthority> {
    const row = (await load(sql)) ?? (await keep(sql, sealed(secrets, makeAuthority(nowMs), nowMs)));
    const key = secrets.open(KEY_PLACE, row.private_key);
    const authority = new TlsAuthority(key.ok ? { certificate: row.certificate, key: key.value } : makeAuthority(nowMs));
    writeFileSync(join(dataDir, AUTHORITY_FILE), authority.certificate);
    return authority;
  }

  /** A fresh key and certificate for a server with these names and addresses. */
  issue(hosts: readonly string[], nowMs: number): Pair {
    const { privateKey, publicKey } = newKeys();
    const validity = { fromMs: nowMs - BACKDATED_MS, untilMs: nowMs + OWN_LIFE_MS };
    const certificate = issueCertificate({ name: 'Nines', publicKey, purpose: 'server', hosts, ...validity }, this.#issuer);
    return { certificate: `${certificate}${this.certificate}`, key: pemOf(privateKey) };
  }
}

/** What a server may be called by: its names in the configuration, this machine's name, loopback, and its addresses when it listens on all. */
export function ownNames(options: {
  readonly host: string;
  readonly baseUrl: string | undefined;
  readonly names: readonly string[];
}): readonly string[] {
  const { host, baseUrl, names } = options;
  const isWildcard = host === '0.0.0.0' || host === '::';
  const addresses = Object.values(networkInterfaces()).flatMap((each = []) => each.map(({ address }) => address.replace(/%.*$/, '')));
  const published = baseUrl === undefined ? [] : [new URL(baseUrl).hostname.replace(/^\[|\]$/g, '')];
  const all = [...names, ...published, ...(isWildcard ? addresses : [host]), hostname(), 'localhost', '127.0.0.1', '::1'];
  // Names of other scripts and hand-made host names may hold what a certificate cannot.
  return [...new Set(all.filter((name) => /^[\x21-\x7e]+$/.test(name)))];
}

async function load(sql: Sql): Promise<TlsAuthorityRow | undefined> {
  return sql.selectFrom('tls_authority').selectAll().where('id', '=', AUTHORITY).executeTakeFirst();
}

/** Keeps the first one that is made, whichever process makes it. */
async function keep(sql: Sql, row: Omit<TlsAuthorityRow, 'id'>): Promise<TlsAuthorityRow> {
  await sql
    .insertInto('tls_authority')
    .values({ id: AUTHORITY, ...row })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .execute();
  return sql.selectFrom('tls_authority').selectAll().where('id', '=', AUTHORITY).executeTakeFirstOrThrow();
}

const newKeys = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });

const pemOf = (key: KeyObject): string => String(key.export({ type: 'pkcs8', format: 'pem' }));

function makeAuthority(nowMs: number): Pair {
  const { privateKey, publicKey } = newKeys();
  const validity = { fromMs: nowMs - BACKDATED_MS, untilMs: nowMs + AUTHORITY_LIFE_MS };
  const issuer = { name: AUTHORITY_NAME, privateKey };
  const certificate = issueCertificate({ name: AUTHORITY_NAME, publicKey, purpose: 'authority', ...validity }, issuer);
  return { certificate, key: pemOf(privateKey) };
}

const sealed = (secrets: Secrets, { certificate, key }: Pair, nowMs: number): Omit<TlsAuthorityRow, 'id'> => ({
  certificate,
  private_key: secrets.seal(KEY_PLACE, key),
  created_at_ms: nowMs,
});
