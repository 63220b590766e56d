import { readFileSync, statSync } from 'node:fs';

/**
 * The UTF-8 text of a configuration file. Throws a plain sentence unless it is a regular file of at most `maxBytes`: a pipe
 * or a device would be read for ever, and with it a server that reloads.
 */
export function readTextFile(path: string, maxBytes: number): string {
  const found = statSync(path);
  if (found.isDirectory()) throw new Error('it is a directory, not a file');
  if (!found.isFile()) throw new Error('it is not a regular file');
  if (found.size > maxBytes) throw new Error(`larger than ${maxBytes} bytes`);
  const text = new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path));
  const after = statSync(path);
  if (after.size !== found.size || after.mtimeMs !== found.mtimeMs) throw new Error('it was changed while it was read; try again');
  return text;
}
