import type { Histogram } from '@nines/model/histogram.ts';
import { ByteReader, ByteWriter } from '../codec/bytes.ts';
import { Columns, mergeInto } from '../codec/columns.ts';
import { writeMarker } from '../codec/histogram-code.ts';
import { readTimes, writeTimes } from '../codec/time-column.ts';
import { readValues, writeValues } from '../codec/value-column.ts';

/**
 * What came of one series for one window, in any order, until its page is written. Runs are kept in the form they will have
 * on the page, so that a session's memory holds ten times the samples that plain columns would.
 */

/** A run of this length is worth packing; shorter ones wait for more. */
const PACK_FROM = 64;
/** A plain run never grows beyond this, so that a sample which comes out of order moves little. */
const MAX_PLAIN = 512;
/** Memory of an object of this kind, its map entry and its arrays, as measured with a million of them. */
const OWN_BYTES = 320;

/** Memory of a histogram with its entry, and of one of its buckets, estimated. */
const HISTOGRAM_BYTES = 400;
const BUCKET_BYTES = 16;

/** Told about an instant that is there already; the first sample stays. */
export type OnRepeat = (atMs: number, isSame: boolean) => void;

export class Gathered {
  readonly #packed: { readonly bytes: Uint8Array; readonly count: number }[] = [];
  #plain: Columns | undefined;
  /** By time; among the values a marker stands for each. */
  #histograms: Map<number, Histogram> | undefined;
  /** Bytes held in memory. */
  bytes = OWN_BYTES;
  /** Samples held; an instant may be among them twice. */
  count = 0;

  addHistogram(time: number, histogram: Histogram, onRepeat: OnRepeat): void {
    writeMarker(histogram, marker, 0);
    this.add(time, marker[0] ?? 0, marker[1] ?? 0, onRepeat);
    this.#histograms ??= new Map();
    // At an instant that has one the first stays.
    if (this.#histograms.has(time)) return;
    this.#histograms.set(time, histogram);
    this.bytes += HISTOGRAM_BYTES + BUCKET_BYTES * (histogram.positive.counts.length + histogram.negative.counts.length);
  }

  add(time: number, low: number, high: number, onRepeat: OnRepeat): void {
    if (this.#plain === undefined) {
      this.#plain = new Columns(4);
      this.bytes += 4 * 16;
    }
    const plain = this.#plain;
    const capacity = plain.times.length;
    if (plain.length === 0 || time > (plain.times[plain.length - 1] ?? 0)) plain.push(time, low, high);
    else {
      const at = plain.lowerBound(time);
      if (plain.times[at] === time) {
        onRepeat(time, plain.bits[2 * at] === low && plain.bits[2 * at + 1] === high);
        return;
      }
      plain.insertAt(at, time, low, high);
    }
    this.count++;
    this.bytes += (plain.times.length - capacity) * 16;
    if (plain.length >= MAX_PLAIN) this.#pack(plain);
  }

  /** Says that other series come next. */
  settle(): void {
    if (this.#plain !== undefined && this.#plain.length >= PACK_FROM) this.#pack(this.#plain);
  }

  #pack(plain: Columns): void {
    writer.at = 0;
    writeTimes(writer, plain.times, plain.length);
    writeValues(writer, plain);
    const bytes = writer.copy();
    this.#packed.push({ bytes, count: plain.length });
    this.bytes += bytes.length + 64 - plain.times.length * 16;
    this.#plain = undefined;
  }

  /** Appends everything to the empty `out`, ascending. */
  read(out: Columns, onRepeat: OnRepeat): void {
    const add = (part: Columns): void => {
      if (out.length > 0 && (part.times[0] ?? 0) <= (out.times[out.length - 1] ?? 0)) leaveOut(part, out, onRepeat);
      mergeInto(out, part, scratch);
    };
    for (const { bytes, count } of this.#packed) {
      const reader = new ByteReader(bytes);
      run.clear();
      run.ensure(count);
      run.times.set(readTimes(reader, count));
      readValues(reader, count, run);
      run.length = count;
      add(run);
    }
    if (this.#plain !== undefined) add(this.#plain);
    if (this.#histograms !== undefined) attach(this.#histograms, out);
  }
}

const writer = new ByteWriter(16 * MAX_PLAIN);
const run = new Columns(MAX_PLAIN);
const scratch = new Columns();

const marker = new Uint32Array(2);

/** Tells `out` which of its samples are histograms. At an instant at which a number came first there is no marker. */
function attach(histograms: ReadonlyMap<number, Histogram>, out: Columns): void {
  for (let i = 0; i < out.length; i++) {
    const time = out.times[i] ?? 0;
    const histogram = histograms.get(time);
    if (histogram === undefined) continue;
    writeMarker(histogram, marker, 0);
    if (out.bits[2 * i] === marker[0] && out.bits[2 * i + 1] === marker[1]) out.setHistogram(time, histogram);
  }
}

/** Takes out of `columns` the instants that `held` has. Both ascending. */
export function leaveOut(columns: Columns, held: Columns, onRepeat: OnRepeat): void {
  let kept = 0;
  let at = 0;
  for (let i = 0; i < columns.length; i++) {
    const time = columns.times[i] ?? 0;
    while (at < held.length && (held.times[at] ?? 0) < time) at++;
    const low = columns.bits[2 * i] ?? 0;
    const high = columns.bits[2 * i + 1] ?? 0;
    if (at < held.length && held.times[at] === time) {
      onRepeat(time, held.bits[2 * at] === low && held.bits[2 * at + 1] === high);
      columns.histograms?.delete(time);
      continue;
    }
    columns.times[kept] = time;
    columns.bits[2 * kept] = low;
    columns.bits[2 * kept + 1] = high;
    kept++;
  }
  columns.length = kept;
  if (columns.histograms?.size === 0) columns.histograms = undefined;
}
