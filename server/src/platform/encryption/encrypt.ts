import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readdirSync, renameSync, rmSync, statSync, statfsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { AppError } from '@nines/base/errors.ts';
import { openDisk } from '@nines/tsdb/disk.ts';
import { encryptLog, encryptPages } from '@nines/tsdb/encrypt-store.ts';
import { PAGES_FILE } from '@nines/tsdb/page-store.ts';
import { encryptSqlite } from '../db/open.ts';
import { STATE_FILE, STORE_DIR } from '../directory.ts';
import { replaceFile } from '../replace-file.ts';
import { SECRETS_SEALING_KEY, SECRET_KEYS_FILE, sealedSecretKeysFile } from '../secrets/key-file.ts';
import { AUDIT_KEY_FILE, AUDIT_SEALING_KEY, sealedAuditKeyFile } from '../signing/audit-key.ts';
import { SIGNING_FILE, SIGNING_KEY, sealedKeyFile } from '../signing/signing-keys.ts';
import { ENVELOPE_FILE, writeEnvelope } from './envelope.ts';
import { CONVERSION_DIR, CONVERSION_READY, DataKeys, inspect, lockDirectory } from './keys.ts';
import type { MasterKey } from './master-key.ts';

/**
 * Turns a plain data directory into an encrypted one, offline. Everything is written anew beside the old files first; from the
 * moment `ready` is there only names move, in steps that can be repeated. Drawn in docs/format/keys.md.
 */
/** How it goes, and how much room there is. */
export type EncryptOptions = {
  /** Bytes that are done and that there are. */
  readonly onProgress?: (done: number, of: number) => void;
  /** Free bytes on the disk of a directory. */
  readonly freeBytes?: (dir: string) => number;
};

/** Left free beside what is written. */
const MARGIN_BYTES = 64 * 1024 * 1024;

export type Encrypted = {
  /** Places of the log that were damaged before and are left behind. */
  readonly lost: readonly string[];
};

/** `AppError` when there is nothing to encrypt, `StoreLocked` while a server runs. Called again after a crash it finishes. */
export async function encryptData(dataDir: string, key: MasterKey, nowMs: number, options: EncryptOptions = {}): Promise<Encrypted> {
  const found = inspect(dataDir);
  if (found.envelope.kind !== 'absent' && !found.converting)
    throw new AppError(
      'unavailable',
      'already_encrypted',
      `The data in ${dataDir} is encrypted already. To change the key: nines key rotate`,
    );
  if (found.plainFile === undefined && !found.converting)
    throw new AppError(
      'unavailable',
      'nothing_to_encrypt',
      `There are no data in ${dataDir}. Start the server with the key in its configuration.`,
    );
  // Once names move the store's own directory may be away; no server starts then, only this command once more.
  using _lock = lockDirectory(join(dataDir, found.converting ? CONVERSION_DIR : STORE_DIR));
  const lost = found.converting ? [] : await prepareEncryption(dataDir, key, nowMs, options);
  for (const step of movingSteps(dataDir)) step();
  return { lost };
}

/** Writes everything anew below `encrypting/`; up to its last step a crash leaves the directory as plain as it was. */
export async function prepareEncryption(
  dataDir: string,
  key: MasterKey,
  nowMs: number,
  { onProgress = () => {}, freeBytes = freeBytesOf }: EncryptOptions = {},
): Promise<readonly string[]> {
  const work = join(dataDir, CONVERSION_DIR);
  rmSync(work, { recursive: true, force: true });
  const of = bytesOf(dataDir);
  checkSpace(dataDir, { needed: of, free: freeBytes(dataDir) });
  let done = 0;
  const onBytes = (bytes: number): void => onProgress(Math.min(of, (done += bytes)), of);
  const keys = DataKeys.create(key.id);
  const [from, to] = [openDisk(join(dataDir, STORE_DIR)), openDisk(join(work, STORE_DIR))];
  const lost = await encryptLog(from, to, { cipher: keys.cipher, onBytes });
  const pages = join(dataDir, STORE_DIR, PAGES_FILE);
  const newPages = join(work, STORE_DIR, PAGES_FILE);
  if (existsSync(pages)) {
    encryptPages(pages, newPages, { cipher: keys.cipher, onBytes });
    sync(newPages);
  }
  sync(join(work, STORE_DIR));
  if (existsSync(join(dataDir, STATE_FILE))) {
    mkdirSync(dirname(join(work, STATE_FILE)), { recursive: true, mode: 0o700 });
    encryptSqlite(join(dataDir, STATE_FILE), join(work, STATE_FILE), keys.stateKey);
    sync(join(work, STATE_FILE));
    sync(dirname(join(work, STATE_FILE)));
  }
  const disk = openDisk(work);
  const signing = sealedKeyFile(dataDir, keys.cipher.key(SIGNING_KEY));
  if (signing !== undefined) await replaceFile(disk, SIGNING_FILE, signing);
  const audit = sealedAuditKeyFile(dataDir, keys.cipher.key(AUDIT_SEALING_KEY));
  if (audit !== undefined) await replaceFile(disk, AUDIT_KEY_FILE, audit);
  const secrets = sealedSecretKeysFile(dataDir, keys.cipher.key(SECRETS_SEALING_KEY));
  if (secrets !== undefined) await replaceFile(disk, SECRET_KEYS_FILE, secrets);
  await writeEnvelope(disk, keys.wrap(key, { createdAtMs: nowMs, nowMs }));
  const ready = await disk.create(CONVERSION_READY);
  await ready.sync();
  await ready.close();
  await disk.syncDirectory();
  sync(dataDir);
  return lost;
}

/** What is left to do once `ready` is there. Each step may have been done before. */
export function movingSteps(dataDir: string): readonly (() => void)[] {
  const work = join(dataDir, CONVERSION_DIR);
  const old = join(work, 'old');
  const parts = [STORE_DIR, dirname(STATE_FILE)];
  return [
    () => mkdirSync(old, { recursive: true, mode: 0o700 }),
    ...parts.flatMap((part) => [
      () => {
        if (existsSync(join(work, part)) && existsSync(join(dataDir, part))) renameSync(join(dataDir, part), join(old, part));
        sync(old);
      },
      () => {
        if (existsSync(join(work, part))) renameSync(join(work, part), join(dataDir, part));
        sync(dataDir);
      },
    ]),
    ...[SIGNING_FILE, AUDIT_KEY_FILE, SECRET_KEYS_FILE, ENVELOPE_FILE].map((name) => () => {
      if (existsSync(join(work, name))) renameSync(join(work, name), join(dataDir, name));
      sync(dataDir);
    }),
    // The mark goes last, or a crash could leave the old files unnoticed.
    () => rmSync(old, { recursive: true, force: true }),
    () => {
      rmSync(work, { recursive: true, force: true });
      sync(dataDir);
    },
  ];
}

/** Of everything that is written anew. */
const bytesOf = (dataDir: string): number =>
  [STORE_DIR, dirname(STATE_FILE)]
    .map((part) => join(dataDir, part))
    .filter((dir) => existsSync(dir))
    .flatMap((dir) => readdirSync(dir).map((name) => statSync(join(dir, name))))
    .reduce((sum, stat) => sum + (stat.isFile() ? stat.size : 0), 0);

function freeBytesOf(dir: string): number {
  const { bavail, bsize } = statfsSync(dir);
  return bavail * bsize;
}

function checkSpace(dataDir: string, { needed, free }: { readonly needed: number; readonly free: number }): void {
  if (free >= needed + MARGIN_BYTES) return;
  const megabytes = (bytes: number): string => `${Math.ceil(bytes / 1e6)} MB`;
  const message = `The disk of ${dataDir} has ${megabytes(free)} free. All data are written anew before the old ones go, which needs ${megabytes(needed)} and ${megabytes(MARGIN_BYTES)} to spare. Nothing was changed.`;
  throw new AppError('unavailable', 'encryption_no_space', message);
}

function sync(path: string): void {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
