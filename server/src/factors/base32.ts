import { type Result, err, ok } from '@nines/base/result.ts';

/** RFC 4648, section 6: what authenticator apps read. */
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const BITS_PER_LETTER = 5;

/** Without padding, which apps do not want. */
export function toBase32(bytes: Uint8Array, letters = LETTERS): string {
  let text = '';
  let held = 0;
  let bits = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    bits += 8;
    for (; bits >= BITS_PER_LETTER; bits -= BITS_PER_LETTER) text += letters.charAt((held >> (bits - BITS_PER_LETTER)) & 31);
    held &= (1 << bits) - 1;
  }
  return bits === 0 ? text : text + letters.charAt((held << (BITS_PER_LETTER - bits)) & 31);
}

export function fromBase32(text: string): Result<Uint8Array, string> {
  const bytes: number[] = [];
  let held = 0;
  let bits = 0;
  for (const letter of text.replace(/=+$/, '')) {
    const value = LETTERS.indexOf(letter.toUpperCase());
    if (value < 0) return err(`${JSON.stringify(letter)} is no letter of base32`);
    held = (held << BITS_PER_LETTER) | value;
    bits += BITS_PER_LETTER;
    if (bits >= 8) {
      bits -= 8;
      bytes.push((held >> bits) & 0xff);
      held &= (1 << bits) - 1;
    }
  }
  return ok(Uint8Array.from(bytes));
}
