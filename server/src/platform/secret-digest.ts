import { createHash } from 'node:crypto';

/** Random bytes of every secret that is made here: it cannot be guessed, so its plain SHA-256 opens nothing. */
export const SECRET_BYTES = 32;

/** What is stored of a random secret: SHA-256, hexadecimal. Passwords are not random and need Argon2id instead. */
export const digestOf = (secret: string): string => createHash('sha256').update(secret).digest('hex');
