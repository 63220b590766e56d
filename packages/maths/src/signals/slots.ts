/**
 * The recent past of one series in bounded memory: one value per slot of time, the newest of the slot. Slots are aligned to the
 * epoch, so that the same slot of the day has the same number modulo the slots of a day.
 */
export class Slots {
  readonly slotMs: number;
  readonly capacity: number;
  readonly #values: Float64Array;
  readonly #timesMs: Float64Array;
  /** Number of the newest slot; those in `(newest - capacity, newest]` may hold a value. */
  #newest = Number.NEGATIVE_INFINITY;

  constructor(slotMs: number, capacity: number) {
    this.slotMs = slotMs;
    this.capacity = capacity;
    this.#values = new Float64Array(capacity).fill(Number.NaN);
    this.#timesMs = new Float64Array(capacity);
  }

  get newestSlot(): number {
    return this.#newest;
  }

  slotAt(atMs: number): number {
    return Math.floor(atMs / this.slotMs);
  }

  /** Values older than all slots, older than their slot's value, and NaN are left out. */
  add(atMs: number, value: number): void {
    const slot = this.slotAt(atMs);
    if (Number.isNaN(value) || slot <= this.#newest - this.capacity) return;
    if (slot > this.#newest) this.#advance(slot);
    const place = this.#placeOf(slot);
    if (!Number.isNaN(this.#values[place] ?? Number.NaN) && (this.#timesMs[place] ?? 0) > atMs) return;
    this.#values[place] = value;
    this.#timesMs[place] = atMs;
  }

  /** NaN where there is none. */
  valueOf(slot: number): number {
    if (slot > this.#newest || slot <= this.#newest - this.capacity) return Number.NaN;
    return this.#values[this.#placeOf(slot)] ?? Number.NaN;
  }

  /** What is there of slots `[from, to)`, oldest first. */
  points(from = this.#newest - this.capacity + 1, to = this.#newest + 1): readonly { readonly atMs: number; readonly value: number }[] {
    const found: { atMs: number; value: number }[] = [];
    for (let slot = Math.max(from, this.#newest - this.capacity + 1); slot < to; slot++) {
      const value = this.valueOf(slot);
      if (!Number.isNaN(value)) found.push({ atMs: this.#timesMs[this.#placeOf(slot)] ?? 0, value });
    }
    return found;
  }

  #advance(slot: number): void {
    if (slot - this.#newest >= this.capacity) this.#values.fill(Number.NaN);
    else for (let between = this.#newest + 1; between <= slot; between++) this.#values[this.#placeOf(between)] = Number.NaN;
    this.#newest = slot;
  }

  #placeOf(slot: number): number {
    return ((slot % this.capacity) + this.capacity) % this.capacity;
  }
}
