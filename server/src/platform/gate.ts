/** Lets a bounded number of tasks run at a time; the others wait in order of arrival. */
export class Gate {
  readonly #limit: number;
  readonly #maxWaiting: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(limit: number, maxWaiting: number) {
    this.#limit = limit;
    this.#maxWaiting = maxWaiting;
  }

  /** Resolves to a place that must be disposed; undefined when too many are waiting. Rejects when `signal` aborts first. */
  async enter(signal?: AbortSignal): Promise<Disposable | undefined> {
    signal?.throwIfAborted();
    if (this.#running >= this.#limit) {
      if (this.#waiting.length >= this.#maxWaiting) return undefined;
      await this.#turn(signal);
    } else {
      this.#running++;
    }
    let left = false;
    return {
      [Symbol.dispose]: () => {
        if (left) return;
        left = true;
        // The place goes straight to the next in line: were it given back first, a newcomer could take it.
        const next = this.#waiting.shift();
        if (next === undefined) this.#running--;
        else next();
      },
    };
  }

  #turn(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const go = (): void => {
        signal?.removeEventListener('abort', give);
        resolve();
      };
      const give = (): void => {
        const place = this.#waiting.indexOf(go);
        if (place >= 0) this.#waiting.splice(place, 1);
        reject(signal?.reason as Error);
      };
      this.#waiting.push(go);
      signal?.addEventListener('abort', give, { once: true });
    });
  }
}
