/** The first `limit` of any number of items in the order of `compare`; holds at most twice as many. */
export class Top<T> {
  readonly #limit: number;
  readonly #compare: (a: T, b: T) => number;
  #items: T[] = [];

  constructor(limit: number, compare: (a: T, b: T) => number) {
    this.#limit = limit;
    this.#compare = compare;
  }

  offer(item: T): void {
    this.#items.push(item);
    if (this.#items.length >= 2 * this.#limit + 16) this.#items = this.sorted();
  }

  sorted(): T[] {
    return this.#items.sort(this.#compare).slice(0, this.#limit);
  }
}
