import { createHmac } from 'node:crypto';
import type { Clock } from '@nines/base/clock.ts';
import { messageOf } from '@nines/base/errors.ts';
import { SECOND_MS, epochMs } from '@nines/base/units.ts';
import type { Kysely } from 'kysely';
import { z } from 'zod';
import type { Maintenance } from '../maintenance/contract.ts';
import type { Mail, Mailer } from '../notify/contract.ts';
import type { Database } from '../platform/db/schema.ts';
import type { Outbound } from '../platform/fetch/outbound.ts';
import { type OutboxHandler, type OutboxMessage, type OutboxVerdict, type Sql, fromJson } from '../platform/records/contract.ts';
import type { Outbox } from '../platform/records/outbox.ts';
import type { ServiceCatalogue } from '../services/contract.ts';
import { type Announcement, type AnnouncementUpdate, type StatusPageSpec, servicesOf } from './contract.ts';
import { type News, announcementNews, confirmMail, maintenanceNews, newsJson, newsMail } from './news.ts';
import type { StandingPage } from './pages.ts';
import { CONFIRM_TOPIC, type Subscriptions } from './subscriptions.ts';
import { scrub } from '../platform/scrub.ts';

/** Something that the subscribers of one page must hear of; becomes one row for each of them. */
export const TELL_TOPIC = 'status.tell';
/** The same for one receiver. */
export const SUBSCRIBER_TOPIC = 'status.subscriber';

export const STATUS_TOPICS = [CONFIRM_TOPIC, TELL_TOPIC, SUBSCRIBER_TOPIC] as const;

const TIMEOUT_MS = 10 * SECOND_MS;
/** Rows of one transaction. */
const CHUNK = 500;

export type DeliveryDeps = {
  readonly db: Kysely<Database>;
  readonly clock: Pick<Clock, 'now'>;
  readonly outbox: () => Pick<Outbox, 'enqueue' | 'wake'>;
  readonly page: (id: string) => StandingPage | undefined;
  readonly announcement: (id: string) => Announcement | undefined;
  readonly maintenance: Maintenance;
  readonly services: Pick<ServiceCatalogue, 'get'>;
  readonly subscriptions: Subscriptions;
  readonly mailer: (channel: string) => Mailer | undefined;
  readonly request: Outbound['request'];
  readonly urlOf: (spec: StatusPageSpec) => string;
};

const confirmPayload = z.object({ page: z.string(), kind: z.enum(['email', 'webhook']), address: z.string(), token: z.string() });
const about = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('update'), announcement: z.string(), update: z.string() }),
  /** A plan of a maintenance window, by its next occurrence. */
  z.object({ kind: z.literal('maintenance'), window: z.string(), planned_from_at_ms: z.int(), announced_at_ms: z.int() }),
]);
export type About = z.output<typeof about>;
const tellPayload = z.object({ page: z.string(), about });
/** `to` is a subscriber, or the place of a receiver in the page's own list. */
const receiverPayload = tellPayload.extend({ to: z.union([z.string(), z.int()]) });

/** Brings announcements to subscribers, through the outbox: what must go out is there before anything is sent, and each receiver is tried alone. */
export class Deliveries {
  readonly #deps: DeliveryDeps;

  constructor(deps: DeliveryDeps) {
    this.#deps = deps;
  }

  /** By topic, for the outbox. */
  readonly handlers: Readonly<Record<(typeof STATUS_TOPICS)[number], OutboxHandler>> = {
    [CONFIRM_TOPIC]: (message) => this.#confirm(message),
    [TELL_TOPIC]: (message) => this.#spread(message),
    [SUBSCRIBER_TOPIC]: (message, { signal }) => this.#tell(message, signal),
  };

  /** To be called in the transaction of the update. */
  async tell(trx: Sql, announcement: Announcement, update: AnnouncementUpdate): Promise<void> {
    for (const page of announcement.pages) {
      await this.tellPage(trx, page, { kind: 'update', announcement: announcement.id, update: update.id });
    }
  }

  /** The same about anything, on one page. */
  async tellPage(trx: Sql, page: string, what: About): Promise<void> {
    await this.#deps.outbox().enqueue(trx, { topic: TELL_TOPIC, key: page, payload: { page, about: what } });
  }

  async #spread(message: OutboxMessage): Promise<OutboxVerdict> {
    const { db, outbox, page: pageOf, subscriptions } = this.#deps;
    const told = tellPayload.parse(fromJson(message.payload));
    const page = pageOf(told.page);
    if (page === undefined) return gone(told.page);
    const receivers: (string | number)[] = [...page.spec.webhooks.keys(), ...(await subscriptions.idsOf(told.page))];
    for (let at = 0; at < receivers.length; at += CHUNK) {
      await db.transaction().execute(async (trx) => {
        for (const to of receivers.slice(at, at + CHUNK))
          await outbox().enqueue(trx, { topic: SUBSCRIBER_TOPIC, key: `${told.page}/${to}`, payload: { ...told, to } });
      });
    }
    outbox().wake();
    return { kind: 'done', receipt: `${receivers.length} receivers` };
  }

  async #tell(message: OutboxMessage, signal: AbortSignal): Promise<OutboxVerdict> {
    const told = receiverPayload.parse(fromJson(message.payload));
    const page = this.#deps.page(told.page);
    if (page === undefined) return gone(told.page);
    const news = this.#newsOf(page.spec, told.about);
    // What was taken back between its writing and its sending is told to nobody.
    if (news === undefined) return { kind: 'done', receipt: 'taken back, not sent' };
    if (typeof told.to === 'number') {
      const receiver = page.spec.webhooks[told.to];
      if (receiver === undefined) return { kind: 'dead', error: 'the receiver is no longer declared' };
      return this.#post(newsJson(news), { ...post(receiver.url, message.id, 'trusted', signal), secret: receiver.secret?.reveal() });
    }
    const subscriber = await this.#deps.subscriptions.find(told.to);
    if (subscriber === undefined) return { kind: 'done', receipt: 'unsubscribed, not sent' };
    if (subscriber === 'unreadable') return { kind: 'dead', error: 'the address of the subscriber cannot be read from the database' };
    const ending = `${news.url}/unsubscribe?token=${this.#deps.subscriptions.endingOf(subscriber)}`;
    if (subscriber.kind === 'email')
      return this.#mail(page.spec, newsMail(news, { to: subscriber.address, ending, key: `${news.id}.${subscriber.id}` }));
    const verdict = await this.#post(
      { ...newsJson(news), unsubscribe_url: ending },
      post(subscriber.address, message.id, 'untrusted', signal),
    );
    if (verdict.kind === 'dead' && verdict.error === GONE) await this.#deps.subscriptions.end(subscriber.id);
    return verdict;
  }

  #newsOf(spec: StatusPageSpec, what: About): News | undefined {
    const of = { spec, url: this.#deps.urlOf(spec) };
    if (what.kind === 'update') {
      const announcement = this.#deps.announcement(what.announcement);
      const update = announcement?.updates.find(({ id }) => id === what.update);
      return announcement === undefined || update === undefined || announcement.withdrawnAtMs !== null
        ? undefined
        : announcementNews(of, announcement, update);
    }
    const span = { fromMs: epochMs(what.planned_from_at_ms), toMs: epochMs(what.planned_from_at_ms + 1) };
    const work = this.#deps.maintenance
      .occurrences(span)
      .find((one) => one.window === what.window && one.announcedAtMs === what.announced_at_ms);
    const shown = servicesOf(spec).filter(({ service }) => work?.services.includes(service));
    if (work === undefined || shown.length === 0) return undefined;
    const names = shown.map(({ service, name }) => name ?? this.#deps.services.get(service)?.name ?? service);
    return maintenanceNews(of, { ...work, services: shown.map(({ service }) => service) }, names);
  }

  async #confirm(message: OutboxMessage): Promise<OutboxVerdict> {
    const asked = confirmPayload.parse(fromJson(message.payload));
    const page = this.#deps.page(asked.page);
    if (page === undefined) return gone(asked.page);
    const link = `${this.#deps.urlOf(page.spec)}/confirm?token=${asked.token}`;
    if (asked.kind === 'email') return this.#mail(page.spec, confirmMail(page.spec, { to: asked.address, link, key: message.id }));
    const body = {
      type: 'subscription.requested',
      page: { id: page.spec.id, title: page.spec.title },
      text: `Open this link to subscribe to ${page.spec.title}: ${link}`,
      confirm_url: link,
    };
    return this.#post(body, post(asked.address, message.id, 'untrusted', undefined));
  }

  async #mail(spec: StatusPageSpec, mail: Mail): Promise<OutboxVerdict> {
    const channel = spec.subscriptions.email;
    const mailer = channel === undefined ? undefined : this.#deps.mailer(channel);
    if (mailer === undefined) return { kind: 'dead', error: `the status page "${spec.id}" has no channel for mails any more` };
    const delivery = await mailer.send(mail);
    if (delivery.kind === 'delivered') return { kind: 'done', receipt: delivery.receipt };
    return { kind: delivery.retryable ? 'retry' : 'dead', error: delivery.error };
  }

  async #post(body: unknown, { url, key, trust, signal, secret }: Post): Promise<OutboxVerdict> {
    const text = JSON.stringify(body);
    const seconds = Math.floor(this.#deps.clock.now() / SECOND_MS);
    const headers = {
      'content-type': 'application/json',
      'user-agent': 'Nines',
      'idempotency-key': key,
      ...(secret === undefined
        ? {}
        : { 'x-nines-signature': `t=${seconds},v1=${createHmac('sha256', secret).update(`${seconds}.${text}`).digest('hex')}` }),
    };
    try {
      const options = {
        method: 'POST',
        headers,
        body: text,
        timeoutMs: TIMEOUT_MS,
        trust,
        ...(signal === undefined ? {} : { signal }),
      } as const;
      const { status } = await this.#deps.request(url, options);
      if (status >= 200 && status < 300) return { kind: 'done', receipt: `HTTP ${status}` };
      if (status === 410) return { kind: 'dead', error: GONE };
      return { kind: status >= 500 || status === 429 || status === 408 ? 'retry' : 'dead', error: `HTTP ${status}` };
    } catch (thrown) {
      return { kind: (thrown as { failure?: string }).failure === 'refused_address' ? 'dead' : 'retry', error: scrub(messageOf(thrown)) };
    }
  }
}

/** A receiver that says this is subscribed no more (RFC 9110, 15.5.11). */
const GONE = 'HTTP 410';
const gone = (page: string): OutboxVerdict => ({ kind: 'dead', error: `the status page "${page}" or its announcement is no longer there` });

type Post = {
  readonly url: string;
  readonly key: string;
  readonly trust: 'trusted' | 'untrusted';
  readonly signal: AbortSignal | undefined;
  readonly secret?: string | undefined;
};
const post = (url: string, key: string, trust: Post['trust'], signal: AbortSignal | undefined): Post => ({ url, key, trust, signal });
