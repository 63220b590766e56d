/**
 * How a chunk in memory writes a sample after its first one: a code byte, then what the code announces. Byte-aligned rather
 * than bit-aligned as Gorilla, because JavaScript shifts 64 bits slowly and decimal differences win the bytes back.
 *
 *   0b11rrrrrr              a run: r + 1 samples with the value before, each one time step on
 *   0b10111111              the rest of the block is empty, go on in the next
 *   0b0tt?vvvv              t: second difference of the time (0: none, 1: 1 byte, 2: 2 bytes, 3: 4 bytes), v: the value
 */
/** Where codes begin in a chunk's first block and in the others. */
export const FIRST_PAYLOAD = 36;
export const NEXT_PAYLOAD = 4;

export const RUN = 0xc0;
export const RUN_FULL = 0xff;
export const BLOCK_END = 0xbf;

export const VALUE_SAME = 0;
/** Codes 1 to 4: the difference of the decimal mantissas in so many bytes, at the chunk's present scale. */
export const VALUE_DELTA_MAX = 4;
/** A new scale (1 byte), then the difference of the mantissas at that scale in 4 bytes. */
export const VALUE_RESCALE = 5;
/** The high half only; the low half is 0. */
export const VALUE_HIGH = 6;
/** All eight bytes. */
export const VALUE_RAW = 7;
/** Codes 8 to 11: a decimal step from the value before in one to four bytes, at the chunk's present scale. */
export const VALUE_STEP = 7;
/** A new scale (1 byte), then a step at that scale in 4 bytes. */
export const VALUE_RESTEP = 12;

/** Bytes that follow for a value code. */
export function valueBytes(code: number): number {
  if (code <= VALUE_DELTA_MAX) return code;
  if (code === VALUE_RESCALE || code === VALUE_RESTEP) return 5;
  if (code === VALUE_HIGH) return 4;
  return code === VALUE_RAW ? 8 : code - VALUE_STEP;
}
/** Scales tried for a value; finer decimals are stored raw. */
export const MAX_SCALE = 6;
/** Scales tried for a step, which is the last try before storing raw and must not cost much where it is in vain. */
export const MAX_STEP_SCALE = 3;

/** The code of a second difference of time. `NaN` and what does not fit 32 bits must not come here. */
export function timeCode(second: number): number {
  if (second === 0) return 0;
  if (second >= -128 && second < 128) return 1;
  return second >= -32768 && second < 32768 ? 2 : 3;
}

export function deltaCode(delta: number): number {
  if (delta >= -128 && delta < 128) return 1;
  if (delta >= -32768 && delta < 32768) return 2;
  return delta >= -8388608 && delta < 8388608 ? 3 : 4;
}

export const fitsInt32 = (value: number): boolean => value >= -2147483648 && value <= 2147483647;
