import { lowerBound } from '@nines/base/lower-bound.ts';
import { type Histogram, withHints } from '@nines/model/histogram.ts';
import type { SelectRange } from '@nines/model/storage.ts';
import { Columns, mergeInto } from './codec/columns.ts';
import type { PageHead } from './contract.ts';
import type { Head } from './head/head.ts';
import { ChunkList } from './head/series-chunks.ts';
import type { PageReader } from './pages/page-reader.ts';

/** Where a page holds a series. */
export type Entry = { readonly head: PageHead; readonly index: number };

/** One series' samples; `values` is overwritten by the next read, `times` never. */
export type ReadColumns = {
  readonly times: Float64Array;
  readonly values: Float64Array;
  readonly histograms?: readonly (Histogram | undefined)[];
};

export type ReadHints = {
  /** Values matter only as far as they may be staleness markers. */
  readonly presence?: boolean;
  /** Only the newest sample matters. */
  readonly newest?: boolean;
};

const NO_SAMPLES: Float64Array = new Float64Array(0);

/**
 * Reads series after series in one range. Most series lie on pages and in chunks that follow each other in time, and have the
 * times of the series before: then the times given out are the same array as before, and only values are decoded. Whatever
 * overlaps, comes late or is irregular is merged sample by sample.
 */
export class SeriesReader {
  readonly #head: Head;
  readonly #pages: PageReader;
  readonly #range: SelectRange;
  readonly #hints: ReadHints;
  readonly #out = new Columns();
  readonly #part = new Columns();
  readonly #scratch = new Columns();
  readonly #list = new ChunkList();
  /** What the parts of the series at hand are: their times, or first, last and number of these, and which of them. */
  readonly #parts: Part[] = [];
  #usedParts = 0;
  readonly #known: Part[] = [];
  #times = NO_SAMPLES;
  /** Stand for values that nobody looks at. */
  #zeros = NO_SAMPLES;

  constructor(deps: { readonly head: Head; readonly pages: PageReader }, range: SelectRange, hints: ReadHints) {
    this.#head = deps.head;
    this.#pages = deps.pages;
    this.#range = range;
    this.#hints = hints;
  }

  /** The samples of a series within the range; undefined when there are none. `entries` ascend by page id. */
  read(ref: number, entries: readonly Entry[]): ReadColumns | undefined {
    this.#out.clear();
    const isPlain = !this.#head.histogramRefs.has(ref);
    if (isPlain && this.#hints.newest === true && this.#readNewest(ref)) return this.#result();
    if (!isPlain || !this.#collect(ref, entries)) return this.#merge(ref, entries);
    if (this.#usedParts === 0) return undefined;
    const isPresence = this.#hints.presence === true && this.#isUsual(entries);
    if (!isPresence && !this.#decode()) return this.#merge(ref, entries);
    this.#shareTimes();
    const { length } = this.#times;
    if (!isPresence) return { times: this.#times, values: this.#out.values.subarray(this.#from(0), this.#from(0) + length) };
    if (this.#zeros.length !== length) this.#zeros = new Float64Array(length);
    return { times: this.#times, values: this.#zeros };
  }

  #from(part: number): number {
    return this.#parts[part]?.from ?? 0;
  }

  /** Takes the newest sample of all without decoding anything, if memory has it and it lies in the range. */
  #readNewest(ref: number): boolean {
    const time = this.#head.lastTime(ref);
    if (time !== this.#head.newestOf(ref) || time < this.#range.fromMs || time > this.#range.toMs) return false;
    this.#head.readNewest(ref, this.#out);
    return true;
  }

  /** Lists the parts of a series that overlap the range; false when they do not simply follow each other. */
  #collect(ref: number, entries: readonly Entry[]): boolean {
    const { fromMs, toMs } = this.#range;
    this.#usedParts = 0;
    let end = Number.NEGATIVE_INFINITY;
    for (const entry of entries) {
      const times = this.#pages.timesOf(entry.head, entry.index);
      if (times === undefined) return false;
      if ((times[0] as number) <= end) return false;
      end = times[times.length - 1] as number;
      this.#addColumn(times, entry);
    }
    if (this.#head.hasLate(ref)) return false;
    const list = this.#list;
    list.clear();
    this.#head.listChunks(ref, this.#range, list);
    if (!list.isRegular) return false;
    for (const { chunk, first, last, samples } of list.heads) {
      if (first <= end) return false;
      end = last;
      const delta = samples > 1 ? (last - first) / (samples - 1) : 1;
      const part = this.#nextPart();
      part.column = undefined;
      part.entry = undefined;
      part.chunk = chunk;
      part.first = first;
      part.delta = delta;
      part.from = first >= fromMs ? 0 : Math.ceil((fromMs - first) / delta);
      part.to = last <= toMs ? samples : Math.floor((toMs - first) / delta) + 1;
      if (part.from >= part.to) this.#usedParts--;
    }
    return true;
  }

  #addColumn(column: Float64Array, entry: Entry): void {
    const part = this.#nextPart();
    // Series after series has the same column: what of it lies in the range is known then.
    if (part.column !== column) {
      part.column = column;
      part.from = lowerBound(column, column.length, this.#range.fromMs);
      part.to = lowerBound(column, column.length, this.#range.toMs + 1);
    }
    part.entry = entry;
    if (part.from >= part.to) this.#usedParts--;
  }

  #nextPart(): Part {
    const part = this.#parts[this.#usedParts++] ?? newPart();
    this.#parts[this.#usedParts - 1] = part;
    return part;
  }

  /** Whether no value can be a staleness marker. */
  #isUsual(entries: readonly Entry[]): boolean {
    if (!this.#list.isUsual) return false;
    for (const { head, index } of entries) if (!this.#pages.isUsual(head, index)) return false;
    return true;
  }

  /** Decodes the parts one behind the other; false when one is damaged. */
  #decode(): boolean {
    const out = this.#out;
    for (let i = 0; i < this.#usedParts; i++) {
      const { entry, chunk, to } = this.#parts[i] as Part;
      if (entry === undefined) this.#head.readChunkValues(chunk, to, out);
      else {
        const from = out.length;
        if (!this.#pages.readValues(entry.head, entry.index, out)) return false;
        out.length = from + to;
      }
    }
    return true;
  }

  /** Makes `#times` those of the parts, unless they are that already. */
  #shareTimes(): void {
    const known = this.#known;
    const used = this.#usedParts;
    let same = known.length === used;
    for (let i = 0; same && i < used; i++) same = isSamePart(known[i] as Part, this.#parts[i] as Part);
    if (same) return;
    let length = 0;
    known.length = used;
    for (let i = 0; i < used; i++) {
      const part = this.#parts[i] as Part;
      length += part.to - part.from;
      known[i] = { ...part };
    }
    const only = this.#parts[0];
    if (used === 1 && only?.column !== undefined) {
      this.#times = only.column.subarray(only.from, only.to);
      return;
    }
    const times = new Float64Array(length);
    let at = 0;
    for (let i = 0; i < used; i++) {
      const { column, first, delta, from, to } = this.#parts[i] as Part;
      if (column !== undefined) times.set(column.subarray(from, to), at);
      else for (let k = from; k < to; k++) times[at + k - from] = first + k * delta;
      at += to - from;
    }
    this.#times = times;
  }

  /** Sample by sample, whatever the parts are like. */
  #merge(ref: number, entries: readonly Entry[]): ReadColumns | undefined {
    const merged = this.#out;
    const { fromMs, toMs } = this.#range;
    merged.clear();
    for (const entry of entries) this.#weave((into) => this.#pages.read(entry.head, entry.index, this.#range, into));
    this.#weave((into) => this.#head.read(ref, fromMs, toMs, into));
    return merged.length === 0 ? undefined : this.#result();
  }

  /** Reads straight into the result while that is empty, which spares most series a copy. */
  #weave(read: (into: Columns) => void): void {
    if (this.#out.length === 0) {
      read(this.#out);
      return;
    }
    this.#part.clear();
    read(this.#part);
    mergeInto(this.#out, this.#part, this.#scratch);
  }

  /** What stands in `#out`, with the times given out last if they are equal. */
  #result(): ReadColumns {
    const { times, values, length: count, histograms } = this.#out;
    if (!sameTimes(times, count, this.#times)) {
      this.#times = times.slice(0, count);
      this.#known.length = 0;
    }
    const columns = { times: this.#times, values: values.subarray(0, count) };
    return histograms === undefined ? columns : { ...columns, histograms: histogramsOf(this.#times, histograms) };
  }
}

/** With what each says about the one before, which is only known now that all parts are together. */
export const histogramsOf = (times: Float64Array, byTime: ReadonlyMap<number, Histogram>): readonly (Histogram | undefined)[] =>
  withHints(Array.from(times, (time) => byTime.get(time)));

/** A stretch of a series: a page's column, or a regular chunk of memory; its samples `[from, to)` lie in the range. */
type Part = {
  column: Float64Array | undefined;
  entry: Entry | undefined;
  chunk: number;
  first: number;
  delta: number;
  from: number;
  to: number;
};

const newPart = (): Part => ({ column: undefined, entry: undefined, chunk: 0, first: 0, delta: 0, from: 0, to: 0 });

function isSamePart(a: Part, b: Part): boolean {
  if (a.from !== b.from || a.to !== b.to || a.column !== b.column) return false;
  return a.column !== undefined || (a.first === b.first && a.delta === b.delta);
}

/** Whether the first `count` times are those of `known`. Backwards, because series that differ do so at their newest sample. */
function sameTimes(times: Float64Array, count: number, known: Float64Array): boolean {
  if (count !== known.length) return false;
  for (let i = count - 1; i >= 0; i--) if (times[i] !== known[i]) return false;
  return true;
}
