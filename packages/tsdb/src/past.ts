import type { Past } from '@nines/model/storage.ts';

/**
 * Which part of the past has changed and when: late and imported samples, deletions, retention. Whoever keeps answers asks it
 * whether they still hold.
 */

/** Samples younger than this are the present: answers over it are not expected to stay. */
export const PRESENT_MS = 120_000;
/** Changes remembered one by one; of what was before them nothing is believed. */
const MAX_CHANGES = 512;

export class PastChanges implements Past {
  readonly presentMs = PRESENT_MS;
  /** The instant of change `#oldest + i`. */
  readonly #changes: number[] = [];
  #oldest = 0;

  /** The newest version that somebody was told: later changes may be joined into one. */
  #told = 0;

  get version(): number {
    this.#told = this.#oldest + this.#changes.length;
    return this.#told;
  }

  earliestSince(version: number): number {
    if (version < this.#oldest) return Number.NEGATIVE_INFINITY;
    let earliest = Number.POSITIVE_INFINITY;
    for (let i = version - this.#oldest; i < this.#changes.length; i++) earliest = Math.min(earliest, this.#changes[i] ?? earliest);
    return earliest;
  }

  /** Something at or after `fromMs` is not what it was. */
  changed(fromMs: number): void {
    const last = this.#changes.length - 1;
    // A sender that lags changes the past with every request; between two questions that is one change.
    if (this.#told <= this.#oldest + last) this.#changes[last] = Math.min(this.#changes[last] ?? fromMs, fromMs);
    else this.#changes.push(fromMs);
    if (this.#changes.length > MAX_CHANGES) this.#oldest += this.#changes.splice(0, MAX_CHANGES / 2).length;
  }

  /** The times of samples that are stored, `times[0, count)`. */
  stored(times: Float64Array, count: number, nowMs: number): void {
    const presentMs = nowMs - PRESENT_MS;
    let earliest = presentMs;
    for (let i = 0; i < count; i++) {
      const time = times[i] ?? earliest;
      if (time < earliest) earliest = time;
    }
    if (earliest < presentMs) this.changed(earliest);
  }
}
