import type { HistogramSample } from '@nines/model/prometheus/histogram-chunk.ts';
import type { SampleColumns } from '@nines/model/sample-columns.ts';
import { encodeSnappy } from '@nines/model/snappy.ts';
import { WriteRequestWriter } from '@nines/model/write-request.ts';

/** Plain bytes of a frame; far below what the server takes. */
const FRAME_BYTES = 1024 * 1024;
/** Samples of a series put into a frame at a time. */
const PART_SAMPLES = 10_000;
const PART_HISTOGRAMS = 500;

/** A body of remote write as a frame of an import (docs/format/import.md). */
export function frameOf(body: Uint8Array): Uint8Array {
  const packed = encodeSnappy(body);
  const frame = new Uint8Array(4 + packed.length);
  new DataView(frame.buffer).setUint32(0, packed.length, true);
  frame.set(packed, 4);
  return frame;
}

/** Gathers series into frames. */
export class FrameWriter {
  readonly #writer = new WriteRequestWriter();
  samples = 0;

  /** Takes a series in and gives out the frames that it fills. */
  *add(labels: Uint8Array, columns: SampleColumns): Generator<Uint8Array> {
    this.samples += columns.length;
    for (let from = 0; from < columns.length; from += PART_SAMPLES) {
      this.#writer.add(labels, columns, from, Math.min(from + PART_SAMPLES, columns.length));
      if (this.#writer.length >= FRAME_BYTES) yield frameOf(this.#writer.take());
    }
  }

  *addHistograms(labels: Uint8Array, histograms: readonly HistogramSample[]): Generator<Uint8Array> {
    this.samples += histograms.length;
    for (let from = 0; from < histograms.length; from += PART_HISTOGRAMS) {
      this.#writer.addHistograms(labels, histograms.slice(from, from + PART_HISTOGRAMS));
      if (this.#writer.length >= FRAME_BYTES) yield frameOf(this.#writer.take());
    }
  }

  *end(): Generator<Uint8Array> {
    if (this.#writer.length > 0) yield frameOf(this.#writer.take());
  }
}
