/**
 * What of BSON a `hello` needs (bsonspec.org, 1.1). A document is its length (4 bytes, little endian), elements, 0. An element is a
 * type, a name ended by 0, and a value. Values of other types are passed over; the message they stand in is at most as long as `Wire` holds.
 */
type Value = string | number | boolean;

export function encodeDocument(fields: Readonly<Record<string, string | number>>): Buffer {
  const elements = Object.entries(fields).map(([name, value]) => {
    const named = Buffer.from(`${name}\0`);
    if (typeof value === 'number') return Buffer.concat([Buffer.of(0x10), named, int32(value)]);
    const text = Buffer.from(`${value}\0`);
    return Buffer.concat([Buffer.of(0x02), named, int32(text.length), text]);
  });
  const body = Buffer.concat(elements);
  return Buffer.concat([int32(body.length + 5), body, Buffer.of(0)]);
}

/** The texts, numbers and booleans at the top of a document; undefined when the bytes are none. */
export function decodeDocument(bytes: Buffer): ReadonlyMap<string, Value> | undefined {
  const found = new Map<string, Value>();
  try {
    const end = bytes.readInt32LE(0) - 1;
    if (end < 4 || end >= bytes.length || bytes[end] !== 0) return undefined;
    for (let at = 4; at < end; ) {
      const type = bytes.readUInt8(at);
      const nameEnd = bytes.indexOf(0, at + 1);
      if (nameEnd < 0 || nameEnd >= end) return undefined;
      const from = nameEnd + 1;
      const size = sizeOf(type, bytes, from);
      if (size === undefined || size < 0 || from + size > end) return undefined;
      const value = valueOf(type, bytes.subarray(from, from + size));
      if (value !== undefined) found.set(bytes.toString('utf8', at + 1, nameEnd), value);
      at = from + size;
    }
    return found;
  } catch (thrown) {
    if (thrown instanceof RangeError) return undefined;
    throw thrown;
  }
}

function valueOf(type: number, bytes: Buffer): Value | undefined {
  switch (type) {
    case 0x01:
      return bytes.readDoubleLE(0);
    case 0x02:
      return bytes.toString('utf8', 4, bytes.length - 1);
    case 0x08:
      return bytes[0] === 1;
    case 0x10:
      return bytes.readInt32LE(0);
    case 0x12:
      return Number(bytes.readBigInt64LE(0));
    default:
      return undefined;
  }
}

const FIXED: Readonly<Record<number, number>> = {
  0x01: 8,
  0x06: 0,
  0x07: 12,
  0x08: 1,
  0x09: 8,
  0x0a: 0,
  0x10: 4,
  0x11: 8,
  0x12: 8,
  0x13: 16,
};

/** Bytes of a value that begins at `from`; undefined for types that no answer to `hello` has. */
function sizeOf(type: number, bytes: Buffer, from: number): number | undefined {
  switch (type) {
    case 0x02:
      return 4 + bytes.readInt32LE(from);
    case 0x03:
    case 0x04:
      return bytes.readInt32LE(from);
    case 0x05:
      return 5 + bytes.readInt32LE(from);
    default:
      return FIXED[type];
  }
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}
