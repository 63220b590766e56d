import type { Histogram } from '@nines/model/histogram.ts';
import { HistogramSum } from './functions/histogram-sum.ts';
import type { HistogramRow, Row } from './row.ts';

/**
 * Aggregations that need one pass and constant memory per group and step. Rows come one at a time; `finish` gives the group's
 * values, with `has` 1 where any row had one.
 */
export type Fold = { add(row: Row): void; finish(): { readonly values: Float64Array; readonly has: Uint8Array } };

/** Compensated sums (see kahan.ts), with the loop unrolled over steps because this is where dashboards spend their time. */
export class SumFold implements Fold {
  readonly #sums: Float64Array;
  readonly #compensations: Float64Array;
  readonly #has: Uint8Array;

  constructor(count: number) {
    this.#sums = new Float64Array(count);
    this.#compensations = new Float64Array(count);
    this.#has = new Uint8Array(count);
  }

  /** The rounding error of a sum (Knuth's TwoSum) is exact, and needs no look at which operand is larger. */
  add({ values, has }: Row): void {
    const sums = this.#sums;
    const compensations = this.#compensations;
    const seen = this.#has;
    if (has === null) seen.fill(1);
    for (let i = 0; i < sums.length; i++) {
      if (has !== null) {
        if (has[i] !== 1) continue;
        seen[i] = 1;
      }
      const value = values[i] as number;
      const sum = sums[i] as number;
      const next = sum + value;
      const added = next - sum;
      const error = sum - (next - added) + (value - added);
      // Neither infinite nor NaN, which no compensation can mend.
      compensations[i] = next - next === 0 ? (compensations[i] as number) + error : 0;
      sums[i] = next;
    }
  }

  finish(): { readonly values: Float64Array; readonly has: Uint8Array } {
    const values = this.#sums.map((sum, i) => sum + (this.#compensations[i] as number));
    return { values, has: this.#has };
  }
}

/** The mean of sums, or a running mean from where the sum would overflow. */
export class AverageFold implements Fold {
  readonly #sums: Float64Array;
  readonly #compensations: Float64Array;
  readonly #counts: Float64Array;
  readonly #running: Uint8Array;
  readonly #has: Uint8Array;

  constructor(count: number) {
    this.#sums = new Float64Array(count);
    this.#compensations = new Float64Array(count);
    this.#counts = new Float64Array(count);
    this.#running = new Uint8Array(count);
    this.#has = new Uint8Array(count);
  }

  add({ values, has }: Row): void {
    for (let i = 0; i < this.#sums.length; i++) if (has === null || has[i] === 1) this.#addAt(i, values[i] as number);
  }

  #addAt(i: number, value: number): void {
    const count = (this.#counts[i] as number) + 1;
    this.#counts[i] = count;
    this.#has[i] = 1;
    if (this.#running[i] !== 1) {
      if (this.#accumulate(i, value, count > 1)) return;
      this.#running[i] = 1;
      this.#sums[i] = (this.#sums[i] as number) / (count - 1);
      this.#compensations[i] = (this.#compensations[i] as number) / (count - 1);
    }
    const weight = (count - 1) / count;
    this.#sums[i] = (this.#sums[i] as number) * weight;
    this.#compensations[i] = (this.#compensations[i] as number) * weight;
    this.#accumulate(i, value / count, false);
  }

  /** Adds to the compensated sum; leaves it alone and says false if it would turn infinite and `mayRefuse`. */
  #accumulate(i: number, value: number, mayRefuse: boolean): boolean {
    const sum = this.#sums[i] as number;
    const next = sum + value;
    const infinite = next === Number.POSITIVE_INFINITY || next === Number.NEGATIVE_INFINITY;
    if (infinite && mayRefuse) return false;
    const error = Math.abs(sum) >= Math.abs(value) ? sum - next + value : value - next + sum;
    this.#compensations[i] = infinite ? 0 : (this.#compensations[i] as number) + error;
    this.#sums[i] = next;
    return true;
  }

  finish(): { readonly values: Float64Array; readonly has: Uint8Array } {
    const values = this.#sums.map((sum, i) => {
      const compensation = this.#compensations[i] as number;
      if (this.#running[i] === 1) return sum + compensation;
      const count = this.#counts[i] as number;
      return sum / count + compensation / count;
    });
    return { values, has: this.#has };
  }
}

/** `min` and `max`: NaN only when there is nothing else. */
export class ExtremeFold implements Fold {
  readonly #best: Float64Array;
  readonly #has: Uint8Array;
  readonly #greatest: boolean;

  constructor(count: number, greatest: boolean) {
    this.#best = new Float64Array(count).fill(Number.NaN);
    this.#has = new Uint8Array(count);
    this.#greatest = greatest;
  }

  add({ values, has }: Row): void {
    const best = this.#best;
    const seen = this.#has;
    const greatest = this.#greatest;
    for (let i = 0; i < best.length; i++) {
      if (has !== null && has[i] !== 1) continue;
      const value = values[i] as number;
      const current = best[i] as number;
      if (current !== current || (greatest ? value > current : value < current)) best[i] = value;
      seen[i] = 1;
    }
  }

  finish(): { readonly values: Float64Array; readonly has: Uint8Array } {
    return { values: this.#best, has: this.#has };
  }
}

export class CountFold implements Fold {
  readonly #counts: Float64Array;

  constructor(count: number) {
    this.#counts = new Float64Array(count);
  }

  add({ has }: Row): void {
    const counts = this.#counts;
    if (has === null) for (let i = 0; i < counts.length; i++) counts[i] = (counts[i] as number) + 1;
    else for (let i = 0; i < counts.length; i++) counts[i] = (counts[i] as number) + (has[i] as number);
  }

  finish(): { readonly values: Float64Array; readonly has: Uint8Array } {
    return { values: this.#counts, has: Uint8Array.from(this.#counts, (count) => (count > 0 ? 1 : 0)) };
  }
}

/** `group`: 1 wherever there is anything. */
export class GroupFold implements Fold {
  readonly #has: Uint8Array;

  constructor(count: number) {
    this.#has = new Uint8Array(count);
  }

  add({ has }: Row): void {
    if (has === null) this.#has.fill(1);
    else for (let i = 0; i < has.length; i++) if (has[i] === 1) this.#has[i] = 1;
  }

  finish(): { readonly values: Float64Array; readonly has: Uint8Array } {
    return { values: new Float64Array(this.#has.length).fill(1), has: this.#has };
  }
}

/** Population variance by Welford's method, or its root. */
export class VarianceFold implements Fold {
  readonly #means: Float64Array;
  readonly #squares: Float64Array;
  readonly #counts: Float64Array;
  readonly #root: boolean;

  constructor(count: number, root: boolean) {
    this.#means = new Float64Array(count);
    this.#squares = new Float64Array(count);
    this.#counts = new Float64Array(count);
    this.#root = root;
  }

  add({ values, has }: Row): void {
    for (let i = 0; i < this.#means.length; i++) {
      if (has !== null && has[i] !== 1) continue;
      const value = values[i] as number;
      const count = (this.#counts[i] as number) + 1;
      const before = this.#means[i] as number;
      const mean = count === 1 ? value : before + (value - before) / count;
      this.#counts[i] = count;
      this.#means[i] = mean;
      if (count > 1) this.#squares[i] = (this.#squares[i] as number) + (value - before) * (value - mean);
      else this.#squares[i] = Number.isFinite(value) ? 0 : Number.NaN;
    }
  }

  finish(): { readonly values: Float64Array; readonly has: Uint8Array } {
    const values = this.#squares.map((square, i) => {
      const variance = square / (this.#counts[i] as number);
      return this.#root ? Math.sqrt(variance) : variance;
    });
    return { values, has: Uint8Array.from(this.#counts, (count) => (count > 0 ? 1 : 0)) };
  }
}

/** What `sum` and `avg` make of the histograms in a group, step by step. */
export class HistogramFold {
  readonly #sums: (HistogramSum | undefined)[];
  readonly #wantsMean: boolean;

  constructor(count: number, wantsMean: boolean) {
    this.#sums = Array.from({ length: count });
    this.#wantsMean = wantsMean;
  }

  add({ histograms }: HistogramRow): void {
    histograms.forEach((histogram, i) => {
      if (histogram !== undefined) (this.#sums[i] ??= new HistogramSum(this.#wantsMean)).add(histogram);
    });
  }

  finish(): { readonly histograms: (Histogram | undefined)[]; readonly sums: readonly (HistogramSum | undefined)[] } {
    return { histograms: this.#sums.map((sum) => sum?.result()), sums: this.#sums };
  }
}
