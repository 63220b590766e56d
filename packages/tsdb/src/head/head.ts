import type { Labels } from '@nines/model/labels.ts';
import { Columns, mergeInto } from '../codec/columns.ts';
import { AliasTable } from './alias-table.ts';
import { grownF64, grownU8 } from './growing.ts';
import { SeriesChunks } from './series-chunks.ts';
import { SeriesIndex } from './series-index.ts';

/**
 * Everything in memory: the index of all series, the chunks of recent samples, and a small sorted buffer for each series that
 * lately got a sample out of order. Every buffered sample is older than the newest one in the series' chunks.
 * It decides what happens to a sample, the same way when it arrives and when the log is replayed; it knows no disk.
 */

/** Buffered samples of one series before they are woven into its chunks. */
const MAX_BUFFERED = 64;

export type Inserted = 'stored' | 'same' | 'conflict';
/** Says whether a page holds the instant, and with these bits or others. */
export type PageLookup = (ref: number, time: number, low: number, high: number) => 'absent' | 'same' | 'other';

const LOGGED = 1;
const PERSISTED = 2;

export class Head {
  readonly index = new SeriesIndex();
  readonly aliases = new AliasTable();
  readonly chunks = new SeriesChunks();
  readonly #late = new Map<number, Columns>();
  #lateSamples = 0;
  readonly #onPage: PageLookup;
  /** Per series: the time of its newest and oldest sample anywhere, and of its newest on a page. */
  newest = new Float64Array(0);
  oldest = new Float64Array(0);
  paged = new Float64Array(0);
  #flags = new Uint8Array(0);

  constructor(onPage: PageLookup) {
    this.#onPage = onPage;
  }

  get samples(): number {
    return this.chunks.samples + this.#lateSamples;
  }

  get bytes(): number {
    return this.chunks.bytes + this.newest.length * 25 + this.#lateSamples * 16;
  }

  /** Adds a series that is not there. */
  addSeries(labels: Labels, ref = this.index.nextRef): number {
    this.index.add(labels, ref);
    const from = this.newest.length;
    this.chunks.reserve(ref + 1);
    this.newest = grownF64(this.newest, ref + 1);
    this.oldest = grownF64(this.oldest, ref + 1);
    this.paged = grownF64(this.paged, ref + 1);
    this.#flags = grownU8(this.#flags, ref + 1);
    this.newest.fill(Number.NEGATIVE_INFINITY, from);
    this.oldest.fill(Number.POSITIVE_INFINITY, from);
    this.paged.fill(Number.NEGATIVE_INFINITY, from);
    return ref;
  }

  /** Forgets a series and what memory holds of it. */
  removeSeries(ref: number): void {
    this.index.remove(ref);
    this.dropBefore(ref, Number.POSITIVE_INFINITY);
    this.newest[ref] = Number.NEGATIVE_INFINITY;
    this.oldest[ref] = Number.POSITIVE_INFINITY;
    this.paged[ref] = Number.NEGATIVE_INFINITY;
    this.#flags[ref] = 0;
  }

  /** Whether the log (or the page store) holds the definition of the series. */
  isDefined(ref: number): boolean {
    return this.#flags[ref] !== 0;
  }

  markLogged(ref: number): void {
    this.#flags[ref] = (this.#flags[ref] ?? 0) | LOGGED;
  }

  isPersisted(ref: number): boolean {
    return ((this.#flags[ref] ?? 0) & PERSISTED) !== 0;
  }

  /** The page store holds the series, with samples in `[oldestMs, newestMs]`. */
  markPersisted(ref: number, oldestMs: number, newestMs: number): void {
    this.#flags[ref] = (this.#flags[ref] ?? 0) | PERSISTED;
    this.paged[ref] = Math.max(this.paged[ref] ?? newestMs, newestMs);
    this.#widen(ref, oldestMs);
    this.#widen(ref, newestMs);
  }

  /**
   * Takes a sample. `bits[2 * index]` is the low half of its value. The rule for an instant that the series already has, in
   * memory or on a page: the same 64 bits are fine and change nothing, other bits are a conflict and the first stays. How
   * late a sample may be is decided before (append.ts), not here, so that a replay takes what was taken.
   */
  insert(ref: number, time: number, bits: Uint32Array, index: number): Inserted {
    const last = this.chunks.lastTime(ref);
    const low = bits[2 * index] ?? 0;
    const high = bits[2 * index + 1] ?? 0;
    if (time === last) return this.chunks.isLastValue(ref, low, high) ? 'same' : 'conflict';
    if (time < last) {
      const known = this.#lookup(ref, time, low, high);
      if (known !== 'absent') return known === 'same' ? 'same' : 'conflict';
    }
    if (time <= (this.paged[ref] ?? 0)) {
      const onPage = this.#onPage(ref, time, low, high);
      if (onPage !== 'absent') return onPage === 'same' ? 'same' : 'conflict';
    }
    if (time > last) this.chunks.append(ref, time, bits, index);
    else this.#addLate(ref, time, low, high);
    this.#widen(ref, time);
    return 'stored';
  }

  #widen(ref: number, time: number): void {
    if (time > (this.newest[ref] ?? 0)) this.newest[ref] = time;
    if (time < (this.oldest[ref] ?? 0)) this.oldest[ref] = time;
  }

  #lookup(ref: number, time: number, low: number, high: number): 'absent' | 'same' | 'other' {
    const late = this.#late.get(ref);
    const at = late?.indexOf(time) ?? -1;
    if (late !== undefined && at >= 0) return sameBits(late, at, low, high);
    if (time < this.chunks.firstTime(ref)) return 'absent';
    found.clear();
    this.chunks.read(ref, time, time, found);
    return found.length === 0 ? 'absent' : sameBits(found, 0, low, high);
  }

  #addLate(ref: number, time: number, low: number, high: number): void {
    let late = this.#late.get(ref);
    if (late === undefined) {
      late = new Columns(8);
      this.#late.set(ref, late);
    }
    late.insertAt(late.lowerBound(time), time, low, high);
    this.#lateSamples++;
    if (late.length >= MAX_BUFFERED) this.#weave(ref);
  }

  /** Joins the buffered samples of a series with its chunks. */
  #weave(ref: number): void {
    found.clear();
    this.read(ref, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, found);
    this.#dropLate(ref);
    this.chunks.rewrite(ref, found);
  }

  #dropLate(ref: number): void {
    this.#lateSamples -= this.#late.get(ref)?.length ?? 0;
    this.#late.delete(ref);
  }

  hasSamples(ref: number): boolean {
    return !this.chunks.isEmpty(ref);
  }

  /** Whether the series has samples that came late and are not in its chunks. */
  hasLate(ref: number): boolean {
    return this.#late.size > 0 && this.#late.has(ref);
  }

  /** Whether memory has a sample in `[fromMs, toMs]`, to the precision of chunks. */
  touches(ref: number, fromMs: number, toMs: number): boolean {
    if (this.chunks.touches(ref, fromMs, toMs)) return true;
    const late = this.#late.get(ref);
    return late !== undefined && late.lowerBound(fromMs) < late.lowerBound(toMs + 1);
  }

  /** The time of the series' oldest sample in memory, Infinity when there is none. */
  firstTime(ref: number): number {
    return Math.min(this.chunks.firstTime(ref), this.#late.get(ref)?.times[0] ?? Number.POSITIVE_INFINITY);
  }

  /** Appends the samples in `[fromMs, toMs]` to `out`, ascending. */
  read(ref: number, fromMs: number, toMs: number, out: Columns): void {
    const late = this.#late.get(ref);
    if (late === undefined) {
      this.chunks.read(ref, fromMs, toMs, out);
      return;
    }
    ordered.clear();
    this.chunks.read(ref, fromMs, toMs, ordered);
    buffered.clear();
    buffered.append(late, late.lowerBound(fromMs), late.lowerBound(toMs + 1));
    mergeInto(ordered, buffered, mergeScratch);
    out.append(ordered, 0, ordered.length);
  }

  /** Drops everything before `windowMs`, the start of a window (or Infinity). */
  dropBefore(ref: number, windowMs: number): void {
    this.chunks.dropBefore(ref, windowMs);
    const late = this.#late.get(ref);
    if (late === undefined) return;
    const gone = late.lowerBound(windowMs);
    late.cut(0, gone);
    this.#lateSamples -= gone;
    if (late.length === 0) this.#late.delete(ref);
  }

  /** Removes `[fromMs, toMs]` of a series and returns how many samples that were. */
  deleteRange(ref: number, fromMs: number, toMs: number): number {
    if (!this.touches(ref, fromMs, toMs)) return 0;
    found.clear();
    this.read(ref, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, found);
    const from = found.lowerBound(fromMs);
    const to = found.lowerBound(toMs + 1);
    found.cut(from, to);
    this.#dropLate(ref);
    this.chunks.rewrite(ref, found);
    return to - from;
  }
}

const found = new Columns();
const ordered = new Columns();
const buffered = new Columns();
const mergeScratch = new Columns();

const sameBits = (columns: Columns, at: number, low: number, high: number): 'same' | 'other' =>
  columns.bits[2 * at] === low && columns.bits[2 * at + 1] === high ? 'same' : 'other';
