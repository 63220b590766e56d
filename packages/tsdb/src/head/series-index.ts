import type { Matcher } from '@nines/base/matcher.ts';
import { type Labels, METRIC_NAME } from '@nines/model/labels.ts';
import { type Steps, finish } from '../steps.ts';
import { grownU32, grownU8 } from './growing.ts';
import { LabelSymbols } from './label-symbols.ts';
import { Postings } from './postings.ts';
import { NONE, Slots } from './slots.ts';
import { Symbols } from './symbols.ts';

export { NONE };

/**
 * Every series the store knows, in the head or on pages: reference → labels, labels → reference, label pairs → references.
 * A reference is given once and never again, not even after the series is gone; what memory holds of a series (its texts,
 * its place in arrays) goes with it.
 */
const MIN_TABLE = 1024;
/** Values a matcher looks at between two steps: about a millisecond of a pattern's time. */
const VALUES_PER_STEP = 4096;
/** Sorting a reference costs about as much as looking at this many marks. */
const MARKING_PAYS = 32;
/** Label pairs of removed series that may stay in `#pairs` whatever the rest is. */
const MIN_GARBAGE = 4096;

export class SeriesIndex {
  readonly #slots = new Slots();
  readonly #symbols = new Symbols();
  readonly #labelSymbols = new LabelSymbols(this.#symbols);
  readonly #postings = new Postings();
  readonly #metricNameId = this.#symbols.take(METRIC_NAME);
  /** Per series `[pairFrom[slot], pairFrom[slot] + 2 * pairCount[slot])` of `pairs`: name and value symbols in turn. */
  #pairs = new Uint32Array(1024);
  #pairsUsed = 0;
  #pairsGarbage = 0;
  #pairFrom = new Uint32Array(256);
  #pairCount = new Uint8Array(256);
  /** Open addressing, linear probing; holds slot + 1. Removed series stay as stepping stones until the table is made anew. */
  #table = new Uint32Array(MIN_TABLE);
  #tableUsed = 0;
  /** How many times series were removed. */
  #removals = 0;
  /** One above the highest reference ever given. */
  nextRef = 0;
  readonly #seed: number;

  /** A `seed` that senders do not know keeps them from choosing labels that all fall into one place. */
  constructor(seed = 0) {
    this.#seed = seed;
  }

  /** Series that are there. */
  get size(): number {
    return this.#slots.size;
  }

  isLive(ref: number): boolean {
    return this.#slots.of(ref) !== NONE;
  }

  /** Where arrays hold what belongs to the series; `NONE` when it is gone. Never kept: the slot may soon be another series'. */
  slotOf(ref: number): number {
    return this.#slots.of(ref);
  }

  /** The length that arrays by slot need. */
  get slotCount(): number {
    return this.#slots.count;
  }

  /** The references of all series, ascending. */
  refs(): Uint32Array {
    return this.#slots.refs();
  }

  /** The reference of a canonical label set, or `NONE`. */
  find(labels: Labels): number {
    const ids = this.#idsOf(labels);
    return ids === undefined ? NONE : this.#findIds(ids);
  }

  /** Adds a canonical label set that is not there, under a reference that was never given. */
  add(labels: Labels, ref = this.nextRef): number {
    const ids = new Uint32Array(labels.length);
    for (let i = 0; i < labels.length; i++) ids[i] = this.#symbols.take(labels[i] as string);
    this.#insert(ids, ids.length, ref);
    return ref;
  }

  /** The same from canonical bytes, `bytes[from, to)`. Throws `CorruptData`; nothing is added then. */
  addBytes(bytes: Uint8Array, from: number, to: number, ref: number): void {
    const count = this.#labelSymbols.take(bytes, from, to);
    this.#insert(this.#labelSymbols.ids, count, ref);
  }

  #insert(ids: Uint32Array, length: number, ref: number): void {
    const slot = this.#slots.take(ref);
    this.#pairs = grownU32(this.#pairs, this.#pairsUsed + length);
    this.#pairFrom = grownU32(this.#pairFrom, slot + 1);
    this.#pairCount = grownU8(this.#pairCount, slot + 1);
    for (let i = 0; i < length; i++) this.#pairs[this.#pairsUsed + i] = ids[i] as number;
    this.#pairFrom[slot] = this.#pairsUsed;
    this.#pairCount[slot] = length / 2;
    this.#pairsUsed += length;
    this.nextRef = Math.max(this.nextRef, ref + 1);
    if ((this.#tableUsed + 1) * 2 > this.#table.length) this.#rebuildTable();
    else this.#place(slot);
    for (let i = 0; i < length; i += 2) this.#postings.add(ids[i] as number, ids[i + 1] as number, ref);
  }

  /** Forgets series, which are there. Each list of references they are in is gone through once, so many at a time cost little more than one. */
  remove(refs: readonly number[]): void {
    const gone = new Map<number, Map<number, number[]>>();
    for (const ref of refs.toSorted((a, b) => a - b)) {
      const slot = this.#slots.of(ref);
      const from = this.#pairFrom[slot] ?? 0;
      const length = 2 * (this.#pairCount[slot] ?? 0);
      for (let i = from; i < from + length; i += 2) listIn(gone, this.#pairs[i] ?? 0, this.#pairs[i + 1] ?? 0).push(ref);
    }
    this.#postings.remove(gone);
    for (const ref of refs) {
      const slot = this.#slots.of(ref);
      const from = this.#pairFrom[slot] ?? 0;
      const length = 2 * (this.#pairCount[slot] ?? 0);
      for (let i = from; i < from + length; i++) this.#symbols.release(this.#pairs[i] ?? 0);
      this.#pairsGarbage += length;
      this.#pairCount[slot] = 0;
      this.#slots.release(ref);
    }
    this.#removals++;
    if (this.#pairsGarbage > Math.max(MIN_GARBAGE, this.#pairsUsed / 2)) this.#compactPairs();
    if (this.#table.length > Math.max(MIN_TABLE, 16 * this.size)) this.#rebuildTable();
  }

  /** Empty when the series is gone. */
  labelsOf(ref: number): Labels {
    const slot = this.#slots.of(ref);
    const from = this.#pairFrom[slot] ?? 0;
    const to = from + 2 * (this.#pairCount[slot] ?? 0);
    const labels: string[] = [];
    for (let i = from; i < to; i++) labels.push(this.#symbols.text(this.#pairs[i] as number));
    return labels;
  }

  /** The value of a label, '' when the series has none. */
  valueOf(ref: number, name: string): string {
    const valueId = this.#valueId(ref, this.#symbols.find(name));
    return valueId === NONE ? '' : this.#symbols.text(valueId);
  }

  /** How many series have the label with this value. */
  count(name: string, value: string): number {
    return this.#postings.count(this.#symbols.find(name), this.#symbols.find(value));
  }

  /** Label names that series have. Valid while the index changes: names that go or come meanwhile may be missed. */
  *names(): Generator<string> {
    for (const nameId of this.#postings.names()) yield this.#symbols.text(nameId);
  }

  /** The values of a label with the number of their series; valid while the index changes, as `names`. */
  *valuesOf(name: string): Generator<{ readonly value: string; readonly series: number }> {
    const nameId = this.#symbols.find(name);
    for (const valueId of this.#postings.values(nameId)) {
      const series = this.#postings.count(nameId, valueId);
      if (series > 0) yield { value: this.#symbols.text(valueId), series };
    }
  }

  metricOf(ref: number): string {
    return this.valueOf(ref, METRIC_NAME);
  }

  /** A number for the metric's name, the same for all its series; `textOf` has the name. */
  metricIdOf(ref: number): number {
    return this.#valueId(ref, this.#metricNameId);
  }

  textOf(id: number): string {
    return this.#symbols.text(id);
  }

  /** References of the series that satisfy all matchers, ascending. The array belongs to the caller. */
  select(matchers: readonly Matcher[]): Uint32Array {
    return finish(this.selecting(matchers));
  }

  /** `select` in steps. Series that come or go in between may be missing or listed. */
  *selecting(matchers: readonly Matcher[]): Steps<Uint32Array> {
    for (;;) {
      const removals = this.#removals;
      const refs = yield* this.#selectingOnce(matchers);
      // When series went in between, the numbers of their texts may stand for others by now.
      if (removals === this.#removals) return refs;
    }
  }

  *#selectingOnce(matchers: readonly Matcher[]): Steps<Uint32Array> {
    const first = this.#mostSelective(matchers);
    let refs = first === undefined ? this.refs() : yield* this.#refsOf(first);
    for (const matcher of matchers) if (matcher !== first) refs = yield* this.#filter(refs, matcher);
    return refs;
  }

  /** Distinct label names and values in use. */
  get textCount(): number {
    return this.#symbols.size;
  }

  /** Bytes of the typed arrays; symbols and postings come on top. */
  get bytes(): number {
    return this.#pairs.byteLength + this.#pairFrom.byteLength + this.#pairCount.byteLength + this.#slots.bytes + this.#table.byteLength;
  }

  /** The matcher with the shortest list that cannot match a missing label; `=` before patterns, which cost a run per value. */
  #mostSelective(matchers: readonly Matcher[]): Matcher | undefined {
    let best: Matcher | undefined;
    let bestCount = Number.POSITIVE_INFINITY;
    for (const matcher of matchers) {
      if (matcher.op !== '=' || matcher.value === '') continue;
      const count = this.#postings.count(this.#symbols.find(matcher.name), this.#symbols.find(matcher.value));
      if (count < bestCount) {
        best = matcher;
        bestCount = count;
      }
    }
    return best ?? matchers.find((matcher) => !matcher.matches(''));
  }

  *#refsOf(matcher: Matcher): Steps<Uint32Array> {
    const nameId = this.#symbols.find(matcher.name);
    if (matcher.op === '=') return this.#postings.refs(nameId, this.#symbols.find(matcher.value)).slice();
    const literals = matcher.op === '=~' ? matcher.regex?.literals : undefined;
    // Copied, because values may come and go between two steps.
    const valueIds = new Set(literals?.map((text) => this.#symbols.find(text)) ?? this.#postings.values(nameId));
    const matching: number[] = [];
    let count = 0;
    let looked = 0;
    for (const valueId of valueIds) {
      if (literals !== undefined || matcher.matches(this.#symbols.text(valueId))) {
        matching.push(valueId);
        count += this.#postings.count(nameId, valueId);
      }
      if (++looked % VALUES_PER_STEP === 0) yield;
    }
    return this.#joined(nameId, matching, count);
  }

  /** The references of several values of a name, ascending. A series has one value per name, so none comes twice. */
  #joined(nameId: number, valueIds: readonly number[], count: number): Uint32Array {
    const [only] = valueIds;
    if (only === undefined) return new Uint32Array(0);
    if (valueIds.length === 1) return this.#postings.refs(nameId, only).slice();
    const refs = new Uint32Array(count);
    let at = 0;
    if (count * MARKING_PAYS < this.nextRef) {
      for (const valueId of valueIds) at = this.#postings.copy(nameId, valueId, refs, at);
      return refs.subarray(0, at).sort();
    }
    // Marking is quicker than sorting once much of all series matches.
    const marks = new Uint8Array(this.nextRef);
    for (const valueId of valueIds) this.#postings.mark(nameId, valueId, marks);
    for (let ref = 0; ref < marks.length && at < count; ref++) if (marks[ref] === 1) refs[at++] = ref;
    return refs.subarray(0, at);
  }

  /** Keeps what satisfies the matcher, which runs once per distinct value. */
  *#filter(refs: Uint32Array, matcher: Matcher): Steps<Uint32Array> {
    const nameId = this.#symbols.find(matcher.name);
    const known = new Map<number, boolean>();
    let kept = 0;
    for (let i = 0; i < refs.length; i++) {
      const ref = refs[i] as number;
      const valueId = this.#valueId(ref, nameId);
      let matches = known.get(valueId);
      if (matches === undefined) {
        matches = matcher.matches(valueId === NONE ? '' : this.#symbols.text(valueId));
        known.set(valueId, matches);
      }
      if (matches) refs[kept++] = ref;
      if (i % VALUES_PER_STEP === VALUES_PER_STEP - 1) yield;
    }
    return refs.subarray(0, kept);
  }

  #valueId(ref: number, nameId: number): number {
    const slot = this.#slots.of(ref);
    const from = this.#pairFrom[slot] ?? 0;
    const to = from + 2 * (this.#pairCount[slot] ?? 0);
    for (let i = from; i < to; i += 2) if (this.#pairs[i] === nameId) return this.#pairs[i + 1] ?? NONE;
    return NONE;
  }

  #idsOf(labels: Labels): Uint32Array | undefined {
    const ids = new Uint32Array(labels.length);
    for (let i = 0; i < labels.length; i++) {
      const id = this.#symbols.find(labels[i] ?? '');
      if (id === NONE) return undefined;
      ids[i] = id;
    }
    return ids;
  }

  #findIds(ids: Uint32Array): number {
    const mask = this.#table.length - 1;
    for (let slot = hashIds(ids, 0, ids.length, this.#seed) & mask; ; slot = (slot + 1) & mask) {
      const entry = this.#table[slot] ?? 0;
      if (entry === 0) return NONE;
      if (this.#hasIds(entry - 1, ids)) return this.#slots.refOf(entry - 1);
    }
  }

  /** A free slot has no labels; one that was given anew has those of its series, which may stand in the table twice. */
  #hasIds(slot: number, ids: Uint32Array): boolean {
    if ((this.#pairCount[slot] ?? 0) * 2 !== ids.length) return false;
    const from = this.#pairFrom[slot] ?? 0;
    for (let i = 0; i < ids.length; i++) if (this.#pairs[from + i] !== ids[i]) return false;
    return true;
  }

  #place(slot: number): void {
    const mask = this.#table.length - 1;
    const from = this.#pairFrom[slot] ?? 0;
    let at = hashIds(this.#pairs, from, from + 2 * (this.#pairCount[slot] ?? 0), this.#seed) & mask;
    while (this.#table[at] !== 0) at = (at + 1) & mask;
    this.#table[at] = slot + 1;
    this.#tableUsed++;
  }

  #rebuildTable(): void {
    let length = MIN_TABLE;
    while (length < this.size * 4) length *= 2;
    this.#table = new Uint32Array(length);
    this.#tableUsed = 0;
    for (let slot = 0; slot < this.#slots.count; slot++) if ((this.#pairCount[slot] ?? 0) > 0) this.#place(slot);
  }

  #compactPairs(): void {
    const pairs = new Uint32Array(Math.max(1024, this.#pairsUsed - this.#pairsGarbage));
    let used = 0;
    for (let slot = 0; slot < this.#slots.count; slot++) {
      const from = this.#pairFrom[slot] ?? 0;
      const length = 2 * (this.#pairCount[slot] ?? 0);
      pairs.set(this.#pairs.subarray(from, from + length), used);
      this.#pairFrom[slot] = used;
      used += length;
    }
    this.#pairs = pairs;
    this.#pairsUsed = used;
    this.#pairsGarbage = 0;
  }
}

function listIn(gone: Map<number, Map<number, number[]>>, nameId: number, valueId: number): number[] {
  let values = gone.get(nameId);
  if (values === undefined) {
    values = new Map();
    gone.set(nameId, values);
  }
  let list = values.get(valueId);
  if (list === undefined) {
    list = [];
    values.set(valueId, list);
  }
  return list;
}

/** FNV-1a over whole words with a final mix; collisions cost a comparison, never a wrong series. */
function hashIds(ids: Uint32Array, from: number, to: number, seed: number): number {
  let hash = 0x811c9dc5 ^ seed;
  // Folded at each step, so that which sequences meet depends on the seed.
  for (let i = from; i < to; i++) {
    hash = Math.imul(hash ^ (ids[i] ?? 0), 0x01000193);
    hash ^= hash >>> 15;
  }
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}
