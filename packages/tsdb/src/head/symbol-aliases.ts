import type { LabelSymbols, WriteBatch } from '@nines/model/storage.ts';
import { AHEAD, AliasTable } from './alias-table.ts';
import { grownU32 } from './growing.ts';
import { NONE } from './series-index.ts';

/**
 * Labels given by reference → series reference. The numbers of symbols are those of one request, so each symbol of a request is
 * looked up once and gets a number that stays; a series is then known by the numbers of its texts, and its labels need
 * neither be written out nor read. Other orders of the same labels are other entries, as in `AliasTable`.
 */

/** Texts of a million short symbols. Beyond it the table starts anew; numbers are never used again, so old entries just stay unknown. */
const MAX_SYMBOL_BYTES = 32 * 1024 * 1024;
/** A million series of eight labels. */
const MAX_KEY_BYTES = 64 * 1024 * 1024;
/** Beyond it all begins anew. A batch has room for its symbols above it. */
const MAX_NUMBER = 2 ** 31;
/** Bytes of a number in a key. */
const WORD = 4;

export class SymbolAliases {
  readonly #symbols: AliasTable;
  readonly #keys: AliasTable;
  #nextNumber = 0;
  #batch: WriteBatch | undefined;
  /** By symbol of the batch: its number, `NONE` while it has none. */
  #numbers = new Uint32Array(0);
  /** `refs` of the batch as numbers, and where the series' keys stand, in bytes. A series with an unknown text has an empty key. */
  #words = new Uint32Array(0);
  #keyFrom = new Uint32Array(0);
  #keyTo = new Uint32Array(0);
  /** The keys of series below this stand there, as far as they were needed: series in the order of last time need none. */
  #writtenTo = 0;

  constructor(seed = 0) {
    this.#symbols = new AliasTable({ seed, maxBytes: MAX_SYMBOL_BYTES });
    this.#keys = new AliasTable({ seed, maxBytes: MAX_KEY_BYTES });
  }

  get bytes(): number {
    return this.#symbols.bytes + this.#keys.bytes;
  }

  /** Begins a batch, whose memory must stay as it is until `end`. */
  begin(batch: WriteBatch, symbols: LabelSymbols): void {
    const { seriesCount, bytes } = batch;
    if (this.#nextNumber > MAX_NUMBER) this.#clear();
    this.#batch = batch;
    this.#numbers = grownU32(this.#numbers, symbols.count);
    this.#words = grownU32(this.#words, symbols.refs.length);
    this.#keyFrom = grownU32(this.#keyFrom, seriesCount);
    this.#keyTo = grownU32(this.#keyTo, seriesCount);
    this.#symbols.begin(bytes, { seriesCount: symbols.count, labelsFrom: symbols.from, labelsTo: symbols.to });
    for (let symbol = 0; symbol < symbols.count; symbol++) this.#numbers[symbol] = this.#symbols.find(symbol);
    this.#writtenTo = 0;
    const keyBytes = new Uint8Array(this.#words.buffer);
    this.#keys.begin(keyBytes, { seriesCount, labelsFrom: this.#keyFrom, labelsTo: this.#keyTo });
  }

  /** Writes the keys of series `series` and of those that the table looks ahead to. */
  #writeKeys(series: number, refs: Uint32Array, { seriesCount, labelsFrom, labelsTo }: WriteBatch): void {
    const numbers = this.#numbers;
    const words = this.#words;
    const keyFrom = this.#keyFrom;
    const keyTo = this.#keyTo;
    const end = Math.min(series + AHEAD, seriesCount);
    for (let at = Math.max(series, this.#writtenTo); at < end; at++) {
      const from = labelsFrom[at] ?? 0;
      const to = labelsTo[at] ?? 0;
      let known = true;
      for (let i = from; i < to; i++) {
        const number = numbers[refs[i] ?? 0] ?? NONE;
        words[i] = number;
        if (number === NONE) known = false;
      }
      keyFrom[at] = from * WORD;
      keyTo[at] = known ? to * WORD : from * WORD;
    }
    this.#writtenTo = Math.max(end, this.#writtenTo);
  }

  #clear(): void {
    this.#symbols.clear();
    this.#keys.clear();
    this.#nextNumber = 0;
  }

  end(): void {
    this.#batch = undefined;
    this.#symbols.end();
    this.#keys.end();
  }

  /** The reference of series `series` of the batch, or `NONE`. To be asked for one series after the other. */
  find(series: number): number {
    const batch = this.#batch;
    const symbols = batch?.symbols;
    if (symbols === undefined || batch === undefined) return NONE;
    const next = this.#keys.findNext(this.#numbers, symbols.refs, batch.labelsFrom[series] ?? 0, batch.labelsTo[series] ?? 0);
    if (next !== NONE) return next;
    this.#writeKeys(series, symbols.refs, batch);
    return this.#keys.find(series);
  }

  /** Puts series `series` of the batch under a reference. Only here symbols get numbers: what is refused leaves nothing behind. */
  add(series: number, ref: number): void {
    const { symbols, labelsFrom, labelsTo } = this.#batch ?? NOTHING;
    const from = labelsFrom[series] ?? 0;
    const to = labelsTo[series] ?? 0;
    if (symbols === undefined || to === from) return;
    for (let i = from; i < to; i++) {
      const symbol = symbols.refs[i] ?? 0;
      if (this.#numbers[symbol] === NONE) {
        this.#numbers[symbol] = this.#nextNumber;
        this.#symbols.add(symbol, this.#nextNumber++);
      }
      this.#words[i] = this.#numbers[symbol] ?? NONE;
    }
    this.#keyTo[series] = to * WORD;
    this.#keys.add(series, ref);
  }

  /** Points the entry that `find` returned last elsewhere: its series is gone and came back under a new reference. */
  repoint(ref: number): void {
    this.#keys.repoint(ref);
  }
}

const NOTHING: Pick<WriteBatch, 'symbols' | 'labelsFrom' | 'labelsTo'> = { labelsFrom: new Uint32Array(0), labelsTo: new Uint32Array(0) };
