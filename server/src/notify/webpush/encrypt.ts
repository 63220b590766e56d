import { createCipheriv, createECDH, createPrivateKey, generateKeyPairSync, hkdfSync, randomBytes, sign } from 'node:crypto';
import { invariant } from '@nines/base/errors.ts';

/** A browser that is pushed to, as it gave its keys: base64url. */
export type PushKeys = { readonly p256dh: string; readonly auth: string };

/** The whole message is one record. Push services take 4 096 bytes at least (RFC 8030, 7.2), of which 103 are not text. */
const RECORD_BYTES = 4_096;
export const MAX_TEXT_BYTES = RECORD_BYTES - 103;
const KEY_INFO = 'WebPush: info\0';

export type Fresh = { readonly salt: Buffer; readonly privateKey: Buffer | undefined };
const fresh = (): Fresh => ({ salt: randomBytes(16), privateKey: undefined });

/** A message that only this browser reads (RFC 8291, content coding `aes128gcm` of RFC 8188). `made` is for tests. */
export function encryptPush(text: Uint8Array, keys: PushKeys, { salt, privateKey }: Fresh = fresh()): Buffer {
  const ours = createECDH('prime256v1');
  if (privateKey === undefined) ours.generateKeys();
  else ours.setPrivateKey(privateKey);
  const theirs = Buffer.from(keys.p256dh, 'base64url');
  const shared = ours.computeSecret(theirs);
  const info = Buffer.concat([Buffer.from(KEY_INFO), theirs, ours.getPublicKey()]);
  const secret = derive(shared, Buffer.from(keys.auth, 'base64url'), info, 32);
  const cipher = createCipheriv(
    'aes-128-gcm',
    derive(secret, salt, 'Content-Encoding: aes128gcm\0', 16),
    derive(secret, salt, 'Content-Encoding: nonce\0', 12),
  );
  // 2 marks the last record; no padding follows.
  const record = Buffer.concat([cipher.update(text), cipher.update(Uint8Array.of(2)), cipher.final(), cipher.getAuthTag()]);
  const size = Buffer.alloc(4);
  size.writeUInt32BE(RECORD_BYTES);
  return Buffer.concat([salt, size, Uint8Array.of(ours.getPublicKey().length), ours.getPublicKey(), record]);
}

const derive = (key: Uint8Array, salt: Uint8Array, info: string | Uint8Array, bytes: number): Buffer =>
  Buffer.from(hkdfSync('sha256', key, salt, info, bytes));

/** Whether this is a key and a secret that a browser would give. */
export function arePushKeys({ p256dh, auth }: PushKeys): boolean {
  if (Buffer.from(auth, 'base64url').length !== 16) return false;
  try {
    const ecdh = createECDH('prime256v1');
    ecdh.generateKeys();
    ecdh.computeSecret(Buffer.from(p256dh, 'base64url'));
    return true;
  } catch {
    return false;
  }
}

/** By which push services know us: JWK members of a P-256 key. */
export type VapidKey = { readonly x: string; readonly y: string; readonly d: string };

export function createVapidKey(): VapidKey {
  const { x, y, d } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey.export({ format: 'jwk' });
  invariant(x !== undefined && y !== undefined && d !== undefined, 'a P-256 key has x, y and d');
  return { x, y, d };
}

/** The uncompressed point, base64url: what browsers call `applicationServerKey`. */
export const publicKeyOf = ({ x, y }: VapidKey): string =>
  Buffer.concat([Uint8Array.of(4), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]).toString('base64url');

/** `Authorization` of a request to a push service (RFC 8292); valid for half of the day that is allowed. */
export function vapidHeader(key: VapidKey, { endpoint, contact, nowMs }: { endpoint: string; contact: string; nowMs: number }): string {
  const part = (json: unknown): string => Buffer.from(JSON.stringify(json)).toString('base64url');
  const claims = { aud: new URL(endpoint).origin, exp: Math.floor(nowMs / 1_000) + 43_200, sub: contact };
  const said = `${part({ typ: 'JWT', alg: 'ES256' })}.${part(claims)}`;
  const privateKey = createPrivateKey({ key: { kty: 'EC', crv: 'P-256', ...key }, format: 'jwk' });
  const signature = sign('sha256', Buffer.from(said), { key: privateKey, dsaEncoding: 'ieee-p1363' });
  return `vapid t=${said}.${signature.toString('base64url')}, k=${publicKeyOf(key)}`;
}
