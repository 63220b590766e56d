import { randomBytes } from 'node:crypto';
import { existsSync, openSync, closeSync, readSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '@nines/base/errors.ts';
import { KEY_BYTES, createCipher, deriveKey } from '@nines/tsdb/cipher.ts';
import type { Cipher } from '@nines/tsdb/contract.ts';
import { openDisk } from '@nines/tsdb/disk.ts';
import { FILE_HEADER_BYTES, isSealedFile } from '@nines/tsdb/log/frame.ts';
import { STATE_FILE, STORE_DIR } from '../directory.ts';
import { ENVELOPE_FILE, type Envelope, parseEnvelope, unwrap, wrap, writeEnvelope } from './envelope.ts';
import { type Findings, judgeKeys } from './judge.ts';
import type { MasterKey } from './master-key.ts';

/** What a conversion works in, and the file that says that it only has to move names any more. */
export const CONVERSION_DIR = 'encrypting';
export const CONVERSION_READY = 'ready';

/** The keys of an encrypted data directory. */
export class DataKeys {
  readonly #dataKey: Uint8Array;
  /** Of the operator's key that wraps them. */
  readonly keyId: string;

  constructor(dataKey: Uint8Array, keyId: string) {
    this.#dataKey = dataKey;
    this.keyId = keyId;
  }

  /** For the samples. */
  get cipher(): Cipher {
    return createCipher(this.#dataKey);
  }

  /** For the state database in SQLite: 32 bytes. */
  get stateKey(): Uint8Array {
    return deriveKey(this.#dataKey, 'state');
  }

  wrap(key: MasterKey, at: { readonly createdAtMs: number; readonly nowMs: number }): Envelope {
    return wrap(this.#dataKey, key, at);
  }

  static create(keyId: string): DataKeys {
    return new DataKeys(randomBytes(KEY_BYTES), keyId);
  }
}

/**
 * The keys of a data directory; undefined when it is not encrypted. Makes them for an empty one. `AppError` with a sentence for
 * the operator when key and data do not fit; nothing was touched then.
 */
export async function openKeys(dataDir: string, key: MasterKey | undefined, nowMs: number): Promise<DataKeys | undefined> {
  const verdict = judgeKeys(dataDir, inspect(dataDir), key);
  if (verdict.kind === 'refuse') throw new AppError('unavailable', verdict.code, verdict.message);
  if (verdict.kind === 'plain' || key === undefined) return undefined;
  if (verdict.kind === 'open') return unwrapped(dataDir, verdict.envelope, key);
  return makeKeys(dataDir, key, nowMs);
}

/** `AppError` `keys_damaged` when the key is the right one and the envelope does not open all the same. */
export function unwrapped(dataDir: string, envelope: Envelope, key: MasterKey): DataKeys {
  const dataKey = unwrap(envelope, key);
  if (dataKey !== undefined) return new DataKeys(dataKey, key.id);
  throw new AppError(
    'unavailable',
    'keys_damaged',
    `${join(dataDir, ENVELOPE_FILE)} is damaged. Put it back from a backup; without it nothing can be read.`,
  );
}

/** Under the store's lock, so that of two first starts one makes the keys and the other does not replace them. */
async function makeKeys(dataDir: string, key: MasterKey, nowMs: number): Promise<DataKeys> {
  using _lock = lockDirectory(join(dataDir, STORE_DIR));
  if (existsSync(join(dataDir, ENVELOPE_FILE))) {
    const verdict = judgeKeys(dataDir, inspect(dataDir), key);
    if (verdict.kind === 'open') return unwrapped(dataDir, verdict.envelope, key);
  }
  const keys = DataKeys.create(key.id);
  await writeEnvelope(openDisk(dataDir), keys.wrap(key, { createdAtMs: nowMs, nowMs }));
  return keys;
}

/** Holds the lock of a directory, as a running server does that of the samples. Throws `StoreLocked`. */
export function lockDirectory(dir: string): Disposable {
  const disk = openDisk(dir);
  disk.lock();
  return { [Symbol.dispose]: () => disk.close() };
}

/** Reads names and first bytes only. */
export function inspect(dataDir: string): Findings {
  const files = [...storeFiles(dataDir), join(dataDir, STATE_FILE)].map((path) => ({ path, encrypted: isEncrypted(path) }));
  return {
    envelope: readEnvelope(dataDir),
    encryptedFile: files.find(({ encrypted }) => encrypted === true)?.path,
    plainFile: files.find(({ encrypted }) => encrypted === false)?.path,
    converting: existsSync(join(dataDir, CONVERSION_DIR, CONVERSION_READY)),
  };
}

export function readEnvelope(dataDir: string): Findings['envelope'] {
  let text: string;
  try {
    text = readFileSync(join(dataDir, ENVELOPE_FILE), 'utf8');
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return { kind: 'absent' };
    throw thrown;
  }
  const parsed = parseEnvelope(text);
  return parsed.ok ? { kind: 'read', envelope: parsed.value } : { kind: 'damaged', problem: parsed.error };
}

function storeFiles(dataDir: string): readonly string[] {
  const dir = join(dataDir, STORE_DIR);
  if (!existsSync(dir)) return [];
  return readdirSync(dir)
    .filter((name) => /^(log|checkpoint)-\d+$|^pages\.db$/.test(name))
    .map((name) => join(dir, name));
}

const SQLITE_MAGIC = 'SQLite format 3\0';

/**
 * Undefined when a file is absent or its beginning says nothing: an encrypted database looks like a damaged one. Pages count as
 * plain here: their file is SQLite's own either way, and the log beside them says more.
 */
function isEncrypted(path: string): boolean | undefined {
  const head = firstBytes(path);
  if (head.length < FILE_HEADER_BYTES) return undefined;
  if (Buffer.from(head).toString('latin1') === SQLITE_MAGIC) return false;
  return isSealedFile(head);
}

function firstBytes(path: string): Uint8Array {
  if (!existsSync(path)) return new Uint8Array(0);
  const file = openSync(path, 'r');
  try {
    const head = new Uint8Array(FILE_HEADER_BYTES);
    return head.subarray(0, readSync(file, head));
  } finally {
    closeSync(file);
  }
}
