import { ByteBuffer } from './byte-buffer.ts';

const utf8 = new TextEncoder();

/** Writes protobuf fields into a buffer that is used again. Tags are given as they stand in the message (`field << 3 | wire type`), below 128. */
export class ProtoWriter {
  readonly #buffer: ByteBuffer;
  #at = 0;

  constructor(capacity = 1024) {
    this.#buffer = new ByteBuffer(capacity);
  }

  /** Bytes so far. */
  get length(): number {
    return this.#at;
  }

  /** A whole number: below zero as ten bytes of two's complement, as int64 and enumerations have it. */
  number(tag: number, value: number): void {
    this.#room(12);
    this.#buffer.bytes[this.#at++] = tag;
    if (value >= 0) this.varint(value);
    else this.#negative(value);
  }

  /** Bits of a double, low half first. */
  doubleBits(tag: number, low: number, high: number): void {
    this.#room(9);
    const { bytes } = this.#buffer;
    bytes[this.#at++] = tag;
    for (let shift = 0; shift < 32; shift += 8) bytes[this.#at++] = low >>> shift;
    for (let shift = 0; shift < 32; shift += 8) bytes[this.#at++] = high >>> shift;
  }

  bytes(tag: number, content: Uint8Array): void {
    this.#room(11 + content.length);
    this.#buffer.bytes[this.#at++] = tag;
    this.varint(content.length);
    this.raw(content);
  }

  text(tag: number, content: string): void {
    this.bytes(tag, utf8.encode(content));
  }

  /** As it is, without tag and length. */
  raw(content: Uint8Array): void {
    this.#room(content.length);
    this.#buffer.bytes.set(content, this.#at);
    this.#at += content.length;
  }

  varint(value: number): void {
    this.#room(10);
    const { bytes } = this.#buffer;
    let rest = value;
    for (; rest > 127; rest = Math.floor(rest / 128)) bytes[this.#at++] = (rest % 128) | 128;
    bytes[this.#at++] = rest;
  }

  /** What was written; a view that is valid until the next call. Begins anew. */
  take(): Uint8Array {
    const written = this.#buffer.bytes.subarray(0, this.#at);
    this.#at = 0;
    return written;
  }

  #negative(value: number): void {
    const { bytes } = this.#buffer;
    let rest = BigInt.asUintN(64, BigInt(value));
    for (; rest > 127n; rest >>= 7n) bytes[this.#at++] = Number(rest & 127n) | 128;
    bytes[this.#at++] = Number(rest);
  }

  #room(more: number): void {
    this.#buffer.reserve(this.#at + more, this.#at);
  }
}
