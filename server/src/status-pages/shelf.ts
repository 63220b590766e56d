import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { seal } from '@nines/tsdb/cipher.ts';
import type { SealingKey } from '@nines/tsdb/contract.ts';
import { openDisk } from '@nines/tsdb/disk.ts';
import { z } from 'zod';
import { makeDirectory } from '../platform/directory.ts';
import { replaceFile } from '../platform/replace-file.ts';
import type { Text } from './artefacts.ts';

/** Where written pages lie in the data directory. They are made anew from the ledger and are in no backup. */
export const PAGES_DIR = 'status-pages';
/** The name of the key that seals them. */
export const PAGES_KEY = 'status-pages';

const FORMAT = 1;
const keptSchema = z.object({
  format: z.literal(FORMAT),
  at_ms: z.int().nonnegative(),
  texts: z.array(z.strictObject({ path: z.string(), type: z.string(), text: z.string() })),
});

export type Kept = { readonly atMs: number; readonly texts: readonly Text[] };

/** Written pages on the disk, so that a server that starts has something to show before it has asked anything. */
export type Shelf = {
  put(id: string, kept: Kept): Promise<void>;
  /** Undefined when there is none, or none that can be read: it will be written again. */
  take(id: string): Kept | undefined;
  /** Forgets all pages but these, and whatever lies there in another form than the one that is written. */
  keepOnly(ids: ReadonlySet<string>): void;
};

/** With `sealing` nothing of a page is on the disk as it is. */
export function openShelf(dataDir: string, sealing: SealingKey | undefined): Shelf {
  const dir = join(dataDir, PAGES_DIR);
  const fileOf = (id: string): string => (sealing === undefined ? `${id}.json` : `${id}.sealed`);
  const bound = (id: string): Uint8Array => new TextEncoder().encode(`${FORMAT} ${id}`);
  return {
    async put(id, { atMs, texts }) {
      makeDirectory(dir);
      const text = JSON.stringify({ format: FORMAT, at_ms: atMs, texts });
      const written =
        sealing === undefined ? text : Buffer.from(seal(sealing, new TextEncoder().encode(text), bound(id))).toString('base64');
      await replaceFile(openDisk(dir), fileOf(id), written);
    },
    take(id) {
      try {
        const text = readFileSync(join(dir, fileOf(id)), 'utf8');
        const opened = sealing === undefined ? text : sealing.open(Buffer.from(text, 'base64'), bound(id));
        if (opened === undefined) return undefined;
        const { at_ms: atMs, texts } = keptSchema.parse(
          JSON.parse(typeof opened === 'string' ? opened : Buffer.from(opened).toString('utf8')),
        );
        return { atMs, texts };
      } catch {
        return undefined;
      }
    },
    keepOnly(ids) {
      if (!existsSync(dir)) return;
      const kept = new Set([...ids].map(fileOf));
      for (const name of readdirSync(dir)) if (!kept.has(name)) rmSync(join(dir, name), { force: true });
    },
  };
}
