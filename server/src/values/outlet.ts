import type { Clock } from '@nines/base/clock.ts';
import { SECOND_MS } from '@nines/base/units.ts';
import type { Counter, Histogram, SelfMetrics } from '../collect/contract.ts';
import { Audiences, type Subscriber } from './audiences.ts';
import type { SharedQuery } from './shared-query.ts';

/** Whoever follows is sent no more than four messages a second. */
const MESSAGE_GAP_MS = SECOND_MS / 4;
/** What was evaluated waits this long for the rest of what is due. */
const HOLD_MS = 100;
/** Of everything that is known no more is sent at a time, nor while the one before is unread: it would lie in memory. */
const PORTION_CHARS = 128 * 1024;
/** From the same turn of the loop to a server that cannot keep up, in seconds. */
const DELAY_BUCKETS = [0.05, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2.5, 5, 10];

/** An item, and when the samples arrived that it is about (monotonic). */
export type Change = { readonly query: SharedQuery; readonly item: string; readonly arrivedMs: number | undefined };

const messageOf = (items: readonly string[]): Buffer =>
  Buffer.from(`data: {"topic":"values","type":"values.changed","data":[${items.join(',')}]}\n\n`);

/** Sends what changed: one message for all who follow the same queries, everything to whoever is new or was behind. */
export class Outlet implements Disposable {
  readonly audiences = new Audiences();
  readonly #clock: Clock;
  readonly #messages: Counter;
  readonly #delay: Histogram;
  readonly #waiting = new Set<Subscriber>();
  #changes: Change[] = [];
  #changedMs = 0;
  #toldMs = Number.NEGATIVE_INFINITY;
  #timer: { readonly atMs: number; readonly handle: Disposable } | undefined;

  constructor(clock: Clock, metrics: SelfMetrics) {
    this.#clock = clock;
    this.#messages = metrics.counter('nines_live_messages_total', 'Messages with values: sent, or skipped as the reader was behind.');
    const delay = 'From samples that arrived to the message with what they changed, by query.';
    this.#delay = metrics.histogram('nines_live_delay_seconds', delay, DELAY_BUCKETS);
    metrics.watch('nines_live_followers', 'Streams that follow at least one query.', () => this.audiences.size);
  }

  /** Puts a subscriber among those who follow the same; what it awaits and is known is sent at once. */
  place(subscriber: Subscriber): void {
    this.audiences.place(subscriber);
    this.#greet(subscriber);
  }

  remove(subscriber: Subscriber): void {
    this.audiences.remove(subscriber);
    this.#waiting.delete(subscriber);
  }

  add(change: Change): void {
    if (this.#changes.length === 0) this.#changedMs = this.#clock.monotonic();
    this.#changes.push(change);
    this.#soon(this.#changedMs + HOLD_MS);
  }

  /** Nothing else is on its way. */
  flush(): void {
    if (this.#changes.length > 0 || this.#waiting.size > 0) this.#soon(0);
  }

  [Symbol.dispose](): void {
    this.#timer?.handle[Symbol.dispose]();
  }

  #soon(wantedMs: number): void {
    const nowMs = this.#clock.monotonic();
    const atMs = Math.max(wantedMs, this.#toldMs + MESSAGE_GAP_MS);
    if (atMs <= nowMs) return this.#tell();
    if (this.#timer !== undefined && this.#timer.atMs <= atMs) return;
    this.#timer?.handle[Symbol.dispose]();
    this.#timer = { atMs, handle: this.#clock.after(atMs - nowMs, () => this.#tell()) };
  }

  #tell(): void {
    this.#timer?.handle[Symbol.dispose]();
    this.#timer = undefined;
    const changes = this.#changes;
    this.#changes = [];
    for (const { queries, subscribers } of this.audiences.all()) {
      const items = changes.flatMap(({ query, item }) => (queries.has(query) ? [item] : []));
      if (items.length === 0) continue;
      const message = messageOf(items);
      for (const subscriber of subscribers) if (!subscriber.behind) this.#send(subscriber, message);
    }
    const nowMs = this.#clock.monotonic();
    if (changes.length > 0) this.#toldMs = nowMs;
    for (const subscriber of this.#waiting) this.#greet(subscriber);
    for (const { arrivedMs } of changes) if (arrivedMs !== undefined) this.#delay.observe((nowMs - arrivedMs) / 1000);
  }

  #send(subscriber: Subscriber, message: Buffer): void {
    subscriber.behind = !subscriber.reader.send(message);
    this.#messages.add(1, { outcome: subscriber.behind ? 'skipped' : 'sent' });
    if (!subscriber.behind) return;
    // To the newest, without what was missed.
    for (const key of subscriber.followed.keys()) subscriber.awaited.add(key);
    this.#waiting.add(subscriber);
    this.#soon(this.#clock.monotonic() + MESSAGE_GAP_MS);
  }

  /** Sends as much as it takes of everything that is known of what it awaits. */
  #greet(subscriber: Subscriber): void {
    const { awaited, reader } = subscriber;
    for (let portion = knownOf(subscriber); portion.items.length > 0; portion = knownOf(subscriber)) {
      for (const key of portion.keys) awaited.delete(key);
      this.#send(subscriber, messageOf(portion.items));
    }
    if (awaited.size === 0) this.#waiting.delete(subscriber);
    else this.#waiting.add(subscriber);
    if (!reader.takes && awaited.size > 0) this.#soon(this.#clock.monotonic() + MESSAGE_GAP_MS);
  }
}

/** Everything about the first keys that are awaited and known, as many as go into one portion, without building more. */
function knownOf({ awaited, followed, reader }: Subscriber): { readonly keys: readonly string[]; readonly items: readonly string[] } {
  const keys: string[] = [];
  const items: string[] = [];
  let chars = 0;
  if (!reader.takes) return { keys, items };
  for (const key of awaited) {
    const query = followed.get(key);
    if (query?.isKnown !== true) continue;
    const item = query.whole(key);
    if (chars > 0 && chars + item.length > PORTION_CHARS) break;
    chars += item.length;
    keys.push(key);
    items.push(item);
  }
  return { keys, items };
}
