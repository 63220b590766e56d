import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { foldPassword } from './judge.ts';

/** Folded, one a line, with a line feed at both ends: one text costs a tenth of the memory that a set of strings would. */
let lines: string | undefined;

/** Whether a folded password is one that people choose most. The list is read when it is needed first. */
export function isCommon(folded: string): boolean {
  lines ??= `\n${gunzipSync(readFileSync(listPath())).toString('utf8').split('\n').map(foldPassword).join('\n')}\n`;
  return lines.includes(`\n${folded}\n`);
}

/** Beside the bundle, or two folders above the sources. */
function listPath(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  const assets = import.meta.url.endsWith('.ts') ? join(here, '../../assets') : here.replace(/[/\\]chunks$/, '');
  return join(assets, 'passwords/common.txt.gz');
}
