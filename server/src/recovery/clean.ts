import { constants } from 'node:fs';
import { type FileHandle, lstat, open, readdir, readlink, unlink } from 'node:fs/promises';
import { messageOf } from '@nines/base/errors.ts';
import { compileRegex, type Regex } from '@nines/base/regex.ts';
import type { EpochMs } from '@nines/base/units.ts';
import type { ActionOf } from './contract.ts';

/** What is removed, or would be. */
export type Cleaned = {
  readonly files: number;
  /** Of files that had no other name: those alone give their space back. */
  readonly bytes: number;
  /** Some of their names. */
  readonly names: readonly string[];
  /** What could not be looked at or removed, and why. */
  readonly faults: readonly string[];
  /** There was more than one run may remove. */
  readonly isLimited: boolean;
};

const MAX_NAMES = 20;
const MAX_FAULTS = 20;
/** Entries that one run looks at. */
const MAX_LOOKED_AT = 1_000_000;

const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = constants;
const FOLDER_FLAGS = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;

type Walk = {
  readonly action: ActionOf<'clean_files'>;
  readonly nowMs: EpochMs;
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
  readonly matches: Regex;
  readonly device: number;
  files: number;
  bytes: number;
  lookedAt: number;
  readonly names: string[];
  readonly faults: string[];
  isLimited: boolean;
};

/**
 * Removes old files of a folder. Every folder is opened without following a link and everything in it is reached through that open folder
 * (`/proc/self/fd`), so a name that becomes a link meanwhile leads nowhere else. Links, devices, sockets, folders and what is mounted
 * there stay. Rejects when the folder itself is not what was written: absent, a link, or reached through one.
 */
export async function cleanFiles(
  action: ActionOf<'clean_files'>,
  at: { readonly nowMs: EpochMs; readonly dryRun: boolean; readonly signal: AbortSignal },
): Promise<Cleaned> {
  await using folder = await open(action.folder, FOLDER_FLAGS).catch((thrown: NodeJS.ErrnoException) => {
    const why = thrown.code === 'ELOOP' || thrown.code === 'ENOTDIR' ? 'it is a link or no folder' : thrown.message;
    throw new Error(`${action.folder} is not cleaned: ${why}`, { cause: thrown });
  });
  const real = await readlink(throughOf(folder));
  if (real !== action.folder) throw new Error(`${action.folder} is not cleaned: it leads to ${real} through a link`);
  const walk: Walk = {
    action,
    ...at,
    matches: globOf(action.pattern),
    device: (await folder.stat()).dev,
    files: 0,
    bytes: 0,
    lookedAt: 0,
    names: [],
    faults: [],
    isLimited: false,
  };
  await cleanFolder(walk, folder, { path: action.folder, depth: 0 });
  return walk;
}

const throughOf = (folder: FileHandle): string => `/proc/self/fd/${folder.fd}`;

/** `*` is any text, `?` one character; everything else stands for itself. */
export function globOf(glob: string): Regex {
  const source = glob.replaceAll(/[*?\\^$.|+()[\]{}]/g, (char) => (char === '*' ? '.*' : char === '?' ? '.' : `\\${char}`));
  const compiled = compileRegex(source);
  if (!compiled.ok) throw new Error(`BUG: expected a pattern for "${glob}", found: ${compiled.error}`);
  return compiled.value;
}

async function cleanFolder(walk: Walk, folder: FileHandle, at: { readonly path: string; readonly depth: number }): Promise<void> {
  const through = throughOf(folder);
  for (const name of await readdir(through)) {
    walk.signal.throwIfAborted();
    if (walk.files >= walk.action.max_files || ++walk.lookedAt > MAX_LOOKED_AT) {
      walk.isLimited = true;
      return;
    }
    const shown = `${at.path}/${name}`;
    try {
      const stat = await lstat(`${through}/${name}`);
      if (stat.dev !== walk.device) continue;
      if (stat.isDirectory()) {
        if (at.depth < walk.action.depth) {
          await using inner = await open(`${through}/${name}`, FOLDER_FLAGS);
          await cleanFolder(walk, inner, { path: shown, depth: at.depth + 1 });
        }
      } else if (stat.isFile() && isOld(walk, stat.mtimeMs) && walk.matches.matchesWhole(name)) {
        if (!walk.dryRun) await unlink(`${through}/${name}`);
        walk.files++;
        if (stat.nlink === 1) walk.bytes += stat.blocks * 512;
        if (walk.names.length < MAX_NAMES) walk.names.push(shown);
      }
    } catch (thrown) {
      walk.signal.throwIfAborted();
      if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') continue;
      if (walk.faults.length < MAX_FAULTS) walk.faults.push(`${shown}: ${messageOf(thrown)}`);
    }
  }
}

const isOld = ({ nowMs, action }: Walk, changedMs: number): boolean => nowMs - changedMs >= action.older_than;
