import {
  type Buckets,
  type Histogram,
  type ResetHint,
  EMPTY_HISTOGRAM,
  aligned,
  haveSameBounds,
  joinedHint,
} from '@nines/model/histogram.ts';
import { Sum } from './kahan.ts';

/**
 * Sums and means of native histograms with compensated sums in every bucket. A mean whose sum would overflow goes on as a
 * running mean. Histograms with exponential and with custom buckets have no sum.
 */
export class HistogramSum {
  /** Schema, zero threshold and bounds that all sums are in. */
  #layout: Histogram | undefined;
  readonly #count = new Sum();
  readonly #sum = new Sum();
  readonly #zeroCount = new Sum();
  #positive = new Map<number, Sum>();
  #negative = new Map<number, Sum>();
  #hint: ResetHint = 'unknown';
  readonly #hintsSeen = new Set<ResetHint>();
  #added = 0;
  #isRunningMean = false;
  readonly #wantsMean: boolean;
  /** Exponential met custom. */
  isMixed = false;
  /** Custom bounds differed, and only those that all share were kept. */
  wasReconciled = false;

  constructor(wantsMean: boolean) {
    this.#wantsMean = wantsMean;
  }

  add(h: Histogram): void {
    if (this.isMixed) return;
    const first = this.#layout === undefined;
    const part = first ? h : this.#align(h);
    if (part === undefined) {
      this.isMixed = true;
      return;
    }
    this.#layout = { ...EMPTY_HISTOGRAM, schema: part.schema, zeroThreshold: part.zeroThreshold, bounds: part.bounds };
    this.#hint = first ? h.hint : joinedHint(this.#hint, h.hint).hint;
    this.#hintsSeen.add(h.hint);
    this.#added++;
    if (this.#wantsMean && !this.#isRunningMean && !first && this.#wouldOverflow(part)) {
      this.#isRunningMean = true;
      this.#scale(1 / (this.#added - 1));
    }
    if (this.#isRunningMean) this.#scale((this.#added - 1) / this.#added);
    this.#addScaled(part, this.#isRunningMean ? 1 / this.#added : 1);
  }

  /** A sample after a reset met one that follows its predecessor. */
  get hasCollision(): boolean {
    return this.#hintsSeen.has('reset') && this.#hintsSeen.has('not_reset');
  }

  /** Undefined when nothing was added or kinds were mixed. */
  result(): Histogram | undefined {
    if (this.#layout === undefined || this.isMixed) return undefined;
    const divisor = this.#wantsMean && !this.#isRunningMean ? this.#added : 1;
    return this.#total(divisor);
  }

  /** Brings the sums and `h` into buckets that both can have; gives `h` in them. */
  #align(h: Histogram): Histogram | undefined {
    const layout = this.#layout ?? h;
    const same = h.schema === layout.schema && h.zeroThreshold === layout.zeroThreshold && haveSameBounds(h, layout);
    if (same) return h;
    const pair = aligned(this.#total(1), h);
    if (pair === undefined) return undefined;
    const [sums, part] = pair;
    if (!haveSameBounds(h, layout)) this.wasReconciled = true;
    this.#zeroCount.reset();
    this.#zeroCount.add(sums.zeroCount);
    this.#positive = sumsOf(sums.positive);
    this.#negative = sumsOf(sums.negative);
    return part;
  }

  #wouldOverflow(h: Histogram): boolean {
    const over = (sum: Sum | undefined, value: number): boolean => Number.isFinite(value) && !Number.isFinite((sum?.sum ?? 0) + value);
    const anyOver = (sums: Map<number, Sum>, { indexes, counts }: Buckets): boolean =>
      indexes.some((index, i) => over(sums.get(index), counts[i] ?? 0));
    return (
      over(this.#count, h.count) ||
      over(this.#sum, h.sum) ||
      over(this.#zeroCount, h.zeroCount) ||
      anyOver(this.#positive, h.positive) ||
      anyOver(this.#negative, h.negative)
    );
  }

  #scale(factor: number): void {
    for (const sum of [this.#count, this.#sum, this.#zeroCount, ...this.#positive.values(), ...this.#negative.values()]) {
      sum.sum *= factor;
      sum.compensation *= factor;
    }
  }

  #addScaled(h: Histogram, factor: number): void {
    this.#count.add(h.count * factor);
    this.#sum.add(h.sum * factor);
    this.#zeroCount.add(h.zeroCount * factor);
    addBuckets(this.#positive, h.positive, factor);
    addBuckets(this.#negative, h.negative, factor);
  }

  #total(divisor: number): Histogram {
    const figure = ({ sum, compensation }: Sum): number => sum / divisor + compensation / divisor;
    const buckets = (sums: Map<number, Sum>): Buckets => {
      const entries = [...sums].map(([index, sum]) => [index, figure(sum)] as const).filter(([, count]) => count !== 0);
      entries.sort(([a], [b]) => a - b);
      return { indexes: entries.map(([index]) => index), counts: entries.map(([, count]) => count) };
    };
    return {
      ...(this.#layout ?? EMPTY_HISTOGRAM),
      count: figure(this.#count),
      sum: figure(this.#sum),
      zeroCount: figure(this.#zeroCount),
      positive: buckets(this.#positive),
      negative: buckets(this.#negative),
      hint: this.#hint,
    };
  }
}

function addBuckets(sums: Map<number, Sum>, { indexes, counts }: Buckets, factor: number): void {
  indexes.forEach((index, i) => {
    let sum = sums.get(index);
    if (sum === undefined) sums.set(index, (sum = new Sum()));
    sum.add((counts[i] ?? 0) * factor);
  });
}

function sumsOf(buckets: Buckets): Map<number, Sum> {
  const sums = new Map<number, Sum>();
  addBuckets(sums, buckets, 1);
  return sums;
}
