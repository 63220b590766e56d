import { NONE } from './series-index.ts';
import { grownU32 } from './growing.ts';

/**
 * Raw label bytes → series reference, so that a known series costs neither a string nor a sort. Senders repeat themselves in
 * order: the first guess is the entry that followed the last one before, and needs one comparison; else open addressing.
 * Other label orders of the same series are other entries with the same reference.
 */

/** The table starts anew beyond this: what is still sent comes back within one round. About 400 000 aliases of 320 bytes. */
export const MAX_ALIAS_BYTES = 128 * 1024 * 1024;
const MIN_TABLE = 1024;

export class AliasTable {
  #arena = new Uint8Array(64 * 1024);
  #view = new DataView(this.#arena.buffer);
  #arenaUsed = 0;
  #table = new Uint32Array(MIN_TABLE);
  #hashes = new Uint32Array(256);
  #starts = new Uint32Array(256);
  #lengths = new Uint32Array(256);
  #refs = new Uint32Array(256);
  #followers = new Uint32Array(256);
  #count = 0;
  #last = NONE;
  /** Hash of the bytes that were looked up last and not found. */
  #missedHash = 0;

  get bytes(): number {
    return this.#arena.length + (this.#table.length + this.#hashes.length * 5) * 4;
  }

  /** The reference of `bytes[from, to)`, or `NONE`. `view` covers the same memory as `bytes`. */
  find(view: DataView, from: number, to: number): number {
    const last = this.#last;
    if (last !== NONE) {
      const guess = this.#followers[last] ?? NONE;
      if (guess !== NONE && this.#equals(guess, view, from, to)) {
        this.#last = guess;
        return this.#refs[guess] ?? NONE;
      }
    }
    const hash = hashBytes(view, from, to);
    const mask = this.#table.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const entry = this.#table[slot] ?? 0;
      if (entry === 0) break;
      if (this.#hashes[entry - 1] === hash && this.#equals(entry - 1, view, from, to)) {
        this.#follow(entry - 1);
        return this.#refs[entry - 1] ?? NONE;
      }
    }
    this.#missedHash = hash;
    return NONE;
  }

  /** Adds what `find` has just not found, or points its entry at another reference. Copies the bytes. */
  add(bytes: Uint8Array, from: number, to: number, ref: number): void {
    if (this.#arenaUsed + to - from > MAX_ALIAS_BYTES) this.clear();
    this.#reserve(to - from);
    const entry = this.#count++;
    this.#arena.set(bytes.subarray(from, to), this.#arenaUsed);
    this.#hashes[entry] = this.#missedHash;
    this.#starts[entry] = this.#arenaUsed;
    this.#lengths[entry] = to - from;
    this.#refs[entry] = ref;
    this.#followers[entry] = NONE;
    this.#arenaUsed += to - from;
    if (this.#count * 2 > this.#table.length) this.#rehash();
    else this.#place(entry);
    this.#follow(entry);
  }

  /** Points the entry that `find` returned last elsewhere: its series is gone and came back under a new reference. */
  repoint(ref: number): void {
    if (this.#last !== NONE) this.#refs[this.#last] = ref;
  }

  clear(): void {
    this.#table = new Uint32Array(MIN_TABLE);
    this.#count = 0;
    this.#arenaUsed = 0;
    this.#last = NONE;
  }

  #follow(entry: number): void {
    if (this.#last !== NONE) this.#followers[this.#last] = entry;
    this.#last = entry;
  }

  #equals(entry: number, view: DataView, from: number, to: number): boolean {
    const length = to - from;
    if (this.#lengths[entry] !== length) return false;
    const own = this.#view;
    const start = this.#starts[entry] ?? 0;
    let i = 0;
    for (; i + 4 <= length; i += 4) if (own.getInt32(start + i, true) !== view.getInt32(from + i, true)) return false;
    for (; i < length; i++) if (own.getUint8(start + i) !== view.getUint8(from + i)) return false;
    return true;
  }

  #reserve(length: number): void {
    if (this.#arenaUsed + length > this.#arena.length) {
      const grown = new Uint8Array(Math.max(this.#arena.length * 2, this.#arenaUsed + length));
      grown.set(this.#arena.subarray(0, this.#arenaUsed));
      this.#arena = grown;
      this.#view = new DataView(grown.buffer);
    }
    const needed = this.#count + 1;
    this.#hashes = grownU32(this.#hashes, needed);
    this.#starts = grownU32(this.#starts, needed);
    this.#lengths = grownU32(this.#lengths, needed);
    this.#refs = grownU32(this.#refs, needed);
    this.#followers = grownU32(this.#followers, needed);
  }

  #place(entry: number): void {
    const mask = this.#table.length - 1;
    let slot = (this.#hashes[entry] ?? 0) & mask;
    while (this.#table[slot] !== 0) slot = (slot + 1) & mask;
    this.#table[slot] = entry + 1;
  }

  #rehash(): void {
    this.#table = new Uint32Array(this.#table.length * 4);
    for (let entry = 0; entry < this.#count; entry++) this.#place(entry);
  }
}

/** Murmur3's body and finish over 32-bit words. */
function hashBytes(view: DataView, from: number, to: number): number {
  let hash = to - from;
  let at = from;
  for (; at + 4 <= to; at += 4) {
    let word = Math.imul(view.getInt32(at, true), 0xcc9e2d51);
    word = (word << 15) | (word >>> 17);
    hash ^= Math.imul(word, 0x1b873593);
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0;
  }
  for (; at < to; at++) hash = Math.imul(hash ^ view.getUint8(at), 0x01000193);
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
