import { readdir, rm } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { AppError, messageOf } from '@nines/base/errors.ts';
import type { DataKeys } from '../platform/encryption/keys.ts';
import { BACKUP_CODES, type Finding, MANIFEST, type Manifest, type OnProgress } from './contract.ts';
import { hashFile } from './copy.ts';
import { type Contents, inspectContents } from './faults.ts';
import { readManifest } from './manifest.ts';
import { memberProblem } from './members.ts';

export type VerifyReport = {
  readonly dir: string;
  readonly manifest: Manifest;
  readonly bytes: number;
  readonly findings: readonly Finding[];
  readonly contents: Contents;
};
export type VerifyOptions = {
  readonly dir: string;
  /** Opens what is encrypted. */
  readonly keys?: DataKeys | undefined;
  readonly onProgress?: OnProgress;
};

const BAD_COPY = 'Take another backup; this file is not what was copied.';

/**
 * Compares every file with its hash, then opens everything: each frame, each page to its last value, the state database. What it finds is in the report; it throws
 * `AppError` only when there is no backup to verify.
 */
export async function verifyBackup({ dir, keys, onProgress }: VerifyOptions): Promise<VerifyReport> {
  const root = resolve(dir);
  const manifest = await readManifest(root);
  const totalBytes = manifest.files.reduce((sum, { bytes }) => sum + bytes, 0);
  const before = new Set(await listed(root));
  const findings: Finding[] = [];
  let doneBytes = 0;
  for (const { path, bytes, sha256 } of manifest.files) {
    const strange = await memberProblem(root, { path, bytes });
    if (strange?.foreign === true) throw new AppError('bad_input', BACKUP_CODES.damaged, `${join(root, path)} ${strange.problem}`);
    if (strange !== undefined) {
      findings.push({ severity: 'damage', place: path, problem: strange.problem, advice: BAD_COPY });
      before.delete(path);
      continue;
    }
    const found = await hashFile(join(root, path), (piece) => {
      doneBytes += piece;
      onProgress?.({ doneBytes, totalBytes });
    }).catch((thrown: unknown) => messageOf(thrown));
    if (typeof found === 'string')
      findings.push({ severity: 'damage', place: path, problem: `cannot be read: ${found}`, advice: BAD_COPY });
    else if (found.bytes !== bytes || found.sha256 !== sha256)
      findings.push({
        severity: 'damage',
        place: path,
        problem: 'is damaged: its size or SHA-256 is not the manifest’s',
        advice: BAD_COPY,
      });
    before.delete(path);
  }
  before.delete(MANIFEST);
  for (const path of before)
    findings.push({
      severity: 'warning',
      place: path,
      problem: 'is not of this backup',
      advice: 'It is ignored when the backup is restored.',
    });
  const contents = await inspectContents(root, { isServed: false, keys });
  await removeSideFiles(root, manifest);
  return { dir: root, manifest, bytes: totalBytes, findings: [...findings, ...contents.findings], contents };
}

const listed = async (root: string): Promise<readonly string[]> =>
  (await readdir(root, { withFileTypes: true, recursive: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)));

/** SQLite makes them to read a database; the backup stays as it was written. */
async function removeSideFiles(root: string, { files }: Manifest): Promise<void> {
  const own = new Set(files.map(({ path }) => path));
  for (const { path } of files)
    for (const side of [`${path}-wal`, `${path}-shm`])
      if (path.endsWith('.db') && !own.has(side)) await rm(join(root, side), { force: true });
}
