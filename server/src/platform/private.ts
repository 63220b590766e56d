import { type Stats, chmodSync, lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '@nines/base/errors.ts';

const OTHERS = 0o077;
const KEY_FILE = /(?:key|keys)\.json$/;

/** What this process makes from now on can be read by its own user alone. */
export function makePrivately(): void {
  process.umask(OTHERS);
}

/**
 * Closes a data directory, and the files of keys in it, to other users of the machine. Returns one sentence for everything that
 * stood open: what was done, or, where the system does not allow it, what to do.
 */
export function closeToOthers(dir: string): readonly string[] {
  const found: readonly string[] = [
    dir,
    ...namesIn(dir)
      .filter((name) => KEY_FILE.test(name))
      .map((name) => join(dir, name)),
  ];
  return found.flatMap((path) => closed(path) ?? []);
}

function closed(path: string): string | undefined {
  const stats = statsOf(path);
  // A link's own mode says nothing, and what it points to may be shared on purpose.
  if (stats === undefined || stats.isSymbolicLink() || (stats.mode & OTHERS) === 0) return undefined;
  const was = (stats.mode & 0o777).toString(8);
  try {
    chmodSync(path, stats.mode & 0o700);
    return `${path} could be opened by other users (mode ${was}); it was closed to them`;
  } catch (thrown) {
    return `${path} can be opened by other users (mode ${was}), and only its owner can change that: chmod go= ${path} (${messageOf(thrown)})`;
  }
}

const statsOf = (path: string): Stats | undefined => lstatSync(path, { throwIfNoEntry: false });

function namesIn(dir: string): readonly string[] {
  try {
    return readdirSync(dir);
  } catch {
    // Not there yet, or not to be listed: whoever opens it says so.
    return [];
  }
}
