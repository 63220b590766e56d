import { type KeyObject, createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import { invariant } from '@nines/base/errors.ts';

/**
 * Ed25519 (RFC 8032) over text. Signatures are deterministic: the same text under the same key has the same signature. Keys
 * travel as JWK's `x` and `d` (RFC 8037): 32 bytes in base64url, 43 characters.
 */

/** A key as anyone may know it. */
export type PublicKey = {
  /** The first 16 bytes of the public key's SHA-256, hexadecimal. */
  readonly key_id: string;
  /** 32 bytes, base64url. */
  readonly public_key: string;
};

export type KeyPair = PublicKey & { readonly private_key: string };

export type Signer = PublicKey & {
  /** The signature of the text's UTF-8 bytes, base64url. */
  sign(text: string): string;
};

const KEY_BYTES = 32;
const ID_BYTES = 16;

export const keyIdOf = (publicKey: string): string =>
  createHash('sha256')
    .update(Buffer.from(publicKey, 'base64url'))
    .digest('hex')
    .slice(0, 2 * ID_BYTES);

export function createKeyPair(): KeyPair {
  const { x, d } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  invariant(x !== undefined && d !== undefined, 'an Ed25519 key pair has x and d');
  return { key_id: keyIdOf(x), public_key: x, private_key: d };
}

export function createSigner({ key_id, public_key, private_key }: KeyPair): Signer {
  const key = createPrivateKey({ key: { kty: 'OKP', crv: 'Ed25519', x: public_key, d: private_key }, format: 'jwk' });
  return { key_id, public_key, sign: (text) => sign(null, Buffer.from(text), key).toString('base64url') };
}

/** Whether the signature is that of the text under the key; false for a key or a signature that is none. */
export function isSignedBy(publicKey: string, text: string, signature: string): boolean {
  const key = openPublicKey(publicKey);
  return key !== undefined && verify(null, Buffer.from(text), key, Buffer.from(signature, 'base64url'));
}

function openPublicKey(publicKey: string): KeyObject | undefined {
  if (Buffer.from(publicKey, 'base64url').length !== KEY_BYTES) return undefined;
  try {
    return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: publicKey }, format: 'jwk' });
  } catch {
    return undefined;
  }
}

/** A public key as people hand it on: base64, base64url or hexadecimal; undefined when the text is none. */
export function parsePublicKey(text: string): PublicKey | undefined {
  const trimmed = text.trim();
  const encoding = /^[0-9a-fA-F]{64}$/.test(trimmed) ? 'hex' : 'base64';
  const bytes = Buffer.from(trimmed, encoding);
  if (bytes.length !== KEY_BYTES || !/^[0-9A-Za-z+/_-]+=*$/.test(trimmed)) return undefined;
  const publicKey = bytes.toString('base64url');
  return { key_id: keyIdOf(publicKey), public_key: publicKey };
}
