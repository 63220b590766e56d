import { mkdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { AppError, messageOf } from '@nines/base/errors.ts';

/** Where samples and state lie in the data directory. */
export const STORE_DIR = 'tsdb';
export const STATE_FILE = join('state', 'nines.db');

/**
 * Makes a directory and its parents, readable by its owner alone. Not `mkdir`'s own recursion, which never returns for paths
 * that the system refuses to create below an existing parent, such as `/proc/x/y`. `AppError` `directory_unusable` with the system's reason.
 */
export function makeDirectory(path: string): void {
  try {
    make(path);
  } catch (thrown) {
    throw new AppError('unavailable', 'directory_unusable', `cannot use the directory ${path}: ${messageOf(thrown)}`, { cause: thrown });
  }
}

function make(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (thrown) {
    const code = (thrown as NodeJS.ErrnoException).code;
    if (code === 'EEXIST' && statSync(path).isDirectory()) return;
    if (code !== 'ENOENT' || dirname(path) === path || parentExists(path)) throw thrown;
    make(dirname(path));
    mkdirSync(path, { mode: 0o700 });
  }
}

const parentExists = (path: string): boolean => statSync(dirname(path), { throwIfNoEntry: false }) !== undefined;
