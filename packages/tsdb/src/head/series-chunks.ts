import { Columns } from '../codec/columns.ts';
import { POWERS_OF_TEN, exponentOf, mantissaOf, stepOf } from '../codec/decimal.ts';
import { windowOf } from '../contract.ts';
import { BlockArena, blockBytes, byteOf, doubleOf, nextRank, wordOf } from './block-arena.ts';
import { readChunk, readRegularValues } from './chunk-reader.ts';
import { grownF64, grownI32, grownU16, grownU32, grownU8 } from './growing.ts';
import {
  BLOCK_END,
  FIRST_PAYLOAD,
  MAX_SCALE,
  MAX_STEP_SCALE,
  NEXT_PAYLOAD,
  RUN,
  RUN_FULL,
  VALUE_HIGH,
  VALUE_RAW,
  VALUE_RESCALE,
  VALUE_RESTEP,
  VALUE_SAME,
  VALUE_STEP,
  deltaCode,
  fitsInt32,
  timeCode,
  valueBytes,
} from './sample-code.ts';

/**
 * The samples of the head that came in order: per series a list of chunks, each of one window and at most
 * `MAX_CHUNK_SAMPLES`, written sample by sample in compressed form. State per series stands in arrays indexed by reference.
 *
 * A chunk's first block: next block (4), next chunk (4), first time (8), last time (8), first value (8), samples (2),
 * scale (1), flags (1), codes. Further blocks: next block (4), codes. Last time and samples are written when the chunk is
 * closed; those of the open chunk stand in the arrays.
 */
const MAX_CHUNK_SAMPLES = 240;
/** Flags of a chunk: not all its samples are equally far apart; some of its values are NaN or infinite. */
const IRREGULAR = 1;
const UNUSUAL = 2;
const FLAGS_AT = 35;
/** Set in the high half of NaN and infinities, and of no other number. */
const EXPONENT_BITS = 0x7ff00000;
const isUnusual = (high: number): boolean => (high & EXPONENT_BITS) === EXPONENT_BITS;

const scratchValue = new Float64Array(1);
const scratchBits = new Uint32Array(scratchValue.buffer);

export class SeriesChunks {
  readonly #arena = new BlockArena();
  /** Time and value of the newest sample in the open chunk. */
  #lastTime = new Float64Array(256);
  #lastBits = new Uint32Array(512);
  #lastDelta = new Int32Array(256);
  #firstChunk = new Uint32Array(256);
  #openChunk = new Uint32Array(256);
  #openSamples = new Uint16Array(256);
  #tailBlock = new Uint32Array(256);
  #tailOffset = new Uint16Array(256);
  #tailRank = new Uint8Array(256);
  #scale = new Uint8Array(256);
  #inRun = new Uint8Array(256);
  /** Samples held, and chunks. */
  samples = 0;
  count = 0;

  get bytes(): number {
    return this.#arena.bytes + this.#lastTime.length * 47;
  }

  /** Makes room for references below `count`. */
  reserve(count: number): void {
    if (count <= this.#lastTime.length) return;
    this.#lastTime = grownF64(this.#lastTime, count);
    const capacity = this.#lastTime.length;
    this.#lastBits = grownU32(this.#lastBits, capacity * 2);
    this.#lastDelta = grownI32(this.#lastDelta, capacity);
    this.#firstChunk = grownU32(this.#firstChunk, capacity);
    this.#openChunk = grownU32(this.#openChunk, capacity);
    this.#openSamples = grownU16(this.#openSamples, capacity);
    this.#tailBlock = grownU32(this.#tailBlock, capacity);
    this.#tailOffset = grownU16(this.#tailOffset, capacity);
    this.#tailRank = grownU8(this.#tailRank, capacity);
    this.#scale = grownU8(this.#scale, capacity);
    this.#inRun = grownU8(this.#inRun, capacity);
  }

  /**
   * Reads what the next appends to `slots[0, count)` are going to read, one array after the other, so that the processor waits
   * for memory once for many series instead of for each. Returns a sum, so that the reading is not left out.
   */
  readAhead(slots: Uint32Array, count: number): number {
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const slot = slots[i] ?? 0;
      sum += (this.#lastTime[slot] ?? 0) + (this.#lastBits[2 * slot] ?? 0) + (this.#firstChunk[slot] ?? 0);
    }
    for (let i = 0; i < count; i++) {
      const slot = slots[i] ?? 0;
      sum += (this.#lastDelta[slot] ?? 0) + (this.#openChunk[slot] ?? 0) + (this.#openSamples[slot] ?? 0) + (this.#tailRank[slot] ?? 0);
    }
    for (let i = 0; i < count; i++) {
      const slot = slots[i] ?? 0;
      sum += (this.#tailBlock[slot] ?? 0) + (this.#tailOffset[slot] ?? 0) + (this.#scale[slot] ?? 0) + (this.#inRun[slot] ?? 0);
    }
    for (let i = 0; i < count; i++) {
      const slot = slots[i] ?? 0;
      const block = this.#tailBlock[slot] ?? 0;
      if (block !== 0) sum += this.#arena.segmentOf(block).bytes[byteOf(block) + (this.#tailOffset[slot] ?? 0) - 1] ?? 0;
    }
    return sum;
  }

  isEmpty(ref: number): boolean {
    return this.#firstChunk[ref] === 0;
  }

  /** The time of the newest sample, or -Infinity. */
  lastTime(ref: number): number {
    return this.isEmpty(ref) ? Number.NEGATIVE_INFINITY : (this.#lastTime[ref] ?? 0);
  }

  firstTime(ref: number): number {
    const chunk = this.#firstChunk[ref] ?? 0;
    return chunk === 0 ? Number.POSITIVE_INFINITY : (this.#arena.segmentOf(chunk).doubles[doubleOf(chunk) + 1] ?? 0);
  }

  /** Whether the newest sample has exactly these bits. */
  isLastValue(ref: number, low: number, high: number): boolean {
    return this.#lastBits[2 * ref] === low && this.#lastBits[2 * ref + 1] === high;
  }

  /** Appends a sample newer than all others of the series. `bits[2 * index]` is the low half of its value. */
  append(ref: number, time: number, bits: Uint32Array, index: number): void {
    const low = bits[2 * index] ?? 0;
    const high = bits[2 * index + 1] ?? 0;
    const open = this.#openChunk[ref] ?? 0;
    this.samples++;
    if (open === 0) {
      this.#open(ref, time, low, high);
      return;
    }
    const last = this.#lastTime[ref] ?? 0;
    const delta = time - last;
    const second = delta - (this.#lastDelta[ref] ?? 0);
    const samples = this.#openSamples[ref] ?? 0;
    if (samples >= MAX_CHUNK_SAMPLES || windowOf(time) !== windowOf(last) || !fitsInt32(delta) || !fitsInt32(second)) {
      this.#open(ref, time, low, high);
      return;
    }
    const same = this.#lastBits[2 * ref] === low && this.#lastBits[2 * ref + 1] === high;
    if (second !== 0 && samples > 1) this.#flag(ref, IRREGULAR);
    if (same && second === 0) this.#appendRun(ref);
    else this.#appendCode(ref, second, low, high);
    this.#lastTime[ref] = time;
    this.#lastDelta[ref] = delta;
    this.#lastBits[2 * ref] = low;
    this.#lastBits[2 * ref + 1] = high;
    this.#openSamples[ref] = samples + 1;
  }

  #open(ref: number, time: number, low: number, high: number): void {
    const chunk = this.#arena.allocate(0);
    this.count++;
    const segment = this.#arena.segmentOf(chunk);
    const word = wordOf(chunk);
    this.#close(ref, chunk);
    segment.words[word + 1] = 0;
    segment.doubles[doubleOf(chunk) + 1] = time;
    segment.words[word + 6] = low;
    segment.words[word + 7] = high;
    scratchBits[0] = low;
    scratchBits[1] = high;
    const scale = Math.max(0, exponentOf(scratchValue[0] ?? 0, 0, MAX_SCALE));
    segment.bytes[byteOf(chunk) + 34] = scale;
    segment.bytes[byteOf(chunk) + FLAGS_AT] = isUnusual(high) ? UNUSUAL : 0;
    this.#openChunk[ref] = chunk;
    this.#openSamples[ref] = 1;
    this.#tailBlock[ref] = chunk;
    this.#tailOffset[ref] = FIRST_PAYLOAD;
    this.#tailRank[ref] = 0;
    this.#scale[ref] = scale;
    this.#inRun[ref] = 0;
    this.#lastTime[ref] = time;
    this.#lastDelta[ref] = 0;
    this.#lastBits[2 * ref] = low;
    this.#lastBits[2 * ref + 1] = high;
  }

  /** Writes the open chunk's end into its header and hangs `next` behind it. */
  #close(ref: number, next: number): void {
    const open = this.#openChunk[ref] ?? 0;
    if (open === 0) {
      this.#firstChunk[ref] = next;
      return;
    }
    const segment = this.#arena.segmentOf(open);
    segment.words[wordOf(open) + 1] = next;
    segment.doubles[doubleOf(open) + 2] = this.#lastTime[ref] ?? 0;
    writeU16(segment.bytes, byteOf(open) + 32, this.#openSamples[ref] ?? 0);
  }

  #flag(ref: number, flag: number): void {
    const chunk = this.#openChunk[ref] ?? 0;
    const at = byteOf(chunk) + FLAGS_AT;
    const { bytes } = this.#arena.segmentOf(chunk);
    bytes[at] = (bytes[at] ?? 0) | flag;
  }

  #appendRun(ref: number): void {
    const block = this.#tailBlock[ref] ?? 0;
    const { bytes } = this.#arena.segmentOf(block);
    const at = byteOf(block) + (this.#tailOffset[ref] ?? 0) - 1;
    const code = bytes[at] ?? 0;
    if (this.#inRun[ref] === 1 && code !== RUN_FULL) {
      bytes[at] = code + 1;
      return;
    }
    const to = this.#room(ref, 1);
    const tail = this.#tailBlock[ref] ?? 0;
    this.#arena.segmentOf(tail).bytes[to] = RUN;
    this.#tailOffset[ref] = to + 1 - byteOf(tail);
    this.#inRun[ref] = 1;
  }

  #appendCode(ref: number, second: number, low: number, high: number): void {
    const time = timeCode(second);
    const timeBytes = time === 3 ? 4 : time;
    const value = this.#valueCode(ref, low, high);
    const from = this.#room(ref, 1 + timeBytes + valueBytes(value.code));
    const tail = this.#tailBlock[ref] ?? 0;
    const { bytes } = this.#arena.segmentOf(tail);
    let at = from + 1;
    if (timeBytes > 0) at = writeInt(bytes, at, second, timeBytes);
    if (value.code === VALUE_RESCALE || value.code === VALUE_RESTEP) {
      bytes[at++] = value.scale;
      at = writeInt(bytes, at, value.delta, 4);
    } else if (value.code === VALUE_RAW || value.code === VALUE_HIGH) {
      if (isUnusual(high)) this.#flag(ref, UNUSUAL);
      if (value.code === VALUE_RAW) at = writeInt(bytes, at, low, 4);
      at = writeInt(bytes, at, high, 4);
    } else if (value.code !== VALUE_SAME) at = writeInt(bytes, at, value.delta, valueBytes(value.code));
    bytes[from] = (time << 5) | value.code;
    this.#tailOffset[ref] = at - byteOf(tail);
    this.#inRun[ref] = 0;
  }

  /** Chooses the value's form; the result is shared and valid until the next call. */
  #valueCode(ref: number, low: number, high: number): typeof choice {
    const lastLow = this.#lastBits[2 * ref] ?? 0;
    const lastHigh = this.#lastBits[2 * ref + 1] ?? 0;
    if (low === lastLow && high === lastHigh) {
      choice.code = VALUE_SAME;
      return choice;
    }
    scratchBits[0] = low;
    scratchBits[1] = high;
    const value = scratchValue[0] ?? 0;
    scratchBits[0] = lastLow;
    scratchBits[1] = lastHigh;
    const last = scratchValue[0] ?? 0;
    const scale = this.#scale[ref] ?? 0;
    const delta = deltaAt(value, last, scale);
    if (fitsInt32(delta)) {
      choice.code = deltaCode(delta);
      choice.delta = delta;
      return choice;
    }
    const step = stepOf(last, value, POWERS_OF_TEN[scale] ?? 1);
    if (fitsInt32(step)) {
      choice.code = VALUE_STEP + deltaCode(step);
      choice.delta = step;
      return choice;
    }
    if (this.#rescale(ref, value, last)) return choice;
    choice.code = low === 0 ? VALUE_HIGH : VALUE_RAW;
    return choice;
  }

  /** Looks for another scale at which the value is a difference from the one before. */
  #rescale(ref: number, value: number, last: number): boolean {
    const finer = Math.max(exponentOf(value, 0, MAX_SCALE), exponentOf(last, 0, MAX_SCALE));
    const delta = finer < 0 ? Number.NaN : deltaAt(value, last, finer);
    choice.code = VALUE_RESCALE;
    choice.scale = finer;
    choice.delta = delta;
    for (let scale = 0; scale <= MAX_STEP_SCALE && !fitsInt32(choice.delta); scale++) {
      choice.code = VALUE_RESTEP;
      choice.scale = scale;
      choice.delta = stepOf(last, value, POWERS_OF_TEN[scale] ?? 1);
    }
    if (!fitsInt32(choice.delta)) return false;
    this.#scale[ref] = choice.scale;
    return true;
  }

  /** Where to write `count` bytes; goes to a new block when they do not fit the present one. */
  #room(ref: number, count: number): number {
    const block = this.#tailBlock[ref] ?? 0;
    const offset = this.#tailOffset[ref] ?? 0;
    const size = blockBytes(this.#tailRank[ref] ?? 0);
    if (offset + count <= size) return byteOf(block) + offset;
    const segment = this.#arena.segmentOf(block);
    if (offset < size) segment.bytes[byteOf(block) + offset] = BLOCK_END;
    const rank = nextRank(this.#tailRank[ref] ?? 0);
    const next = this.#arena.allocate(rank);
    segment.words[wordOf(block)] = next;
    this.#tailRank[ref] = rank;
    this.#tailBlock[ref] = next;
    this.#tailOffset[ref] = NEXT_PAYLOAD;
    return byteOf(next) + NEXT_PAYLOAD;
  }

  /** Appends the samples in `[fromMs, toMs]` to `out`. */
  read(ref: number, fromMs: number, toMs: number, out: Columns): void {
    for (let chunk = this.#firstChunk[ref] ?? 0; chunk !== 0; ) {
      const segment = this.#arena.segmentOf(chunk);
      const open = chunk === this.#openChunk[ref];
      const first = segment.doubles[doubleOf(chunk) + 1] ?? 0;
      const last = open ? (this.#lastTime[ref] ?? 0) : (segment.doubles[doubleOf(chunk) + 2] ?? 0);
      if (first > toMs) return;
      if (last >= fromMs) {
        const samples = open ? (this.#openSamples[ref] ?? 0) : readU16(segment.bytes, byteOf(chunk) + 32);
        const from = out.length;
        readChunk(this.#arena, chunk, samples, out);
        trim(out, from, fromMs, toMs);
      }
      chunk = segment.words[wordOf(chunk) + 1] ?? 0;
    }
  }

  /** Adds the chunks with samples in `[fromMs, toMs]` to `list`, oldest first. */
  list(ref: number, fromMs: number, toMs: number, list: ChunkList): void {
    const open = this.#openChunk[ref] ?? 0;
    for (let chunk = this.#firstChunk[ref] ?? 0; chunk !== 0; ) {
      const { words, doubles, bytes } = this.#arena.segmentOf(chunk);
      const first = doubles[doubleOf(chunk) + 1] ?? 0;
      if (first > toMs) return;
      const last = chunk === open ? (this.#lastTime[ref] ?? 0) : (doubles[doubleOf(chunk) + 2] ?? 0);
      if (last >= fromMs) {
        const samples = chunk === open ? (this.#openSamples[ref] ?? 0) : readU16(bytes, byteOf(chunk) + 32);
        list.add({ chunk, first, last, samples, flags: bytes[byteOf(chunk) + FLAGS_AT] ?? 0 });
      }
      chunk = words[wordOf(chunk) + 1] ?? 0;
    }
  }

  /** Appends the first `samples` values of a regular chunk to `out`; what `out` has for times there means nothing. */
  readValues(chunk: number, samples: number, out: Columns): void {
    readRegularValues(this.#arena, chunk, samples, out);
  }

  /** The newest sample, of a series that is not empty, as the only one of `out`. */
  readNewest(ref: number, out: Columns): void {
    out.clear();
    out.push(this.#lastTime[ref] ?? 0, this.#lastBits[2 * ref] ?? 0, this.#lastBits[2 * ref + 1] ?? 0);
  }

  /** Whether the series has a sample in `[fromMs, toMs]`, by its chunks' ends; a gap within a chunk counts as a sample. */
  touches(ref: number, fromMs: number, toMs: number): boolean {
    for (let chunk = this.#firstChunk[ref] ?? 0; chunk !== 0; ) {
      const segment = this.#arena.segmentOf(chunk);
      const last = chunk === this.#openChunk[ref] ? (this.#lastTime[ref] ?? 0) : (segment.doubles[doubleOf(chunk) + 2] ?? 0);
      if ((segment.doubles[doubleOf(chunk) + 1] ?? 0) > toMs) return false;
      if (last >= fromMs) return true;
      chunk = segment.words[wordOf(chunk) + 1] ?? 0;
    }
    return false;
  }

  /**
   * Whether the series has no sample at `time`, as far as that can be told without decoding: `time` is between the two newest
   * samples, between two chunks, or off the grid of a regular chunk. That is where a sample is late because requests overtook
   * each other.
   */
  lacks(ref: number, time: number): boolean {
    const open = this.#openChunk[ref] ?? 0;
    const newest = this.#lastTime[ref] ?? 0;
    if (open !== 0 && (this.#openSamples[ref] ?? 0) > 1 && time < newest && time > newest - (this.#lastDelta[ref] ?? 0)) return true;
    for (let chunk = this.#firstChunk[ref] ?? 0; chunk !== 0; ) {
      const { words, doubles, bytes } = this.#arena.segmentOf(chunk);
      const first = doubles[doubleOf(chunk) + 1] ?? 0;
      if (time < first) return true;
      const last = chunk === open ? newest : (doubles[doubleOf(chunk) + 2] ?? 0);
      if (time <= last) {
        const samples = chunk === open ? (this.#openSamples[ref] ?? 0) : readU16(bytes, byteOf(chunk) + 32);
        const regular = ((bytes[byteOf(chunk) + FLAGS_AT] ?? 0) & IRREGULAR) === 0;
        return regular && samples > 1 && (time - first) % ((last - first) / (samples - 1)) !== 0;
      }
      chunk = words[wordOf(chunk) + 1] ?? 0;
    }
    return true;
  }

  /** Drops the chunks of windows before `windowMs`, whole, as no chunk spans two windows. */
  dropBefore(ref: number, windowMs: number): void {
    let chunk = this.#firstChunk[ref] ?? 0;
    while (chunk !== 0) {
      const segment = this.#arena.segmentOf(chunk);
      if ((segment.doubles[doubleOf(chunk) + 1] ?? 0) >= windowMs) break;
      const next = segment.words[wordOf(chunk) + 1] ?? 0;
      const open = chunk === this.#openChunk[ref];
      this.samples -= open ? (this.#openSamples[ref] ?? 0) : readU16(segment.bytes, byteOf(chunk) + 32);
      this.#arena.release(chunk);
      this.count--;
      if (open) this.#openChunk[ref] = 0;
      chunk = next;
    }
    this.#firstChunk[ref] = chunk;
  }

  /** Replaces everything the series has. */
  rewrite(ref: number, columns: Columns): void {
    this.dropBefore(ref, Number.POSITIVE_INFINITY);
    for (let i = 0; i < columns.length; i++) this.append(ref, columns.times[i] ?? 0, columns.bits, i);
  }
}

/** A chunk as readers see it: what is known of it without decoding. */
export type ChunkHead = {
  readonly chunk: number;
  readonly first: number;
  readonly last: number;
  readonly samples: number;
  readonly flags: number;
};

/** Chunks of one series, used again for series after series. */
export class ChunkList {
  readonly heads: ChunkHead[] = [];

  add(head: ChunkHead): void {
    this.heads.push(head);
  }

  clear(): void {
    this.heads.length = 0;
  }

  /** Whether each chunk's times follow from its first, last and count. */
  get isRegular(): boolean {
    for (const { flags } of this.heads) if ((flags & IRREGULAR) !== 0) return false;
    return true;
  }

  /** Whether every value is a finite number. */
  get isUsual(): boolean {
    for (const { flags } of this.heads) if ((flags & UNUSUAL) !== 0) return false;
    return true;
  }
}

const choice = { code: 0, delta: 0, scale: 0 };

/** The difference of the mantissas at a scale, NaN when one of the values has none. */
function deltaAt(value: number, last: number, scale: number): number {
  const power = POWERS_OF_TEN[scale] ?? 1;
  return mantissaOf(value, power) - mantissaOf(last, power);
}

function writeU16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value & 0xff;
  bytes[at + 1] = value >>> 8;
}

const readU16 = (bytes: Uint8Array, at: number): number => (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);

/** Low byte first; returns where the next byte goes. */
function writeInt(bytes: Uint8Array, at: number, value: number, size: number): number {
  bytes[at] = value;
  if (size > 1) bytes[at + 1] = value >> 8;
  if (size > 2) bytes[at + 2] = value >> 16;
  if (size > 3) bytes[at + 3] = value >> 24;
  return at + size;
}

/** Cuts what was appended from `from` on down to `[fromMs, toMs]`. */
function trim(out: Columns, from: number, fromMs: number, toMs: number): void {
  while (out.length > from && (out.times[out.length - 1] ?? 0) > toMs) out.length--;
  let keep = from;
  while (keep < out.length && (out.times[keep] ?? 0) < fromMs) keep++;
  out.cut(from, keep);
}
