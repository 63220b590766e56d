import { type Labels, labelsKey } from '@nines/model/labels.ts';
import { bitsOf } from '@nines/model/stale.ts';
import type { WriteBatch } from '@nines/model/storage.ts';
import { labelBytesOf } from '@nines/model/write-batch.ts';
import { type Backfill, type BackfillReport, MAX_AHEAD_MS, WINDOW_MS, windowOf } from '../contract.ts';
import { parseLabels } from '../head/label-bytes.ts';
import { Gathered } from './gathered.ts';
import { Tally } from './tally.ts';
import type { WindowSeries } from './window-writer.ts';

/**
 * Old samples on their way in: gathered in memory by window and series, then written to pages window by window, past log and
 * head. Whatever order they come in, what was gathered together stands together on pages.
 */

/** Memory of one session before it writes. Holds about twenty million samples of ordinary series. */
export const GATHER_BYTES = 32 * 1024 * 1024;
/** Memory of a series that the session knows, besides its labels. */
const SERIES_BYTES = 256;

export type SessionDeps = {
  /** Writes one window and adds to the tally. Whoever else wants to write has a turn between two calls. */
  readonly write: (windowMs: number, series: readonly WindowSeries[], tally: Tally) => Promise<void>;
  /** Samples outside are refused. Both ends inclusive. */
  readonly bounds: { readonly earliestMs: number; readonly latestMs: number };
  readonly gatherBytes: number;
};

export class BackfillSession implements Backfill {
  readonly #deps: SessionDeps;
  readonly #tally = new Tally();
  /** By window and the session's own number of a series; references are given when a page is written, in the same step. */
  readonly #windows = new Map<number, Map<number, Gathered>>();
  readonly #numbers = new Map<string, number>();
  readonly #labels: Labels[] = [];
  #bytes = 0;
  #ended = false;

  constructor(deps: SessionDeps) {
    this.#deps = deps;
  }

  async add(batch: WriteBatch): Promise<void> {
    if (this.#ended) throw new Error('BUG: samples for a backfill that has ended');
    for (let series = 0; series < batch.seriesCount; series++) this.#take(batch, series);
    if (this.#bytes >= this.#deps.gatherBytes) await this.#write();
  }

  async finish(): Promise<BackfillReport> {
    this.#ended = true;
    await this.#write();
    return this.#tally.report();
  }

  report(): BackfillReport {
    return this.#tally.report();
  }

  #take(batch: WriteBatch, series: number): void {
    const { samplesFrom, times, values, histograms } = batch;
    const from = samplesFrom[series] ?? 0;
    const to = samplesFrom[series + 1] ?? 0;
    if (from === to) return;
    this.#tally.samples += to - from;
    const encoded = labelBytesOf(batch, series);
    const parsed = parseLabels(encoded.bytes, encoded.from, encoded.to);
    if (!parsed.ok) {
      this.#tally.refuse('invalid_labels', { labels: [], atMs: times[from] ?? 0, detail: parsed.error }, to - from);
      return;
    }
    const labels = parsed.value;
    const number = this.#numberOf(labels);
    const bits = bitsOf(values);
    const onRepeat = (atMs: number, isSame: boolean): void => this.#tally.repeat(labels, atMs, isSame);
    let windowMs = Number.NaN;
    let gathered: Gathered | undefined;
    for (let i = from; i < to; i++) {
      const time = Math.floor(times[i] ?? 0);
      if (!this.#isTimely(labels, time)) continue;
      if (gathered === undefined || time < windowMs || time >= windowMs + WINDOW_MS) {
        this.#settle(gathered);
        windowMs = windowOf(time);
        gathered = this.#gatheredOf(windowMs, number);
      }
      const histogram = histograms?.[i];
      if (histogram === undefined) gathered.add(time, bits[2 * i] ?? 0, bits[2 * i + 1] ?? 0, onRepeat);
      else gathered.addHistogram(time, histogram, onRepeat);
    }
    this.#settle(gathered);
  }

  #isTimely(labels: Labels, time: number): boolean {
    const { earliestMs, latestMs } = this.#deps.bounds;
    if (time >= earliestMs && time <= latestMs) return true;
    if (time < earliestMs) {
      const detail = `before ${new Date(earliestMs).toISOString()}, where retention begins`;
      this.#tally.refuse('too_old', { labels, atMs: time, detail });
    } else this.#tally.refuse('too_far_ahead', { labels, atMs: time, detail: `more than ${MAX_AHEAD_MS / 60_000} minutes ahead` });
    return false;
  }

  /** What there is of a series in a window; out of the count until it is settled. */
  #gatheredOf(windowMs: number, number: number): Gathered {
    let window = this.#windows.get(windowMs);
    if (window === undefined) {
      window = new Map();
      this.#windows.set(windowMs, window);
    }
    let gathered = window.get(number);
    if (gathered === undefined) {
      gathered = new Gathered();
      window.set(number, gathered);
    } else this.#bytes -= gathered.bytes;
    return gathered;
  }

  #settle(gathered: Gathered | undefined): void {
    if (gathered === undefined) return;
    gathered.settle();
    this.#bytes += gathered.bytes;
  }

  #numberOf(labels: Labels): number {
    const key = labelsKey(labels);
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const number = this.#labels.length;
    this.#numbers.set(key, number);
    this.#labels.push(labels);
    this.#bytes += SERIES_BYTES + 4 * key.length;
    return number;
  }

  async #write(): Promise<void> {
    const windows = [...this.#windows].sort(([a], [b]) => a - b);
    for (const [windowMs, gathered] of windows) {
      const series = Array.from(gathered, ([number, samples]) => ({ labels: this.#labels[number] ?? [], samples }));
      await this.#deps.write(windowMs, series, this.#tally);
      this.#windows.delete(windowMs);
    }
    this.#numbers.clear();
    this.#labels.length = 0;
    this.#bytes = 0;
  }
}
