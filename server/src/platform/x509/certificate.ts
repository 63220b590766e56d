import { createHash, createPublicKey, type KeyObject, randomBytes, sign, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { invariant } from '@nines/base/errors.ts';
import * as der from './der.ts';

/**
 * Certificates of a certificate authority of our own (RFC 5280), signed with Ed25519 (RFC 8410), or with ECDSA over P-256 (RFC 5758) where
 * browsers are to take them. What a certificate is for stands in its extended key usage, which TLS enforces: the certificate of a client can
 * never stand for a server.
 */
export type CertificateRequest = {
  /** The common name. */
  readonly name: string;
  readonly publicKey: KeyObject;
  readonly purpose: 'authority' | 'server' | 'client';
  /** Valid from and until, inclusive, whole seconds. */
  readonly fromMs: number;
  readonly untilMs: number;
  /** Names and addresses that a server answers to. */
  readonly hosts?: readonly string[];
};

/** Who signs; `name` is the common name of its own certificate. */
export type Issuer = { readonly name: string; readonly privateKey: KeyObject };

const OID = {
  ed25519: '1.3.101.112',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  commonName: '2.5.4.3',
  subjectKeyId: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyId: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
} as const;

/** RFC 5280 takes 20 bytes at most; 16 random ones never meet again. */
const SERIAL_BYTES = 16;
const CONTEXT = { version: 0xa0, extensions: 0xa3, keyId: 0x80, dnsName: 0x82, ipAddress: 0x87 } as const;
const VERSION_3 = 2;
const CERT_SIGN = 0b0000_0100;
const DIGITAL_SIGNATURE = 0b1000_0000;

/** The certificate in PEM. */
export function issueCertificate(request: CertificateRequest, issuer: Issuer): string {
  const { asymmetricKeyType: kind } = issuer.privateKey;
  invariant(kind === 'ed25519' || kind === 'ec', `an issuer signs with Ed25519 or ECDSA, not ${kind}`);
  const algorithm = der.sequence(der.objectId(kind === 'ec' ? OID.ecdsaWithSha256 : OID.ed25519));
  const body = der.sequence(
    der.element(CONTEXT.version, der.positive(Buffer.from([VERSION_3]))),
    der.positive(randomBytes(SERIAL_BYTES)),
    algorithm,
    nameOf(issuer.name),
    der.sequence(der.time(request.fromMs), der.time(request.untilMs)),
    nameOf(request.name),
    spkiOf(request.publicKey),
    der.element(CONTEXT.extensions, der.sequence(...extensionsOf(request, issuer))),
  );
  const certificate = der.sequence(body, algorithm, der.bits(sign(kind === 'ec' ? 'sha256' : null, body, issuer.privateKey)));
  const lines = certificate.toString('base64').replace(/.{64}(?=.)/g, '$&\n');
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}

const nameOf = (commonName: string): Buffer => der.sequence(der.setOf(der.sequence(der.objectId(OID.commonName), der.text(commonName))));

const spkiOf = (key: KeyObject): Buffer => key.export({ type: 'spki', format: 'der' });

/** What names a key in the extensions: any digest that is the same on both sides; we take the whole public key's. */
const keyIdOf = (key: KeyObject): Buffer => createHash('sha256').update(spkiOf(key)).digest().subarray(0, 20);

function extensionsOf({ purpose, publicKey, hosts = [] }: CertificateRequest, issuer: Issuer): readonly Buffer[] {
  const extension = (oid: string, content: Buffer, critical = false): Buffer =>
    der.sequence(der.objectId(oid), ...(critical ? [der.TRUE] : []), der.octets(content));
  const isAuthority = purpose === 'authority';
  const usage = isAuthority ? der.bits(Buffer.from([CERT_SIGN]), 2) : der.bits(Buffer.from([DIGITAL_SIGNATURE]), 7);
  const issuerKeyId = keyIdOf(createPublicKey(issuer.privateKey));
  return [
    extension(OID.basicConstraints, isAuthority ? der.sequence(der.TRUE, der.positive(Buffer.from([0]))) : der.sequence(), true),
    extension(OID.keyUsage, usage, true),
    extension(OID.subjectKeyId, der.octets(keyIdOf(publicKey))),
    extension(OID.authorityKeyId, der.sequence(der.element(CONTEXT.keyId, issuerKeyId))),
    ...(isAuthority
      ? []
      : [extension(OID.extendedKeyUsage, der.sequence(der.objectId(purpose === 'server' ? OID.serverAuth : OID.clientAuth)))]),
    ...(hosts.length === 0 ? [] : [extension(OID.subjectAltName, der.sequence(...hosts.map(generalName)))]),
  ];
}

const generalName = (host: string): Buffer =>
  isIP(host) === 0 ? der.element(CONTEXT.dnsName, Buffer.from(host, 'ascii')) : der.element(CONTEXT.ipAddress, bytesOfAddress(host));

/** The 4 or 16 bytes of an IP address. */
function bytesOfAddress(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split('.').map(Number));
  // URL writes what stands for IPv4 at the end in hexadecimal, like the rest.
  const [left = '', right] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const groups = (text = ''): readonly string[] => (text === '' ? [] : text.split(':'));
  const zeros = Array<string>(8 - groups(left).length - groups(right).length).fill('0');
  const all = right === undefined ? groups(left) : [...groups(left), ...zeros, ...groups(right)];
  return Buffer.from(all.map((group) => group.padStart(4, '0')).join(''), 'hex');
}

/** The SHA-256 of a certificate in PEM, base64url: 43 characters. */
export const fingerprintOf = (pem: string): string => createHash('sha256').update(new X509Certificate(pem).raw).digest('base64url');
