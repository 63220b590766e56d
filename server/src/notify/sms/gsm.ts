/**
 * The length of a text message is counted in parts: 160 characters of GSM 03.38 (153 in each of several), or 70 (67) of UCS-2 as soon as one
 * character is not in that alphabet. Source: 3GPP TS 23.038, 6.2.1.
 */
const BASIC = new Set(
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà',
);
/** Each takes two places. */
const EXTENDED = new Set('^{}\\[~]|€');
const LOOKALIKES: Readonly<Record<string, string>> = {
  '…': '...',
  '–': '-',
  '—': '-',
  '‘': "'",
  '’': "'",
  '“': '"',
  '”': '"',
  '`': "'",
  '\t': ' ',
  '·': '-',
};

/** In the alphabet that every telephone has: accents that it lacks go, lookalikes are put in, the rest becomes `?`. */
export const toGsm = (text: string): string => Array.from(text, gsmOf).join('');
function gsmOf(character: string): string {
  if (BASIC.has(character) || EXTENDED.has(character)) return character;
  const like = LOOKALIKES[character];
  if (like !== undefined) return like;
  const bare = character.normalize('NFD').replace(/\p{M}/gu, '');
  return bare !== '' && Array.from(bare).every((one) => BASIC.has(one)) ? bare : '?';
}

export const gsmLength = (text: string): number => Array.from(text).reduce((length, one) => length + (EXTENDED.has(one) ? 2 : 1), 0);

/** Places in so many parts. */
export const roomOf = (parts: number): number => (parts === 1 ? 160 : parts * 153);

/** As much of `body` as fits, and `tail`, which is never cut; all in GSM. */
export function fitGsm(body: string, tail: string, parts: number): string {
  const room = roomOf(parts) - gsmLength(tail);
  const whole = toGsm(body);
  if (gsmLength(whole) <= room) return whole + tail;
  let kept = '';
  let used = 3;
  for (const one of whole) {
    used += EXTENDED.has(one) ? 2 : 1;
    if (used > room) break;
    kept += one;
  }
  return `${kept}...${tail}`;
}
