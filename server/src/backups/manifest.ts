import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { open, readFile, readdir, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { canonicalJson } from '@nines/base/canonical-json.ts';
import { AppError, messageOf } from '@nines/base/errors.ts';
import { BACKUP_CODES, MANIFEST, type Manifest, PARTIAL_MANIFEST, manifestSchema } from './contract.ts';
import { clash } from './members.ts';

/** The manifest of a backup: read with suspicion, written last. */

/** A million files with their hashes are about half of this. */
const MAX_MANIFEST_BYTES = 512 * 1024 * 1024;

const digestOf = (rest: Omit<Manifest, 'digest'>): string => createHash('sha256').update(canonicalJson(rest)).digest('hex');

export const sealed = (rest: Omit<Manifest, 'digest'>): Manifest => ({ ...rest, digest: digestOf(rest) });

/** Durable under its name when it resolves. */
export async function writeManifest(dir: string, manifest: Manifest): Promise<void> {
  const file = await open(join(dir, PARTIAL_MANIFEST), 'w', 0o600);
  try {
    await file.writeFile(`${JSON.stringify(manifest, null, 1)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(join(dir, PARTIAL_MANIFEST), join(dir, MANIFEST));
  await syncDirectory(dir);
}

/** `AppError` `not_a_backup` or `backup_damaged` with what is wrong. */
export async function readManifest(dir: string): Promise<Manifest> {
  let text: string;
  try {
    const found = await stat(join(dir, MANIFEST));
    if (!found.isFile() || found.size > MAX_MANIFEST_BYTES)
      throw new Error(`${MANIFEST} is no file of at most ${MAX_MANIFEST_BYTES} bytes`);
    text = await readFile(join(dir, MANIFEST), 'utf8');
  } catch (thrown) {
    throw new AppError('bad_input', BACKUP_CODES.notABackup, await whyNot(dir, thrown), { cause: thrown });
  }
  const damaged = (problem: string): AppError => new AppError('bad_input', BACKUP_CODES.damaged, `${join(dir, MANIFEST)}: ${problem}`);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (thrown) {
    throw damaged(`no JSON (${messageOf(thrown)})`);
  }
  const format = (json as { readonly format?: unknown } | null)?.format;
  if (typeof format === 'number' && format !== 1) throw damaged(`format ${format}; this program knows format 1`);
  const parsed = manifestSchema.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw damaged(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not a manifest'}`);
  }
  const { digest, ...rest } = parsed.data;
  if (digestOf(rest) !== digest) throw damaged('it was changed after it was written (its digest does not fit)');
  const seen = new Set<string>();
  for (const { path } of rest.files) {
    if (seen.has(path) || path === MANIFEST) throw damaged(`${path} is listed twice`);
    seen.add(path);
  }
  const clashing = clash(rest.files);
  if (clashing !== undefined) throw damaged(clashing);
  return parsed.data;
}

/** In words, with the backups inside when the directory is one that holds several. */
async function whyNot(dir: string, thrown: unknown): Promise<string> {
  const names = await readdir(dir).catch(() => undefined);
  if (names === undefined) return `${dir} cannot be read: ${messageOf(thrown)}`;
  if (names.includes(PARTIAL_MANIFEST)) return `${dir} is a backup that was not finished. It cannot be used.`;
  const inside = names.sort().filter((name) => existsSync(join(dir, name, MANIFEST)));
  if (inside.length === 0) return `${dir} is not a backup: it has no ${MANIFEST}.`;
  return `${dir} is not a backup but holds ${inside.length}. Choose one, the newest is ${join(dir, inside.at(-1) ?? '')}`;
}

/** Creations, renames and removals in it survive a power cut when this resolves. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
