import { createReadStream, existsSync, statSync } from 'node:fs';
import { CliFailure, EXIT } from '../failure.ts';
import { askSource, below } from './http-source.ts';
import type { ImportSource, Wanted } from './source.ts';

export type FileSource = ImportSource & { readonly gzip: boolean };

/** A file, or standard input for `-`. Gzip is known by its first two bytes. */
export async function fileSource(path: string): Promise<FileSource> {
  if (path !== '-' && !existsSync(path)) throw new CliFailure(EXIT.notFound, `there is no file ${path}`);
  if (path !== '-' && statSync(path).isDirectory()) throw new CliFailure(EXIT.badInput, `${path} is a directory; name the files in it`);
  const stream: AsyncIterable<Uint8Array> = path === '-' ? process.stdin : createReadStream(path);
  const pieces = stream[Symbol.asyncIterator]();
  const first = await pieces.next();
  const head = first.done === true ? new Uint8Array(0) : first.value;
  const state = { done: 0 };
  return {
    gzip: head[0] === 0x1f && head[1] === 0x8b,
    body: (async function* () {
      for (let piece = first; piece.done !== true; piece = await pieces.next()) {
        state.done += piece.value.length;
        yield piece.value;
      }
    })(),
    done: () => state.done,
    total: path === '-' ? undefined : statSync(path).size,
    remarks: () => [],
  };
}

/** Asked for at a time. */
const SLICE_MS = 24 * 3_600_000;

/** What a running VictoriaMetrics (or another Nines) exports, day by day. */
export function exportSource(
  base: string,
  { selector, fromMs, toMs }: Pick<Wanted, 'fromMs' | 'toMs'> & { readonly selector: string },
): ImportSource {
  const state = { atMs: fromMs };
  return {
    body: (async function* () {
      while (state.atMs <= toMs) {
        const endMs = Math.min(Math.floor(state.atMs / SLICE_MS) * SLICE_MS + SLICE_MS - 1, toMs);
        const url = below(base, '/api/v1/export');
        url.search = new URLSearchParams({
          'match[]': selector,
          start: String(state.atMs / 1000),
          end: String(endMs / 1000),
          max_rows_per_line: '10000',
        }).toString();
        const response = await askSource(url);
        yield* response.body ?? [];
        state.atMs = endMs + 1;
      }
    })(),
    done: () => state.atMs - fromMs,
    total: toMs - fromMs,
    remarks: () => [],
  };
}
