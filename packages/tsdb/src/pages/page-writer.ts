import { Columns } from '../codec/columns.ts';
import { PageBuilder, TARGET_PAGE_BYTES } from '../codec/page.ts';
import type { NewPage, Resolution } from '../contract.ts';

/** Packs series of one window, given in page order (metric, then reference), into pages. */
export class PageWriter {
  readonly #windowMs: number;
  readonly #segment: number;
  readonly #resolutionMs: Resolution;
  readonly #pages: NewPage[] = [];
  #builder = new PageBuilder();
  #metricFrom = '';
  #metricTo = '';
  #fromMs = Number.POSITIVE_INFINITY;
  #toMs = Number.NEGATIVE_INFINITY;

  constructor(windowMs: number, segment: number, resolutionMs: Resolution = 0) {
    this.#windowMs = windowMs;
    this.#segment = segment;
    this.#resolutionMs = resolutionMs;
  }

  /** Finished pages so far. */
  get pages(): number {
    return this.#pages.length;
  }

  /** Whether a series of the metric would begin a new page. */
  partsBefore(metric: string): boolean {
    // A new metric is a good place to part, so that a query over one metric unpacks little else.
    const full = metric === this.#metricTo ? TARGET_PAGE_BYTES : TARGET_PAGE_BYTES / 2;
    return this.#builder.size >= full;
  }

  /** Adds a series with at least one sample. `more` are the further columns of a rollup, as long and within the same times. */
  add(ref: number, metric: string, columns: Columns, more: readonly Columns[] = []): void {
    if (this.partsBefore(metric)) this.#cut();
    if (this.#builder.seriesCount === 0) this.#metricFrom = metric;
    this.#metricTo = metric;
    this.#fromMs = Math.min(this.#fromMs, columns.times[0] ?? 0);
    for (const { times, length } of [columns, ...more]) this.#toMs = Math.max(this.#toMs, times[length - 1] ?? 0);
    this.#builder.add(ref, columns, more);
  }

  #cut(): void {
    this.#pages.push({
      resolutionMs: this.#resolutionMs,
      windowMs: this.#windowMs,
      fromMs: this.#fromMs,
      toMs: this.#toMs,
      metricFrom: this.#metricFrom,
      metricTo: this.#metricTo,
      segment: this.#segment,
      ...this.#builder.finish(),
    });
    this.#builder = new PageBuilder();
    this.#fromMs = Number.POSITIVE_INFINITY;
    this.#toMs = Number.NEGATIVE_INFINITY;
  }

  /** All pages. The writer is used up. */
  finish(): NewPage[] {
    if (this.#builder.seriesCount > 0) this.#cut();
    return this.#pages;
  }
}
