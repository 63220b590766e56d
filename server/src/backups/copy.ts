import { type Hash, createHash } from 'node:crypto';
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { invariant } from '@nines/base/errors.ts';
import type { HeldFile } from '@nines/tsdb/contract.ts';
import type { ManifestFile } from './contract.ts';

/** Copying and hashing in pieces: constant memory, and never more than a piece's hashing (about a millisecond) at once on the event loop. */

const PIECE_BYTES = 1024 * 1024;
/** Synced this often, so that the log's own syncs never wait behind gigabytes of ours. */
const SYNC_EVERY_BYTES = 32 * 1024 * 1024;

/** What is to be copied, under its path in the backup. */
export type SourceFile = {
  readonly path: string;
  readonly bytes: number;
  /** Undefined when the file is gone by now, as an expired document may be. The caller releases what it gets. */
  open(): Promise<HeldFile | undefined>;
  /** Lets go of what was held before `open`. */
  release(): Promise<void>;
};

/** Copies a file to `path` below `dir`, durably but for the names of its folders. */
export async function copyInto(
  dir: string,
  { path, source }: { readonly path: string; readonly source: Pick<HeldFile, 'bytes' | 'read'> },
  onPiece: (bytes: number) => void,
): Promise<ManifestFile> {
  const target = join(dir, path);
  await mkdir(dirname(target), { recursive: true, mode: 0o700 });
  const file = await open(target, 'wx', 0o600);
  const hash = createHash('sha256');
  try {
    const bytes = await pump(source, hash, async (piece, at) => {
      await writeAll(file, piece, at);
      if ((at + piece.length) % SYNC_EVERY_BYTES < piece.length) await file.datasync();
      onPiece(piece.length);
    });
    await file.sync();
    return { path, bytes, sha256: hash.digest('hex') };
  } finally {
    await file.close();
  }
}

/** The file's length and SHA-256, read in pieces. */
export async function hashFile(
  path: string,
  onPiece: (bytes: number) => void,
): Promise<{ readonly bytes: number; readonly sha256: string }> {
  const file = await open(path, 'r');
  const hash = createHash('sha256');
  try {
    const source = {
      bytes: (await file.stat()).size,
      read: async (at: number, into: Uint8Array) => (await file.read(into, 0, into.length, at)).bytesRead,
    };
    const bytes = await pump(source, hash, async (piece) => onPiece(piece.length));
    return { bytes, sha256: hash.digest('hex') };
  } finally {
    await file.close();
  }
}

/** Reads to the end, hashes, hands every piece on. A piece is valid until its promise resolves. Returns the number of bytes. */
async function pump(
  source: Pick<HeldFile, 'bytes' | 'read'>,
  hash: Hash,
  each: (piece: Uint8Array, at: number) => Promise<void>,
): Promise<number> {
  const buffer = new Uint8Array(Math.max(1, Math.min(PIECE_BYTES, source.bytes)));
  let at = 0;
  while (at < source.bytes) {
    const read = await source.read(at, buffer);
    invariant(read > 0, `a held file of ${source.bytes} bytes ends at ${at}`);
    const piece = buffer.subarray(0, read);
    hash.update(piece);
    await each(piece, at);
    at += read;
  }
  return at;
}

async function writeAll(file: FileHandle, piece: Uint8Array, at: number): Promise<void> {
  for (let done = 0; done < piece.length; ) done += (await file.write(piece, done, piece.length - done, at + done)).bytesWritten;
}
