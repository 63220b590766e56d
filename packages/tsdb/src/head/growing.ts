/** Typed arrays that grow by doubling; what is beyond the old length is zero. Returned as new arrays: assign the result. */
const capacityFor = (needed: number, current: number): number => Math.max(needed, current * 2, 64);

export function grownU32(array: Uint32Array<ArrayBuffer>, needed: number): Uint32Array<ArrayBuffer> {
  if (needed <= array.length) return array;
  const grown = new Uint32Array(capacityFor(needed, array.length));
  grown.set(array);
  return grown;
}

export function grownI32(array: Int32Array<ArrayBuffer>, needed: number): Int32Array<ArrayBuffer> {
  if (needed <= array.length) return array;
  const grown = new Int32Array(capacityFor(needed, array.length));
  grown.set(array);
  return grown;
}

export function grownU16(array: Uint16Array<ArrayBuffer>, needed: number): Uint16Array<ArrayBuffer> {
  if (needed <= array.length) return array;
  const grown = new Uint16Array(capacityFor(needed, array.length));
  grown.set(array);
  return grown;
}

export function grownU8(array: Uint8Array<ArrayBuffer>, needed: number): Uint8Array<ArrayBuffer> {
  if (needed <= array.length) return array;
  const grown = new Uint8Array(capacityFor(needed, array.length));
  grown.set(array);
  return grown;
}

export function grownF64(array: Float64Array<ArrayBuffer>, needed: number): Float64Array<ArrayBuffer> {
  if (needed <= array.length) return array;
  const grown = new Float64Array(capacityFor(needed, array.length));
  grown.set(array);
  return grown;
}
