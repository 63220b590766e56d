/**
 * As much of CBOR (RFC 8949) as authenticators send under CTAP2's canonical form: whole numbers, bytes, texts, lists, maps, true,
 * false and null, all of definite length. Everything else is a fault, and so is what is nested deeper than needed.
 */
export type Cbor = number | string | boolean | null | Uint8Array | readonly Cbor[] | CborMap;
export type CborMap = ReadonlyMap<number | string, Cbor>;

/** CTAP2 allows four levels; attestation statements hold lists of certificates within. */
const MAX_DEPTH = 6;

export class CborFault extends Error {
  override readonly name = 'CborFault';
}

/** The first value in `bytes` and where it ends. Throws `CborFault`. */
export function readCbor(bytes: Uint8Array, start = 0): { readonly value: Cbor; readonly end: number } {
  const reader = new Reader(bytes, start);
  const value = reader.value(0);
  return { value, end: reader.at };
}

/** A map that is all of `bytes`. Throws `CborFault`. */
export function readCborMap(bytes: Uint8Array): CborMap {
  const { value, end } = readCbor(bytes);
  if (end !== bytes.length) throw new CborFault(`${bytes.length - end} bytes too many`);
  return asMap(value);
}

export function asMap(value: Cbor | undefined): CborMap {
  if (value instanceof Map) return value as CborMap;
  throw new CborFault('a map was expected');
}

export function asBytes(value: Cbor | undefined): Uint8Array {
  if (value instanceof Uint8Array) return value;
  throw new CborFault('bytes were expected');
}

class Reader {
  readonly #bytes: Uint8Array;
  at: number;

  constructor(bytes: Uint8Array, start: number) {
    this.#bytes = bytes;
    this.at = start;
  }

  value(depth: number): Cbor {
    if (depth > MAX_DEPTH) throw new CborFault(`nested deeper than ${MAX_DEPTH} levels`);
    const [first = 0] = this.#take(1);
    const major = first >> 5;
    const low = first & 31;
    if (major === 7) return simple(low);
    const length = this.#argument(low);
    switch (major) {
      case 0:
        return length;
      case 1:
        return -1 - length;
      case 2:
        return this.#take(length);
      case 3:
        return new TextDecoder('utf-8', { fatal: true }).decode(this.#take(length));
      case 4:
        return Array.from({ length: this.#atMost(length) }, () => this.value(depth + 1));
      case 5:
        return this.#map(this.#atMost(length), depth);
      default:
        throw new CborFault('a tag is not expected');
    }
  }

  #map(length: number, depth: number): CborMap {
    const map = new Map<number | string, Cbor>();
    for (let i = 0; i < length; i++) {
      const key = this.value(depth + 1);
      if (typeof key !== 'number' && typeof key !== 'string') throw new CborFault('a key is neither a number nor a text');
      if (map.has(key)) throw new CborFault(`the key ${JSON.stringify(key)} stands twice`);
      map.set(key, this.value(depth + 1));
    }
    return map;
  }

  /** The number after the first byte; lengths beyond 32 bits have no use here. */
  #argument(low: number): number {
    if (low < 24) return low;
    if (low > 26) throw new CborFault('a length of more than 32 bits, or an indefinite one');
    return this.#take(2 ** (low - 24)).reduce((sum, byte) => sum * 256 + byte, 0);
  }

  /** Every item takes a byte at least: a longer list than there are bytes is never made room for. */
  #atMost(length: number): number {
    if (length > this.#bytes.length - this.at) throw new CborFault('more items than bytes');
    return length;
  }

  #take(count: number): Uint8Array {
    const end = this.at + count;
    if (end > this.#bytes.length) throw new CborFault(`${end - this.#bytes.length} bytes are missing`);
    const taken = this.#bytes.subarray(this.at, end);
    this.at = end;
    return taken;
  }
}

function simple(low: number): Cbor {
  if (low === 20) return false;
  if (low === 21) return true;
  if (low === 22) return null;
  throw new CborFault('a floating point or unknown simple value');
}
