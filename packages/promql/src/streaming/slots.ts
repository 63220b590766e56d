import { type Buckets, bucketsFor } from './buckets.ts';
import type { Inner } from './plan.ts';

/**
 * What is kept per series. Interval `k` holds the instants `(end(k - 1), end(k)]` with `end(k) = k * intervalMs`; `settled` is the
 * last interval whose end was evaluated. Cells form a ring per series, so that nothing is moved or given free.
 */
export interface Slots {
  readonly bytesPerSlot: number;
  grow(slots: number): void;
  clear(): void;
  /** The series' samples come in the order of time, none twice. */
  add(slot: number, sample: PlacedSample): void;
  /** The series' value at the end of interval `k`, which is `settled` or later. */
  valueAt(slot: number, k: number, settled: number): number | undefined;
}

export type PlacedSample = {
  readonly k: number;
  readonly settled: number;
  readonly atMs: number;
  readonly value: number;
  readonly stale: boolean;
};

export type SlotOptions = {
  readonly intervalMs: number;
  /** Intervals after the settled one that may have samples already. */
  readonly ahead: number;
};

export const slotsFor = (inner: Inner, options: SlotOptions): Slots =>
  inner.kind === 'newest' ? new NewestSlots(inner.rangeMs, options) : new WindowSlots(inner, options);

/** Intervals in a window, and with those that may come. */
export const ringOf = (inner: Inner, { intervalMs, ahead }: SlotOptions): number =>
  ahead + (inner.kind === 'newest' ? 0 : inner.rangeMs / intervalMs);

class WindowSlots implements Slots {
  readonly bytesPerSlot: number;
  readonly #intervalMs: number;
  readonly #ring: number;
  readonly #window: number;
  readonly #buckets: Buckets;
  /** Which interval a cell holds; 0 is none. */
  #intervals = new Int32Array(0);
  readonly #cells: Int32Array;

  constructor(inner: Inner, options: SlotOptions) {
    this.#intervalMs = options.intervalMs;
    this.#ring = ringOf(inner, options);
    this.#window = inner.rangeMs / options.intervalMs;
    this.#buckets = bucketsFor(inner);
    this.#cells = new Int32Array(this.#window);
    this.bytesPerSlot = this.#ring * (4 + this.#buckets.bytesPerCell);
  }

  grow(slots: number): void {
    const grown = new Int32Array(slots * this.#ring);
    grown.set(this.#intervals);
    this.#intervals = grown;
    this.#buckets.grow(grown.length);
  }

  clear(): void {
    this.#intervals.fill(0);
  }

  add(slot: number, { k, settled, atMs, value, stale }: PlacedSample): void {
    if (stale || k <= settled - this.#window) return;
    const cell = slot * this.#ring + (k % this.#ring);
    if (this.#intervals[cell] === k) return this.#buckets.more(cell, atMs, value);
    this.#intervals[cell] = k;
    this.#buckets.begin(cell, atMs, value);
  }

  valueAt(slot: number, k: number): number | undefined {
    const cells = this.#cells;
    const base = slot * this.#ring;
    let count = 0;
    for (let each = k - this.#window + 1; each <= k; each++) {
      const cell = base + (each % this.#ring);
      if (this.#intervals[cell] === each) cells[count++] = cell;
    }
    return count === 0 ? undefined : this.#buckets.read(cells, count, k * this.#intervalMs);
  }
}

/** The newest sample up to the settled instant, and of each interval after it. */
class NewestSlots implements Slots {
  readonly bytesPerSlot: number;
  readonly #lookbackMs: number;
  readonly #intervalMs: number;
  readonly #ring: number;
  #intervals = new Int32Array(0);
  #times = new Float64Array(0);
  #values = new Float64Array(0);
  #stale = new Uint8Array(0);
  #settledMs = new Float64Array(0);
  #settled = new Float64Array(0);
  #settledStale = new Uint8Array(0);

  constructor(lookbackMs: number, { intervalMs, ahead }: SlotOptions) {
    this.#lookbackMs = lookbackMs;
    this.#intervalMs = intervalMs;
    this.#ring = ahead;
    this.bytesPerSlot = 17 + ahead * 21;
  }

  grow(slots: number): void {
    const cells = slots * this.#ring;
    const floats = (old: Float64Array, length: number): Float64Array<ArrayBuffer> => {
      const grown = new Float64Array(length);
      grown.set(old);
      return grown;
    };
    const flags = (old: Uint8Array, length: number): Uint8Array<ArrayBuffer> => {
      const grown = new Uint8Array(length);
      grown.set(old);
      return grown;
    };
    const intervals = new Int32Array(cells);
    intervals.set(this.#intervals);
    this.#intervals = intervals;
    this.#times = floats(this.#times, cells);
    this.#values = floats(this.#values, cells);
    this.#stale = flags(this.#stale, cells);
    this.#settledMs = floats(this.#settledMs, slots);
    this.#settled = floats(this.#settled, slots);
    this.#settledStale = flags(this.#settledStale, slots);
  }

  clear(): void {
    this.#intervals.fill(0);
    this.#settledMs.fill(0);
  }

  add(slot: number, { k, settled, atMs, value, stale }: PlacedSample): void {
    if (k <= settled) {
      this.#settledMs[slot] = atMs;
      this.#settled[slot] = value;
      this.#settledStale[slot] = Number(stale);
      return;
    }
    const cell = slot * this.#ring + (k % this.#ring);
    this.#intervals[cell] = k;
    this.#times[cell] = atMs;
    this.#values[cell] = value;
    this.#stale[cell] = Number(stale);
  }

  valueAt(slot: number, k: number, settled: number): number | undefined {
    const base = slot * this.#ring;
    for (let each = Math.max(settled + 1, k - this.#ring + 1); each <= k; each++) {
      const cell = base + (each % this.#ring);
      if (this.#intervals[cell] !== each) continue;
      this.#settledMs[slot] = this.#times[cell] as number;
      this.#settled[slot] = this.#values[cell] as number;
      this.#settledStale[slot] = this.#stale[cell] as number;
    }
    const present = this.#settledStale[slot] === 0 && (this.#settledMs[slot] as number) > k * this.#intervalMs - this.#lookbackMs;
    return present ? this.#settled[slot] : undefined;
  }
}
