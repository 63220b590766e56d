import { at } from './numbers.ts';
import { MAD_TO_SD, quantileOf } from './robust.ts';

/** The last `capacity` values, also in order: bounded memory, one binary search and one move per value. */
export class RollingSorted {
  readonly #ring: Float64Array;
  readonly #sorted: Float64Array;
  #count = 0;
  #next = 0;

  constructor(capacity: number) {
    this.#ring = new Float64Array(capacity);
    this.#sorted = new Float64Array(capacity);
  }

  get count(): number {
    return this.#count;
  }

  push(value: number): void {
    if (this.#count === this.#ring.length) this.#remove(at(this.#ring, this.#next));
    const place = this.#placeOf(value);
    this.#sorted.copyWithin(place + 1, place, this.#count);
    this.#sorted[place] = value;
    this.#ring[this.#next] = value;
    this.#next = (this.#next + 1) % this.#ring.length;
    this.#count += 1;
  }

  quantile(share: number): number {
    return quantileOf(this.#sorted.subarray(0, this.#count), share);
  }

  /** Median absolute deviation from the median, scaled to a standard deviation. */
  deviation(): number {
    const half = this.#count >> 1;
    const median = this.quantile(0.5);
    // The distances fall towards the median and rise behind it: the middle one is found by walking outwards.
    let [low, high] = [this.#placeOf(median) - 1, this.#placeOf(median)];
    let distance = 0;
    for (let k = 0; k <= half && k < this.#count; k++) {
      const below = low >= 0 ? median - at(this.#sorted, low) : Number.POSITIVE_INFINITY;
      const above = high < this.#count ? at(this.#sorted, high) - median : Number.POSITIVE_INFINITY;
      distance = Math.min(below, above);
      if (below < above) low -= 1;
      else high += 1;
    }
    return MAD_TO_SD * distance;
  }

  #remove(value: number): void {
    const place = this.#placeOf(value);
    this.#sorted.copyWithin(place, place + 1, this.#count);
    this.#count -= 1;
  }

  /** Index of the first value that is not smaller. */
  #placeOf(value: number): number {
    let [low, high] = [0, this.#count];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (at(this.#sorted, middle) < value) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Mean and deviation of the last `capacity` values, updated with each; summed anew now and then, so that rounding does not gather. */
export class RollingMoments {
  readonly #ring: Float64Array;
  #count = 0;
  #next = 0;
  #sum = 0;
  #squares = 0;
  #origin = 0;

  constructor(capacity: number) {
    this.#ring = new Float64Array(capacity);
  }

  get count(): number {
    return this.#count;
  }

  push(value: number): void {
    if (this.#count === 0) this.#origin = value;
    if (this.#count === this.#ring.length) {
      const gone = at(this.#ring, this.#next) - this.#origin;
      this.#sum -= gone;
      this.#squares -= gone * gone;
    } else this.#count += 1;
    this.#ring[this.#next] = value;
    const own = value - this.#origin;
    this.#sum += own;
    this.#squares += own * own;
    this.#next = (this.#next + 1) % this.#ring.length;
    if (this.#next === 0) this.#again();
  }

  #again(): void {
    this.#origin = at(this.#ring, 0);
    [this.#sum, this.#squares] = [0, 0];
    for (let i = 0; i < this.#count; i++) {
      const own = at(this.#ring, i) - this.#origin;
      this.#sum += own;
      this.#squares += own * own;
    }
  }

  mean(): number {
    return this.#origin + this.#sum / this.#count;
  }

  sd(): number {
    return Math.sqrt(Math.max(0, this.#squares - this.#sum ** 2 / this.#count) / Math.max(1, this.#count - 1));
  }
}
