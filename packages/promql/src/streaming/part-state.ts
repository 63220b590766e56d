import { type Labels, METRIC_NAME, labelsKey, withLabels } from '@nines/model/labels.ts';
import { bitsOf, isStale } from '@nines/model/stale.ts';
import type { SeriesColumns } from '@nines/model/storage.ts';
import { foldOf } from '../aggregate.ts';
import type { Fold } from '../folds.ts';
import { quantileOf } from '../functions/quantile.ts';
import { type Grouping, groupingOf } from '../grouping.ts';
import { type Part, type PartAggregate, keepsName } from './plan.ts';
import { type SlotOptions, type Slots, slotsFor } from './slots.ts';

/** One result at the end of an interval. */
export type StreamedElement = { readonly labels: Labels; readonly value: number };

/** Why the state cannot tell a value, so that a query must: nothing was read yet, and what the names say. */
export type Unknown = 'unread' | 'late' | 'histogram' | 'overflow' | 'series_limit';
export type PartValue =
  | { readonly kind: 'known'; readonly elements: readonly StreamedElement[] }
  | { readonly kind: 'unknown'; readonly why: Unknown };

/** Samples that may come while the store is read; beyond it, it is read again. */
const MAX_HELD = 1_000_000;
/** A part with too many series tries again after so long. */
const LIMITED_MS = 300_000;
/** Series without a value that are kept before all are read again without them. */
const MIN_GONE = 1024;

export type PartOptions = SlotOptions & { readonly maxSeries: number };
/** `stale`: a staleness marker. */
export type StreamedSample = { readonly atMs: number; readonly value: number; readonly stale: boolean };
type Held = StreamedSample & { readonly ref: number; readonly labels: Labels };

/**
 * The state of one part: fed by every committed sample of its series in whatever order, it tells the part's value at the end of
 * each interval as a query then would. What it cannot follow (a sample that is late, a first sight) makes it ask for the store
 * to be read again, which also forgets the series that are no more.
 */
export class PartState {
  readonly part: Part;
  readonly #options: PartOptions;
  readonly #slots: Slots;
  readonly #grouping: Grouping | undefined;
  readonly #slotOfRef = new Map<number, number>();
  readonly #slotOfKey = new Map<string, number>();
  /** Per slot, or per group where there is an aggregation. */
  #labels: Labels[] = [];
  readonly #groups = new Map<string, number>();
  #groupOfSlot = new Uint32Array(0);
  #newestMs = new Float64Array(0);
  #count = 0;
  #settled = 0;
  #unread: Unknown | undefined = 'unread';
  /** The earliest sample that is too far ahead to have a cell. */
  #aheadMs = Number.POSITIVE_INFINITY;
  #histogramMs = Number.NEGATIVE_INFINITY;
  #limitedUntilMs = 0;
  #held: Held[] | undefined;

  constructor(part: Part, options: PartOptions) {
    this.part = part;
    this.#options = options;
    this.#slots = slotsFor(part.inner, options);
    this.#grouping = part.aggregate === undefined ? undefined : groupingOf(part.aggregate);
  }

  get series(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#newestMs.length * (this.#slots.bytesPerSlot + 12);
  }

  /** `ref` is the store's number of the series, `labelsOf` tells its labels. */
  add(ref: number, sample: StreamedSample, labelsOf: (ref: number) => Labels): void {
    if (this.#held !== undefined) {
      if (this.#held.length < MAX_HELD) this.#held.push({ ref, labels: labelsOf(ref), ...sample });
      else this.#unread = 'late';
      return;
    }
    if (this.#unread !== undefined) return;
    const slot = this.#slotOfRef.get(ref) ?? this.#bind(ref, labelsOf(ref));
    if (slot !== undefined) this.#place(slot, sample.atMs, sample.value, sample.stale);
  }

  /** A native histogram came: as long as a window may hold it, queries tell the value. */
  addHistogram(atMs: number): void {
    this.#histogramMs = Math.max(this.#histogramMs, atMs);
  }

  /** Something about the samples changed that was not told one by one. */
  lose(): void {
    this.#unread ??= 'late';
  }

  /** Whether the store must be read before the end of interval `k` can be told. */
  needsRead(k: number): boolean {
    const { intervalMs, ahead } = this.#options;
    if (k * intervalMs < this.#limitedUntilMs) return false;
    if (k > this.#settled + ahead) this.lose();
    return this.#unread !== undefined || this.#aheadMs <= (k - 1 + ahead) * intervalMs;
  }

  /** After what instant the samples of a reading for interval `k` begin. */
  readAfterMs(k: number): number {
    return k * this.#options.intervalMs - this.part.inner.rangeMs;
  }

  /** From here on samples that come are held back, and `load` takes what the store has. */
  beginRead(k: number): void {
    this.#slots.clear();
    this.#newestMs.fill(Number.NEGATIVE_INFINITY);
    this.#slotOfRef.clear();
    this.#slotOfKey.clear();
    this.#groups.clear();
    this.#labels = [];
    this.#count = 0;
    this.#settled = k - 1;
    this.#unread = undefined;
    this.#aheadMs = Number.POSITIVE_INFINITY;
    this.#histogramMs = Number.NEGATIVE_INFINITY;
    this.#held = [];
  }

  load({ labels, times, values, histograms }: SeriesColumns): void {
    const slot = this.#unread === undefined ? this.#slotOf(labels) : undefined;
    if (slot === undefined) return;
    const bits = bitsOf(values);
    for (let i = 0; i < times.length; i++) {
      const atMs = times[i] as number;
      if (histograms?.[i] !== undefined) this.addHistogram(atMs);
      this.#place(slot, atMs, values[i] as number, isStale(bits, i));
    }
  }

  /** Without `whole` the reading failed, and has to be done again. */
  endRead(whole: boolean): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    if (!whole) this.#unread = 'unread';
    for (const { ref, labels, ...sample } of held) this.add(ref, sample, () => labels);
  }

  /** The value at the end of interval `k`, which is then settled. */
  valueAt(k: number): PartValue {
    const { intervalMs } = this.#options;
    const why = this.#unread ?? (this.#histogramMs > this.readAfterMs(k) ? 'histogram' : undefined);
    if (why !== undefined) return { kind: 'unknown', why };
    const settled = this.#settled;
    this.#settled = k;
    const collect = this.part.aggregate === undefined ? new Plain(this.#labels) : new Folded(this.#labels, this.part.aggregate);
    const isMean = this.part.inner.kind === 'window' && this.part.inner.func === 'avg_over_time';
    let gone = 0;
    let overflows = false;
    for (let slot = 0; slot < this.#count; slot++) {
      const value = this.#slots.valueAt(slot, k, settled);
      if (value === undefined) {
        if ((this.#newestMs[slot] as number) <= k * intervalMs - this.part.inner.rangeMs) gone++;
        continue;
      }
      // The mean of samples whose sum is no number may be one: a query takes more care.
      if (isMean && !Number.isFinite(value)) overflows = true;
      collect.add(this.part.aggregate === undefined ? slot : (this.#groupOfSlot[slot] as number), value);
    }
    if (gone > MIN_GONE && gone * 2 > this.#count) this.lose();
    return overflows ? { kind: 'unknown', why: 'overflow' } : { kind: 'known', elements: collect.elements() };
  }

  #bind(ref: number, labels: Labels): number | undefined {
    const slot = this.#slotOf(labels);
    if (slot !== undefined) this.#slotOfRef.set(ref, slot);
    return slot;
  }

  #slotOf(labels: Labels): number | undefined {
    const key = labelsKey(labels);
    const known = this.#slotOfKey.get(key);
    if (known !== undefined) return known;
    if (this.#count === this.#options.maxSeries) {
      this.#unread = 'series_limit';
      this.#limitedUntilMs = this.#settled * this.#options.intervalMs + LIMITED_MS;
      return undefined;
    }
    const slot = this.#count++;
    if (slot === this.#newestMs.length) this.#grow(Math.min(Math.max(64, slot * 2), this.#options.maxSeries));
    this.#slotOfKey.set(key, slot);
    if (this.#grouping === undefined) this.#labels.push(keepsName(this.part) ? labels : withLabels(labels, { [METRIC_NAME]: '' }));
    else this.#groupOfSlot[slot] = this.#groupOf(labels, this.#grouping);
    return slot;
  }

  #groupOf(labels: Labels, grouping: Grouping): number {
    const key = grouping.key(labels);
    const known = this.#groups.get(key);
    if (known !== undefined) return known;
    this.#groups.set(key, this.#groups.size);
    this.#labels.push(grouping.labels(labels));
    return this.#groups.size - 1;
  }

  #grow(slots: number): void {
    const newest = new Float64Array(slots).fill(Number.NEGATIVE_INFINITY);
    newest.set(this.#newestMs);
    this.#newestMs = newest;
    const groups = new Uint32Array(slots);
    groups.set(this.#groupOfSlot);
    this.#groupOfSlot = groups;
    this.#slots.grow(slots);
  }

  #place(slot: number, atMs: number, value: number, stale: boolean): void {
    const { intervalMs, ahead } = this.#options;
    const newestMs = this.#newestMs[slot] as number;
    // The same again is the only sample that the store takes twice for one instant.
    if (atMs === newestMs) return;
    if (atMs < newestMs) {
      if (this.#matters(atMs, newestMs)) this.#unread = 'late';
      return;
    }
    const k = Math.ceil(atMs / intervalMs);
    if (k > this.#settled + ahead) {
      this.#aheadMs = Math.min(this.#aheadMs, atMs);
      return;
    }
    this.#newestMs[slot] = atMs;
    this.#slots.add(slot, { k, settled: this.#settled, atMs, value, stale });
  }

  /** Whether a sample behind a newer one of its series can change any value that is still to be told. */
  #matters(atMs: number, newestMs: number): boolean {
    const nextMs = (this.#settled + 1) * this.#options.intervalMs;
    return this.part.inner.kind === 'newest' ? newestMs > nextMs : atMs > nextMs - this.part.inner.rangeMs;
  }
}

/** Every series for itself. */
class Plain {
  readonly #labels: readonly Labels[];
  readonly #elements: StreamedElement[] = [];

  constructor(labels: readonly Labels[]) {
    this.#labels = labels;
  }

  add(slot: number, value: number): void {
    this.#elements.push({ labels: this.#labels[slot] ?? [], value });
  }

  elements(): readonly StreamedElement[] {
    return this.#elements;
  }
}

/** Series folded into groups as they come, by the same arithmetic as in a query. */
class Folded {
  readonly #labels: readonly Labels[];
  readonly #make: () => Fold;
  readonly #folds: (Fold | undefined)[] = [];
  readonly #row = { labels: [], dropName: false, values: new Float64Array(1), has: null };

  constructor(labels: readonly Labels[], aggregate: PartAggregate) {
    this.#labels = labels;
    this.#make = aggregate.op === 'quantile' ? () => new QuantileFold(aggregate.phi) : () => foldOf(aggregate.op, 1);
  }

  add(group: number, value: number): void {
    this.#row.values[0] = value;
    (this.#folds[group] ??= this.#make()).add(this.#row);
  }

  elements(): readonly StreamedElement[] {
    const elements: StreamedElement[] = [];
    this.#folds.forEach((fold, group) => {
      const value = fold?.finish().values[0];
      if (value !== undefined) elements.push({ labels: this.#labels[group] ?? [], value });
    });
    return elements;
  }
}

class QuantileFold implements Fold {
  readonly #phi: number;
  readonly #values: number[] = [];

  constructor(phi: number) {
    this.#phi = phi;
  }

  add({ values }: { readonly values: Float64Array }): void {
    this.#values.push(values[0] as number);
  }

  finish(): { readonly values: Float64Array; readonly has: Uint8Array } {
    return { values: Float64Array.of(quantileOf(this.#phi, Float64Array.from(this.#values))), has: Uint8Array.of(1) };
  }
}
