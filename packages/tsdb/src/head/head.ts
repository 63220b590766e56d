import type { Histogram } from '@nines/model/histogram.ts';
import type { Labels } from '@nines/model/labels.ts';
import type { SelectRange, WriteBatch } from '@nines/model/storage.ts';
import { Columns, mergeInto } from '../codec/columns.ts';
import { writeMarker } from '../codec/histogram-code.ts';
import { AliasTable } from './alias-table.ts';
import { grownF64, grownU8 } from './growing.ts';
import { HistogramChunks } from './histogram-chunks.ts';
import { HistogramRefs } from './histogram-refs.ts';
import { type ChunkList, SeriesChunks } from './series-chunks.ts';
import { NONE, SeriesIndex } from './series-index.ts';
import { SymbolAliases } from './symbol-aliases.ts';

/**
 * Everything in memory: the index of all series, the chunks of recent samples, and a small sorted buffer for each series that
 * lately got a sample out of order. Every buffered sample is older than the newest one in the series' chunks.
 * Callers name series by reference; arrays are by slot (slots.ts), so what is forgotten leaves nothing behind.
 * It decides what happens to a sample, the same way when it arrives and when the log is replayed; it knows no disk.
 */

/** Buffered samples of one series before they are woven into its chunks. */
const MAX_BUFFERED = 64;

export type Inserted = 'stored' | 'same' | 'conflict';
/** Says whether a page holds the instant, and with these bits or others. */
export type PageLookup = (ref: number, time: number, low: number, high: number) => 'absent' | 'same' | 'other';

const LOGGED = 1;
const PERSISTED = 2;

/** Series whose memory is read ahead together; what they touch fits the processor's nearest cache. */
export const READ_AHEAD = 32;

export class Head {
  readonly index: SeriesIndex;
  /** Never kept by a caller: it is made anew when it has become mostly aliases of series that are gone. */
  aliases: AliasTable;
  /** The same for labels given by reference. */
  symbolAliases: SymbolAliases;
  /** Series forgotten since then. */
  #forgotten = 0;
  readonly #chunks = new SeriesChunks();
  /** By slot. */
  readonly #late = new Map<number, Columns>();
  #lateSamples = 0;
  readonly #histograms = new HistogramChunks();
  readonly histogramRefs = new HistogramRefs();
  readonly #slotsAhead = new Uint32Array(READ_AHEAD);
  /** Reading ahead must have an effect, or optimised code leaves it out. */
  #ahead = 0;
  readonly #onPage: PageLookup;
  readonly #hashSeed: number;
  /** Per series: the time of its newest and oldest sample anywhere, and of its newest on a page. */
  #newest = new Float64Array(0);
  #oldest = new Float64Array(0);
  #paged = new Float64Array(0);
  #flags = new Uint8Array(0);

  constructor(onPage: PageLookup, hashSeed = 0) {
    this.#onPage = onPage;
    this.#hashSeed = hashSeed | 0;
    this.index = new SeriesIndex(this.#hashSeed);
    this.aliases = new AliasTable({ seed: this.#hashSeed });
    this.symbolAliases = new SymbolAliases(this.#hashSeed);
  }

  get samples(): number {
    return this.#chunks.samples + this.#lateSamples;
  }

  get chunkCount(): number {
    return this.#chunks.count;
  }

  get bytes(): number {
    return this.#chunks.bytes + this.#newest.length * 25 + this.#lateSamples * 16 + this.#histograms.bytes;
  }

  /** Begins a batch in the aliases of its kind. To be ended before anything else is done with the head. */
  beginAliases(batch: WriteBatch): AliasTable | SymbolAliases {
    const { bytes, symbols } = batch;
    if (symbols === undefined) {
      this.aliases.begin(bytes, batch);
      return this.aliases;
    }
    this.symbolAliases.begin(batch, symbols);
    return this.symbolAliases;
  }

  /** The time of the series' newest sample anywhere, -Infinity when it has none. */
  newestOf(ref: number): number {
    return this.#newest[this.index.slotOf(ref)] ?? Number.NEGATIVE_INFINITY;
  }

  /** The time of the series' oldest sample anywhere, Infinity when it has none. */
  oldestOf(ref: number): number {
    return this.#oldest[this.index.slotOf(ref)] ?? Number.POSITIVE_INFINITY;
  }

  /** The time of the series' newest sample on a page, -Infinity when it has none. */
  pagedOf(ref: number): number {
    return this.#paged[this.index.slotOf(ref)] ?? Number.NEGATIVE_INFINITY;
  }

  /** The series has no samples anywhere any more. */
  clearSpan(ref: number): void {
    const slot = this.index.slotOf(ref);
    this.#newest[slot] = Number.NEGATIVE_INFINITY;
    this.#oldest[slot] = Number.POSITIVE_INFINITY;
  }

  /** Adds a series that is not there. */
  addSeries(labels: Labels, ref = this.index.nextRef): number {
    this.index.add(labels, ref);
    this.#reserve(ref);
    return ref;
  }

  /** The same from canonical bytes, `bytes[from, to)`. Throws `CorruptData`; nothing is added then. */
  addStoredSeries(bytes: Uint8Array, from: number, to: number, ref: number): void {
    this.index.addBytes(bytes, from, to, ref);
    this.#reserve(ref);
  }

  #reserve(ref: number): void {
    const slot = this.index.slotOf(ref);
    this.#chunks.reserve(slot + 1);
    this.#newest = grownF64(this.#newest, slot + 1);
    this.#oldest = grownF64(this.#oldest, slot + 1);
    this.#paged = grownF64(this.#paged, slot + 1);
    this.#flags = grownU8(this.#flags, slot + 1);
    this.#newest[slot] = Number.NEGATIVE_INFINITY;
    this.#oldest[slot] = Number.POSITIVE_INFINITY;
    this.#paged[slot] = Number.NEGATIVE_INFINITY;
    this.#flags[slot] = 0;
  }

  /** Forgets series, which are there, and what memory holds of them. */
  removeSeries(refs: readonly number[]): void {
    for (const ref of refs) {
      this.dropBefore(ref, Number.POSITIVE_INFINITY);
      this.histogramRefs.delete(ref);
    }
    this.index.remove(refs);
    this.#forgotten += refs.length;
    if (this.#forgotten <= this.index.size) return;
    this.#forgotten = 0;
    this.aliases = new AliasTable({ seed: this.#hashSeed });
    this.symbolAliases = new SymbolAliases(this.#hashSeed);
  }

  /** Whether the log (or the page store) holds the definition of the series. */
  isDefined(ref: number): boolean {
    return this.#flagsOf(ref) !== 0;
  }

  markLogged(ref: number): void {
    this.#flags[this.index.slotOf(ref)] = this.#flagsOf(ref) | LOGGED;
  }

  isPersisted(ref: number): boolean {
    return (this.#flagsOf(ref) & PERSISTED) !== 0;
  }

  #flagsOf(ref: number): number {
    return this.#flags[this.index.slotOf(ref)] ?? 0;
  }

  /** The page store holds the series, with samples in `[oldestMs, newestMs]`. */
  markPersisted(ref: number, oldestMs: number, newestMs: number): void {
    const slot = this.index.slotOf(ref);
    this.#flags[slot] = (this.#flags[slot] ?? 0) | PERSISTED;
    this.#paged[slot] = Math.max(this.#paged[slot] ?? newestMs, newestMs);
    this.#widen(slot, oldestMs);
    this.#widen(slot, newestMs);
  }

  /**
   * Takes a sample. `bits[2 * index]` is the low half of its value. The rule for an instant that the series already has, in
   * memory or on a page: the same 64 bits are fine and change nothing, other bits are a conflict and the first stays. How
   * late a sample may be is decided before (append.ts), not here, so that a replay takes what was taken.
   */
  insert(ref: number, time: number, bits: Uint32Array, index: number): Inserted {
    const slot = this.index.slotOf(ref);
    const last = this.#chunks.lastTime(slot);
    const low = bits[2 * index] ?? 0;
    const high = bits[2 * index + 1] ?? 0;
    if (time === last) return this.#chunks.isLastValue(slot, low, high) ? 'same' : 'conflict';
    if (time < last) {
      const known = this.#lookup(slot, time, low, high);
      if (known !== 'absent') return known === 'same' ? 'same' : 'conflict';
    }
    if (time <= (this.#paged[slot] ?? 0)) {
      const onPage = this.#onPage(ref, time, low, high);
      if (onPage !== 'absent') return onPage === 'same' ? 'same' : 'conflict';
    }
    if (time > last) this.#chunks.append(slot, time, bits, index);
    else this.#addLate(slot, time, low, high);
    this.#widen(slot, time);
    return 'stored';
  }

  /** Takes a native histogram, by the same rule. */
  insertHistogram(ref: number, time: number, histogram: Histogram): Inserted {
    writeMarker(histogram, marker, 0);
    const inserted = this.insert(ref, time, marker, 0);
    if (inserted !== 'stored') return inserted;
    this.#histograms.add(this.index.slotOf(ref), time, histogram);
    this.histogramRefs.add(ref);
    return inserted;
  }

  /**
   * To be called before samples of up to `READ_AHEAD` series are inserted that stand apart in memory: see
   * `SeriesChunks.readAhead`.
   */
  readAhead(refs: Uint32Array, from: number, to: number): void {
    const slots = this.#slotsAhead;
    const count = to - from;
    for (let i = 0; i < count; i++) slots[i] = this.index.slotOf(refs[from + i] ?? 0);
    let sum = this.#chunks.readAhead(slots, count);
    for (let i = 0; i < count; i++) {
      const slot = slots[i] ?? 0;
      sum += (this.#newest[slot] ?? 0) + (this.#oldest[slot] ?? 0) + (this.#paged[slot] ?? 0);
    }
    this.#ahead = this.#ahead === sum ? 0 : sum;
  }

  #widen(slot: number, time: number): void {
    if (time > (this.#newest[slot] ?? 0)) this.#newest[slot] = time;
    if (time < (this.#oldest[slot] ?? 0)) this.#oldest[slot] = time;
  }

  #lookup(slot: number, time: number, low: number, high: number): 'absent' | 'same' | 'other' {
    const late = this.#late.get(slot);
    const at = late?.indexOf(time) ?? -1;
    if (late !== undefined && at >= 0) return sameBits(late, at, low, high);
    if (this.#chunks.lacks(slot, time)) return 'absent';
    found.clear();
    this.#chunks.read(slot, time, time, found);
    return found.length === 0 ? 'absent' : sameBits(found, 0, low, high);
  }

  #addLate(slot: number, time: number, low: number, high: number): void {
    let late = this.#late.get(slot);
    if (late === undefined) {
      late = new Columns(8);
      this.#late.set(slot, late);
    }
    late.insertAt(late.lowerBound(time), time, low, high);
    this.#lateSamples++;
    if (late.length >= MAX_BUFFERED) this.#weave(slot);
  }

  /** Joins the buffered samples of a series with its chunks. */
  #weave(slot: number): void {
    found.clear();
    this.#readSlot(slot, { fromMs: Number.NEGATIVE_INFINITY, toMs: Number.POSITIVE_INFINITY }, found);
    this.#dropLate(slot);
    this.#chunks.rewrite(slot, found);
  }

  #dropLate(slot: number): void {
    this.#lateSamples -= this.#late.get(slot)?.length ?? 0;
    this.#late.delete(slot);
  }

  hasSamples(ref: number): boolean {
    const slot = this.index.slotOf(ref);
    return slot !== NONE && !this.#chunks.isEmpty(slot);
  }

  /** Whether the series has samples that came late and are not in its chunks. */
  hasLate(ref: number): boolean {
    return this.#late.size > 0 && this.#late.has(this.index.slotOf(ref));
  }

  /** The time of the series' newest sample in its chunks, -Infinity when there is none. */
  lastTime(ref: number): number {
    const slot = this.index.slotOf(ref);
    return slot === NONE ? Number.NEGATIVE_INFINITY : this.#chunks.lastTime(slot);
  }

  /** Appends the newest sample in the chunks of a series that has one. */
  readNewest(ref: number, out: Columns): void {
    this.#chunks.readNewest(this.index.slotOf(ref), out);
  }

  /** Lists the chunks of a series that overlap `[fromMs, toMs]`. */
  listChunks(ref: number, { fromMs, toMs }: SelectRange, list: ChunkList): void {
    const slot = this.index.slotOf(ref);
    if (slot !== NONE) this.#chunks.list(slot, fromMs, toMs, list);
  }

  /** Appends the first `samples` values of a listed chunk, without their times. */
  readChunkValues(chunk: number, samples: number, out: Columns): void {
    this.#chunks.readValues(chunk, samples, out);
  }

  /** Whether memory has a sample in `[fromMs, toMs]`, to the precision of chunks. */
  touches(ref: number, fromMs: number, toMs: number): boolean {
    const slot = this.index.slotOf(ref);
    if (slot === NONE) return false;
    if (this.#chunks.touches(slot, fromMs, toMs)) return true;
    const late = this.#late.get(slot);
    return late !== undefined && late.lowerBound(fromMs) < late.lowerBound(toMs + 1);
  }

  /** The time of the series' oldest sample in memory, Infinity when there is none. */
  firstTime(ref: number): number {
    const slot = this.index.slotOf(ref);
    if (slot === NONE) return Number.POSITIVE_INFINITY;
    return Math.min(this.#chunks.firstTime(slot), this.#late.get(slot)?.times[0] ?? Number.POSITIVE_INFINITY);
  }

  /** Appends the samples in `[fromMs, toMs]` to `out`, ascending; nothing when the series is gone. */
  read(ref: number, fromMs: number, toMs: number, out: Columns): void {
    const slot = this.index.slotOf(ref);
    if (slot === NONE) return;
    this.#readSlot(slot, { fromMs, toMs }, out);
    if (this.histogramRefs.has(ref)) this.#histograms.attach(slot, { fromMs, toMs }, out);
  }

  #readSlot(slot: number, { fromMs, toMs }: SelectRange, out: Columns): void {
    const late = this.#late.get(slot);
    if (late === undefined) {
      this.#chunks.read(slot, fromMs, toMs, out);
      return;
    }
    ordered.clear();
    this.#chunks.read(slot, fromMs, toMs, ordered);
    buffered.clear();
    buffered.append(late, late.lowerBound(fromMs), late.lowerBound(toMs + 1));
    mergeInto(ordered, buffered, mergeScratch);
    out.append(ordered, 0, ordered.length);
  }

  /** Drops everything before `windowMs`, the start of a window (or Infinity). */
  dropBefore(ref: number, windowMs: number): void {
    const slot = this.index.slotOf(ref);
    if (slot === NONE) return;
    this.#chunks.dropBefore(slot, windowMs);
    this.#histograms.dropBefore(slot, windowMs);
    const late = this.#late.get(slot);
    if (late === undefined) return;
    const gone = late.lowerBound(windowMs);
    late.cut(0, gone);
    this.#lateSamples -= gone;
    if (late.length === 0) this.#late.delete(slot);
  }

  /** Removes `[fromMs, toMs]` of a series and returns how many samples that were. */
  deleteRange(ref: number, fromMs: number, toMs: number): number {
    if (!this.touches(ref, fromMs, toMs)) return 0;
    const slot = this.index.slotOf(ref);
    found.clear();
    this.#readSlot(slot, { fromMs: Number.NEGATIVE_INFINITY, toMs: Number.POSITIVE_INFINITY }, found);
    const from = found.lowerBound(fromMs);
    const to = found.lowerBound(toMs + 1);
    found.cut(from, to);
    this.#dropLate(slot);
    this.#chunks.rewrite(slot, found);
    this.#histograms.deleteRange(slot, fromMs, toMs);
    return to - from;
  }
}

const marker = new Uint32Array(2);
const found = new Columns();
const ordered = new Columns();
const buffered = new Columns();
const mergeScratch = new Columns();

const sameBits = (columns: Columns, at: number, low: number, high: number): 'same' | 'other' =>
  columns.bits[2 * at] === low && columns.bits[2 * at + 1] === high ? 'same' : 'other';
