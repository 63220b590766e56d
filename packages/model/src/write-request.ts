import { ByteBuffer } from './byte-buffer.ts';
import type { HistogramSample } from './prometheus/histogram-chunk.ts';
import type { SampleColumns } from './sample-columns.ts';
import { encodeWireHistogram } from './wire-histogram-encode.ts';

/** Writes a `prometheus.WriteRequest` series by series. Messages: prometheus prompb/types.proto. */
export class WriteRequestWriter {
  readonly #buffer = new ByteBuffer(64 * 1024);
  #at = 0;

  /** Bytes so far. */
  get length(): number {
    return this.#at;
  }

  /** A series with samples `[from, to)` of `columns`. `labels` as a `WriteBatch` has them. */
  add(labels: Uint8Array, { times, bits }: SampleColumns, from: number, to: number): void {
    let length = labels.length;
    for (let i = from; i < to; i++) length += 2 + sampleLength(times[i] ?? 0);
    this.#buffer.reserve(this.#at + length + 16, this.#at);
    this.#byte(0x0a);
    this.#varint(length);
    this.#buffer.bytes.set(labels, this.#at);
    this.#at += labels.length;
    for (let i = from; i < to; i++) {
      const time = times[i] ?? 0;
      this.#byte(0x12);
      this.#byte(sampleLength(time));
      this.#byte(0x09);
      this.#word(bits[2 * i] ?? 0);
      this.#word(bits[2 * i + 1] ?? 0);
      this.#byte(0x10);
      this.#time(time);
    }
  }

  /** A series with native histograms. */
  addHistograms(labels: Uint8Array, histograms: readonly HistogramSample[]): void {
    const messages = histograms.map(({ atMs, histogram }) => encodeWireHistogram(atMs, histogram));
    const length = messages.reduce((sum, message) => sum + 1 + varintLength(message.length) + message.length, labels.length);
    this.#buffer.reserve(this.#at + length + 16, this.#at);
    this.#byte(0x0a);
    this.#varint(length);
    this.#buffer.bytes.set(labels, this.#at);
    this.#at += labels.length;
    for (const message of messages) {
      this.#byte(0x22);
      this.#varint(message.length);
      this.#buffer.bytes.set(message, this.#at);
      this.#at += message.length;
    }
  }

  /** What was written; valid until the next `add`. Begins anew. */
  take(): Uint8Array {
    const written = this.#buffer.bytes.subarray(0, this.#at);
    this.#at = 0;
    return written;
  }

  #byte(value: number): void {
    this.#buffer.bytes[this.#at++] = value;
  }

  #word(value: number): void {
    for (let shift = 0; shift < 32; shift += 8) this.#byte(value >>> shift);
  }

  #varint(value: number): void {
    let rest = value;
    for (; rest > 127; rest = Math.floor(rest / 128)) this.#byte((rest % 128) | 128);
    this.#byte(rest);
  }

  #time(time: number): void {
    if (time >= 0) {
      this.#varint(time);
      return;
    }
    let rest = BigInt.asUintN(64, BigInt(time));
    for (; rest > 127n; rest >>= 7n) this.#byte(Number(rest & 127n) | 128);
    this.#byte(Number(rest));
  }
}

/** Bytes of a sample: the value with its tag, the time with its tag; a negative number takes ten. */
function sampleLength(time: number): number {
  return time < 0 ? 20 : 10 + varintLength(time);
}

function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest > 127; rest = Math.floor(rest / 128)) length++;
  return length;
}
