import { crc32 } from 'node:zlib';
import type { Ids } from '@nines/base/ids.ts';
import { SECRET_BYTES } from '../platform/secret-digest.ts';

/** Marks a token wherever it turns up, so that scanners of code and logs find it. */
export const TOKEN_PREFIX = 'nines_';
/** What is shown of a token behind its prefix, so that a person recognises it. */
const HINT_CHARS = 4;
/** 256 bits in base64url. */
const RANDOM_CHARS = 43;
/** CRC-32 in base 36, padded: a mistyped or invented token is told from a real one without asking the database. */
const CHECK_CHARS = 7;

const checkOf = (random: string): string => crc32(random).toString(36).padStart(CHECK_CHARS, '0');

export function makeSecret(ids: Pick<Ids, 'secret'>): string {
  const random = ids.secret(SECRET_BYTES);
  return `${TOKEN_PREFIX}${random}${checkOf(random)}`;
}

/** Whether this can be a token at all. Those made before there was a checksum end with their random part. */
export function isTokenLike(secret: string): boolean {
  const parts = new RegExp(`^${TOKEN_PREFIX}([A-Za-z0-9_-]{${RANDOM_CHARS}})([a-z0-9]{${CHECK_CHARS}})?$`).exec(secret);
  return parts !== null && (parts[2] === undefined || parts[2] === checkOf(parts[1] ?? ''));
}

export const hintOf = (secret: string): string => secret.slice(0, TOKEN_PREFIX.length + HINT_CHARS);

/** A token within some text, such as an address. */
export const TOKEN_WITHIN = new RegExp(`${TOKEN_PREFIX}[A-Za-z0-9_-]{${RANDOM_CHARS},}`);
