/**
 * Memory of the head's chunks: blocks of one size in shared segments, chained by block numbers and given back to a free list.
 * No object per series or chunk, so a garbage collection does not grow with the number of series. A block's first word is
 * the number of the next block of its chunk. Number 0 means none.
 */
export const BLOCK_BYTES = 64;
const SEGMENT_BLOCKS_LOG2 = 14;
const SEGMENT_BLOCKS = 1 << SEGMENT_BLOCKS_LOG2;

export type Segment = { readonly bytes: Uint8Array; readonly words: Uint32Array; readonly doubles: Float64Array };

export class BlockArena {
  readonly #segments: Segment[] = [];
  #free = 0;
  /** Block 0 is never given out. */
  #next = 1;
  /** Blocks in use. */
  used = 0;

  /** A block whose next-pointer is 0; its other bytes are arbitrary. */
  allocate(): number {
    this.used++;
    if (this.#free !== 0) {
      const block = this.#free;
      const segment = this.segmentOf(block);
      const word = wordOf(block);
      this.#free = segment.words[word] ?? 0;
      segment.words[word] = 0;
      return block;
    }
    if (this.#next >>> SEGMENT_BLOCKS_LOG2 === this.#segments.length) this.#addSegment();
    return this.#next++;
  }

  /** Gives back a whole chain of blocks. */
  release(first: number): void {
    let block = first;
    while (block !== 0) {
      const segment = this.segmentOf(block);
      const word = wordOf(block);
      const next = segment.words[word] ?? 0;
      segment.words[word] = this.#free;
      this.#free = block;
      this.used--;
      block = next;
    }
  }

  segmentOf(block: number): Segment {
    const segment = this.#segments[block >>> SEGMENT_BLOCKS_LOG2];
    if (segment === undefined) throw new Error(`BUG: block ${block} of ${this.#next}`);
    return segment;
  }

  get bytes(): number {
    return this.#segments.length * SEGMENT_BLOCKS * BLOCK_BYTES;
  }

  /** Shared memory, so that readers on other threads need no copy. */
  #addSegment(): void {
    const buffer = new SharedArrayBuffer(SEGMENT_BLOCKS * BLOCK_BYTES);
    this.#segments.push({ bytes: new Uint8Array(buffer), words: new Uint32Array(buffer), doubles: new Float64Array(buffer) });
  }
}

/** Where a block starts within its segment, in bytes, words and doubles. */
export const byteOf = (block: number): number => (block & (SEGMENT_BLOCKS - 1)) * BLOCK_BYTES;
export const wordOf = (block: number): number => (block & (SEGMENT_BLOCKS - 1)) * (BLOCK_BYTES / 4);
export const doubleOf = (block: number): number => (block & (SEGMENT_BLOCKS - 1)) * (BLOCK_BYTES / 8);
