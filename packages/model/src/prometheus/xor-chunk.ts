import type { SampleColumns } from '../sample-columns.ts';
import { BadPrometheusData } from './reader.ts';

/**
 * Prometheus' chunk of floats (Gorilla's XOR coding): `u16 count, varint first time, 64 bits first value, uvarint time
 * difference, value …, second differences of times in 1, 2+14, 3+17, 4+20 or 4+64 bits, values XORed with the one before`.
 * Source: prometheus tsdb/chunkenc/xor.go.
 */
export const XOR_ENCODING = 1;

/** Appends the samples of a chunk. Throws `BadPrometheusData` when the bytes end early or say what cannot be. */
export function decodeXorChunk(bytes: Uint8Array, out: SampleColumns): void {
  const bits = new BitReader(bytes);
  const value = new XorValue(bits);
  const count = bits.read(16);
  let time = 0;
  let delta = 0;
  for (let i = 0; i < count; i++) {
    if (i === 0) {
      time = bits.varint();
      value.first();
    } else {
      delta = i === 1 ? bits.uvarint() : delta + secondDifference(bits);
      time += delta;
      value.next();
    }
    if (!Number.isSafeInteger(time)) throw new BadPrometheusData(`a chunk: sample ${i} has the time ${time}`);
    out.push(time, value.low, value.high);
  }
}

function secondDifference(bits: BitReader): number {
  if (bits.read(1) === 0) return 0;
  for (const size of [14, 17, 20]) if (bits.read(1) === 0) return signed(bits.read(size), size);
  return signed(bits.read(32), 32) * 2 ** 32 + bits.read(32);
}

/** As Prometheus reads it: the largest positive number is one more than in two's complement. */
const signed = (value: number, size: number): number => (value > 2 ** (size - 1) - (size === 32 ? 1 : 0) ? value - 2 ** size : value);

/** A value that is XORed with the one before. */
export class XorValue {
  readonly #bits: BitReader;
  #leading = 0;
  #trailing = 0;
  low = 0;
  high = 0;

  constructor(bits: BitReader) {
    this.#bits = bits;
  }

  first(): void {
    this.high = this.#bits.read(32);
    this.low = this.#bits.read(32);
  }

  next(): void {
    if (this.#bits.read(1) === 0) return;
    if (this.#bits.read(1) === 1) {
      this.#leading = this.#bits.read(5);
      const significant = this.#bits.read(6) || 64;
      this.#trailing = 64 - this.#leading - significant;
      if (this.#trailing < 0)
        throw new BadPrometheusData(`a chunk: ${this.#leading} leading and ${significant} significant bits in a value`);
    }
    const significant = 64 - this.#leading - this.#trailing;
    const high = significant > 32 ? this.#bits.read(significant - 32) : 0;
    const low = this.#bits.read(Math.min(32, significant));
    const by = this.#trailing;
    if (by === 0) {
      this.high = (this.high ^ high) >>> 0;
      this.low = (this.low ^ low) >>> 0;
    } else if (by < 32) {
      this.high = (this.high ^ ((high << by) | (low >>> (32 - by)))) >>> 0;
      this.low = (this.low ^ (low << by)) >>> 0;
    } else this.high = (this.high ^ (low << (by - 32))) >>> 0;
  }
}

export class BitReader {
  readonly #bytes: Uint8Array;
  #at = 0;
  /** Bits of the byte at `#at` that were not read yet. */
  #left = 8;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** The next 1 to 32 bits, highest first. */
  read(count: number): number {
    let value = 0;
    for (let needed = count; needed > 0; ) {
      if (this.#at >= this.#bytes.length) throw new BadPrometheusData(`a chunk of ${this.#bytes.length} bytes ends early`);
      const taken = Math.min(this.#left, needed);
      const part = ((this.#bytes[this.#at] ?? 0) >>> (this.#left - taken)) & ((1 << taken) - 1);
      value = value * (1 << taken) + part;
      needed -= taken;
      this.#left -= taken;
      if (this.#left === 0) {
        this.#at++;
        this.#left = 8;
      }
    }
    return value;
  }

  uvarint(): number {
    let value = 0;
    for (let shift = 0; shift < 63; shift += 7) {
      const byte = this.read(8);
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
    throw new BadPrometheusData('a chunk: a number without end');
  }

  varint(): number {
    const value = this.uvarint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }
}
