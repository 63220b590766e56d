/**
 * A byte array that grows and is used again. Views given out are valid until the next call that may grow or overwrite it.
 */
export class ByteBuffer {
  bytes: Uint8Array;

  constructor(capacity = 0) {
    this.bytes = new Uint8Array(capacity);
  }

  get capacity(): number {
    return this.bytes.length;
  }

  /** Makes room for `length` bytes, keeping the first `kept` of them. Grows by powers of two so that growing stays rare. */
  reserve(length: number, kept = 0): Uint8Array {
    if (length <= this.bytes.length) return this.bytes;
    let capacity = Math.max(1024, this.bytes.length);
    while (capacity < length) capacity *= 2;
    const grown = new Uint8Array(capacity);
    if (kept > 0) grown.set(this.bytes.subarray(0, kept));
    this.bytes = grown;
    return grown;
  }
}
