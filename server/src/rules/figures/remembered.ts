import { Slots } from '@nines/maths/signals/slots.ts';
import { type Labels, labelsKey } from '@nines/model/labels.ts';
import type { Reading } from '../threshold.ts';
import { MAX_REMEMBERED_SERIES, type Situation } from './figure.ts';

/** What a figure keeps of one series. */
export type Remembered<Extra> = { readonly labels: Labels; readonly slots: Slots; readonly extra: Extra };

/** The recent past of each series of a rule; series that all of it forgot make room. */
export class Past<Extra> {
  readonly #bySeries = new Map<string, Remembered<Extra>>();
  readonly #slotMs: number;
  readonly #capacity: number;
  readonly #newExtra: () => Extra;

  constructor({ slotMs, capacity }: { slotMs: number; capacity: number }, newExtra: () => Extra) {
    this.#slotMs = slotMs;
    this.#capacity = capacity;
    this.#newExtra = newExtra;
  }

  get size(): number {
    return this.#bySeries.size;
  }

  /** Notes the readings of an instant; with a timer's evaluation nothing new was measured. Throws beyond the most series. */
  note(vector: readonly Reading[], { atMs, woken }: Situation): readonly (Reading & { readonly past: Remembered<Extra> })[] {
    return vector.map((reading) => {
      const past = this.#of(reading.labels, atMs);
      if (woken && Number.isFinite(reading.value)) past.slots.add(atMs, reading.value);
      return { ...reading, past };
    });
  }

  #of(labels: Labels, atMs: number): Remembered<Extra> {
    const key = labelsKey(labels);
    const known = this.#bySeries.get(key);
    if (known !== undefined) return known;
    if (this.#bySeries.size >= MAX_REMEMBERED_SERIES) this.#forget(atMs);
    if (this.#bySeries.size >= MAX_REMEMBERED_SERIES) {
      throw new Error(`more than ${MAX_REMEMBERED_SERIES} series, whose past cannot be remembered: select fewer`);
    }
    const made = { labels, slots: new Slots(this.#slotMs, this.#capacity), extra: this.#newExtra() };
    this.#bySeries.set(key, made);
    return made;
  }

  #forget(atMs: number): void {
    const oldest = Math.floor(atMs / this.#slotMs) - this.#capacity;
    for (const [key, { slots }] of this.#bySeries) if (slots.newestSlot <= oldest) this.#bySeries.delete(key);
  }
}
