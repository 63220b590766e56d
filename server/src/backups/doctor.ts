import { constants, existsSync } from 'node:fs';
import { access, readdir, stat, statfs } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { messageOf } from '@nines/base/errors.ts';
import type { Clock } from '@nines/base/clock.ts';
import { MINUTE_MS } from '@nines/base/units.ts';
import type { DataKeys } from '../platform/encryption/keys.ts';
import { type Finding, RESTORE_MARK } from './contract.ts';
import { hashFile } from './copy.ts';
import { type Contents, inspectContents } from './faults.ts';
import { isServed } from './restore.ts';

export type DoctorReport = {
  readonly dir: string;
  readonly served: boolean;
  readonly findings: readonly Finding[];
  readonly contents: Contents;
};
export type DoctorOptions = {
  readonly dataDir: string;
  readonly clock: Pick<Clock, 'now'>;
  readonly keys?: DataKeys | undefined;
  readonly onProgress?: (done: number, of: number) => void;
};

/** Below either, the log may stop being taken within the day. */
const LOW_SPACE_BYTES = 1e9;
const LOW_SPACE_SHARE = 0.05;
/** Clocks of file servers differ by less. */
const CLOCK_TOLERANCE_MS = 10 * MINUTE_MS;

/** Examines a data directory, whether or not a server runs on it, and changes nothing in it. */
export async function examine({ dataDir, clock, keys, onProgress }: DoctorOptions): Promise<DoctorReport> {
  const dir = resolve(dataDir);
  const findings: Finding[] = [...(await examineDirectory(dir)), ...(await examineSpace(dir)), ...(await examineClock(dir, clock.now()))];
  const served = isServed(dir);
  const contents = await inspectContents(dir, { isServed: served, keys, ...(onProgress === undefined ? {} : { onProgress }) });
  if (contents.encrypted && contents.store === undefined)
    findings.push({
      severity: 'info',
      place: dir,
      problem: 'it is encrypted; its contents were not opened',
      advice: 'Name the configuration with the key: --config FILE.',
    });
  return { dir, served, findings: [...findings, ...contents.findings, ...(await examineDocuments(join(dir, 'documents')))], contents };
}

async function examineDirectory(dir: string): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const { mode } = await stat(dir);
  if ((mode & 0o077) !== 0)
    findings.push({
      severity: 'warning',
      place: dir,
      problem: `others may look into it (mode ${(mode & 0o777).toString(8)})`,
      advice: `chmod 700 ${dir}`,
    });
  for (const folder of ['.', 'tsdb', 'state']) {
    const path = join(dir, folder);
    if (!existsSync(path)) {
      findings.push({ severity: 'info', place: path, problem: 'is not there yet', advice: 'The server makes it when it starts.' });
      continue;
    }
    const problem = await access(path, constants.R_OK | constants.W_OK | constants.X_OK).then(
      () => undefined,
      (thrown: unknown) => messageOf(thrown),
    );
    if (problem !== undefined)
      findings.push({
        severity: 'damage',
        place: path,
        problem: `cannot be written: ${problem}`,
        advice: 'Give the user of the server the right to, or remount the disk for writing.',
      });
  }
  if (existsSync(join(dir, RESTORE_MARK)))
    findings.push({
      severity: 'damage',
      place: dir,
      problem: 'a restore into it did not finish',
      advice: 'Run the same nines restore again.',
    });
  return findings;
}

async function examineSpace(dir: string): Promise<readonly Finding[]> {
  const { bavail, blocks, bsize } = await statfs(dir);
  const [free, all] = [bavail * bsize, blocks * bsize];
  if (free >= LOW_SPACE_BYTES && free >= LOW_SPACE_SHARE * all) return [];
  const problem = `${Math.floor(free / 1e6)} MB free of ${Math.floor(all / 1e6)} MB`;
  return [
    {
      severity: 'warning',
      place: dir,
      problem,
      advice: 'Free space, or shorten the retention. Samples are refused when the disk is full.',
    },
  ];
}

/** Files from the future say that the clock went back, and with it everything that is kept by age. */
async function examineClock(dir: string, nowMs: number): Promise<readonly Finding[]> {
  const tsdb = join(dir, 'tsdb');
  const names = existsSync(tsdb) ? await readdir(tsdb) : [];
  let newestMs = 0;
  for (const name of names) newestMs = Math.max(newestMs, (await stat(join(tsdb, name)).catch(() => undefined))?.mtimeMs ?? 0);
  if (newestMs <= nowMs + CLOCK_TOLERANCE_MS) return [];
  const problem = `the clock says ${new Date(nowMs).toISOString()}, but files were written at ${new Date(newestMs).toISOString()}`;
  return [
    { severity: 'warning', place: tsdb, problem, advice: 'Set the clock of this machine; samples ahead of it by 10 minutes are refused.' },
  ];
}

/** Documents are named by the hash of their bytes. */
async function examineDocuments(dir: string): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const folder of existsSync(dir) ? await readdir(dir) : []) {
    for (const name of await readdir(join(dir, folder)).catch(() => [])) {
      if (!/^[0-9a-f]{64}$/.test(name)) continue;
      const found = await hashFile(join(dir, folder, name), () => {}).catch(() => undefined);
      if (found !== undefined && found.sha256 === name) continue;
      findings.push({
        severity: 'damage',
        place: `documents/${folder}/${name}`,
        problem: 'its bytes are no longer those that were stored',
        advice: 'Restore this file from a backup.',
      });
    }
  }
  return findings;
}
