import { lstat, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ManifestFile } from './contract.ts';
import { isWithin } from './places.ts';

/** `foreign`: no fault of a disk makes it; such a backup is not looked into. */
export type MemberProblem = { readonly problem: string; readonly foreign: boolean };
const damage = (problem: string): MemberProblem => ({ problem, foreign: false });
const foreign = (problem: string): MemberProblem => ({ problem, foreign: true });

/**
 * What is wrong with a file of a backup before it is opened; undefined when nothing is. A backup may come from elsewhere: a link would
 * read another file of this machine, a pipe would wait for ever, a device has no end.
 */
export async function memberProblem(
  root: string,
  { path, bytes }: Pick<ManifestFile, 'path' | 'bytes'>,
): Promise<MemberProblem | undefined> {
  const file = join(root, path);
  const found = await lstat(file).catch(() => undefined);
  if (found === undefined) return damage('is missing');
  if (found.isSymbolicLink()) return foreign('is a link, which no backup holds');
  if (!found.isFile()) return foreign('is no regular file');
  const folder = await realpath(dirname(file));
  if (!isWithin(await realpath(root), folder)) return foreign('lies outside of the backup, behind a link');
  return found.size === bytes ? undefined : damage(`has ${found.size} bytes instead of ${bytes}`);
}

/** Two paths that are one file where capitals do not count, or of which one is the folder of the other; undefined when there are none. */
export function clash(files: readonly Pick<ManifestFile, 'path'>[]): string | undefined {
  const taken = new Map(files.map(({ path }) => [path.toLowerCase(), path]));
  const folders = new Map<string, string>();
  for (const { path } of files) {
    const other = taken.get(path.toLowerCase());
    if (other !== undefined && other !== path) return `${path} and ${other} are one file where capitals do not count`;
    for (let at = path.indexOf('/'); at > 0; at = path.indexOf('/', at + 1)) {
      const folder = path.slice(0, at);
      const known = folders.get(folder.toLowerCase()) ?? folder;
      folders.set(folder.toLowerCase(), known);
      if (taken.has(folder.toLowerCase())) return `${folder} is a file and a folder`;
      if (known !== folder) return `${folder} and ${known} are one folder where capitals do not count`;
    }
  }
  return undefined;
}
