/**
 * The staleness marker: the NaN with exactly these bits, which says "this series ended here". A JavaScript number may lose
 * a NaN's payload, so a marker is written and recognised through the bits of the array that holds it, never as a number.
 * Source: prometheus/model/value.StaleNaN.
 */
export const STALE_HIGH = 0x7ff00000;
export const STALE_LOW = 2;

/** The 32-bit halves of a column; low half first (all platforms of Node are little-endian). */
export const bitsOf = (values: Float64Array): Uint32Array => new Uint32Array(values.buffer, values.byteOffset, values.length * 2);

export const isStale = (bits: Uint32Array, index: number): boolean => bits[2 * index + 1] === STALE_HIGH && bits[2 * index] === STALE_LOW;

/** Writes the marker at `index`. */
export function setStale(values: Float64Array, index: number): void {
  const bits = bitsOf(values);
  bits[2 * index] = STALE_LOW;
  bits[2 * index + 1] = STALE_HIGH;
}
