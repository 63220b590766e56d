/**
 * The parts of DER (ITU-T X.690) that a certificate is made of. Every function returns one complete element: tag, length, content.
 */
const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bits: 0x03,
  octets: 0x04,
  object: 0x06,
  text: 0x0c,
  shortTime: 0x17,
  time: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** One element with any tag. Lengths below 128 take one byte, longer ones say first how many bytes the length takes. */
export function element(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), content]);
  const digits = Buffer.from(length.toString(16).padStart(length > 0xffff ? 6 : length > 0xff ? 4 : 2, '0'), 'hex');
  return Buffer.concat([Buffer.from([tag, 0x80 | digits.length]), digits, content]);
}

export const sequence = (...parts: readonly Uint8Array[]): Buffer => element(TAG.sequence, ...parts);
export const setOf = (...parts: readonly Uint8Array[]): Buffer => element(TAG.set, ...parts);
export const octets = (content: Uint8Array): Buffer => element(TAG.octets, content);
export const text = (value: string): Buffer => element(TAG.text, Buffer.from(value, 'utf8'));
export const TRUE = element(TAG.boolean, Buffer.from([0xff]));

/** A positive integer from its big-endian bytes. */
export function positive(bytes: Uint8Array): Buffer {
  const first = bytes.findIndex((byte) => byte !== 0);
  const shortest = first === -1 ? Buffer.from([0]) : Buffer.from(bytes).subarray(first);
  // The first bit is the sign.
  return element(TAG.integer, ...((shortest[0] ?? 0) & 0x80 ? [Buffer.from([0]), shortest] : [shortest]));
}

/** A bit string of whole bytes, or with `unused` bits at its end. */
export const bits = (content: Uint8Array, unused = 0): Buffer => element(TAG.bits, Buffer.from([unused]), content);

/** An object identifier, such as `2.5.29.19`. */
export function objectId(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return element(TAG.object, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

function base128(value: number): readonly number[] {
  const digits = [value & 0x7f];
  for (let left = value >>> 7; left > 0; left >>>= 7) digits.unshift((left & 0x7f) | 0x80);
  return digits;
}

/** An instant of a certificate in UTC, whole seconds: two digits of the year until 2049 (UTCTime), four from then on (RFC 5280, 4.1.2.5). */
export function time(atMs: number): Buffer {
  const digits = new Date(atMs).toISOString().replace(/[-:T]|\.\d+/g, '');
  const isShort = new Date(atMs).getUTCFullYear() < 2050;
  return element(isShort ? TAG.shortTime : TAG.time, Buffer.from(isShort ? digits.slice(2) : digits, 'ascii'));
}
