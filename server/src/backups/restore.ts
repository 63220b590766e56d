import { existsSync } from 'node:fs';
import { mkdir, open, readFile, readdir, rename, rm, statfs } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Clock } from '@nines/base/clock.ts';
import { AppError, messageOf } from '@nines/base/errors.ts';
import { StoreLocked } from '@nines/tsdb/contract.ts';
import { openDisk } from '@nines/tsdb/disk.ts';
import { holdFile } from '@nines/tsdb/held-file.ts';
import { makeDirectory } from '../platform/directory.ts';
import { ASIDE_PREFIX, BACKUP_CODES, type Manifest, type OnProgress, RESTORE_MARK } from './contract.ts';
import { copyInto } from './copy.ts';
import { foldersOf } from './create.ts';
import { readManifest, syncDirectory } from './manifest.ts';
import { memberProblem } from './members.ts';
import { followed, isWithin } from './places.ts';

export type RestoreOptions = {
  readonly from: string;
  /** The data directory to make. */
  readonly to: string;
  /** Moves what is there aside instead of refusing. */
  readonly force: boolean;
  readonly clock: Pick<Clock, 'now'>;
  readonly onProgress?: OnProgress;
};
export type RestoreReport = { readonly manifest: Manifest; readonly bytes: number; readonly aside: string | undefined };

/**
 * Makes a data directory from a backup. Every file is compared with its hash on the way; until the last is durable the directory has a mark with which no
 * server starts, and a restore that was interrupted may be run again. Throws `AppError`: `not_a_backup`, `backup_damaged`, `restore_refused`.
 */
export async function restoreBackup({ from, to, force, clock, onProgress }: RestoreOptions): Promise<RestoreReport> {
  const source = resolve(from);
  const target = resolve(to);
  const manifest = await readManifest(source);
  await checkFiles(source, target, manifest);
  await refuseOverlap(source, target);
  const aside = await makeRoom(target, { force, nowMs: clock.now() });
  const totalBytes = manifest.files.reduce((sum, { bytes }) => sum + bytes, 0);
  let doneBytes = 0;
  for (const file of manifest.files) {
    const held = await holdFile(join(source, file.path));
    try {
      const copied = await copyInto(target, { path: file.path, source: held }, (bytes) => {
        doneBytes += bytes;
        onProgress?.({ doneBytes, totalBytes });
      });
      if (copied.sha256 !== file.sha256)
        throw new AppError(
          'bad_input',
          BACKUP_CODES.damaged,
          `${join(source, file.path)} is damaged: its SHA-256 is not the manifest's. ${target} is not usable.`,
        );
    } finally {
      await held.release();
    }
  }
  for (const folder of foldersOf(manifest.files)) await syncDirectory(join(target, folder));
  await syncDirectory(target);
  await rm(join(target, RESTORE_MARK));
  await syncDirectory(target);
  return { manifest, bytes: totalBytes, aside };
}

/** Making room would move the backup, or its files would be written into it. */
async function refuseOverlap(source: string, target: string): Promise<void> {
  const [from, to] = [followed(source), followed(target)];
  if (!isWithin(from, to) && !isWithin(to, from)) return;
  throw new AppError(
    'conflict',
    BACKUP_CODES.restoreRefused,
    `${target} and the backup ${source} lie one in the other. Name a directory outside, or move the backup.`,
  );
}

/** Before anything is moved: a backup with missing, cut or strange files is refused at once, and so is one that does not fit. */
async function checkFiles(source: string, target: string, { files }: Manifest): Promise<void> {
  for (const file of files) {
    const found = await memberProblem(source, file);
    if (found !== undefined)
      throw new AppError('bad_input', BACKUP_CODES.damaged, `${join(source, file.path)} ${found.problem}. Nothing was restored.`);
  }
  const totalBytes = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const freeBytes = await freeBytesAt(target);
  if (freeBytes === undefined || totalBytes <= freeBytes) return;
  const words = `${source} has ${totalBytes} bytes, and ${freeBytes} are free at ${target}. Nothing was restored.`;
  throw new AppError('unavailable', BACKUP_CODES.noSpace, words);
}

/** Of the first folder above that is there. */
async function freeBytesAt(path: string): Promise<number | undefined> {
  const space = await statfs(path).catch(() => undefined);
  if (space !== undefined) return space.bavail * space.bsize;
  return dirname(path) === path ? undefined : freeBytesAt(dirname(path));
}

/** Leaves `target` with nothing but the mark and what was moved aside, whose path is returned. */
async function makeRoom(
  target: string,
  { force, nowMs }: { readonly force: boolean; readonly nowMs: number },
): Promise<string | undefined> {
  const refuse = (problem: string): AppError => new AppError('conflict', BACKUP_CODES.restoreRefused, `${target} ${problem}`);
  try {
    makeDirectory(target);
  } catch (thrown) {
    throw refuse(`cannot be used: ${messageOf(thrown)}`);
  }
  if (isServed(target)) throw refuse('is in use by a running server. Stop it first.');
  const names = (await readdir(target)).filter((name) => name !== RESTORE_MARK && !name.startsWith(ASIDE_PREFIX));
  const mark = await readMark(target);
  if (mark === undefined && names.length > 0 && !force)
    throw refuse('is not empty. Name a new directory, or use --force to move aside what is there.');
  if (mark === '') {
    // Moving was over, so what stands beside the mark is of the restore that broke off.
    for (const name of names) await rm(join(target, name), { recursive: true });
    return undefined;
  }
  const aside = mark ?? (names.length === 0 ? '' : ASIDE_PREFIX + new Date(nowMs).toISOString().replaceAll(':', '-'));
  await writeMark(target, aside);
  await syncDirectory(dirname(target));
  if (aside === '') return undefined;
  await mkdir(join(target, aside), { recursive: true, mode: 0o700 });
  for (const name of names) await rename(join(target, name), join(target, aside, name));
  await syncDirectory(join(target, aside));
  await writeMark(target, '');
  return join(target, aside);
}

/** Durably. The text is the folder to which things are being moved aside, empty when that is over. */
async function writeMark(target: string, text: string): Promise<void> {
  const file = await open(join(target, RESTORE_MARK), 'w', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await syncDirectory(target);
}

async function readMark(target: string): Promise<string | undefined> {
  if (!existsSync(join(target, RESTORE_MARK))) return undefined;
  const text = await readFile(join(target, RESTORE_MARK), 'utf8');
  return text.startsWith(ASIDE_PREFIX) && !text.includes('/') ? text : '';
}

/** Whether a process has the store of the directory open. */
export function isServed(dataDir: string): boolean {
  if (!existsSync(join(dataDir, 'tsdb', 'lock'))) return false;
  const disk = openDisk(join(dataDir, 'tsdb'));
  try {
    disk.lock();
    return false;
  } catch (thrown) {
    if (thrown instanceof StoreLocked) return true;
    throw thrown;
  } finally {
    disk.close();
  }
}

/** `AppError` `restore_unfinished` when the directory is half a restore: starting on it would begin an empty store. */
export function refuseUnfinishedRestore(dataDir: string): void {
  if (!existsSync(join(dataDir, RESTORE_MARK))) return;
  throw new AppError(
    'unavailable',
    BACKUP_CODES.restoreUnfinished,
    `${dataDir} holds a restore that did not finish. Run the same nines restore again, or restore into another directory.`,
  );
}
