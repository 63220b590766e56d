import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { canonicalJson } from '@nines/base/canonical-json.ts';
import { openDisk } from '@nines/tsdb/disk.ts';
import { z } from 'zod';
import { replaceFile } from '../platform/replace-file.ts';
import type { Anchor } from './chain.ts';

export const ANCHORS_FILE = 'audit-anchors.jsonl';

const anchorSchema = z.strictObject({ at_ms: z.int(), seq: z.int().positive(), digest: z.string(), mac: z.string() });

/** The anchors of a data directory in the order of the file; undefined for a line that is none. */
export function readAnchors(dir: string): readonly (Anchor | undefined)[] {
  return linesOf(dir).map((line) => {
    try {
      return anchorSchema.parse(JSON.parse(line));
    } catch {
      return undefined;
    }
  });
}

/** Adds an anchor behind the others, which stay as they are. */
export async function addAnchor(dir: string, anchor: Anchor): Promise<void> {
  await replaceFile(openDisk(dir), ANCHORS_FILE, `${[...linesOf(dir), canonicalJson(anchor)].join('\n')}\n`);
}

function linesOf(dir: string): readonly string[] {
  const path = join(dir, ANCHORS_FILE);
  return existsSync(path)
    ? readFileSync(path, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
    : [];
}
