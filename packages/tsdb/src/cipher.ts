import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, randomFillSync } from 'node:crypto';
import { invariant } from '@nines/base/errors.ts';
import type { Cipher, SealingKey } from './contract.ts';

/** AES-256-GCM under keys derived from one data key; drawn in docs/format/keys.md, with the reason why no nonce comes twice. */
export const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** What sealing adds. */
export const SEAL_BYTES = NONCE_BYTES + TAG_BYTES;
const ALGORITHM = 'aes-256-gcm';

export function createCipher(dataKey: Uint8Array): Cipher {
  invariant(dataKey.length === KEY_BYTES, `a data key has ${KEY_BYTES} bytes, not ${dataKey.length}`);
  return { key: (name) => sealingKey(deriveKey(dataKey, name)) };
}

/** The key for one purpose: knowing it tells nothing of the others. */
export const deriveKey = (key: Uint8Array, name: string): Uint8Array =>
  new Uint8Array(hkdfSync('sha256', key, new Uint8Array(0), `nines/1/${name}`, KEY_BYTES));

/** Random bytes drawn at once: a call to the system's generator costs more than sealing a small frame. */
const drawn = new Uint8Array(4096 - (4096 % NONCE_BYTES));
let used = drawn.length;

function nextNonce(): Uint8Array {
  if (used === drawn.length) {
    randomFillSync(drawn);
    used = 0;
  }
  used += NONCE_BYTES;
  return drawn.subarray(used - NONCE_BYTES, used);
}

function sealingKey(bytes: Uint8Array): SealingKey {
  // From bytes Node makes such an object at every call, which costs more than sealing a frame of 2 KB: 15 instead of 4 µs.
  const key = createSecretKey(bytes);
  return {
    sealInto(target, at, plain, bound) {
      const nonce = nextNonce();
      const cipher = createCipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES }).setAAD(bound);
      target.set(nonce, at);
      target.set(cipher.update(plain), at + SEAL_BYTES);
      cipher.final();
      target.set(cipher.getAuthTag(), at + NONCE_BYTES);
    },
    open(sealed, bound) {
      if (sealed.length < SEAL_BYTES) return undefined;
      const decipher = createDecipheriv(ALGORITHM, key, sealed.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
        .setAAD(bound)
        .setAuthTag(sealed.subarray(NONCE_BYTES, SEAL_BYTES));
      const plain = decipher.update(sealed.subarray(SEAL_BYTES));
      try {
        decipher.final();
      } catch {
        return undefined;
      }
      return plain;
    },
  };
}

/** The sealed bytes as a value of their own. */
export function seal(key: SealingKey, plain: Uint8Array, bound: Uint8Array): Uint8Array {
  const sealed = new Uint8Array(SEAL_BYTES + plain.length);
  key.sealInto(sealed, 0, plain, bound);
  return sealed;
}
