import type { ExposedExemplar } from '@nines/model/exemplar.ts';
import type { Histogram } from '@nines/model/histogram.ts';
import type { WriteBatch } from '@nines/model/storage.ts';
import { type BatchBuilder, createBatchBuilder } from '@nines/model/write-batch.ts';

/** Samples that the store takes at once, about a tenth of a second of work when every one of them is a new series. */
const BATCH_SAMPLES = 10_000;

/** The samples of one scrape, in batches that the store can take with rests between them. Kept from scrape to scrape. */
export class ScrapeBatches {
  readonly #builders: BatchBuilder[] = [createBatchBuilder()];
  #filled = 1;
  #before = 0;

  get sampleCount(): number {
    return this.#before + this.#last().sampleCount;
  }

  add(encoded: Uint8Array, atMs: number, value: number): void {
    this.#open().add(encoded, atMs, value);
  }

  addHistogram(encoded: Uint8Array, atMs: number, value: Histogram): void {
    this.#open().addHistogram(encoded, atMs, value);
  }

  addStale(encoded: Uint8Array, atMs: number): void {
    this.#open().addStale(encoded, atMs);
  }

  /** Of the sample that was added last. */
  addExemplar(exemplar: ExposedExemplar & { readonly atMs: number }): void {
    this.#last().addExemplar(exemplar);
  }

  reset(): void {
    for (const builder of this.#builders) builder.reset();
    this.#filled = 1;
    this.#before = 0;
  }

  /** In the order of adding; they are valid until the next `reset`. */
  *batches(): Generator<WriteBatch> {
    for (const builder of this.#builders.slice(0, this.#filled)) if (builder.sampleCount > 0) yield builder.batch();
  }

  #last(): BatchBuilder {
    const last = this.#builders[this.#filled - 1];
    if (last === undefined) throw new Error(`expected ${this.#filled} builders, found ${this.#builders.length}`);
    return last;
  }

  #open(): BatchBuilder {
    const last = this.#last();
    if (last.sampleCount < BATCH_SAMPLES) return last;
    this.#before += last.sampleCount;
    if (this.#filled === this.#builders.length) this.#builders.push(createBatchBuilder());
    this.#filled++;
    return this.#last();
  }
}
