import { lowerBound } from '@nines/base/lower-bound.ts';
import type { Histogram } from '@nines/model/histogram.ts';
import { writeMarker } from './histogram-code.ts';

/**
 * The samples of one series, growing: times ascending and values as bits, because a JavaScript number may lose a NaN's
 * payload on its way through a register. `bits[2i]` is the low half of value `i` (Node's platforms are little-endian).
 */
const INITIAL_SAMPLES = 256;

export class Columns {
  times: Float64Array<ArrayBuffer>;
  values: Float64Array<ArrayBuffer>;
  bits: Uint32Array<ArrayBuffer>;
  length = 0;
  /** The native histograms among the samples by time, whose values are markers then; undefined when there are only numbers. */
  histograms: Map<number, Histogram> | undefined;

  constructor(capacity = INITIAL_SAMPLES) {
    this.times = new Float64Array(capacity);
    this.values = new Float64Array(capacity);
    this.bits = new Uint32Array(this.values.buffer);
  }

  ensure(count: number): void {
    const needed = this.length + count;
    if (needed <= this.times.length) return;
    const capacity = Math.max(needed, this.times.length * 2);
    const times = new Float64Array(capacity);
    times.set(this.times.subarray(0, this.length));
    const bits = new Uint32Array(capacity * 2);
    bits.set(this.bits.subarray(0, this.length * 2));
    this.times = times;
    this.bits = bits;
    this.values = new Float64Array(bits.buffer);
  }

  push(time: number, low: number, high: number): void {
    if (this.length === this.times.length) this.ensure(1);
    const at = this.length++;
    this.times[at] = time;
    this.bits[2 * at] = low;
    this.bits[2 * at + 1] = high;
  }

  pushHistogram(time: number, histogram: Histogram): void {
    this.push(time, 0, 0);
    writeMarker(histogram, this.bits, this.length - 1);
    this.setHistogram(time, histogram);
  }

  /** Says that the sample at `time` is a histogram. */
  setHistogram(time: number, histogram: Histogram): void {
    this.histograms ??= new Map();
    this.histograms.set(time, histogram);
  }

  leaveOutHistograms(): void {
    const { histograms } = this;
    if (histograms === undefined) return;
    let kept = 0;
    for (let i = 0; i < this.length; i++) {
      if (histograms.has(this.times[i] ?? 0)) continue;
      this.times[kept] = this.times[i] ?? 0;
      this.bits[2 * kept] = this.bits[2 * i] ?? 0;
      this.bits[2 * kept + 1] = this.bits[2 * i + 1] ?? 0;
      kept++;
    }
    this.length = kept;
    this.histograms = undefined;
  }

  clear(): void {
    this.length = 0;
    this.histograms = undefined;
  }

  /** The index of the first sample at or after `time`. */
  lowerBound(time: number): number {
    return lowerBound(this.times, this.length, time);
  }

  /** The index of `time`, or -1. */
  indexOf(time: number): number {
    const at = this.lowerBound(time);
    return at < this.length && this.times[at] === time ? at : -1;
  }

  insertAt(index: number, time: number, low: number, high: number): void {
    this.ensure(1);
    this.times.copyWithin(index + 1, index, this.length);
    this.bits.copyWithin(2 * index + 2, 2 * index, 2 * this.length);
    this.times[index] = time;
    this.bits[2 * index] = low;
    this.bits[2 * index + 1] = high;
    this.length++;
  }

  /** Appends `[from, to)` of `other`. */
  append(other: Columns, from: number, to: number): void {
    const count = to - from;
    if (count <= 0) return;
    this.ensure(count);
    this.times.set(other.times.subarray(from, to), this.length);
    this.bits.set(other.bits.subarray(2 * from, 2 * to), 2 * this.length);
    this.length += count;
    if (other.histograms === undefined) return;
    for (let i = from; i < to; i++) copyHistogram(other, i, this);
  }

  /** Removes `[from, to)`. */
  cut(from: number, to: number): void {
    if (to <= from) return;
    if (this.histograms !== undefined) for (let i = from; i < to; i++) this.histograms.delete(this.times[i] ?? 0);
    this.times.copyWithin(from, to, this.length);
    this.bits.copyWithin(2 * from, 2 * to, 2 * this.length);
    this.length -= to - from;
  }
}

function copyHistogram(from: Columns, index: number, to: Columns): void {
  const time = from.times[index] ?? 0;
  const histogram = from.histograms?.get(time);
  if (histogram !== undefined) to.setHistogram(time, histogram);
}

/**
 * Merges `later` into `into`, which holds the samples that win at an instant both have. Both ascending. Fast when `later`
 * starts after `into` ends, as pages of successive windows do.
 */
export function mergeInto(into: Columns, later: Columns, scratch: Columns): void {
  if (later.length === 0) return;
  if (into.length === 0 || (later.times[0] ?? 0) > (into.times[into.length - 1] ?? 0)) {
    into.append(later, 0, later.length);
    return;
  }
  scratch.clear();
  scratch.append(into, 0, into.length);
  into.clear();
  let i = 0;
  let j = 0;
  while (i < scratch.length || j < later.length) {
    const a = i < scratch.length ? (scratch.times[i] ?? 0) : Number.POSITIVE_INFINITY;
    const b = j < later.length ? (later.times[j] ?? 0) : Number.POSITIVE_INFINITY;
    if (a <= b) {
      into.push(a, scratch.bits[2 * i] ?? 0, scratch.bits[2 * i + 1] ?? 0);
      if (scratch.histograms !== undefined) copyHistogram(scratch, i, into);
      i++;
      if (a === b) j++;
    } else {
      into.push(b, later.bits[2 * j] ?? 0, later.bits[2 * j + 1] ?? 0);
      if (later.histograms !== undefined) copyHistogram(later, j, into);
      j++;
    }
  }
}
