import { MAX_LABELS, TextPlaces, textAt } from './label-bytes.ts';
import type { Symbols } from './symbols.ts';

/**
 * Canonical label bytes as symbols. Series after series has the same names at the same places, and mostly the same values: what a
 * place had before is compared with the bytes, so that no text is made or looked up.
 */
export class LabelSymbols {
  /** The symbols that `take` took last: names and values in turn. */
  readonly ids = new Uint32Array(2 * MAX_LABELS);
  readonly #symbols: Symbols;
  readonly #places = new TextPlaces();

  constructor(symbols: Symbols) {
    this.#symbols = symbols;
  }

  /** Counts one use of each text in `bytes[from, to)` and returns how many there are. Throws `CorruptData`; nothing is taken then. */
  take(bytes: Uint8Array, from: number, to: number): number {
    const { ids } = this;
    const symbols = this.#symbols;
    const places = this.#places.read(bytes, from, to);
    for (let i = 0; i < places.count; i++) {
      const [start, end] = [places.from[i] as number, places.to[i] as number];
      if (spells(symbols.text(ids[i] as number), bytes, start, end)) symbols.again(ids[i] as number);
      else ids[i] = this.#taken(bytes, i);
    }
    return places.count;
  }

  #taken(bytes: Uint8Array, i: number): number {
    try {
      return this.#symbols.take(textAt(bytes, this.#places.from[i] as number, this.#places.to[i] as number));
    } catch (thrown) {
      for (let k = 0; k < i; k++) this.#symbols.release(this.ids[k] as number);
      throw thrown;
    }
  }
}

/** Whether the bytes are this text, which is in use then. Only ASCII ever is, as other characters take several bytes. */
function spells(text: string, bytes: Uint8Array, from: number, to: number): boolean {
  if (text.length !== to - from || from === to) return false;
  for (let i = 0; i < text.length; i++) {
    const byte = bytes[from + i] as number;
    if (byte >= 128 || text.charCodeAt(i) !== byte) return false;
  }
  return true;
}
