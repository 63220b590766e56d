import { toBase32 } from './base32.ts';
import { digestOf } from '../platform/secret-digest.ts';

export const RECOVERY_CODES = 10;
/** 80 bits: as many as cannot be guessed, so that a plain digest of the code opens nothing. */
export const RECOVERY_CODE_BYTES = 10;
/** Crockford's: without the letters that are read as others. */
const LETTERS = '0123456789abcdefghjkmnpqrstvwxyz';
const GROUP = 4;

/** `k3vx-09dw-a7qm-m2tc` */
export const recoveryCodeOf = (bytes: Uint8Array): string =>
  (toBase32(bytes, LETTERS).match(new RegExp(`.{${GROUP}}`, 'g')) ?? []).join('-');

/** What is kept of a code, however it was typed: capitals, spaces, no hyphens, o for 0, i and l for 1. */
export function recoveryDigest(userId: string, typed: string): string {
  const folded = typed.toLowerCase().replace(/[\s-]/g, '').replace(/o/g, '0').replace(/[il]/g, '1');
  return digestOf(`${userId} ${folded}`);
}
