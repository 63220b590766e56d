import { readFileSync, statSync } from 'node:fs';
import { extname, resolve } from 'node:path';
import { messageOf } from '@nines/base/errors.ts';
import { type Result, err, ok } from '@nines/base/result.ts';

export type Logo = { readonly type: string; readonly body: Buffer };

const MAX_BYTES = 256 * 1024;
const TYPES: Readonly<Record<string, string>> = {
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.webp': 'image/webp',
};
const DATA_URL = /^data:(image\/(?:svg\+xml|png|jpeg|webp));base64,([A-Za-z0-9+/=]+)$/;

/** Reads a logo: a data: URL, or with `baseDir` a file. The error says what is wrong with it. */
export function readLogo(written: string, baseDir: string | undefined): Result<Logo, string> {
  const [, type, base64] = DATA_URL.exec(written) ?? [];
  if (type !== undefined && base64 !== undefined) return checked({ type, body: Buffer.from(base64, 'base64') });
  if (written.startsWith('data:') || baseDir === undefined)
    return err('a logo is an SVG, PNG, JPEG or WebP image as data:image/…;base64,…');
  const file = resolve(baseDir, written);
  const ofFile = TYPES[extname(file).toLowerCase()];
  if (ofFile === undefined) return err(`${written} is none of ${Object.keys(TYPES).join(', ')}`);
  try {
    const found = statSync(file);
    if (!found.isFile()) return err(`${written} is no regular file`);
    if (found.size > MAX_BYTES) return err(`${written} is larger than 256 KiB`);
    return checked({ type: ofFile, body: readFileSync(file) });
  } catch (thrown) {
    return err(`the logo cannot be read: ${messageOf(thrown)}`);
  }
}

/** The logos of the configuration's pages by page, and what is wrong with the others. */
export function readLogos(
  pages: readonly { readonly id: string; readonly logo?: string | undefined }[],
  baseDir: string,
): { readonly found: ReadonlyMap<string, Logo>; readonly problems: readonly { readonly index: number; readonly message: string }[] } {
  const found = new Map<string, Logo>();
  const problems: { readonly index: number; readonly message: string }[] = [];
  pages.forEach(({ id, logo }, index) => {
    if (logo === undefined) return;
    const read = readLogo(logo, baseDir);
    if (read.ok) found.set(id, read.value);
    else problems.push({ index, message: `the status page "${id}": ${read.error}` });
  });
  return { found, problems };
}

const STARTS: Readonly<Record<string, (body: Buffer) => boolean>> = {
  'image/svg+xml': (body) => /<svg[\s>]/.test(body.toString('utf8')),
  'image/png': (body) => body.subarray(1, 4).toString('latin1') === 'PNG',
  'image/jpeg': (body) => body[0] === 0xff && body[1] === 0xd8,
  'image/webp': (body) => body.subarray(8, 12).toString('latin1') === 'WEBP',
};

function checked(logo: Logo): Result<Logo, string> {
  if (logo.body.length > MAX_BYTES) return err('the logo is larger than 256 KiB');
  return STARTS[logo.type]?.(logo.body) === true ? ok(logo) : err(`the logo is no image of type ${logo.type}`);
}
