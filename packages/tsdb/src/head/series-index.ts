import type { Matcher } from '@nines/base/matcher.ts';
import { type Labels, METRIC_NAME } from '@nines/model/labels.ts';
import { grownU32, grownU8 } from './growing.ts';
import { Postings } from './postings.ts';
import { type Steps, finish } from '../steps.ts';

/**
 * Every series the store knows, in the head or on pages: reference → labels, labels → reference, label pairs → references.
 * A reference is given once and never again, not even after the series is gone. Label texts are kept once, as symbols.
 */
export const NONE = 0xffffffff;
const MIN_TABLE = 1024;
const LIVE = 1;
/** Values a matcher looks at between two steps: about a millisecond of a pattern's time. */
const VALUES_PER_STEP = 4096;
/** Sorting a reference costs about as much as looking at this many marks. */
const MARKING_PAYS = 32;

export class SeriesIndex {
  readonly #symbols = new Map<string, number>();
  readonly #texts: string[] = [];
  readonly #postings = new Postings();
  readonly #metricNameId = this.#intern(METRIC_NAME);
  /** Per series `[pairFrom[ref], pairFrom[ref] + 2 * pairCount[ref])` of `pairs`: name and value symbols in turn. */
  #pairs = new Uint32Array(1024);
  #pairsUsed = 0;
  #pairFrom = new Uint32Array(256);
  #pairCount = new Uint8Array(256);
  #flags = new Uint8Array(256);
  /** Open addressing, linear probing; holds reference + 1. Removed series stay as stepping stones until the next growth. */
  #table = new Uint32Array(MIN_TABLE);
  #tableUsed = 0;
  /** One above the highest reference ever given. */
  nextRef = 0;
  /** Series that are there. */
  size = 0;

  isLive(ref: number): boolean {
    return this.#flags[ref] === LIVE;
  }

  /** The reference of a canonical label set, or `NONE`. */
  find(labels: Labels): number {
    const ids = this.#idsOf(labels);
    return ids === undefined ? NONE : this.#findIds(ids);
  }

  /** Adds a canonical label set that is not there, under a reference that was never given. */
  add(labels: Labels, ref = this.nextRef): number {
    const ids = Uint32Array.from(labels, (text) => this.#intern(text));
    this.#pairs = grownU32(this.#pairs, this.#pairsUsed + ids.length);
    this.#pairFrom = grownU32(this.#pairFrom, ref + 1);
    this.#pairCount = grownU8(this.#pairCount, ref + 1);
    this.#flags = grownU8(this.#flags, ref + 1);
    this.#pairs.set(ids, this.#pairsUsed);
    this.#pairFrom[ref] = this.#pairsUsed;
    this.#pairCount[ref] = ids.length / 2;
    this.#flags[ref] = LIVE;
    this.#pairsUsed += ids.length;
    this.nextRef = Math.max(this.nextRef, ref + 1);
    this.size++;
    if ((this.#tableUsed + 1) * 2 > this.#table.length) this.#rebuildTable();
    else this.#place(ref);
    for (let i = 0; i < ids.length; i += 2) this.#postings.add(ids[i] ?? 0, ids[i + 1] ?? 0, ref);
    return ref;
  }

  remove(ref: number): void {
    if (!this.isLive(ref)) return;
    this.#flags[ref] = 0;
    this.size--;
    const from = this.#pairFrom[ref] ?? 0;
    for (let i = 0; i < (this.#pairCount[ref] ?? 0); i++)
      this.#postings.remove(this.#pairs[from + 2 * i] ?? 0, this.#pairs[from + 2 * i + 1] ?? 0, ref);
  }

  /** Also of a removed series, whose labels callers may still hold a reference to. */
  labelsOf(ref: number): Labels {
    const from = this.#pairFrom[ref] ?? 0;
    const to = from + 2 * (this.#pairCount[ref] ?? 0);
    const labels: string[] = [];
    for (let i = from; i < to; i++) labels.push(this.#texts[this.#pairs[i] as number] as string);
    return labels;
  }

  /** The value of a label, '' when the series has none. */
  valueOf(ref: number, name: string): string {
    const nameId = this.#symbols.get(name);
    if (nameId === undefined) return '';
    const valueId = this.#valueId(ref, nameId);
    return valueId === NONE ? '' : (this.#texts[valueId] ?? '');
  }

  /** How many series have the label with this value. */
  count(name: string, value: string): number {
    return this.#postings.count(this.#symbols.get(name) ?? NONE, this.#symbols.get(value) ?? NONE);
  }

  /** Label names that series have. Valid while the index changes: names that go or come meanwhile may be missed. */
  *names(): Generator<string> {
    for (const nameId of this.#postings.names()) yield this.#texts[nameId] ?? '';
  }

  /** The values of a label with the number of their series; valid while the index changes, as `names`. */
  *valuesOf(name: string): Generator<{ readonly value: string; readonly series: number }> {
    const nameId = this.#symbols.get(name) ?? NONE;
    for (const valueId of this.#postings.values(nameId)) {
      const series = this.#postings.count(nameId, valueId);
      if (series > 0) yield { value: this.#texts[valueId] ?? '', series };
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
    return this.#texts[id] ?? '';
  }

  /** References of the series that satisfy all matchers, ascending. The array belongs to the caller. */
  select(matchers: readonly Matcher[]): Uint32Array {
    return finish(this.selecting(matchers));
  }

  /** `select` in steps. Series that come or go in between may be missing or listed. */
  *selecting(matchers: readonly Matcher[]): Steps<Uint32Array> {
    const first = this.#mostSelective(matchers);
    let refs = first === undefined ? this.#all() : yield* this.#refsOf(first);
    for (const matcher of matchers) if (matcher !== first) refs = yield* this.#filter(refs, matcher);
    return refs;
  }

  /** Bytes of the typed arrays; symbols and postings come on top. */
  get bytes(): number {
    return (
      this.#pairs.byteLength + this.#pairFrom.byteLength + this.#pairCount.byteLength + this.#flags.byteLength + this.#table.byteLength
    );
  }

  /** The matcher with the shortest list that cannot match a missing label; `=` before patterns, which cost a run per value. */
  #mostSelective(matchers: readonly Matcher[]): Matcher | undefined {
    let best: Matcher | undefined;
    let bestCount = Number.POSITIVE_INFINITY;
    for (const matcher of matchers) {
      if (matcher.op !== '=' || matcher.value === '') continue;
      const count = this.#postings.count(this.#symbols.get(matcher.name) ?? NONE, this.#symbols.get(matcher.value) ?? NONE);
      if (count < bestCount) {
        best = matcher;
        bestCount = count;
      }
    }
    return best ?? matchers.find((matcher) => !matcher.matches(''));
  }

  *#refsOf(matcher: Matcher): Steps<Uint32Array> {
    const nameId = this.#symbols.get(matcher.name) ?? NONE;
    if (matcher.op === '=') return this.#postings.refs(nameId, this.#symbols.get(matcher.value) ?? NONE).slice();
    const literals = matcher.op === '=~' ? matcher.regex?.literals : undefined;
    // Copied, because values may come and go between two steps.
    const valueIds = new Set(literals?.map((text) => this.#symbols.get(text) ?? NONE) ?? this.#postings.values(nameId));
    const matching: number[] = [];
    let count = 0;
    let looked = 0;
    for (const valueId of valueIds) {
      if (literals !== undefined || matcher.matches(this.#texts[valueId] ?? '')) {
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

  #all(): Uint32Array {
    const refs = new Uint32Array(this.size);
    let count = 0;
    for (let ref = 0; ref < this.nextRef; ref++) if (this.isLive(ref)) refs[count++] = ref;
    return refs;
  }

  /** Keeps what satisfies the matcher, which runs once per distinct value. */
  *#filter(refs: Uint32Array, matcher: Matcher): Steps<Uint32Array> {
    const nameId = this.#symbols.get(matcher.name) ?? NONE;
    const known = new Map<number, boolean>();
    let kept = 0;
    for (let i = 0; i < refs.length; i++) {
      const ref = refs[i] as number;
      const valueId = this.#valueId(ref, nameId);
      let matches = known.get(valueId);
      if (matches === undefined) {
        matches = matcher.matches(valueId === NONE ? '' : (this.#texts[valueId] ?? ''));
        known.set(valueId, matches);
      }
      if (matches) refs[kept++] = ref;
      if (i % VALUES_PER_STEP === VALUES_PER_STEP - 1) yield;
    }
    return refs.subarray(0, kept);
  }

  #valueId(ref: number, nameId: number): number {
    const from = this.#pairFrom[ref] ?? 0;
    const to = from + 2 * (this.#pairCount[ref] ?? 0);
    for (let i = from; i < to; i += 2) if (this.#pairs[i] === nameId) return this.#pairs[i + 1] ?? NONE;
    return NONE;
  }

  #intern(text: string): number {
    const known = this.#symbols.get(text);
    if (known !== undefined) return known;
    const id = this.#texts.length;
    this.#symbols.set(text, id);
    this.#texts.push(text);
    return id;
  }

  #idsOf(labels: Labels): Uint32Array | undefined {
    const ids = new Uint32Array(labels.length);
    for (let i = 0; i < labels.length; i++) {
      const id = this.#symbols.get(labels[i] ?? '');
      if (id === undefined) return undefined;
      ids[i] = id;
    }
    return ids;
  }

  #findIds(ids: Uint32Array): number {
    const mask = this.#table.length - 1;
    for (let slot = hashIds(ids, 0, ids.length) & mask; ; slot = (slot + 1) & mask) {
      const entry = this.#table[slot] ?? 0;
      if (entry === 0) return NONE;
      const ref = entry - 1;
      if (this.isLive(ref) && this.#hasIds(ref, ids)) return ref;
    }
  }

  #hasIds(ref: number, ids: Uint32Array): boolean {
    if ((this.#pairCount[ref] ?? 0) * 2 !== ids.length) return false;
    const from = this.#pairFrom[ref] ?? 0;
    for (let i = 0; i < ids.length; i++) if (this.#pairs[from + i] !== ids[i]) return false;
    return true;
  }

  #place(ref: number): void {
    const mask = this.#table.length - 1;
    const from = this.#pairFrom[ref] ?? 0;
    let slot = hashIds(this.#pairs, from, from + 2 * (this.#pairCount[ref] ?? 0)) & mask;
    while (this.#table[slot] !== 0) slot = (slot + 1) & mask;
    this.#table[slot] = ref + 1;
    this.#tableUsed++;
  }

  #rebuildTable(): void {
    let length = MIN_TABLE;
    while (length < this.size * 4) length *= 2;
    this.#table = new Uint32Array(length);
    this.#tableUsed = 0;
    for (let ref = 0; ref < this.nextRef; ref++) if (this.isLive(ref)) this.#place(ref);
  }
}

/** FNV-1a over whole words with a final mix; collisions cost a comparison, never a wrong series. */
function hashIds(ids: Uint32Array, from: number, to: number): number {
  let hash = 0x811c9dc5;
  for (let i = from; i < to; i++) hash = Math.imul(hash ^ (ids[i] ?? 0), 0x01000193);
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}
