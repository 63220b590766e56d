/** Readers by what they follow: those who follow the same are sent the same bytes. */
import type { StreamReader } from '../platform/http/contract.ts';
import type { Followed } from './contract.ts';
import type { SharedQuery } from './shared-query.ts';

export type Subscriber = {
  readonly reader: StreamReader;
  /** What it asked for, and whose series it saw when it was looked up. */
  readonly wanted: readonly Followed[];
  readonly scope: string;
  /** By the reader's own key. */
  readonly followed: ReadonlyMap<string, SharedQuery>;
  /** Keys that are told everything as soon as it is known. */
  readonly awaited: Set<string>;
  /** It did not take what it was sent; it is told everything when it can. */
  behind: boolean;
};

export type Audience = { readonly queries: ReadonlySet<SharedQuery>; readonly subscribers: Set<Subscriber> };

export class Audiences {
  readonly #byQueries = new Map<string, Audience>();
  readonly #of = new Map<Subscriber, string>();

  get size(): number {
    return this.#of.size;
  }

  /** Puts a subscriber where it belongs by what it follows. */
  place(subscriber: Subscriber): void {
    this.remove(subscriber);
    const queries = new Set(subscriber.followed.values());
    if (queries.size === 0) return;
    const name = [...queries]
      .map(({ id }) => id)
      .sort()
      .join();
    const audience = this.#byQueries.get(name) ?? { queries, subscribers: new Set() };
    audience.subscribers.add(subscriber);
    this.#byQueries.set(name, audience);
    this.#of.set(subscriber, name);
  }

  remove(subscriber: Subscriber): void {
    const name = this.#of.get(subscriber);
    if (name === undefined) return;
    this.#of.delete(subscriber);
    const audience = this.#byQueries.get(name);
    audience?.subscribers.delete(subscriber);
    if (audience?.subscribers.size === 0) this.#byQueries.delete(name);
  }

  all(): Iterable<Audience> {
    return this.#byQueries.values();
  }
}
