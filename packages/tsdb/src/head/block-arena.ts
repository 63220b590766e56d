/**
 * Memory of the head's chunks: blocks in shared segments, chained by block numbers and given back to free lists. No object per
 * series or chunk, so a garbage collection does not grow with the number of series. A block's first word is the number of the
 * next block of its chain; number 0 means none. Block numbers count units of 64 bytes.
 *
 * The blocks of a chain grow, by their place (`rank`) in it: a series of a few samples stays small, and a long one is read in few
 * jumps, each of which waits for memory.
 */
export const UNIT_BYTES = 64;
/** Units of a block by its rank; further blocks are like the last. */
const UNITS_BY_RANK = [1, 2, 4] as const;
export const LAST_RANK = UNITS_BY_RANK.length - 1;
const SEGMENT_UNITS_LOG2 = 14;
const SEGMENT_UNITS = 1 << SEGMENT_UNITS_LOG2;
/** Behind the last block, so that a reader may take four bytes where fewer are written. */
const SLACK_BYTES = 8;

export type Segment = {
  readonly bytes: Uint8Array;
  readonly words: Uint32Array;
  readonly doubles: Float64Array;
  readonly view: DataView;
};

export class BlockArena {
  readonly #segments: Segment[] = [];
  /** First free block per rank. */
  readonly #free = new Uint32Array(UNITS_BY_RANK.length);
  /** Unit 0 is never given out. */
  #next = 1;

  /** A block for a place in a chain, whose next-pointer is 0; its other bytes are arbitrary. */
  allocate(rank: number): number {
    const block = this.#free[rank] ?? 0;
    if (block === 0) return this.#fresh(rank);
    const { words } = this.segmentOf(block);
    const word = wordOf(block);
    this.#free[rank] = words[word] ?? 0;
    words[word] = 0;
    return block;
  }

  #fresh(rank: number): number {
    const units = UNITS_BY_RANK[rank] ?? 1;
    // A block lies in one segment: what is left of this one goes to blocks of one unit.
    while ((this.#next & (SEGMENT_UNITS - 1)) + units > SEGMENT_UNITS) this.#giveBack(this.#next++, 0);
    const block = this.#next;
    if (block >>> SEGMENT_UNITS_LOG2 === this.#segments.length) this.#addSegment();
    this.#next = block + units;
    return block;
  }

  #giveBack(block: number, rank: number): void {
    this.segmentOf(block).words[wordOf(block)] = this.#free[rank] ?? 0;
    this.#free[rank] = block;
  }

  /** Gives back a whole chain of blocks. */
  release(first: number): void {
    let rank = 0;
    for (let block = first; block !== 0; ) {
      const next = this.segmentOf(block).words[wordOf(block)] ?? 0;
      this.#giveBack(block, rank);
      rank = nextRank(rank);
      block = next;
    }
  }

  segmentOf(block: number): Segment {
    const segment = this.#segments[block >>> SEGMENT_UNITS_LOG2];
    if (segment === undefined) throw new Error(`BUG: block ${block} of ${this.#next}`);
    return segment;
  }

  get bytes(): number {
    return this.#segments.length * SEGMENT_UNITS * UNIT_BYTES;
  }

  #addSegment(): void {
    const buffer = new ArrayBuffer(SEGMENT_UNITS * UNIT_BYTES + SLACK_BYTES);
    this.#segments.push({
      bytes: new Uint8Array(buffer),
      words: new Uint32Array(buffer),
      doubles: new Float64Array(buffer),
      view: new DataView(buffer),
    });
  }
}

export const nextRank = (rank: number): number => (rank === LAST_RANK ? rank : rank + 1);

/** Bytes of a block of a rank. */
export const blockBytes = (rank: number): number => (UNITS_BY_RANK[rank] ?? 1) * UNIT_BYTES;

/** Where a block starts within its segment, in bytes, words and doubles. */
export const byteOf = (block: number): number => (block & (SEGMENT_UNITS - 1)) * UNIT_BYTES;
export const wordOf = (block: number): number => (block & (SEGMENT_UNITS - 1)) * (UNIT_BYTES / 4);
export const doubleOf = (block: number): number => (block & (SEGMENT_UNITS - 1)) * (UNIT_BYTES / 8);
