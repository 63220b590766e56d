/**
 * UTF-8 to text for label names and values. They come in great numbers, are short, ASCII and mostly the same as a moment ago;
 * `TextDecoder` takes longer to be called than to decode them.
 */
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Places for texts decoded lately: all names and most values of a series come again with the next ones. */
const RECENT_TEXTS = 1024;
/** Longer texts seldom repeat; so the places never hold more than 64 KiB. */
const MAX_RECENT_LENGTH = 64;
const recent = Array.from({ length: RECENT_TEXTS }, () => '');

/** `bytes[from, to)` as text. Throws `TypeError` when it is not UTF-8. */
export function decodeText(bytes: Uint8Array, from: number, to: number): string {
  if (to - from > MAX_RECENT_LENGTH) return strictUtf8.decode(bytes.subarray(from, to));
  let hash = to - from;
  let anyBits = 0;
  for (let i = from; i < to; i++) {
    const byte = bytes[i] as number;
    hash = Math.imul(hash ^ byte, 0x01000193);
    anyBits |= byte;
  }
  const place = (hash ^ (hash >>> 15)) & (RECENT_TEXTS - 1);
  const known = recent[place] ?? '';
  if (spells(known, bytes, from, to)) return known;
  const part = bytes.subarray(from, to);
  return (recent[place] = anyBits < 128 ? Reflect.apply(String.fromCharCode, null, part) : strictUtf8.decode(part));
}

/** Whether the bytes are the text. Beyond ASCII they never are, as one character is several bytes. */
function spells(text: string, bytes: Uint8Array, from: number, to: number): boolean {
  if (text.length !== to - from) return false;
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) !== bytes[from + i]) return false;
  return true;
}
