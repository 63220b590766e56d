import { CorruptData } from '../contract.ts';

/**
 * Little-endian writing and reading over one growing buffer. A varint holds an unsigned integer of up to 53 bits, seven bits
 * a byte, lowest first; a zigzag varint holds a signed one of up to 52 bits (0, -1, 1, -2 … become 0, 1, 2, 3 …).
 */
const INITIAL_BYTES = 1024;
const encoder = new TextEncoder();

export class ByteWriter {
  bytes: Uint8Array<ArrayBuffer>;
  view: DataView;
  at = 0;

  constructor(capacity = INITIAL_BYTES) {
    this.bytes = new Uint8Array(capacity);
    this.view = new DataView(this.bytes.buffer);
  }

  /** Makes room for `count` more bytes. */
  ensure(count: number): void {
    const needed = this.at + count;
    if (needed <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.bytes.length * 2));
    grown.set(this.bytes.subarray(0, this.at));
    this.bytes = grown;
    this.view = new DataView(grown.buffer);
  }

  byte(value: number): void {
    this.ensure(1);
    this.bytes[this.at++] = value;
  }

  u32(value: number): void {
    this.ensure(4);
    this.view.setUint32(this.at, value, true);
    this.at += 4;
  }

  f64(value: number): void {
    this.ensure(8);
    this.view.setFloat64(this.at, value, true);
    this.at += 8;
  }

  varint(value: number): void {
    this.ensure(8);
    let rest = value;
    while (rest >= 0x80000000) {
      this.bytes[this.at++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    while (rest >= 128) {
      this.bytes[this.at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.bytes[this.at++] = rest;
  }

  zigzag(value: number): void {
    this.varint(value < 0 ? -2 * value - 1 : 2 * value);
  }

  /** UTF-8 with its length before it. Plain ASCII, nearly all there is, costs no call out of JavaScript. */
  text(text: string): void {
    const { length } = text;
    this.varint(length);
    this.ensure(length);
    const start = this.at;
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code >= 128) {
        this.at = start - varintLength(length);
        const bytes = encoder.encode(text);
        this.varint(bytes.length);
        this.raw(bytes);
        return;
      }
      this.bytes[start + i] = code;
    }
    this.at = start + length;
  }

  raw(bytes: Uint8Array): void {
    this.ensure(bytes.length);
    this.bytes.set(bytes, this.at);
    this.at += bytes.length;
  }

  /** A view of what was written; valid until the next write. */
  written(): Uint8Array<ArrayBuffer> {
    return this.bytes.subarray(0, this.at);
  }

  /** An own copy of what was written. */
  copy(): Uint8Array<ArrayBuffer> {
    return this.bytes.slice(0, this.at);
  }
}

/** Bytes of a varint of `value`. */
export function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) length++;
  return length;
}

export const zigzagLength = (value: number): number => varintLength(value < 0 ? -2 * value - 1 : 2 * value);

/** Reads `[at, end)`; whatever reaches past `end` throws `CorruptData`. */
export class ByteReader {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  at: number;
  readonly end: number;

  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = at;
    this.end = end;
  }

  get left(): number {
    return this.end - this.at;
  }

  /** Advances over `count` bytes and returns where they start. */
  take(count: number): number {
    const from = this.at;
    if (count > this.end - from) throw new CorruptData(`ends ${count - (this.end - from)} bytes early`);
    this.at = from + count;
    return from;
  }

  byte(): number {
    return this.bytes[this.take(1)] ?? 0;
  }

  u32(): number {
    return this.view.getUint32(this.take(4), true);
  }

  f64(): number {
    return this.view.getFloat64(this.take(8), true);
  }

  varint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 8; i++) {
      if (this.at >= this.end) break;
      const byte = this.bytes[this.at++] ?? 0;
      value += (byte & 0x7f) * scale;
      if (byte < 128) {
        if (value > Number.MAX_SAFE_INTEGER) throw new CorruptData('a number of more than 53 bits');
        return value;
      }
      scale *= 128;
    }
    throw new CorruptData('a number without end');
  }

  zigzag(): number {
    const value = this.varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  raw(count: number): Uint8Array {
    const from = this.take(count);
    return this.bytes.subarray(from, from + count);
  }
}
