import fs from 'node:fs';

/**
 * The write-ahead file beside a SQLite database. SQLite reads it up to the first frame that does not hold and says nothing of what
 * stands behind: after a flipped bit, or with the database itself gone, everything that was committed since is missing without a word.
 * Format: https://sqlite.org/fileformat2.html#the_write_ahead_log, all numbers big-endian.
 */
const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
const MAGIC = 0x377f0682;

export type WalReport = {
  /** Frames up to the first that does not hold. */
  readonly frames: number;
  /** Transactions of the same generation whose last frame stands behind it. One may be a commit that a crash tore; of two, one was durable. */
  readonly commitsBehind: number;
};

/** A sentence when there are pages waiting in `FILE-wal` and `FILE`, to which they belong, is missing or empty: SQLite would then throw them away. */
export function orphanedWal(file: string): string | undefined {
  const waiting = sizeOf(`${file}-wal`);
  if (waiting <= HEADER_BYTES || sizeOf(file) > 0) return undefined;
  return `${file} is missing or empty, and ${file}-wal beside it holds ${waiting} bytes that belong to it. Put the right file back or restore a backup (nines restore); to start without it, move the -wal file away.`;
}

const sizeOf = (file: string): number => fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0;

/** A sentence when committed transactions of `FILE-wal` cannot be reached. For files that nobody writes meanwhile. */
export function damagedWal(file: string): string | undefined {
  if (sizeOf(`${file}-wal`) <= HEADER_BYTES) return undefined;
  const { frames, commitsBehind } = readWal(fs.readFileSync(`${file}-wal`));
  if (commitsBehind < 2) return undefined;
  return `frame ${frames + 1} is damaged; ${commitsBehind} transactions behind it cannot be read`;
}

/** Follows the chain of checksums, then looks for frames of the same generation behind its end. */
export function readWal(bytes: Uint8Array): WalReport {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isLittle = view.getUint32(0) === MAGIC;
  const stride = FRAME_HEADER_BYTES + view.getUint32(8);
  const count = Math.floor((bytes.length - HEADER_BYTES) / stride);
  const sum = new Checksum(view, isLittle);
  sum.add(0, 24);
  // A header that does not hold is also what a power cut leaves while a generation begins, over frames that the database has already.
  if (!sum.is(24)) return { frames: 0, commitsBehind: 0 };
  let frames = 0;
  for (; frames < count; frames++) {
    const at = HEADER_BYTES + frames * stride;
    if (!isOfGeneration(view, at)) break;
    sum.add(at, 8);
    sum.add(at + FRAME_HEADER_BYTES, stride - FRAME_HEADER_BYTES);
    if (!sum.is(at + 16)) break;
  }
  return { frames, commitsBehind: commitsFrom(view, { first: frames + 1, count, stride }) };
}

function commitsFrom(
  view: DataView,
  { first, count, stride }: { readonly first: number; readonly count: number; readonly stride: number },
): number {
  let commits = 0;
  for (let frame = first; frame < count; frame++) {
    const at = HEADER_BYTES + frame * stride;
    if (isOfGeneration(view, at) && view.getUint32(at + 4) !== 0) commits++;
  }
  return commits;
}

/** By the two salts of the header, which every frame repeats; frames of an earlier generation are leftovers. */
const isOfGeneration = (view: DataView, at: number): boolean =>
  view.getUint32(at + 8) === view.getUint32(16) && view.getUint32(at + 12) === view.getUint32(20);

class Checksum {
  readonly #view: DataView;
  readonly #isLittle: boolean;
  #first = 0;
  #second = 0;

  constructor(view: DataView, isLittle: boolean) {
    this.#view = view;
    this.#isLittle = isLittle;
  }

  /** `length` is a multiple of 8. */
  add(from: number, length: number): void {
    for (let at = from; at < from + length; at += 8) {
      this.#first = (this.#first + this.#view.getUint32(at, this.#isLittle) + this.#second) >>> 0;
      this.#second = (this.#second + this.#view.getUint32(at + 4, this.#isLittle) + this.#first) >>> 0;
    }
  }

  is(at: number): boolean {
    return this.#first === this.#view.getUint32(at) && this.#second === this.#view.getUint32(at + 4);
  }
}
