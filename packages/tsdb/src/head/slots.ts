import { grownU16, grownU32 } from './growing.ts';

/** No reference, no slot, no symbol. */
export const NONE = 0xffffffff;

/** References are given in their order, so those of a block tend to end together. */
const BLOCK_LOG2 = 8;
const BLOCK = 1 << BLOCK_LOG2;

/**
 * Where the series of a reference stands in memory. A reference is given once and never again, since pages and log name
 * series by it; a slot is given to another series when its own is forgotten, so that arrays by slot are as long as there were
 * series at a time, not as long as there ever were. Of references whose series are gone, a thirty-second of a byte remains.
 */
export class Slots {
  /** Slot + 1 by reference, in blocks; undefined where no reference of the block is in use. */
  readonly #blocks: (Uint32Array | undefined)[] = [];
  #usedInBlock = new Uint16Array(64);
  #refs = new Uint32Array(256);
  readonly #free: number[] = [];
  /** Slots that were ever given: the length of arrays by slot. */
  count = 0;
  /** References in use. */
  size = 0;

  /** The slot of a reference, `NONE` when its series is not there. */
  of(ref: number): number {
    const block = this.#blocks[ref >>> BLOCK_LOG2];
    return block === undefined ? NONE : ((block[ref & (BLOCK - 1)] ?? 0) - 1) >>> 0;
  }

  /** The reference that stands in a slot. */
  refOf(slot: number): number {
    return this.#refs[slot] ?? NONE;
  }

  /** Gives a slot to a reference that has none. */
  take(ref: number): number {
    const slot = this.#free.pop() ?? this.count++;
    const number = ref >>> BLOCK_LOG2;
    // Not by assignment far beyond the end, which would make it a hash table.
    while (this.#blocks.length <= number) this.#blocks.push(undefined);
    const block = (this.#blocks[number] ??= new Uint32Array(BLOCK));
    block[ref & (BLOCK - 1)] = slot + 1;
    this.#usedInBlock = grownU16(this.#usedInBlock, number + 1);
    this.#usedInBlock[number] = (this.#usedInBlock[number] ?? 0) + 1;
    this.#refs = grownU32(this.#refs, slot + 1);
    this.#refs[slot] = ref;
    this.size++;
    return slot;
  }

  release(ref: number): void {
    const slot = this.of(ref);
    if (slot === NONE) throw new Error(`BUG: reference ${ref} has no slot to give back`);
    const number = ref >>> BLOCK_LOG2;
    const block = this.#blocks[number];
    if (block !== undefined) block[ref & (BLOCK - 1)] = 0;
    const used = (this.#usedInBlock[number] ?? 0) - 1;
    this.#usedInBlock[number] = used;
    if (used === 0) this.#blocks[number] = undefined;
    this.#refs[slot] = NONE;
    this.#free.push(slot);
    this.size--;
  }

  /** Every reference in use, ascending. */
  refs(): Uint32Array {
    const refs = new Uint32Array(this.size);
    let count = 0;
    this.#blocks.forEach((block, number) => {
      if (block === undefined) return;
      for (let i = 0; i < BLOCK; i++) if (block[i] !== 0) refs[count++] = number * BLOCK + i;
    });
    return refs;
  }

  get bytes(): number {
    return Math.ceil(this.size / BLOCK) * BLOCK * 4 + this.#blocks.length * 8 + this.#usedInBlock.byteLength + this.#refs.byteLength;
  }
}
