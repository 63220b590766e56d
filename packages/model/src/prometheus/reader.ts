import { crc32c } from './crc32c.ts';

/** What stands in a file or stream of Prometheus is not what its format says. The message is a sentence with the place. */
export class BadPrometheusData extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'BadPrometheusData';
  }
}

/** A file as its reader sees it. `read` gives exactly `length` bytes within the file, valid until the next call. */
export type ByteSource = { readonly name: string; readonly size: number; read(from: number, length: number): Uint8Array };

/** Reads big-endian numbers and varints of a piece of a file; whatever reaches beyond it throws `BadPrometheusData`. */
export class PrometheusReader {
  readonly bytes: Uint8Array;
  readonly #place: string;
  at = 0;

  constructor(bytes: Uint8Array, place: string) {
    this.bytes = bytes;
    this.#place = place;
  }

  get left(): number {
    return this.bytes.length - this.at;
  }

  bad(what: string): BadPrometheusData {
    return new BadPrometheusData(`${this.#place}: ${what} at byte ${this.at}`);
  }

  raw(length: number): Uint8Array {
    if (length > this.left) throw this.bad(`${length} bytes where ${this.left} are left`);
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  u8(): number {
    return this.raw(1)[0] ?? 0;
  }

  u32(): number {
    const [a = 0, b = 0, c = 0, d = 0] = this.raw(4);
    return ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
  }

  /** A 64-bit number that must fit 53 bits: an offset, say. */
  u64(): number {
    const value = this.u32() * 2 ** 32 + this.u32();
    if (value > Number.MAX_SAFE_INTEGER) throw this.bad('a number of more than 53 bits');
    return value;
  }

  uvarint(): number {
    let value = 0;
    for (let shift = 0; shift < 63; shift += 7) {
      const byte = this.u8();
      value += (byte & 127) * 2 ** shift;
      if (byte >= 128) continue;
      if (value > Number.MAX_SAFE_INTEGER) throw this.bad('a number of more than 53 bits');
      return value;
    }
    throw this.bad('a number without end');
  }

  /** Zigzag. */
  varint(): number {
    const value = this.uvarint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }
}

/** A piece of a file together with the CRC-32C behind it, which must hold. */
export function checkedPiece(
  source: ByteSource,
  { from, length, what }: { readonly from: number; readonly length: number; readonly what: string },
): PrometheusReader {
  const place = `${source.name}: ${what}`;
  if (from < 0 || from + length + 4 > source.size)
    throw new BadPrometheusData(`${place} at byte ${from} reaches beyond the end of the file`);
  const bytes = source.read(from, length + 4);
  const body = new PrometheusReader(bytes.subarray(0, length), place);
  if (new PrometheusReader(bytes.subarray(length), place).u32() !== crc32c(body.bytes))
    throw new BadPrometheusData(`${place} at byte ${from}: the checksum does not hold`);
  return body;
}
