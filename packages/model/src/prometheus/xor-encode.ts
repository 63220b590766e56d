import { ByteBuffer } from '../byte-buffer.ts';

/**
 * The other way round of `decodeXorChunk`: samples `[from, to)` as Prometheus' chunk of floats, byte for byte as Prometheus
 * writes it. Source: prometheus tsdb/chunkenc/xor.go.
 */
export type FloatSamples = {
  /** Whole Unix milliseconds, ascending. */
  readonly times: Float64Array;
  /** 32-bit halves of the values, low first. */
  readonly bits: Uint32Array;
};

/** Samples that Prometheus puts into one chunk. */
export const CHUNK_SAMPLES = 120;
/** Widths of second differences after the prefixes 10, 110 and 1110. */
const WIDTHS = [
  { prefix: 0b10, prefixBits: 2, size: 14 },
  { prefix: 0b110, prefixBits: 3, size: 17 },
  { prefix: 0b1110, prefixBits: 4, size: 20 },
] as const;
const MAX_LEADING = 31;

/** Writes chunks one after the other; each is valid until the next. At most 65 535 samples go into one. */
export class XorEncoder {
  readonly #out = new BitWriter();
  #leading = -1;
  #trailing = 0;

  encode({ times, bits }: FloatSamples, from: number, to: number): Uint8Array {
    const out = this.#out;
    out.begin();
    this.#leading = -1;
    out.write(to - from, 16);
    let delta = 0;
    for (let i = from; i < to; i++) {
      const time = times[i] ?? 0;
      const low = bits[2 * i] ?? 0;
      const high = bits[2 * i + 1] ?? 0;
      if (i === from) {
        out.uvarint(time < 0 ? -2 * time - 1 : 2 * time);
        out.write(high, 32);
        out.write(low, 32);
        continue;
      }
      const step = time - (times[i - 1] ?? 0);
      if (i === from + 1) out.uvarint(step);
      else this.#second(step - delta);
      delta = step;
      this.#value((low ^ (bits[2 * i - 2] ?? 0)) >>> 0, (high ^ (bits[2 * i - 1] ?? 0)) >>> 0);
    }
    return out.end();
  }

  #second(difference: number): void {
    const out = this.#out;
    if (difference === 0) {
      out.write(0, 1);
      return;
    }
    for (const { prefix, prefixBits, size } of WIDTHS) {
      const half = 2 ** (size - 1);
      if (difference < 1 - half || difference > half) continue;
      out.write(prefix, prefixBits);
      out.write(difference < 0 ? difference + 2 * half : difference, size);
      return;
    }
    out.write(0b1111, 4);
    out.write(Math.floor(difference / 2 ** 32) >>> 0, 32);
    out.write(difference >>> 0, 32);
  }

  #value(low: number, high: number): void {
    const out = this.#out;
    if (low === 0 && high === 0) {
      out.write(0, 1);
      return;
    }
    const leading = Math.min(MAX_LEADING, high === 0 ? 32 + Math.clz32(low) : Math.clz32(high));
    const trailing = low === 0 ? 32 + trailingZeros(high) : trailingZeros(low);
    if (this.#leading >= 0 && leading >= this.#leading && trailing >= this.#trailing) {
      out.write(0b10, 2);
    } else {
      this.#leading = leading;
      this.#trailing = trailing;
      out.write(0b11, 2);
      out.write(leading, 5);
      // 64 significant bits do not fit six bits; 0 says it, as a value without any is not written.
      out.write((64 - leading - trailing) % 64, 6);
    }
    this.#significant(low, high);
  }

  #significant(low: number, high: number): void {
    const by = this.#trailing;
    const count = 64 - this.#leading - by;
    const shiftedLow = by === 0 ? low : by < 32 ? ((low >>> by) | (high << (32 - by))) >>> 0 : high >>> (by - 32);
    const shiftedHigh = by === 0 ? high : by < 32 ? high >>> by : 0;
    if (count > 32) this.#out.write(shiftedHigh, count - 32);
    this.#out.write(shiftedLow, Math.min(32, count));
  }
}

const trailingZeros = (word: number): number => 31 - Math.clz32(word & -word);

class BitWriter {
  readonly #buffer = new ByteBuffer(2048);
  #at = 0;
  #free = 8;

  begin(): void {
    this.#at = 0;
    this.#free = 8;
    this.#buffer.bytes[0] = 0;
  }

  /** The lowest 1 to 32 bits of `value`, highest first. */
  write(value: number, count: number): void {
    const bytes = this.#buffer.reserve(this.#at + 6, this.#at + 1);
    for (let left = count; left > 0; ) {
      const taken = Math.min(this.#free, left);
      const part = (value >>> (left - taken)) & ((1 << taken) - 1);
      bytes[this.#at] = (bytes[this.#at] ?? 0) | (part << (this.#free - taken));
      left -= taken;
      this.#free -= taken;
      if (this.#free > 0) continue;
      this.#free = 8;
      bytes[++this.#at] = 0;
    }
  }

  uvarint(value: number): void {
    let rest = value;
    for (; rest > 127; rest = Math.floor(rest / 128)) this.write((rest % 128) | 128, 8);
    this.write(rest, 8);
  }

  end(): Uint8Array {
    return this.#buffer.bytes.subarray(0, this.#free === 8 ? this.#at : this.#at + 1);
  }
}
