import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { AppError, messageOf } from '@nines/base/errors.ts';
import { KEY_BYTES } from '@nines/tsdb/cipher.ts';
import { openDisk } from '@nines/tsdb/disk.ts';
import { writeEnvelope } from './envelope.ts';
import { judgeKeys } from './judge.ts';
import { STORE_DIR } from '../directory.ts';
import { inspect, lockDirectory, unwrapped } from './keys.ts';
import type { MasterKey } from './master-key.ts';

/** Makes a key file that only its owner can read. Never writes over a file: it may be the only copy of a key. `AppError` `key_file_unwritable`. */
export function createKeyFile(path: string): void {
  try {
    const file = openSync(path, 'wx', 0o600);
    try {
      writeSync(file, `${randomBytes(KEY_BYTES).toString('hex')}\n`);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  } catch (thrown) {
    const problem = (thrown as NodeJS.ErrnoException).code === 'EEXIST' ? 'it exists, and a key is never written over' : messageOf(thrown);
    throw new AppError('unavailable', 'key_file_unwritable', `cannot make the key file ${path}: ${problem}`);
  }
}

/**
 * Wraps the data key with `to` instead of `from`; samples and state stay as they are. Throws `StoreLocked` while a server runs.
 * Cut at any instant, either the old or the new key opens the directory.
 */
export async function rotateKey(dataDir: string, keys: { readonly from: MasterKey; readonly to: MasterKey }, nowMs: number): Promise<void> {
  const verdict = judgeKeys(dataDir, inspect(dataDir), keys.from);
  if (verdict.kind === 'refuse') throw new AppError('unavailable', verdict.code, verdict.message);
  if (verdict.kind !== 'open')
    throw new AppError('unavailable', 'not_encrypted', `The data in ${dataDir} is not encrypted: there is no key to replace.`);
  using _lock = lockDirectory(join(dataDir, STORE_DIR));
  const { envelope } = verdict;
  await writeEnvelope(
    openDisk(dataDir),
    unwrapped(dataDir, envelope, keys.from).wrap(keys.to, { createdAtMs: envelope.created_at_ms, nowMs }),
  );
}
