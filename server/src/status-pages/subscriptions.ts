import type { Clock } from '@nines/base/clock.ts';
import { AppError } from '@nines/base/errors.ts';
import type { Ids } from '@nines/base/ids.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '@nines/base/units.ts';
import type { Kysely } from 'kysely';
import { z } from 'zod';
import type { Database } from '../platform/db/schema.ts';
import { judgeAddress } from '../platform/fetch/judge.ts';
import type { Outbox } from '../platform/records/outbox.ts';
import type { Secrets } from '../platform/secrets/contract.ts';
import { STATUS_PAGE_CODES, type StatusPageSpec } from './contract.ts';
import type { Links } from './links.ts';
import {
  type AddressBook,
  type Subscriber,
  countSubscribers,
  deleteSubscriber,
  findSubscriber,
  insertSubscriber,
  nameSubscribers,
  subscriberAt,
  subscriberIds,
  subscribersOf,
} from './store.ts';

/** Sends the link with which somebody confirms that an address is theirs. */
export const CONFIRM_TOPIC = 'status.confirm';

/** How long the link of a confirmation holds. */
const CONFIRM_WITHIN_MS = 2 * DAY_MS;
/** Subscribers of one page. */
const MAX_SUBSCRIBERS = 20_000;
/** Confirmations that one address of the net may ask for in an hour, and that are sent in a minute altogether: nobody's mailbox is filled through us. */
const MAX_PER_PEER = 10;
const MAX_PER_MINUTE = 60;
/** One address is written to once in this time, however often it is typed in. */
const QUIET_MS = 10 * MINUTE_MS;
const MAX_REMEMBERED = 20_000;

export type Wish = { readonly page: StatusPageSpec; readonly kind: Subscriber['kind']; readonly address: string };

export type SubscriptionDeps = {
  readonly db: Kysely<Database>;
  readonly clock: Pick<Clock, 'now'>;
  readonly ids: Ids;
  readonly links: Links;
  readonly secrets: Secrets;
  readonly outbox: () => Pick<Outbox, 'enqueue' | 'wake'>;
};

const confirmation = z.tuple([z.string(), z.enum(['email', 'webhook']), z.string(), z.number()]);

/** Who is told of announcements. An address is kept only when its owner has followed the signed link that was sent to it. */
export class Subscriptions {
  readonly #deps: SubscriptionDeps;
  readonly #book: AddressBook;
  /** When something was sent last, by address; and how often a peer asked, by hour. Oldest first. */
  readonly #sentMs = new Map<string, number>();
  readonly #asked = new Map<string, { count: number; sinceMs: number }>();
  #minute = { count: 0, sinceMs: 0 };

  constructor(deps: SubscriptionDeps) {
    this.#deps = deps;
    const { db, secrets, links } = deps;
    this.#book = { db, secrets, digest: (address) => links.digest(address) };
  }

  /** To be called before anything else. */
  load(): Promise<void> {
    return nameSubscribers(this.#book);
  }

  /** Sends the link. `peer` is the address of the net that asks. `AppError` `too_many_tries`. */
  async ask({ page, kind, address }: Wish, peer: string): Promise<void> {
    const { db, clock, links, outbox } = this.#deps;
    const nowMs = clock.now();
    // Who comes from inside is a proxy, which speaks for everyone.
    if (judgeAddress(peer, 'untrusted').allowed) this.#countPeer(peer, nowMs);
    const key = `${page.id} ${kind} ${address.toLowerCase()}`;
    if (nowMs - (this.#sentMs.get(key) ?? Number.NEGATIVE_INFINITY) < QUIET_MS) return;
    this.#countMinute(nowMs);
    this.#remember(key, nowMs);
    const token = links.sign('confirm', [page.id, kind, address, nowMs + CONFIRM_WITHIN_MS]);
    const payload = { page: page.id, kind, address, token };
    const row = { topic: CONFIRM_TOPIC, key: `${kind}/${links.digest(address)}`, payload };
    await db.transaction().execute((trx) => outbox().enqueue(trx, row));
    outbox().wake();
  }

  /** What a link asks to confirm. Undefined when it is none of ours for this page, or is too old. */
  ofConfirmation(page: StatusPageSpec, token: string): Pick<Subscriber, 'kind' | 'address'> | undefined {
    const opened = confirmation.safeParse(this.#deps.links.open('confirm', token));
    if (!opened.success || opened.data[0] !== page.id || opened.data[3] < this.#deps.clock.now()) return undefined;
    const [, kind, address] = opened.data;
    return { kind, address };
  }

  /** Takes a confirmed address in. Undefined as for `ofConfirmation`. Doing it twice does it once. */
  async confirm(page: StatusPageSpec, token: string): Promise<Subscriber | undefined> {
    const { db, clock, ids } = this.#deps;
    const nowMs = clock.now();
    const asked = this.ofConfirmation(page, token);
    if (asked === undefined) return undefined;
    const wanted = { page: page.id, ...asked };
    const known = await subscriberAt(this.#book, wanted);
    if (known !== undefined) return known;
    const counts = await countSubscribers(db);
    const count = counts.reduce((sum, one) => sum + (one.page === page.id ? one.count : 0), 0);
    if (count >= MAX_SUBSCRIBERS) throw tooMany('this page has as many subscribers as it can take', DAY_MS);
    // Two clicks at once make one.
    await insertSubscriber(this.#book, { id: ids.uuid(), ...wanted }, nowMs);
    return subscriberAt(this.#book, wanted);
  }

  /** The text that ends a subscription, for links in what is sent. */
  endingOf({ id }: Subscriber): string {
    return this.#deps.links.sign('unsubscribe', id);
  }

  /** The subscription that a link is about; undefined when there is none (any more). */
  async ofEnding(token: string): Promise<Subscriber | undefined> {
    const id = this.#deps.links.open('unsubscribe', token);
    const found = typeof id === 'string' ? await this.find(id) : undefined;
    return found === 'unreadable' ? undefined : found;
  }

  find(id: string): ReturnType<typeof findSubscriber> {
    return findSubscriber(this.#book, id);
  }

  /** Only when it is one of the page, where that is said. */
  async end(id: string, page?: string): Promise<void> {
    await deleteSubscriber(this.#deps.db, id, page);
  }

  idsOf(page: string): Promise<readonly string[]> {
    return subscriberIds(this.#deps.db, page);
  }

  list(page: string): ReturnType<typeof subscribersOf> {
    return subscribersOf(this.#book, page);
  }

  counts(): ReturnType<typeof countSubscribers> {
    return countSubscribers(this.#deps.db);
  }

  #countPeer(peer: string, nowMs: number): void {
    const known = this.#asked.get(peer);
    const asked = known === undefined || nowMs - known.sinceMs >= HOUR_MS ? { count: 0, sinceMs: nowMs } : known;
    if (asked.count >= MAX_PER_PEER)
      throw tooMany('too many subscriptions from your address; try again later', asked.sinceMs + HOUR_MS - nowMs);
    asked.count++;
    this.#asked.delete(peer);
    this.#asked.set(peer, asked);
    forgetOldest(this.#asked);
  }

  #countMinute(nowMs: number): void {
    if (nowMs - this.#minute.sinceMs >= MINUTE_MS) this.#minute = { count: 0, sinceMs: nowMs };
    if (this.#minute.count >= MAX_PER_MINUTE) throw tooMany('too many subscriptions at once; try again in a minute', MINUTE_MS);
    this.#minute.count++;
  }

  #remember(key: string, nowMs: number): void {
    this.#sentMs.delete(key);
    this.#sentMs.set(key, nowMs);
    forgetOldest(this.#sentMs);
  }
}

function forgetOldest(map: Map<string, unknown>): void {
  for (const key of map.keys()) {
    if (map.size <= MAX_REMEMBERED) return;
    map.delete(key);
  }
}

const tooMany = (message: string, retryAfterMs: number): AppError =>
  new AppError('limited', STATUS_PAGE_CODES.tooManyTries, message, { retryAfterMs });
