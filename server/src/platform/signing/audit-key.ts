import { createHmac, randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '@nines/base/errors.ts';
import { seal } from '@nines/tsdb/cipher.ts';
import type { SealingKey } from '@nines/tsdb/contract.ts';
import { openDisk } from '@nines/tsdb/disk.ts';
import { z } from 'zod';
import { replaceFile } from '../replace-file.ts';

/** What the audit log is chained with; drawn in docs/format/audit.md. */
export const AUDIT_KEY_FILE = 'audit-key.json';
/** The name of the key that seals it. */
export const AUDIT_SEALING_KEY = 'audit';
const FORMAT = 1;
const KEY_BYTES = 32;
const ID_CHARS = 32;

const known = { format: z.literal(FORMAT), key_id: z.string().regex(/^[0-9a-f]{32}$/), created_at_ms: z.int().nonnegative() };
const base64url = z.string().regex(/^[A-Za-z0-9_-]+$/);
const fileSchema = z.union([z.strictObject({ ...known, key: base64url }), z.strictObject({ ...known, sealed_key: base64url })]);
type KeyFile = z.output<typeof fileSchema>;

export type AuditKey = {
  readonly id: string;
  /** HMAC-SHA-256 of the texts' UTF-8 bytes with a line feed between them, hexadecimal. */
  digest(purpose: string, text: string): string;
};

export function createAuditKey(bytes: Uint8Array): AuditKey {
  const hmac = (text: string): string => createHmac('sha256', bytes).update(text).digest('hex');
  return { id: hmac('id').slice(0, ID_CHARS), digest: (purpose, text) => hmac(`${purpose}\n${text}`) };
}

/** The key of a data directory; undefined when there is none. `AppError` `audit_key_damaged` when the file cannot be used. */
export function readAuditKey(dir: string, sealing: SealingKey | undefined): AuditKey | undefined {
  const file = readKeyFile(dir);
  return file === undefined ? undefined : createAuditKey(openFile(dir, file, sealing));
}

/** The key of a data directory, made when there is none. With `sealing` one that lies open is sealed now. */
export async function openAuditKey(dir: string, sealing: SealingKey | undefined, nowMs: number): Promise<AuditKey> {
  const file = readKeyFile(dir);
  const bytes = file === undefined ? new Uint8Array(randomBytes(KEY_BYTES)) : openFile(dir, file, sealing);
  const key = createAuditKey(bytes);
  const mustSeal = file !== undefined && 'key' in file && sealing !== undefined;
  if (file === undefined || mustSeal) {
    await replaceFile(openDisk(dir), AUDIT_KEY_FILE, textOf({ id: key.id, createdAtMs: file?.created_at_ms ?? nowMs, bytes }, sealing));
  }
  return key;
}

/** The text of a key file with its key sealed, for a directory that is being encrypted; undefined when there is none. */
export function sealedAuditKeyFile(dir: string, sealing: SealingKey): string | undefined {
  const file = readKeyFile(dir);
  if (file === undefined) return undefined;
  return textOf({ id: file.key_id, createdAtMs: file.created_at_ms, bytes: openFile(dir, file, sealing) }, sealing);
}

function readKeyFile(dir: string): KeyFile | undefined {
  const path = join(dir, AUDIT_KEY_FILE);
  if (!existsSync(path)) return undefined;
  try {
    return fileSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    throw damaged(dir, 'it does not hold what it should');
  }
}

function openFile(dir: string, file: KeyFile, sealing: SealingKey | undefined): Uint8Array {
  const bytes = 'key' in file ? Buffer.from(file.key, 'base64url') : unseal(dir, file, sealing);
  if (bytes.length !== KEY_BYTES || createAuditKey(bytes).id !== file.key_id) throw damaged(dir, 'the key id is not that of the key');
  return new Uint8Array(bytes);
}

function unseal(dir: string, file: Extract<KeyFile, { sealed_key: string }>, sealing: SealingKey | undefined): Uint8Array {
  if (sealing === undefined) throw damaged(dir, 'its key is sealed; name the key of the data directory in the configuration');
  const opened = sealing.open(Buffer.from(file.sealed_key, 'base64url'), boundTo(file.key_id));
  if (opened === undefined) throw damaged(dir, 'its key does not open with the key of this data directory');
  return opened;
}

type Made = { readonly id: string; readonly createdAtMs: number; readonly bytes: Uint8Array };

function textOf({ id, createdAtMs, bytes }: Made, sealing: SealingKey | undefined): string {
  const about = { format: FORMAT, key_id: id, created_at_ms: createdAtMs };
  const encoded = (from: Uint8Array): string => Buffer.from(from).toString('base64url');
  const file =
    sealing === undefined ? { ...about, key: encoded(bytes) } : { ...about, sealed_key: encoded(seal(sealing, bytes, boundTo(id))) };
  return `${JSON.stringify(file, null, 2)}\n`;
}

const boundTo = (id: string): Uint8Array => new TextEncoder().encode(`${FORMAT} ${id}`);

const damaged = (dir: string, problem: string): AppError =>
  new AppError(
    'unavailable',
    'audit_key_damaged',
    `${join(dir, AUDIT_KEY_FILE)} cannot be used: ${problem}. Put it back from a backup; without it the audit log cannot be verified or continued.`,
  );
