import { realpath } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';

/** Where an absolute path leads, its links followed as far as it exists: a link into the data directory is the data directory. */
export async function followed(path: string): Promise<string> {
  const parent = dirname(path);
  return realpath(path).catch(async () => (parent === path ? path : join(await followed(parent), basename(path))));
}

/** Of two paths without links: whether `inner` is `outer` or lies in it. */
export function isWithin(outer: string, inner: string): boolean {
  const path = relative(outer, inner);
  return path === '' || !(path === '..' || path.startsWith('../') || path.startsWith('/'));
}
