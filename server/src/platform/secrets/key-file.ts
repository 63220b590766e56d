import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '@nines/base/errors.ts';
import { KEY_BYTES, seal } from '@nines/tsdb/cipher.ts';
import type { SealingKey } from '@nines/tsdb/contract.ts';
import { openDisk } from '@nines/tsdb/disk.ts';
import { z } from 'zod';
import { replaceFile } from '../replace-file.ts';
import { SECRET_CODES } from './contract.ts';
import { SecretKey } from './sealed-text.ts';

/** The keys of secrets; drawn in docs/format/secrets.md. */
export const SECRET_KEYS_FILE = 'secret-keys.json';
/** The name of the key that seals them in an encrypted directory. */
export const SECRETS_SEALING_KEY = 'secrets';
const FORMAT = 1;

const known = { key_id: z.string().regex(/^[0-9a-f]{16}$/), created_at_ms: z.int().nonnegative() };
const base64url = z.string().regex(/^[A-Za-z0-9_-]+$/);
const keySchema = z.union([z.strictObject({ ...known, key: base64url }), z.strictObject({ ...known, sealed_key: base64url })]);
type WrittenKey = z.output<typeof keySchema>;
const fileSchema = z.strictObject({ format: z.literal(FORMAT), scrubbed: z.boolean(), current: keySchema, retiring: z.array(keySchema) });

export type SecretKeys = {
  /** What is sealed now is sealed with it. */
  readonly current: SecretKey;
  /** Before it, while a rotation is under way. */
  readonly retiring: readonly SecretKey[];
  /** Nothing that an older version kept open is left in the file of the database. */
  readonly scrubbed: boolean;
};

/** The keys of a data directory; undefined when there are none. `isPlain` says that one of them lies open. `AppError` `secret_keys_damaged`. */
export function readSecretKeys(
  dir: string,
  sealing: SealingKey | undefined,
): { readonly keys: SecretKeys; readonly isPlain: boolean } | undefined {
  const path = join(dir, SECRET_KEYS_FILE);
  if (!existsSync(path)) return undefined;
  let file: z.output<typeof fileSchema>;
  try {
    file = fileSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    throw damaged(dir, 'it does not hold what it should');
  }
  const open = (written: WrittenKey): SecretKey => openKey(dir, written, sealing);
  return {
    keys: { current: open(file.current), retiring: file.retiring.map(open), scrubbed: file.scrubbed },
    isPlain: [file.current, ...file.retiring].some((written) => 'key' in written),
  };
}

export async function writeSecretKeys(dir: string, keys: SecretKeys, sealing: SealingKey | undefined): Promise<void> {
  await replaceFile(openDisk(dir), SECRET_KEYS_FILE, textOf(keys, sealing));
}

/** The text of a key file with its keys sealed, for a directory that is being encrypted; undefined when there is none. */
export function sealedSecretKeysFile(dir: string, sealing: SealingKey): string | undefined {
  const read = readSecretKeys(dir, sealing);
  return read === undefined ? undefined : textOf(read.keys, sealing);
}

function openKey(dir: string, written: WrittenKey, sealing: SealingKey | undefined): SecretKey {
  const bytes = 'key' in written ? new Uint8Array(Buffer.from(written.key, 'base64url')) : unseal(dir, written, sealing);
  const key = bytes.length === KEY_BYTES ? new SecretKey(bytes, written.created_at_ms) : undefined;
  if (key?.id !== written.key_id) throw damaged(dir, 'a key id is not that of its key');
  return key;
}

function unseal(dir: string, written: Extract<WrittenKey, { sealed_key: string }>, sealing: SealingKey | undefined): Uint8Array {
  if (sealing === undefined) throw damaged(dir, 'its keys are sealed; name the key of the data directory in the configuration');
  const opened = sealing.open(new Uint8Array(Buffer.from(written.sealed_key, 'base64url')), boundTo(written.key_id));
  if (opened === undefined) throw damaged(dir, 'its keys do not open with the key of this data directory');
  return opened;
}

function textOf({ current, retiring, scrubbed }: SecretKeys, sealing: SealingKey | undefined): string {
  const written = (key: SecretKey): WrittenKey => {
    const about = { key_id: key.id, created_at_ms: key.createdAtMs };
    if (sealing === undefined) return { ...about, key: encoded(key.reveal()) };
    return { ...about, sealed_key: encoded(seal(sealing, key.reveal(), boundTo(key.id))) };
  };
  return `${JSON.stringify({ format: FORMAT, scrubbed, current: written(current), retiring: retiring.map(written) }, null, 2)}\n`;
}

const encoded = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');
const boundTo = (id: string): Uint8Array => new TextEncoder().encode(`${FORMAT} ${id}`);

const damaged = (dir: string, problem: string): AppError =>
  new AppError(
    'unavailable',
    SECRET_CODES.keysDamaged,
    `${join(dir, SECRET_KEYS_FILE)} cannot be used: ${problem}. Put it back from a backup; without it no secret that was saved here can be read.`,
  );
