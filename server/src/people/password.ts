import { argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { AppError } from '@nines/base/errors.ts';
import { Gate } from '../platform/gate.ts';
import { PEOPLE_CODES, normalPassword } from './contract.ts';

const deriveOnPool = promisify(argon2);

/** Derivations under way at once: they run on the pool of threads that name resolution and files use as well. */
const MAX_DERIVATIONS = 2;
/** Sign-ins that wait for their turn; a flood beyond it is refused instead of kept. */
const MAX_WAITING = 50;
const derivations = new Gate(MAX_DERIVATIONS, MAX_WAITING);

/** Argon2 in turn, so that a flood of sign-ins cannot starve the checks of threads. `AppError` `too_many_tries` when the queue is full. */
async function derive(...args: Parameters<typeof deriveOnPool>): Promise<Buffer> {
  using place = await derivations.enter();
  if (place === undefined)
    throw new AppError('limited', PEOPLE_CODES.tooManyTries, 'too many sign-ins at once; try again in a moment', { retryAfterMs: 1_000 });
  return await deriveOnPool(...args);
}

/** OWASP's password storage cheat sheet: Argon2id with 19 MiB, two passes, one lane. About 45 ms on a small server. */
const COST: Cost = { memory: 19_456, passes: 2, parallelism: 1 };
export type Cost = { readonly memory: number; readonly passes: number; readonly parallelism: number };
const SALT_BYTES = 16;
const HASH_BYTES = 32;

/** A PHC string, so that the cost can rise later without losing the passwords of today. */
export async function hashPassword(password: string, cost: Cost = COST): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const hash = await derive('argon2id', { message: normalPassword(password), nonce: salt, tagLength: HASH_BYTES, ...cost });
  return `$argon2id$v=19$m=${cost.memory},t=${cost.passes},p=${cost.parallelism}$${base64(salt)}$${base64(hash)}`;
}

/** What a password is compared with when the name is unknown, so that both cases cost the same. No password has this hash. */
export const NO_ONES_HASH = `$argon2id$v=19$m=${COST.memory},t=${COST.passes},p=${COST.parallelism}$${base64(Buffer.alloc(SALT_BYTES))}$${base64(Buffer.alloc(HASH_BYTES))}`;

export async function verifyPassword(password: string, stored: string): Promise<boolean> {
  const parts = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([^$]+)\$([^$]+)$/.exec(stored);
  if (parts === null) throw new Error('BUG: a stored password hash is not an Argon2id PHC string');
  const [, memory, passes, parallelism, salt = '', hash = ''] = parts;
  const expected = Buffer.from(hash, 'base64');
  const found = await derive('argon2id', {
    message: normalPassword(password),
    nonce: Buffer.from(salt, 'base64'),
    tagLength: expected.length,
    memory: Number(memory),
    passes: Number(passes),
    parallelism: Number(parallelism),
  });
  return timingSafeEqual(found, expected);
}

/** Whether a stored hash was made with another cost than today's; it is made anew at the next sign-in. */
export const isOutdated = (stored: string): boolean =>
  !stored.startsWith(`$argon2id$v=19$m=${COST.memory},t=${COST.passes},p=${COST.parallelism}$`);

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replace(/=+$/, '');
}
