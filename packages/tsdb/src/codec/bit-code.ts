import { CorruptData } from '../contract.ts';
import type { ByteReader, ByteWriter } from './bytes.ts';

/**
 * Whole numbers as bits: a prefix code says how large a number is, its lower bits follow as they are. So noise takes the bits it has,
 * whatever its scale. Numbers fall into buckets as floats do: each octave has 2^fineness of them, and every number below
 * 2^fineness has its own. Drawn in docs/format/pages.md.
 */
export const MAX_FINENESS = 3;
/** Longest code of many numbers, and of few, for which filling a table of 2^10 entries would take long. */
const MAX_CODE_BITS = 10;
const MAX_SHORT_CODE_BITS = 9;
/** Numbers that are few. */
const FEW = 1024;
/** Bits of the largest number. */
const MAX_NUMBER_BITS = 53;
const MAX_BUCKETS = (MAX_NUMBER_BITS + 1) << MAX_FINENESS;
/** Bits written or read at once, beyond which there are several turns. A window of 32 has them, wherever in its first byte the first stands. */
const MAX_TURN_BITS = 24;
/** Bytes behind the last bit, so that no window reaches beyond the end. */
const GUARD_BYTES = 4;

/** By bucket: its least number and how many lower bits follow. */
type Buckets = { readonly least: Float64Array; readonly lowerBits: Uint8Array };

const BUCKETS: readonly Buckets[] = Array.from({ length: MAX_FINENESS + 1 }, (_, fineness) => {
  const least = new Float64Array(MAX_BUCKETS);
  const lowerBits = new Uint8Array(MAX_BUCKETS);
  const own = 1 << fineness;
  for (let bucket = 0; bucket < MAX_BUCKETS; bucket++) {
    const octave = Math.max(0, (bucket >>> fineness) - 1);
    lowerBits[bucket] = octave;
    least[bucket] = bucket < own ? bucket : (own + (bucket & (own - 1))) * 2 ** octave;
  }
  return { least, lowerBits };
});

const bucketsOf = (fineness: number): Buckets => {
  const buckets = BUCKETS[fineness];
  if (buckets === undefined) throw new CorruptData(`a fineness of ${fineness}`);
  return buckets;
};

/** The bucket of a whole number of up to 53 bits. */
function bucketOf(value: number, fineness: number): number {
  if (value < 1 << fineness) return value;
  if (value < 2 ** 31) {
    const octave = 31 - Math.clz32(value) - fineness;
    return (octave << fineness) + (value >>> octave);
  }
  const octave = 63 - Math.clz32(Math.floor(value / 2 ** 32)) - fineness;
  return (octave << fineness) + Math.floor(value / 2 ** octave);
}

/** Finds the fineness that makes some numbers shortest, without writing them. */
export class BucketCounts {
  readonly #counts = new Uint32Array(MAX_BUCKETS);
  #fineness = MAX_FINENESS;
  #total = 0;
  /** One beyond the last bucket that has numbers. */
  #end = 0;

  clear(): void {
    this.#counts.fill(0, 0, this.#end);
    this.#fineness = MAX_FINENESS;
    this.#total = 0;
    this.#end = 0;
  }

  add(value: number): void {
    const bucket = bucketOf(value, MAX_FINENESS);
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#total++;
    if (bucket >= this.#end) this.#end = bucket + 1;
  }

  /** The best fineness and the bytes, code included, for `total` numbers of which these are some. The counts are used up. */
  best(total: number): { readonly fineness: number; readonly bytes: number } {
    let best = { fineness: this.#fineness, bytes: this.#bytes(total) };
    while (this.#fineness > 0) {
      this.#coarsen();
      const bytes = this.#bytes(total);
      if (bytes < best.bytes) best = { fineness: this.#fineness, bytes };
    }
    return best;
  }

  #bytes(total: number): number {
    const { lowerBits } = bucketsOf(this.#fineness);
    let bits = timesLog2(this.#total);
    let first = -1;
    for (let bucket = 0; bucket < this.#end; bucket++) {
      const count = this.#counts[bucket] ?? 0;
      if (count === 0) continue;
      if (first < 0) first = bucket;
      bits += count * (lowerBits[bucket] ?? 0) - timesLog2(count);
    }
    return (bits / 8) * (total / this.#total) + (this.#end - first) * LENGTH_BYTES + GUARD_BYTES;
  }

  /** Two buckets of an octave become one; numbers that lose their own bucket share an octave already. */
  #coarsen(): void {
    const own = 1 << this.#fineness;
    const end = this.#end <= own ? this.#end : (this.#end + own + 1) >>> 1;
    for (let bucket = own; bucket < end; bucket++)
      this.#counts[bucket] = (this.#counts[2 * bucket - own] ?? 0) + (this.#counts[2 * bucket - own + 1] ?? 0);
    this.#counts.fill(0, end, this.#end);
    this.#end = end;
    this.#fineness--;
  }
}

const TIMES_LOG2 = Float64Array.from({ length: 512 }, (_, count) => (count === 0 ? 0 : count * Math.log2(count)));
const timesLog2 = (count: number): number => TIMES_LOG2[count] ?? count * Math.log2(count);

/** What zstd leaves of a code length. */
const LENGTH_BYTES = 0.6;

/**
 * Writes the code into `header` (fineness, first bucket, number of buckets, a code length for each) and the numbers into `out`,
 * which begins at a byte and ends with guard bytes.
 */
export function writeNumbers(header: ByteWriter, out: ByteWriter, numbers: Float64Array, fineness: number): void {
  if (numbers.length > buckets.length) buckets = new Uint16Array(numbers.length * 2);
  countOf.fill(0);
  let first = MAX_BUCKETS;
  let end = 0;
  for (let i = 0; i < numbers.length; i++) {
    const bucket = bucketOf(numbers[i] as number, fineness);
    buckets[i] = bucket;
    countOf[bucket] = (countOf[bucket] as number) + 1;
    if (bucket < first) first = bucket;
    if (bucket >= end) end = bucket + 1;
  }
  const lengths = codeLengths(countOf.subarray(first, end), numbers.length < FEW ? MAX_SHORT_CODE_BITS : MAX_CODE_BITS);
  header.byte(fineness);
  header.varint(first);
  header.varint(lengths.length);
  header.raw(lengths);
  const next = firstCodes(lengths);
  const codes = Uint16Array.from(lengths, (length) => {
    const code = next[length] ?? 0;
    if (length > 0) next[length] = code + 1;
    return code;
  });
  const { least, lowerBits } = bucketsOf(fineness);
  const bits = new BitWriter(out, numbers.length * MAX_NUMBER_BYTES);
  for (let i = 0; i < numbers.length; i++) {
    const bucket = buckets[i] as number;
    bits.put(codes[bucket - first] as number, lengths[bucket - first] as number);
    const count = lowerBits[bucket] as number;
    if (count > 0) bits.putLong((numbers[i] as number) - (least[bucket] as number), count);
  }
  bits.finish();
}

let buckets = new Uint16Array(1024);
const countOf = new Uint32Array(MAX_BUCKETS);
/** Code and lower bits of the longest number, in bytes. */
const MAX_NUMBER_BYTES = 8;

/** Highest bit first. */
class BitWriter {
  readonly #out: ByteWriter;
  #pending = 0;
  #count = 0;

  /** Never more than `maxBytes` are written. */
  constructor(out: ByteWriter, maxBytes: number) {
    this.#out = out;
    out.ensure(maxBytes + GUARD_BYTES);
  }

  /** At most 24 bits. */
  put(value: number, bits: number): void {
    const { bytes } = this.#out;
    let pending = (this.#pending << bits) | value;
    let count = this.#count + bits;
    while (count >= 8) {
      count -= 8;
      bytes[this.#out.at++] = pending >>> count;
    }
    pending &= (1 << count) - 1;
    this.#pending = pending;
    this.#count = count;
  }

  putLong(value: number, bits: number): void {
    if (bits <= MAX_TURN_BITS) {
      this.put(value, bits);
      return;
    }
    const rest = bits - MAX_TURN_BITS;
    this.put(Math.floor(value / 2 ** rest), MAX_TURN_BITS);
    this.putLong(value % 2 ** rest, rest);
  }

  finish(): void {
    if (this.#count > 0) this.put(0, 8 - this.#count);
    for (let i = 0; i < GUARD_BYTES; i++) this.#out.byte(0);
  }
}

/** Lengths of a prefix code for buckets that occur so often, none beyond the longest allowed; 0 for those that do not occur. */
function codeLengths(counts: Uint32Array, longest: number): Uint8Array {
  for (let weights = counts; ; weights = weights.map((weight) => (weight + 1) >>> 1)) {
    const lengths = huffmanLengths(weights);
    if (lengths.every((length) => length <= longest)) return lengths;
  }
}

/** Huffman's code: of leaves, rarest first, and the nodes made of them, which come in ascending weight too, always the two lightest are joined. */
function huffmanLengths(counts: Uint32Array): Uint8Array {
  const lengths = new Uint8Array(counts.length);
  // Weight × 1024 + bucket, so that sorting numbers sorts buckets by weight.
  const leaves = Float64Array.from(counts, (count, bucket) => count * 1024 + bucket).filter((leaf) => leaf >= 1024);
  leaves.sort();
  const leafCount = leaves.length;
  const bucketOfLeaf = (leaf: number): number => (leaves[leaf] ?? 0) % 1024;
  if (leafCount === 1) lengths[bucketOfLeaf(0)] = 1;
  // Nodes: the leaves, then what they are joined to.
  const weights = new Float64Array(2 * leafCount);
  for (let leaf = 0; leaf < leafCount; leaf++) weights[leaf] = Math.floor((leaves[leaf] ?? 0) / 1024);
  const parents = new Uint16Array(2 * leafCount);
  let leaf = 0;
  let joined = leafCount;
  const root = 2 * leafCount - 2;
  for (let node = leafCount; node <= root; node++) {
    for (let side = 0; side < 2; side++) {
      const takesLeaf = leaf < leafCount && (joined >= node || (weights[leaf] ?? 0) <= (weights[joined] ?? 0));
      const child = takesLeaf ? leaf++ : joined++;
      weights[node] = (weights[node] ?? 0) + (weights[child] ?? 0);
      parents[child] = node;
    }
  }
  const depths = new Uint8Array(2 * leafCount);
  for (let node = root - 1; node >= 0; node--) {
    depths[node] = (depths[parents[node] ?? 0] ?? 0) + 1;
    if (node < leafCount) lengths[bucketOfLeaf(node)] = depths[node] ?? 0;
  }
  return lengths;
}

/** By length of code: how many there are, then the first code, in canonical order (ascending by length, then by bucket). */
function firstCodes(lengths: Uint8Array): Uint16Array {
  const next = new Uint16Array(MAX_CODE_BITS + 2);
  for (const length of lengths) if (length > 0) next[length + 1] = (next[length + 1] ?? 0) + 1;
  for (let length = 2; length < next.length; length++) next[length] = ((next[length - 1] ?? 0) + (next[length] ?? 0)) << 1;
  return next;
}

/** By the next bits, as many as the longest code has: bucket × 1024 + its lower bits × 16 + length of its code; 0 where no code stands. */
const table = new Uint32Array(1 << MAX_CODE_BITS);

/** A code as `writeNumbers` writes it. Good until the next is read. */
export type NumberCode = { readonly least: Float64Array; readonly longest: number };

export function readCode(header: ByteReader): NumberCode {
  const { least, lowerBits } = bucketsOf(header.byte());
  const first = header.varint();
  const count = header.varint();
  if (count === 0 || first + count > MAX_BUCKETS) throw new CorruptData(`a code for buckets ${first} to ${first + count}`);
  const lengths = header.raw(count);
  let longest = 0;
  let room = 1 << MAX_CODE_BITS;
  for (const length of lengths) {
    if (length > MAX_CODE_BITS) throw new CorruptData(`a code of ${length} bits`);
    if (length > longest) longest = length;
    if (length > 0) room -= 1 << (MAX_CODE_BITS - length);
  }
  if (longest === 0 || room < 0) throw new CorruptData('lengths that no code has');
  const next = firstCodes(lengths);
  // A code that leaves room has its holes at the end.
  if (room > 0) table.fill(0, 0, 1 << longest);
  for (let i = 0; i < count; i++) {
    const length = lengths[i] as number;
    if (length === 0) continue;
    const code = next[length] as number;
    next[length] = code + 1;
    const entry = ((first + i) << 10) | ((lowerBits[first + i] as number) << 4) | length;
    const end = (code + 1) << (longest - length);
    for (let at = code << (longest - length); at < end; at++) table[at] = entry;
  }
  return { least, longest };
}

/** Reads numbers into `into[from, to)` from the bits that begin at byte `start`. Hot. */
export function readNumbers(
  { least, longest }: NumberCode,
  { bits, start }: { readonly bits: DataView; readonly start: number },
  into: Float64Array,
  { from, to }: { readonly from: number; readonly to: number },
): void {
  const last = bits.byteLength - GUARD_BYTES;
  const shift = 32 - longest;
  let at = start;
  let skip = 0;
  for (let i = from; i < to; i++) {
    if (at > last) throw new CorruptData('bits that end early');
    const window = bits.getUint32(at) << skip;
    const entry = table[window >>> shift] as number;
    const length = entry & 15;
    if (length === 0) throw new CorruptData('bits that are no code');
    const lower = (entry >>> 4) & 63;
    const value = least[entry >>> 10] as number;
    skip += length;
    at += skip >>> 3;
    skip &= 7;
    // A window of their own, rather than what the first has left: of noise, whether it has enough would be guessed wrong.
    if (lower > MAX_TURN_BITS) into[i] = value + readLower(bits, at, skip, lower);
    else {
      if (at > last) throw new CorruptData('bits that end early');
      // Two shifts, as one by 32 would be none.
      into[i] = value + (((bits.getUint32(at) << skip) >>> 1) >>> (31 - lower));
    }
    skip += lower;
    at += skip >>> 3;
    skip &= 7;
  }
}

/**
 * `count` bits (1 to 53) that begin `skip` bits (0 to 7) into byte `from`. Hot where numbers are large: turns are of whole bytes, so `skip` stays.
 */
function readLower(bits: DataView, from: number, skip: number, count: number): number {
  const last = bits.byteLength - GUARD_BYTES;
  let value = 0;
  let at = from;
  let left = count;
  for (; left > MAX_TURN_BITS; left -= MAX_TURN_BITS) {
    if (at > last) throw new CorruptData('bits that end early');
    value = value * 2 ** MAX_TURN_BITS + ((bits.getUint32(at) << skip) >>> (32 - MAX_TURN_BITS));
    at += MAX_TURN_BITS / 8;
  }
  if (at > last) throw new CorruptData('bits that end early');
  return value * (POWERS_OF_TWO[left] as number) + ((bits.getUint32(at) << skip) >>> (32 - left));
}

const POWERS_OF_TWO = Float64Array.from({ length: MAX_TURN_BITS + 1 }, (_, power) => 2 ** power);
