import { realpathSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';

/** Where an absolute path leads, its links followed as far as it exists: a link into the data directory is the data directory. */
export function followed(path: string): string {
  const parent = dirname(path);
  try {
    return realpathSync(path);
  } catch {
    return parent === path ? path : join(followed(parent), basename(path));
  }
}

/** Of two paths without links: whether `inner` is `outer` or lies in it. */
export function isWithin(outer: string, inner: string): boolean {
  const path = relative(outer, inner);
  return path === '' || !(path === '..' || path.startsWith('../') || path.startsWith('/'));
}
