import { open, readdir, rm, statfs } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Clock } from '@nines/base/clock.ts';
import { AppError, messageOf } from '@nines/base/errors.ts';
import { makeDirectory } from '../platform/directory.ts';
import { BACKUP_CODES, type BackupReport, type ManifestFile, type OnProgress, PARTIAL_MANIFEST } from './contract.ts';
import { type SourceFile, copyInto } from './copy.ts';
import { sealed, syncDirectory, writeManifest } from './manifest.ts';
import { followed, isWithin } from './places.ts';
import type { Sources } from './sources.ts';

/** Left free beside the backup, because the log on the same disk goes on growing. */
const MARGIN_BYTES = 64 * 1024 * 1024;

export type CreateDeps = {
  readonly clock: Pick<Clock, 'now'>;
  readonly version: string;
  readonly dataDir: string;
  readonly sources: Sources;
};
export type CreateOptions = { readonly to: string; readonly onProgress?: OnProgress; readonly signal?: AbortSignal };

/**
 * Makes a backup in `to`, a new or empty directory (or one whose backup was not finished) outside the data directory. Throws `AppError` `backup_target_unusable`, `backup_no_space`, or what
 * the disk says; what was written then is removed again.
 */
export async function createBackup(deps: CreateDeps, { to, onProgress, signal }: CreateOptions): Promise<BackupReport> {
  const dir = resolve(to);
  await makeTarget(dir, resolve(deps.dataDir));
  const startedAtMs = deps.clock.now();
  try {
    const opened = await deps.sources.open();
    const files = await copyAll(dir, opened, { onProgress, signal });
    for (const folder of foldersOf(files)) await syncDirectory(join(dir, folder));
    const manifest = sealed({
      format: 1,
      version: deps.version,
      started_at_ms: startedAtMs,
      finished_at_ms: deps.clock.now(),
      complete_until_ms: startedAtMs,
      state: deps.sources.state,
      files: [...files],
    });
    await writeManifest(dir, manifest);
    await syncDirectory(dirname(dir));
    return { dir, manifest, bytes: files.reduce((sum, { bytes }) => sum + bytes, 0) };
  } catch (thrown) {
    await clear(dir).catch(() => {
      // What failed first is what is told; without a manifest nobody takes the rest for a backup.
    });
    throw thrown;
  }
}

async function copyAll(
  dir: string,
  sources: readonly SourceFile[],
  { onProgress, signal }: { readonly onProgress: OnProgress | undefined; readonly signal: AbortSignal | undefined },
): Promise<readonly ManifestFile[]> {
  const totalBytes = sources.reduce((sum, { bytes }) => sum + bytes, 0);
  const files: ManifestFile[] = [];
  let doneBytes = 0;
  try {
    await checkSpace(dir, totalBytes);
    for (const source of sources) {
      const held = await source.open();
      if (held === undefined) continue;
      const file = await copyInto(dir, { path: source.path, source: held }, (bytes) => {
        signal?.throwIfAborted();
        doneBytes += bytes;
        onProgress?.({ doneBytes, totalBytes });
      });
      await held.release();
      files.push(file);
    }
    return files;
  } finally {
    for (const source of sources) await source.release();
  }
}

async function makeTarget(dir: string, dataDir: string): Promise<void> {
  const refuse = (problem: string, cause?: unknown): AppError =>
    new AppError('bad_input', BACKUP_CODES.badTarget, `${dir} ${problem}`, { cause, field: 'to' });
  const [realDir, realData] = [followed(dir), followed(dataDir)];
  if (isWithin(realData, realDir))
    throw refuse('lies in the data directory and would be lost with it. Choose a directory on another disk.');
  if (isWithin(realDir, realData)) throw refuse('holds the data directory. Choose another one.');
  try {
    makeDirectory(dir);
    const names = await readdir(dir);
    if (names.includes(PARTIAL_MANIFEST)) await clear(dir);
    else if (names.length > 0) throw refuse('is not empty. Name a new directory.');
    const mark = await open(join(dir, PARTIAL_MANIFEST), 'w', 0o600);
    await mark.close();
  } catch (thrown) {
    throw thrown instanceof AppError && thrown.code === BACKUP_CODES.badTarget
      ? thrown
      : refuse(`cannot be used: ${messageOf(thrown)}`, thrown);
  }
}

async function clear(dir: string): Promise<void> {
  // The mark goes last: what remains after an interruption is still known as unfinished.
  for (const name of await readdir(dir)) if (name !== PARTIAL_MANIFEST) await rm(join(dir, name), { recursive: true, force: true });
  await rm(join(dir, PARTIAL_MANIFEST), { force: true });
}

async function checkSpace(dir: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(dir);
  const free = bavail * bsize;
  if (free < bytes + MARGIN_BYTES) {
    const words = `${dir} has ${megabytes(free)} free, the backup needs ${megabytes(bytes)} and ${megabytes(MARGIN_BYTES)} to spare.`;
    throw new AppError('unavailable', BACKUP_CODES.noSpace, words);
  }
}

const megabytes = (bytes: number): string => `${Math.ceil(bytes / 1e6)} MB`;

/** Deepest first, the backup itself left out. */
export function foldersOf(files: readonly ManifestFile[]): readonly string[] {
  const folders = new Set<string>();
  for (const { path } of files) for (let folder = dirname(path); folder !== '.'; folder = dirname(folder)) folders.add(folder);
  return [...folders].sort((a, b) => b.length - a.length);
}
