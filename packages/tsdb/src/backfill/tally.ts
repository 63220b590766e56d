import { type Labels, formatLabels } from '@nines/model/labels.ts';
import type { RefusalReason } from '@nines/model/storage.ts';
import { type BackfillRefusal, type BackfillReport, MAX_LISTED_REFUSALS } from '../contract.ts';

/** What became of the samples of one backfill. */
export class Tally {
  samples = 0;
  #stored = 0;
  #repeated = 0;
  readonly #windows = new Set<number>();
  #refusedCount = 0;
  readonly #refusedBy: Partial<Record<RefusalReason, number>> = {};
  readonly #refused: BackfillRefusal[] = [];

  store(windowMs: number, count: number): void {
    this.#stored += count;
    this.#windows.add(windowMs);
  }

  /** The instant is there already. With other bits the first sample stays, and this one is refused. */
  repeat(labels: Labels, atMs: number, isSame: boolean): void {
    if (isSame) this.#repeated++;
    else this.refuse('duplicate', { labels, atMs, detail: 'the series has another value at this instant' });
  }

  /** Refuses `count` samples for one reason; the first of them is listed while there is room. */
  refuse(
    reason: RefusalReason,
    { labels, atMs, detail }: { readonly labels: Labels; readonly atMs: number; readonly detail: string },
    count = 1,
  ): void {
    this.#refusedCount += count;
    this.#refusedBy[reason] = (this.#refusedBy[reason] ?? 0) + count;
    if (this.#refused.length < MAX_LISTED_REFUSALS)
      this.#refused.push({ labels: labels.length === 0 ? '' : formatLabels(labels), atMs, reason, detail });
  }

  report(): BackfillReport {
    return {
      samples: this.samples,
      stored: this.#stored,
      repeated: this.#repeated,
      refusedCount: this.#refusedCount,
      refusedBy: { ...this.#refusedBy },
      refused: [...this.#refused],
      windowsMs: [...this.#windows].sort((a, b) => a - b),
    };
  }
}
