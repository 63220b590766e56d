import { createHmac, randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AppError, invariant } from '@nines/base/errors.ts';
import { seal } from '@nines/tsdb/cipher.ts';
import type { SealingKey } from '@nines/tsdb/contract.ts';
import { openDisk } from '@nines/tsdb/disk.ts';
import { z } from 'zod';
import { replaceFile } from '../replace-file.ts';

/** What the audit log is chained with; drawn in docs/format/audit.md. */
export const AUDIT_KEY_FILE = 'audit-key.json';
/** The name of the key that seals it. */
export const AUDIT_SEALING_KEY = 'audit';
const FORMAT = 2;
/** What sealed keys are bound to, the same in every format. */
const BOUND_FORMAT = 1;
const KEY_BYTES = 32;
const ID_CHARS = 32;
/** More rotations than anybody makes. */
const MAX_KEYS = 1_000;

const keyId = z.string().regex(/^[0-9a-f]{32}$/);
const known = { key_id: keyId, created_at_ms: z.int().nonnegative() };
const base64url = z.string().regex(/^[A-Za-z0-9_-]+$/);
const held = z.union([z.strictObject({ ...known, key: base64url }), z.strictObject({ ...known, sealed_key: base64url })]);
type Held = z.output<typeof held>;
const ring = z.strictObject({ format: z.literal(FORMAT), current: keyId, keys: z.array(held).min(1).max(MAX_KEYS) });
/** The first format held one key. */
const single = z.looseObject({ format: z.literal(1) }).transform(({ format: _format, ...rest }): KeyFile => {
  const key = held.parse(rest);
  return { current: key.key_id, keys: [key] };
});
type KeyFile = { readonly current: string; readonly keys: readonly Held[] };

export type AuditKey = {
  readonly id: string;
  /** HMAC-SHA-256 of the texts' UTF-8 bytes with a line feed between them, hexadecimal. */
  digest(purpose: string, text: string): string;
};

/** Every key that entries may be chained with, oldest first. */
export type AuditKeys = {
  readonly all: readonly AuditKey[];
  /** The one in force, as the file knows it. The chain may be further while a rotation is under way. */
  readonly current: AuditKey;
};

export function createAuditKey(bytes: Uint8Array): AuditKey {
  const hmac = (text: string): string => createHmac('sha256', bytes).update(text).digest('hex');
  return { id: hmac('id').slice(0, ID_CHARS), digest: (purpose, text) => hmac(`${purpose}\n${text}`) };
}

/** The last key is the one in force, unless another is named. */
export function auditKeys(all: readonly AuditKey[], currentId = all.at(-1)?.id): AuditKeys {
  const current = all.find(({ id }) => id === currentId);
  invariant(current !== undefined, `the audit key in force is one of the ring, found ${String(currentId)}`);
  return { all, current };
}

/** The keys of a data directory; undefined when there are none. `AppError` `audit_key_damaged` when the file cannot be used. */
export function readAuditKeys(dir: string, sealing: SealingKey | undefined): AuditKeys | undefined {
  const file = readKeyFile(dir);
  return file === undefined ? undefined : keysOf(dir, file, sealing);
}

/** The keys of a data directory, made when there are none. With `sealing` those that lie open are sealed now. */
export async function openAuditKeys(dir: string, sealing: SealingKey | undefined, nowMs: number): Promise<AuditKeys> {
  const file = readKeyFile(dir);
  if (file === undefined) {
    const made = sealedKey(new Uint8Array(randomBytes(KEY_BYTES)), nowMs, sealing);
    return write(dir, { current: made.key_id, keys: [made] }, sealing);
  }
  const keys = keysOf(dir, file, sealing);
  if (sealing === undefined || file.keys.every((one) => 'sealed_key' in one)) return keys;
  return write(dir, sealedFile(dir, file, sealing), sealing);
}

/** Adds a key that is not yet in force. Returns the keys with it as the last one. */
export async function addAuditKey(dir: string, sealing: SealingKey | undefined, nowMs: number): Promise<AuditKeys> {
  const file = readKeyFile(dir);
  if (file === undefined) throw damaged(dir, 'it is not there');
  const made = sealedKey(new Uint8Array(randomBytes(KEY_BYTES)), nowMs, sealing);
  return write(dir, { ...file, keys: [...file.keys, made] }, sealing);
}

/** Says in the file which key is in force. */
export async function forceAuditKey(dir: string, sealing: SealingKey | undefined, id: string): Promise<AuditKeys> {
  const file = readKeyFile(dir);
  if (file === undefined) throw damaged(dir, 'it is not there');
  return file.current === id ? keysOf(dir, file, sealing) : write(dir, { ...file, current: id }, sealing);
}

/** The text of a key file with its keys sealed, for a directory that is being encrypted; undefined when there is none. */
export function sealedAuditKeyFile(dir: string, sealing: SealingKey): string | undefined {
  const file = readKeyFile(dir);
  return file === undefined ? undefined : textOf(sealedFile(dir, file, sealing));
}

function readKeyFile(dir: string): KeyFile | undefined {
  const path = join(dir, AUDIT_KEY_FILE);
  if (!existsSync(path)) return undefined;
  try {
    return z.union([ring, single]).parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    throw damaged(dir, 'it does not hold what it should');
  }
}

function keysOf(dir: string, file: KeyFile, sealing: SealingKey | undefined): AuditKeys {
  const all = file.keys.map((one) => createAuditKey(bytesOf(dir, one, sealing)));
  if (!all.some(({ id }) => id === file.current)) throw damaged(dir, 'the key in force is not among its keys');
  return auditKeys(all, file.current);
}

function bytesOf(dir: string, one: Held, sealing: SealingKey | undefined): Uint8Array {
  const bytes = 'key' in one ? Buffer.from(one.key, 'base64url') : unseal(dir, one, sealing);
  if (bytes.length !== KEY_BYTES || createAuditKey(bytes).id !== one.key_id) throw damaged(dir, 'the key id is not that of the key');
  return new Uint8Array(bytes);
}

function unseal(dir: string, one: Extract<Held, { sealed_key: string }>, sealing: SealingKey | undefined): Uint8Array {
  if (sealing === undefined) throw damaged(dir, 'its key is sealed; name the key of the data directory in the configuration');
  const opened = sealing.open(Buffer.from(one.sealed_key, 'base64url'), boundTo(one.key_id));
  if (opened === undefined) throw damaged(dir, 'its key does not open with the key of this data directory');
  return opened;
}

function sealedKey(bytes: Uint8Array, createdAtMs: number, sealing: SealingKey | undefined): Held {
  const { id } = createAuditKey(bytes);
  const encoded = (from: Uint8Array): string => Buffer.from(from).toString('base64url');
  const about = { key_id: id, created_at_ms: createdAtMs };
  return sealing === undefined ? { ...about, key: encoded(bytes) } : { ...about, sealed_key: encoded(seal(sealing, bytes, boundTo(id))) };
}

const sealedFile = (dir: string, file: KeyFile, sealing: SealingKey): KeyFile => ({
  current: file.current,
  keys: file.keys.map((one) => sealedKey(bytesOf(dir, one, sealing), one.created_at_ms, sealing)),
});

async function write(dir: string, file: KeyFile, sealing: SealingKey | undefined): Promise<AuditKeys> {
  await replaceFile(openDisk(dir), AUDIT_KEY_FILE, textOf(file));
  return keysOf(dir, file, sealing);
}

const textOf = ({ current, keys }: KeyFile): string => `${JSON.stringify({ format: FORMAT, current, keys }, null, 2)}\n`;

const boundTo = (id: string): Uint8Array => new TextEncoder().encode(`${BOUND_FORMAT} ${id}`);

const damaged = (dir: string, problem: string): AppError =>
  new AppError(
    'unavailable',
    'audit_key_damaged',
    `${join(dir, AUDIT_KEY_FILE)} cannot be used: ${problem}. Put it back from a backup; without it the audit log cannot be verified or continued.`,
  );
