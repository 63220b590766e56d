import { Sum } from '../functions/kahan.ts';
import { stretchOf } from '../functions/rate.ts';
import type { Inner, KeptFunction } from './plan.ts';

/**
 * What is kept of the samples of one series in one interval, in cells of columns, and what the cells of a window together say.
 * Samples of a cell come in the order of time, none twice. No staleness markers.
 */
export interface Buckets {
  /** The cells from the old number on are empty. */
  grow(cells: number): void;
  begin(cell: number, atMs: number, value: number): void;
  more(cell: number, atMs: number, value: number): void;
  /** The value of the window made of the first `count` of `cells`, oldest first, at least one; undefined when it has none. */
  read(cells: Int32Array, count: number, endMs: number): number | undefined;
  readonly bytesPerCell: number;
}

export function bucketsFor(inner: Inner): Buckets {
  if (inner.kind === 'newest') return new LastBuckets();
  return BY_FUNCTION[inner.func](inner.rangeMs);
}

const BY_FUNCTION: Readonly<Record<KeptFunction, (rangeMs: number) => Buckets>> = {
  rate: (rangeMs) => new ChangeBuckets(rangeMs, { counter: true, divisor: rangeMs / 1000 }),
  increase: (rangeMs) => new ChangeBuckets(rangeMs, { counter: true, divisor: 1 }),
  delta: (rangeMs) => new ChangeBuckets(rangeMs, { counter: false, divisor: 1 }),
  sum_over_time: () => new SumBuckets(false),
  avg_over_time: () => new SumBuckets(true),
  min_over_time: () => new ExtremeBuckets(false),
  max_over_time: () => new ExtremeBuckets(true),
  count_over_time: () => new CountBuckets(),
  present_over_time: () => new PresentBuckets(),
  last_over_time: () => new LastBuckets(),
};

/** The same column with more room. */
function longer(column: Float64Array, cells: number): Float64Array<ArrayBuffer> {
  const grown = new Float64Array(cells);
  grown.set(column);
  return grown;
}

/** The change between the outermost samples, and what a counter lost in between by falling. */
class ChangeBuckets implements Buckets {
  readonly bytesPerCell = 48;
  readonly #rangeMs: number;
  readonly #how: { readonly counter: boolean; readonly divisor: number };
  #counts = new Float64Array(0);
  #firstMs = new Float64Array(0);
  #first = new Float64Array(0);
  #lastMs = new Float64Array(0);
  #last = new Float64Array(0);
  #lost = new Float64Array(0);

  constructor(rangeMs: number, how: { readonly counter: boolean; readonly divisor: number }) {
    this.#rangeMs = rangeMs;
    this.#how = how;
  }

  grow(cells: number): void {
    this.#counts = longer(this.#counts, cells);
    this.#firstMs = longer(this.#firstMs, cells);
    this.#first = longer(this.#first, cells);
    this.#lastMs = longer(this.#lastMs, cells);
    this.#last = longer(this.#last, cells);
    this.#lost = longer(this.#lost, cells);
  }

  begin(cell: number, atMs: number, value: number): void {
    this.#counts[cell] = 1;
    this.#firstMs[cell] = atMs;
    this.#first[cell] = value;
    this.#lastMs[cell] = atMs;
    this.#last[cell] = value;
    this.#lost[cell] = 0;
  }

  more(cell: number, atMs: number, value: number): void {
    const last = this.#last[cell] as number;
    if (value < last) this.#lost[cell] = (this.#lost[cell] as number) + last;
    this.#counts[cell] = (this.#counts[cell] as number) + 1;
    this.#lastMs[cell] = atMs;
    this.#last[cell] = value;
  }

  read(cells: Int32Array, count: number, endMs: number): number | undefined {
    const from = cells[0] as number;
    const first = this.#first[from] as number;
    let samples = 0;
    let lost = 0;
    let last = first;
    for (let i = 0; i < count; i++) {
      const cell = cells[i] as number;
      samples += this.#counts[cell] as number;
      if ((this.#first[cell] as number) < last) lost += last;
      lost += this.#lost[cell] as number;
      last = this.#last[cell] as number;
    }
    if (samples < 2) return undefined;
    const { counter, divisor } = this.#how;
    const change = counter ? last - first + lost : last - first;
    const window = {
      startMs: endMs - this.#rangeMs,
      endMs,
      firstMs: this.#firstMs[from] as number,
      lastMs: this.#lastMs[cells[count - 1] as number] as number,
      first,
      samples,
      counter,
    };
    return change * stretchOf(change, divisor, window);
  }
}

/** Compensated sums; see kahan.ts. */
class SumBuckets implements Buckets {
  readonly bytesPerCell = 24;
  readonly #mean: boolean;
  #counts = new Float64Array(0);
  #sums = new Float64Array(0);
  #compensations = new Float64Array(0);
  readonly #scratch = new Sum();

  constructor(mean: boolean) {
    this.#mean = mean;
  }

  grow(cells: number): void {
    this.#counts = longer(this.#counts, cells);
    this.#sums = longer(this.#sums, cells);
    this.#compensations = longer(this.#compensations, cells);
  }

  begin(cell: number, _atMs: number, value: number): void {
    this.#counts[cell] = 1;
    this.#sums[cell] = value;
    this.#compensations[cell] = 0;
  }

  more(cell: number, _atMs: number, value: number): void {
    const sum = this.#scratch;
    sum.sum = this.#sums[cell] as number;
    sum.compensation = this.#compensations[cell] as number;
    sum.add(value);
    this.#sums[cell] = sum.sum;
    this.#compensations[cell] = sum.compensation;
    this.#counts[cell] = (this.#counts[cell] as number) + 1;
  }

  /** A mean whose sum is not finite is for a query to tell: NaN stands for that here, see `PartState`. */
  read(cells: Int32Array, count: number): number | undefined {
    const sum = this.#scratch;
    sum.reset();
    let samples = 0;
    let compensation = 0;
    for (let i = 0; i < count; i++) {
      const cell = cells[i] as number;
      sum.add(this.#sums[cell] as number);
      compensation += this.#compensations[cell] as number;
      samples += this.#counts[cell] as number;
    }
    sum.compensation += compensation;
    return this.#mean ? sum.sum / samples + sum.compensation / samples : sum.total;
  }
}

/** NaN only when there is nothing else. */
class ExtremeBuckets implements Buckets {
  readonly bytesPerCell = 8;
  readonly #greatest: boolean;
  #best = new Float64Array(0);

  constructor(greatest: boolean) {
    this.#greatest = greatest;
  }

  grow(cells: number): void {
    this.#best = longer(this.#best, cells);
  }

  begin(cell: number, _atMs: number, value: number): void {
    this.#best[cell] = value;
  }

  more(cell: number, _atMs: number, value: number): void {
    this.#best[cell] = this.#better(this.#best[cell] as number, value);
  }

  read(cells: Int32Array, count: number): number {
    let best = this.#best[cells[0] as number] as number;
    for (let i = 1; i < count; i++) best = this.#better(best, this.#best[cells[i] as number] as number);
    return best;
  }

  #better(best: number, value: number): number {
    return best !== best || (this.#greatest ? value > best : value < best) ? value : best;
  }
}

class CountBuckets implements Buckets {
  readonly bytesPerCell = 8;
  #counts = new Float64Array(0);

  grow(cells: number): void {
    this.#counts = longer(this.#counts, cells);
  }

  begin(cell: number): void {
    this.#counts[cell] = 1;
  }

  more(cell: number): void {
    this.#counts[cell] = (this.#counts[cell] as number) + 1;
  }

  read(cells: Int32Array, count: number): number {
    let samples = 0;
    for (let i = 0; i < count; i++) samples += this.#counts[cells[i] as number] as number;
    return samples;
  }
}

class PresentBuckets implements Buckets {
  readonly bytesPerCell = 0;
  grow(): void {}
  begin(): void {}
  more(): void {}
  read(): number {
    return 1;
  }
}

class LastBuckets implements Buckets {
  readonly bytesPerCell = 8;
  #last = new Float64Array(0);

  grow(cells: number): void {
    this.#last = longer(this.#last, cells);
  }

  begin(cell: number, _atMs: number, value: number): void {
    this.#last[cell] = value;
  }

  more(cell: number, _atMs: number, value: number): void {
    this.#last[cell] = value;
  }

  read(cells: Int32Array, count: number): number {
    return this.#last[cells[count - 1] as number] as number;
  }
}
