import { readdir, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { MANIFEST, PARTIAL_MANIFEST, type StoredBackupView } from './contract.ts';
import { readManifest } from './manifest.ts';

/** Backups in the configured directory. Only folders with our name and a readable manifest count; nothing else in there is ever touched. */
const PREFIX = 'nines-';

export const nameAt = (atMs: number): string => PREFIX + new Date(atMs).toISOString().replaceAll(':', '-');

/** Oldest first. An absent directory holds none. */
export async function listBackups(to: string): Promise<readonly StoredBackupView[]> {
  const names = await readdir(to).catch((): string[] => []);
  const found: StoredBackupView[] = [];
  for (const name of names) {
    if (!name.startsWith(PREFIX) || !existsSync(join(to, name, MANIFEST))) continue;
    const manifest = await readManifest(join(to, name)).catch(() => undefined);
    if (manifest === undefined) continue;
    const bytes = manifest.files.reduce((sum, file) => sum + file.bytes, 0);
    found.push({
      name,
      dir: join(to, name),
      complete_until_ms: manifest.complete_until_ms,
      bytes,
      files: manifest.files.length,
      version: manifest.version,
    });
  }
  return found.sort((a, b) => a.complete_until_ms - b.complete_until_ms);
}

/** The manifest goes first: what an interruption leaves is known as unfinished. */
export async function removeBackup(to: string, name: string): Promise<void> {
  await rm(join(to, name, MANIFEST), { force: true });
  await rm(join(to, name), { recursive: true, force: true });
}

/** Removes what earlier runs of this server left unfinished. None may be under way. */
export async function removeUnfinished(to: string): Promise<void> {
  for (const name of await readdir(to).catch((): string[] => []))
    if (name.startsWith(PREFIX) && existsSync(join(to, name, PARTIAL_MANIFEST)) && !existsSync(join(to, name, MANIFEST)))
      await rm(join(to, name), { recursive: true, force: true });
}
