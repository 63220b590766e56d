import type { Histogram } from '@nines/model/histogram.ts';
import { ByteReader, ByteWriter } from '../codec/bytes.ts';
import type { Columns } from '../codec/columns.ts';
import { HistogramReader, HistogramWriter } from '../codec/histogram-code.ts';
import { windowOf } from '../contract.ts';

/**
 * The native histograms of the head, by slot: per series a chunk for each window, in the order in which they came. That a series has
 * a sample at an instant, and in which order, its other chunks know, where a marker stands for the histogram.
 */
const INITIAL_BYTES = 192;
/** A chunk's object, its writers and its place in the maps, estimated. */
const OWN_BYTES = 600;

type Chunk = { readonly bytes: ByteWriter; coder: HistogramWriter; lastTime: number; count: number };

export class HistogramChunks {
  /** By slot, then by window. */
  readonly #bySlot = new Map<number, Map<number, Chunk>>();
  /** Held in memory. */
  bytes = 0;

  /** Adds a histogram at an instant at which there is none. */
  add(slot: number, time: number, histogram: Histogram): void {
    let windows = this.#bySlot.get(slot);
    if (windows === undefined) {
      windows = new Map();
      this.#bySlot.set(slot, windows);
    }
    const windowMs = windowOf(time);
    let chunk = windows.get(windowMs);
    if (chunk === undefined) {
      chunk = { bytes: new ByteWriter(INITIAL_BYTES), coder: new HistogramWriter(), lastTime: windowMs, count: 0 };
      windows.set(windowMs, chunk);
      this.bytes += sizeOf(chunk);
    }
    this.bytes -= sizeOf(chunk);
    chunk.bytes.zigzag(time - chunk.lastTime);
    chunk.coder.write(chunk.bytes, histogram);
    chunk.lastTime = time;
    chunk.count++;
    this.bytes += sizeOf(chunk);
  }

  /** Tells `out`, which has the samples of the range, which of them are histograms. */
  attach(slot: number, { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number }, out: Columns): void {
    for (const [windowMs, chunk] of this.#bySlot.get(slot) ?? NONE) {
      if (windowMs < windowOf(fromMs) || windowMs > toMs) continue;
      for (const [time, histogram] of samplesOf(windowMs, chunk)) if (time >= fromMs && time <= toMs) out.setHistogram(time, histogram);
    }
  }

  /** Drops the windows before `windowMs`. */
  dropBefore(slot: number, windowMs: number): void {
    const windows = this.#bySlot.get(slot);
    if (windows === undefined) return;
    for (const [start, chunk] of windows) {
      if (start >= windowMs) continue;
      windows.delete(start);
      this.bytes -= sizeOf(chunk);
    }
    if (windows.size === 0) this.#bySlot.delete(slot);
  }

  /** Removes `[fromMs, toMs]`. */
  deleteRange(slot: number, fromMs: number, toMs: number): void {
    const windows = this.#bySlot.get(slot);
    // Picked first, as a chunk that is made anew would come again.
    const cut = Array.from(windows ?? NONE).filter(([windowMs]) => windowMs >= windowOf(fromMs) && windowMs <= toMs);
    for (const [windowMs, chunk] of cut) {
      const kept = [...samplesOf(windowMs, chunk)].filter(([time]) => time < fromMs || time > toMs);
      this.bytes -= sizeOf(chunk);
      windows?.delete(windowMs);
      for (const [time, histogram] of kept) this.add(slot, time, histogram);
    }
    if (windows?.size === 0) this.#bySlot.delete(slot);
  }
}

const NONE: ReadonlyMap<number, Chunk> = new Map();
const sizeOf = ({ bytes }: Chunk): number => OWN_BYTES + bytes.bytes.length;

function* samplesOf(windowMs: number, { bytes, count }: Chunk): Generator<readonly [time: number, histogram: Histogram]> {
  const reader = new ByteReader(bytes.bytes, 0, bytes.at);
  const coder = new HistogramReader();
  let time = windowMs;
  for (let i = 0; i < count; i++) {
    time += reader.zigzag();
    yield [time, coder.read(reader)];
  }
}
