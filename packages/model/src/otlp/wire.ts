import { decodeText } from '../decode-text.ts';
import { OtlpMalformed } from './data.ts';

/**
 * Reads protobuf fields of a window of bytes. `next` steps to a field; exactly one reading call (or `skip`) follows it. Whatever
 * does not fit throws `OtlpMalformed` with the byte.
 */
export const VARINT = 0;
export const FIXED64 = 1;
export const BYTES = 2;
export const FIXED32 = 5;

export class WireReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;
  #end: number;
  /** Of the field that `next` stepped to. */
  field = 0;
  wire = 0;
  #low = 0;
  #high = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#end = bytes.length;
  }

  get place(): string {
    return `byte ${this.#at}`;
  }

  bad(message: string): OtlpMalformed {
    return new OtlpMalformed(this.place, message);
  }

  /** Steps to the next field of the message at hand; false at its end. */
  next(): boolean {
    if (this.#at >= this.#end) return false;
    const tag = this.#smallVarint();
    this.field = Math.floor(tag / 8);
    this.wire = tag % 8;
    if (this.field === 0) throw this.bad('field number 0');
    return true;
  }

  /** Reads the embedded message at hand: `each` is called per field, with `field` and `wire` set. */
  message(each: () => void): void {
    const outerEnd = this.#end;
    this.#end = this.#length();
    while (this.next()) each();
    this.#end = outerEnd;
  }

  skip(): void {
    if (this.wire === VARINT) this.#varint();
    else if (this.wire === FIXED64) this.#advance(8);
    else if (this.wire === FIXED32) this.#advance(4);
    else if (this.wire === BYTES) this.#at = this.#length();
    else throw this.bad(`wire type ${this.wire} of field ${this.field} is not known`);
  }

  text(): string {
    const to = this.#length();
    try {
      const text = decodeText(this.#bytes, this.#at, to);
      this.#at = to;
      return text;
    } catch {
      throw this.bad(`text of field ${this.field} is not UTF-8`);
    }
  }

  /** A copy. */
  raw(): Uint8Array {
    const to = this.#length();
    const part = this.#bytes.slice(this.#at, to);
    this.#at = to;
    return part;
  }

  double(): number {
    this.#expect(FIXED64);
    return this.#double();
  }

  /** A `fixed64` as the nearest number. */
  fixed64(): number {
    this.#expect(FIXED64);
    return this.#fixed64();
  }

  /** An `sfixed64` as the nearest number. */
  sfixed64(): number {
    this.#expect(FIXED64);
    const at = this.#advance(8);
    return this.#view.getInt32(at + 4, true) * 2 ** 32 + this.#view.getUint32(at, true);
  }

  /** A `fixed64` of nanoseconds as whole milliseconds, rounded down. */
  nanosAsMs(): number {
    this.#expect(FIXED64);
    const at = this.#advance(8);
    const low = this.#view.getUint32(at, true);
    const high = this.#view.getUint32(at + 4, true);
    // 2^32 = 4294 * 10^6 + 967296; nothing here exceeds 2^53, so that nothing is rounded before the division.
    return high * 4294 + Math.floor((high * 967_296 + low) / 1e6);
  }

  bool(): boolean {
    this.#expect(VARINT);
    this.#varint();
    return this.#low !== 0 || this.#high !== 0;
  }

  /** A `uint32` or an enum; what is larger wraps, as protobuf has it. */
  uint32(): number {
    this.#expect(VARINT);
    this.#varint();
    return this.#low;
  }

  sint32(): number {
    const value = this.uint32();
    return (value >>> 1) ^ -(value & 1);
  }

  /** An `int64`, a number where it fits exactly. */
  int64(): number | bigint {
    this.#expect(VARINT);
    this.#varint();
    const value = (BigInt(this.#high | 0) << 32n) | BigInt(this.#low);
    const small = Number(value);
    return Number.isSafeInteger(small) ? small : value;
  }

  /** Adds the element, or the packed elements, at hand to `into`, of which there may be `most`. */
  doubles(into: number[], most: number): void {
    this.#repeated(into, most, { wire: FIXED64, read: () => this.#double() });
  }

  fixed64s(into: number[], most: number): void {
    this.#repeated(into, most, { wire: FIXED64, read: () => this.#fixed64() });
  }

  uint64s(into: number[], most: number): void {
    const read = (): number => {
      this.#varint();
      return this.#high * 2 ** 32 + this.#low;
    };
    this.#repeated(into, most, { wire: VARINT, read });
  }

  #repeated(into: number[], most: number, element: { readonly wire: number; readonly read: () => number }): void {
    const packed = this.wire === BYTES;
    if (!packed) this.#expect(element.wire);
    const outerEnd = this.#end;
    if (packed) this.#end = this.#length();
    do {
      if (packed && this.#at >= this.#end) break;
      if (into.length >= most) throw this.bad(`more than ${most} elements in field ${this.field}`);
      into.push(element.read());
    } while (packed);
    this.#end = outerEnd;
  }

  #double(): number {
    return this.#view.getFloat64(this.#advance(8), true);
  }

  #fixed64(): number {
    const at = this.#advance(8);
    return this.#view.getUint32(at + 4, true) * 2 ** 32 + this.#view.getUint32(at, true);
  }

  /** Where the content of the length-delimited field at hand ends. */
  #length(): number {
    this.#expect(BYTES);
    const length = this.#smallVarint();
    if (length > this.#end - this.#at) throw this.bad(`field ${this.field} is longer than what holds it`);
    return this.#at + length;
  }

  #expect(wire: number): void {
    if (this.wire !== wire) throw this.bad(`field ${this.field} has wire type ${this.wire} where ${wire} is expected`);
  }

  /** Where the skipped bytes begin. */
  #advance(bytes: number): number {
    const from = this.#at;
    if (bytes > this.#end - from) throw this.bad('breaks off inside a number');
    this.#at += bytes;
    return from;
  }

  #smallVarint(): number {
    this.#varint();
    if (this.#high !== 0) throw this.bad('a length or tag beyond 32 bits');
    return this.#low;
  }

  #varint(): void {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.#at >= this.#end) throw this.bad('breaks off inside a number');
      const byte = this.#bytes[this.#at++] as number;
      const bits = byte & 127;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high |= bits >>> 4;
      } else high |= bits << (shift - 32);
      if (byte < 128) {
        this.#low = low >>> 0;
        this.#high = high >>> 0;
        return;
      }
    }
    throw this.bad('a number of more than 10 bytes');
  }
}
