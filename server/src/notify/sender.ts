import type { Clock } from '@nines/base/clock.ts';
import { messageOf } from '@nines/base/errors.ts';
import type { Ids } from '@nines/base/ids.ts';
import type { Logger } from '@nines/base/logger.ts';
import { DAY_MS, type EpochMs } from '@nines/base/units.ts';
import type { Transaction } from 'kysely';
import type { Counter } from '../collect/contract.ts';
import type { Bus } from '../platform/bus.ts';
import type { NotificationRow } from '../platform/db/migrations/0005-alerts.ts';
import type { Db } from '../platform/db/open.ts';
import type { Database } from '../platform/db/schema.ts';
import type { OutboxMessage, OutboxVerdict } from '../platform/records/contract.ts';
import type { AcknowledgeLinks } from './acknowledge-links.ts';
import { MAX_LOOKED_AT, bundleMessage, bundleTitle } from './bundle.ts';
import { contentOf, deleteBundle, insertBundle, openBundle, saveBundleAttempt, sealBundle } from './bundle-store.ts';
import { type OpenChannel, rateLimitOf } from './channels.ts';
import { endThread, findThread, saveThread } from './channel-store.ts';
import type { Attempt, Delivery, Message, MessageAlert } from './contract.ts';
import { Pacing } from './pacing.ts';
import { alertsOf, findNotification, insertNotification, markFailedOver, noteCutOff, saveAttempt } from './store.ts';
import { type TemplatesConfig, wordsOf } from './words.ts';
import { scrub } from '../platform/scrub.ts';

/** The outbox's topics of messages that wait to be sent: alone, and many in one. */
export const SEND_TOPIC = 'notify.send';
export const BUNDLE_TOPIC = 'notify.bundle';

type OutboxRow = { readonly topic: string; readonly key: string; readonly payload: unknown; readonly notBeforeMs?: number };
/** What notify needs of the outbox: a row in this transaction, and a nudge after it. */
export type OutboxPort = { enqueue(trx: Transaction<Database>, row: OutboxRow): Promise<unknown>; wake(): void };

export type SenderDeps = {
  readonly db: Db;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  readonly bus: Bus;
  readonly attempts: Counter;
  /** The links that acknowledge; absent, messages have none. */
  readonly links?: Pick<AcknowledgeLinks, 'urlOf'>;
  readonly outbox: () => OutboxPort;
  readonly settings: () => { readonly channels: ReadonlyMap<string, OpenChannel>; readonly externalUrl: string };
};

/** Alerts of a message for people; the rest is counted. A webhook decides for itself. */
export const MAX_ALERTS = 200;
/** A message that nobody took for a day is news no more; it becomes a dead letter that can be sent again by hand. */
const GIVE_UP_AFTER_MS = DAY_MS;
/** Attempts after which another channel is told as well: some seconds, or a minute of a channel that hangs. */
const FAILOVER_AFTER = 3;
const BUNDLE_REASON = 'bundled';

type Sending = Pick<OutboxMessage, 'payload' | 'cutOff'>;
type Ending = Pick<NotificationRow, 'status' | 'attempts' | 'last_error' | 'receipt' | 'finished_at_ms'>;

/** From a message that is decided to its receipt: pace, bundle, deliver, record, and tell another channel when this one fails. */
export class Sender {
  readonly #deps: SenderDeps;
  readonly #pacing = new Pacing();

  constructor(deps: SenderDeps) {
    this.#deps = deps;
  }

  /** Writes a message and what will send it, in the caller's transaction. `service` is what it is about. */
  async queue(trx: Transaction<Database>, row: NotificationRow, about: { alertIds: readonly string[]; service: string }): Promise<void> {
    const open = this.#deps.settings().channels.get(row.channel);
    const limit = open === undefined ? undefined : rateLimitOf(open.config);
    const alone = open?.channel.standsAlone === true && (await findThread(trx, row.group_id)) !== undefined;
    const pace = this.#pacing.decide({ channel: row.channel, limit, service: about.service, standsAlone: alone }, row.created_at_ms);
    if (pace.kind !== 'bundle') {
      await insertNotification(trx, row, about.alertIds);
      return this.enqueue(trx, row, pace.kind === 'later' ? pace.atMs : undefined);
    }
    const bundle = await this.#join(trx, row, pace.atMs);
    const cause = `${row.cause}; in a bundle, because more than ${limit?.messages} messages in ${(limit?.perMs ?? 0) / 1_000} s`;
    await insertNotification(trx, { ...row, cause, bundle_id: bundle }, about.alertIds);
  }

  /** Messages of one group to one channel leave in order. */
  async enqueue(trx: Transaction<Database>, row: Pick<NotificationRow, 'id' | 'group_id'>, notBeforeMs?: number): Promise<void> {
    const later = notBeforeMs === undefined ? {} : { notBeforeMs };
    await this.#deps.outbox().enqueue(trx, { topic: SEND_TOPIC, key: row.group_id, payload: { notification: row.id }, ...later });
  }

  /** The outbox's handler of `SEND_TOPIC`: one attempt of one message. */
  async send(row: Sending, options: { readonly signal: AbortSignal }): Promise<OutboxVerdict> {
    const { db } = this.#deps;
    const { notification: id } = JSON.parse(row.payload) as { notification: string };
    if (row.cutOff) await noteCutOff(db.kysely, { id });
    const stored = await findNotification(db.kysely, id);
    if (stored === undefined) return { kind: 'dead', error: `there is no notification ${id}` };
    if (stored.status === 'delivered') return { kind: 'done', receipt: stored.receipt ?? '' };
    const message = JSON.parse(stored.payload) as Message;
    const thread = await findThread(db.kysely, stored.group_id);
    const { reason, cause } = stored;
    const delivery = await this.deliver(stored.channel, {
      message,
      idempotencyKey: id,
      reason,
      cause,
      thread,
      to: stored.recipient ?? undefined,
      words: await ownWords(stored.words, message, this.#deps.clock.now()),
      signal: options.signal,
    });
    await this.#keepThread(stored.group_id, message, delivery);
    const ending = this.#endingOf(delivery, stored);
    await saveAttempt(db.kysely, id, ending);
    if (delivery.kind === 'failed') await this.#failOver(stored, { delivery, ending });
    return this.#tell(stored, { delivery, ending });
  }

  /** The outbox's handler of `BUNDLE_TOPIC`: one attempt of all that waits in a bundle, as one message. */
  async sendBundle(row: Sending, options: { readonly signal: AbortSignal }): Promise<OutboxVerdict> {
    const { db, clock, settings } = this.#deps;
    const { bundle: id } = JSON.parse(row.payload) as { bundle: string };
    const bundle = await sealBundle(db.kysely, id, clock.now());
    if (bundle === undefined) return { kind: 'done', receipt: 'sent before' };
    const { channel } = bundle;
    if (row.cutOff) await noteCutOff(db.kysely, { bundle_id: id });
    const content = await contentOf(db.kysely, id, MAX_LOOKED_AT);
    if (content.messageCount === 0) return this.#endBundle(id, 'nothing waited');
    const messages = content.payloads.map((payload) => JSON.parse(payload) as Message);
    const { externalUrl, channels } = settings();
    const message = bundleMessage({ channel, externalUrl, messages, ...content, maxAlerts: MAX_ALERTS });
    const about = {
      group_id: `bundle ${channel}`,
      group_key: message.groupKey,
      channel,
      reason: BUNDLE_REASON,
      attempts: content.attempts,
    };
    const stored = { id, ...about, created_at_ms: content.oldestAtMs };
    // Nobody can say that an incident of many groups is over: some of them have incidents of their own.
    if (message.status === 'resolved' && channels.get(channel)?.channel.standsAlone === true) {
      const cause = { status: 'suppressed', attempts: 0, last_error: null, receipt: null, finished_at_ms: clock.now() };
      await saveBundleAttempt(db.kysely, id, cause);
      return this.#endBundle(id, 'a bundle of resolves ends no incident');
    }
    const words = { title: bundleTitle(content.messageCount, message) };
    const cause = `${content.messageCount} messages in one`;
    const delivery = await this.deliver(channel, {
      message,
      idempotencyKey: id,
      reason: BUNDLE_REASON,
      cause,
      words,
      to: bundle.recipient ?? undefined,
      signal: options.signal,
    });
    const ending = this.#endingOf(delivery, stored);
    const receipt = ending.receipt === null ? null : `bundle ${id}: ${ending.receipt}`;
    await saveBundleAttempt(db.kysely, id, { ...ending, receipt });
    if (delivery.kind === 'delivered') await this.#endBundle(id, '');
    return this.#tell(stored, { delivery, ending });
  }

  /** One attempt, counted; a channel that throws is a fault of ours, and the message must not be lost for it. */
  async deliver(channelId: string, attempt: Attempt): Promise<Delivery> {
    const { links, clock, settings, attempts, logger } = this.#deps;
    const open = settings().channels.get(channelId);
    if (open === undefined) return { kind: 'failed', error: `the channel ${channelId} is no longer configured`, retryable: false };
    const nowMs = clock.now();
    const acknowledgeUrl = ({ id }: MessageAlert): string | undefined =>
      id === undefined ? undefined : links?.urlOf(id, channelId, nowMs);
    try {
      const words = attempt.words ?? (await wordsOf(attempt.message, open.config.templates, nowMs));
      const delivery = await open.channel.deliver({ ...attempt, words, acknowledgeUrl });
      attempts.add(1, { channel: channelId, outcome: delivery.kind });
      return delivery;
    } catch (thrown) {
      attempts.add(1, { channel: channelId, outcome: 'failed' });
      logger.error('channel threw', { channel: channelId, error: messageOf(thrown) });
      return { kind: 'failed', error: scrub(messageOf(thrown)), retryable: true };
    }
  }

  async #join(
    trx: Transaction<Database>,
    { channel, recipient }: Pick<NotificationRow, 'channel' | 'recipient'>,
    dueAtMs: number,
  ): Promise<string> {
    const open = await openBundle(trx, { channel, recipient });
    if (open !== undefined) return open;
    const id = this.#deps.ids.uuid();
    await insertBundle(trx, { id, channel, recipient, due_at_ms: dueAtMs, sealed_at_ms: null });
    const payload = { bundle: id };
    const key = `bundle ${channel}${recipient === null ? '' : ` ${recipient}`}`;
    await this.#deps.outbox().enqueue(trx, { topic: BUNDLE_TOPIC, key, payload, notBeforeMs: dueAtMs });
    return id;
  }

  async #endBundle(id: string, receipt: string): Promise<OutboxVerdict> {
    await deleteBundle(this.#deps.db.kysely, id);
    return { kind: 'done', receipt };
  }

  /** A thread lasts from a group's first message to its resolve. */
  async #keepThread(groupId: string, message: Message, delivery: Delivery): Promise<void> {
    const { db, clock } = this.#deps;
    if (delivery.kind === 'failed') return;
    if (message.status === 'resolved') await endThread(db.kysely, groupId);
    else if (delivery.thread !== undefined) await saveThread(db.kysely, groupId, { thread: delivery.thread, atMs: clock.now() });
  }

  /** Another channel is told what this one did not take; this one is tried on. Once for each message, also after a crash. */
  async #failOver(stored: NotificationRow, { delivery, ending }: { delivery: Delivery; ending: Ending }): Promise<void> {
    const { db, ids, clock, settings, logger, outbox } = this.#deps;
    const config = settings().channels.get(stored.channel)?.config;
    const isDue = ending.status === 'dead' || ending.attempts >= (config?.failover_after ?? FAILOVER_AFTER);
    const other = config?.failover;
    if (other === undefined || !isDue || stored.failed_over !== 0 || delivery.kind !== 'failed') return;
    const message = { ...(JSON.parse(stored.payload) as Message), receiver: other };
    const row: NotificationRow = {
      ...stored,
      id: ids.uuid(),
      group_id: `${other} in place of ${stored.group_id}`,
      channel: other,
      // An address of one channel means nothing to another.
      recipient: null,
      status: 'queued',
      cause: `in place of ${stored.channel}: ${delivery.error}`,
      payload: JSON.stringify(message),
      attempts: 0,
      last_error: null,
      receipt: null,
      created_at_ms: clock.now(),
      finished_at_ms: null,
      bundle_id: null,
      failed_over: 0,
      cut_off: 0,
    };
    await db.kysely.transaction().execute(async (trx) => {
      if (!(await markFailedOver(trx, stored.id))) return;
      const service = message.commonLabels['service'] ?? '';
      await this.queue(trx, row, { alertIds: await alertsOf(trx, stored.id), service });
    });
    logger.warn('another channel is told', { notification: stored.id, channel: stored.channel, failover: other });
    outbox().wake();
  }

  #endingOf(delivery: Delivery, { attempts, created_at_ms: createdAtMs }: Pick<NotificationRow, 'attempts' | 'created_at_ms'>): Ending {
    const nowMs = this.#deps.clock.now();
    return endingOf(delivery, { attempts: attempts + 1, nowMs, expired: nowMs - createdAtMs >= GIVE_UP_AFTER_MS });
  }

  #tell(
    { id, channel, reason }: Pick<NotificationRow, 'id' | 'channel' | 'reason'>,
    { delivery, ending }: { delivery: Delivery; ending: Ending },
  ): OutboxVerdict {
    const { bus, logger, clock } = this.#deps;
    if (ending.status !== 'queued') {
      const data = { id, channel, reason, status: ending.status, error: ending.last_error };
      const type = `notification.${ending.status === 'dead' ? 'failed' : 'delivered'}`;
      bus.publish({ topic: 'notifications', type, atMs: clock.now(), data });
    }
    if (delivery.kind === 'delivered') return { kind: 'done', receipt: delivery.receipt };
    logger.warn('notification attempt failed', { notification: id, channel, attempt: ending.attempts, error: delivery.error });
    if (ending.status === 'dead') return { kind: 'dead', error: delivery.error };
    const { error, retryAfterMs } = delivery;
    return { kind: 'retry', error, ...(retryAfterMs === undefined ? {} : { afterMs: retryAfterMs }) };
  }
}

/** The words that a message was given: as they are, and what its templates make in their place. */
async function ownWords(text: string | null, message: Message, atMs: EpochMs): Promise<Attempt['words']> {
  if (text === null) return undefined;
  const { templates, ...words } = JSON.parse(text) as { title?: string; text?: string; templates?: TemplatesConfig };
  const made = await wordsOf(message, templates, atMs);
  return { title: made?.title ?? words.title, text: made?.text ?? words.text };
}

/** How a message stands after an attempt. `expired`: another try comes too late to be news. */
export function endingOf(delivery: Delivery, { attempts, nowMs, expired }: { attempts: number; nowMs: number; expired: boolean }): Ending {
  if (delivery.kind === 'delivered')
    return { status: 'delivered', attempts, last_error: null, receipt: delivery.receipt, finished_at_ms: nowMs };
  const dead = !delivery.retryable || expired;
  return { status: dead ? 'dead' : 'queued', attempts, last_error: delivery.error, receipt: null, finished_at_ms: dead ? nowMs : null };
}
