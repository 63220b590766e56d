import { NONE } from './series-index.ts';
import { grownU32 } from './growing.ts';

/**
 * Raw label bytes → series reference, so that a known series costs neither a string nor a sort. Senders repeat themselves in
 * order: the first guess is the entry that followed the last one before, and needs one comparison; else open addressing.
 * Other label orders of the same series are other entries with the same reference.
 *
 * Laid out for series that come in any order, when memory decides: a slot holds the hash beside the entry's number, an entry
 * is 16 bytes in one place, so that a look-up waits for a slot, an entry and its bytes.
 */

/** The table starts anew beyond this: what is still sent comes back within one round. About 400 000 aliases of 320 bytes. */
export const MAX_ALIAS_BYTES = 128 * 1024 * 1024;
const MIN_SLOTS = 1024;
/** Words of an entry: where its bytes begin, how many they are, the reference, the entry that came after it last time. */
const ENTRY = 4;
const LENGTH = 1;
const REF = 2;
const FOLLOWER = 3;
/** Bytes compared at once. */
const WORD = 8;
/** Bytes hashed at once, in four lanes. */
const STRIPE = 16;
/** A line of the processor's cache. */
const LINE = 64;
/** Series looked ahead at once, the one that is asked for included: as many as a processor can wait for together, few enough to be in its cache still when they are compared. */
export const AHEAD = 32;

/** Where the labels of a batch's series stand, in bytes. */
export type LabelSpans = { readonly seriesCount: number; readonly labelsFrom: Uint32Array; readonly labelsTo: Uint32Array };
export type AliasTableOptions = {
  /** One that senders do not know keeps them from choosing labels that all fall into one place. */
  readonly seed?: number;
  readonly maxBytes?: number;
};

const NO_BYTES: DataView = new DataView(new ArrayBuffer(0));
const NO_SPANS: LabelSpans = { seriesCount: 0, labelsFrom: new Uint32Array(0), labelsTo: new Uint32Array(0) };

export class AliasTable {
  readonly #seed: number;
  readonly #maxBytes: number;
  /** The batch at hand. */
  #batchView = NO_BYTES;
  #spans = NO_SPANS;
  #arena = new Uint8Array(64 * 1024);
  #view = new DataView(this.#arena.buffer);
  #arenaUsed = 0;
  /** Per slot the hash and the entry's number + 1; 0 where there is none. */
  #slots = new Uint32Array(2 * MIN_SLOTS);
  #entries = new Uint32Array(256 * ENTRY);
  #count = 0;
  #last = NONE;
  /** Whether the guess before was wrong or missing. One wrong guess is where another part of the fleet begins; from the second on there is no order. */
  #strayed = false;
  /** The hashes of series `[aheadFrom, aheadTo)` of the batch at hand, and the entries that they may be. */
  readonly #aheadHashes = new Uint32Array(AHEAD);
  readonly #aheadEntries = new Uint32Array(AHEAD);
  #aheadFrom = 0;
  #aheadTo = 0;
  /** What was read ahead, summed up so that the reading is not left out. */
  #touched = 0;

  constructor({ seed = 0, maxBytes = MAX_ALIAS_BYTES }: AliasTableOptions = {}) {
    this.#seed = seed;
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#arena.length + (this.#slots.length + this.#entries.length) * 4;
  }

  /** Begins a batch, whose memory must stay as it is until `end`. */
  begin(bytes: Uint8Array, spans: LabelSpans): void {
    this.#batchView = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#spans = spans;
    this.#aheadFrom = 0;
    this.#aheadTo = 0;
  }

  /** Holds on to nothing of the batch. */
  end(): void {
    this.#batchView = NO_BYTES;
    this.#spans = NO_SPANS;
  }

  /** The reference of the labels of series `series` of the batch, or `NONE`. To be asked for one series after the other. */
  find(series: number): number {
    const entries = this.#entries;
    const from = this.#spans.labelsFrom[series] ?? 0;
    const to = this.#spans.labelsTo[series] ?? 0;
    const last = this.#last;
    if (last !== NONE) {
      const guess = entries[last * ENTRY + FOLLOWER] ?? NONE;
      if (guess !== NONE && this.#equals(guess, from, to)) {
        this.#last = guess;
        this.#strayed = false;
        return entries[guess * ENTRY + REF] ?? NONE;
      }
    }
    const entry = this.#probe(this.#hashOf(series, from, to), from, to);
    this.#strayed = true;
    if (entry === NONE) return NONE;
    this.#follow(entry);
    return entries[entry * ENTRY + REF] ?? NONE;
  }

  /**
   * Like `find`, of bytes that need not be there yet: the little-endian words `numbers[places[i]]` for `i` in `[from, to)`. Answers only for the entry that
   * followed the last one before; `NONE` says nothing.
   */
  findNext(numbers: Uint32Array, places: Uint32Array, from: number, to: number): number {
    const entries = this.#entries;
    const guess = this.#last === NONE ? NONE : (entries[this.#last * ENTRY + FOLLOWER] ?? NONE);
    if (guess === NONE || entries[guess * ENTRY + LENGTH] !== (to - from) * 4) return NONE;
    const own = this.#view;
    let at = entries[guess * ENTRY] ?? 0;
    for (let i = from; i < to; i++, at += 4) if (own.getUint32(at, true) !== numbers[places[i] ?? 0]) return NONE;
    this.#last = guess;
    this.#strayed = false;
    return entries[guess * ENTRY + REF] ?? NONE;
  }

  #hashOf(series: number, from: number, to: number): number {
    if (series >= this.#aheadTo || series < this.#aheadFrom) {
      if (!this.#strayed) return hashBytes(this.#batchView, from, to, this.#seed);
      this.#lookAhead(series);
    }
    return this.#aheadHashes[series - this.#aheadFrom] ?? 0;
  }

  /** The entry of the bytes whose hash is given, or `NONE`. */
  #probe(hash: number, from: number, to: number): number {
    const slots = this.#slots;
    const mask = slots.length - 2;
    for (let slot = (hash << 1) & mask; ; slot = (slot + 2) & mask) {
      const number = slots[slot + 1] ?? 0;
      if (number === 0) return NONE;
      if (slots[slot] === hash && this.#equals(number - 1, from, to)) return number - 1;
    }
  }

  /**
   * Hashes the next series and reads what their look-ups are going to read, step by step for all of them: so the processor
   * waits for memory once for many instead of for each. Series in the order of last time never come here.
   */
  #lookAhead(series: number): void {
    const { labelsFrom, labelsTo, seriesCount } = this.#spans;
    const view = this.#batchView;
    const count = Math.min(AHEAD, seriesCount - series);
    const hashes = this.#aheadHashes;
    const numbers = this.#aheadEntries;
    const slots = this.#slots;
    const mask = slots.length - 2;
    let sum = 0;
    for (let i = 0; i < count; i++) hashes[i] = hashBytes(view, labelsFrom[series + i] ?? 0, labelsTo[series + i] ?? 0, this.#seed);
    for (let i = 0; i < count; i++) numbers[i] = slots[(((hashes[i] ?? 0) << 1) & mask) + 1] ?? 0;
    for (let i = 0; i < count; i++) sum += this.#entries[Math.max(0, (numbers[i] ?? 0) - 1) * ENTRY] ?? 0;
    for (let i = 0; i < count; i++) {
      const entry = Math.max(0, (numbers[i] ?? 0) - 1);
      const start = this.#entries[entry * ENTRY] ?? 0;
      const end = start + (this.#entries[entry * ENTRY + LENGTH] ?? 0);
      for (let at = start; at < end; at += LINE) sum += this.#arena[at] ?? 0;
    }
    this.#touched = (this.#touched + sum) | 0;
    this.#aheadFrom = series;
    this.#aheadTo = series + count;
  }

  /** Puts the labels of series `series` of the batch under a reference. Copies their bytes. */
  add(series: number, ref: number): void {
    const from = this.#spans.labelsFrom[series] ?? 0;
    const to = this.#spans.labelsTo[series] ?? 0;
    const hash = hashBytes(this.#batchView, from, to, this.#seed);
    const known = this.#probe(hash, from, to);
    if (known !== NONE) this.#entries[known * ENTRY + REF] = ref;
    this.#follow(known === NONE ? this.#append(hash, from, to, ref) : known);
  }

  #append(hash: number, from: number, to: number, ref: number): number {
    if (this.#arenaUsed + to - from > this.#maxBytes) this.clear();
    this.#reserve(to - from);
    const entry = this.#count++;
    const { buffer, byteOffset } = this.#batchView;
    this.#arena.set(new Uint8Array(buffer, byteOffset + from, to - from), this.#arenaUsed);
    this.#entries[entry * ENTRY] = this.#arenaUsed;
    this.#entries[entry * ENTRY + LENGTH] = to - from;
    this.#entries[entry * ENTRY + REF] = ref;
    this.#entries[entry * ENTRY + FOLLOWER] = NONE;
    this.#arenaUsed += to - from;
    if (this.#count * 4 > this.#slots.length) this.#growSlots();
    this.#place(hash, entry + 1);
    return entry;
  }

  /** Points the entry that `find` returned last elsewhere: its series is gone and came back under a new reference. */
  repoint(ref: number): void {
    if (this.#last !== NONE) this.#entries[this.#last * ENTRY + REF] = ref;
  }

  clear(): void {
    this.#slots = new Uint32Array(2 * MIN_SLOTS);
    this.#count = 0;
    this.#arenaUsed = 0;
    this.#last = NONE;
  }

  #follow(entry: number): void {
    if (this.#last !== NONE) this.#entries[this.#last * ENTRY + FOLLOWER] = entry;
    this.#last = entry;
  }

  /** Compares the last word first: labels of one sender begin alike. Words as big integers, which optimised code keeps in registers. */
  #equals(entry: number, from: number, to: number): boolean {
    const length = to - from;
    if (this.#entries[entry * ENTRY + LENGTH] !== length) return false;
    const own = this.#view;
    const view = this.#batchView;
    const start = this.#entries[entry * ENTRY] ?? 0;
    if (length < WORD) {
      for (let i = 0; i < length; i++) if (own.getUint8(start + i) !== view.getUint8(from + i)) return false;
      return true;
    }
    const tail = length - WORD;
    if (own.getBigInt64(start + tail, true) !== view.getBigInt64(from + tail, true)) return false;
    for (let i = 0; i < tail; i += WORD) if (own.getBigInt64(start + i, true) !== view.getBigInt64(from + i, true)) return false;
    return true;
  }

  #reserve(length: number): void {
    if (this.#arenaUsed + length > this.#arena.length) {
      const grown = new Uint8Array(Math.max(this.#arena.length * 2, this.#arenaUsed + length));
      grown.set(this.#arena.subarray(0, this.#arenaUsed));
      this.#arena = grown;
      this.#view = new DataView(grown.buffer);
    }
    this.#entries = grownU32(this.#entries, (this.#count + 1) * ENTRY);
  }

  #place(hash: number, number: number): void {
    const slots = this.#slots;
    const mask = slots.length - 2;
    let slot = (hash << 1) & mask;
    while (slots[slot + 1] !== 0) slot = (slot + 2) & mask;
    slots[slot] = hash;
    slots[slot + 1] = number;
  }

  #growSlots(): void {
    const before = this.#slots;
    this.#slots = new Uint32Array(before.length * 2);
    for (let slot = 0; slot < before.length; slot += 2) {
      const number = before[slot + 1] ?? 0;
      if (number !== 0) this.#place(before[slot] ?? 0, number);
    }
  }
}

/** Four lanes over 32-bit words as in xxHash32, so that no word waits for the one before; the last stripe may overlap. */
function hashBytes(view: DataView, from: number, to: number, seed: number): number {
  const length = to - from;
  if (length < STRIPE) return hashShort(view, from, to, seed);
  let a = seed + 0x24234428;
  let b = seed + 0x85ebca77;
  let c = seed;
  let d = seed - 0x9e3779b1;
  const last = to - STRIPE;
  for (let at = from; ; at += STRIPE) {
    if (at > last) at = last;
    a = lane(a, view.getInt32(at, true));
    b = lane(b, view.getInt32(at + 4, true));
    c = lane(c, view.getInt32(at + 8, true));
    d = lane(d, view.getInt32(at + 12, true));
    if (at === last) break;
  }
  return finish(rotated(a, 1) + rotated(b, 7) + rotated(c, 12) + rotated(d, 18) + length);
}

function hashShort(view: DataView, from: number, to: number, seed: number): number {
  let hash = seed + to - from;
  for (let at = from; at < to; at++) hash = lane(hash, view.getUint8(at));
  return finish(hash);
}

const rotated = (value: number, by: number): number => (value << by) | (value >>> (32 - by));
const lane = (sum: number, word: number): number => Math.imul(rotated((sum + Math.imul(word, 0x85ebca77)) | 0, 13), 0x9e3779b1);

function finish(value: number): number {
  let hash = value;
  hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca77);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae3d);
  return (hash ^ (hash >>> 16)) >>> 0;
}
