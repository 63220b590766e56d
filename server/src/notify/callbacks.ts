import { FULL_SCOPE } from '@nines/model/storage.ts';
import type { Clock } from '@nines/base/clock.ts';
import { AppError, messageOf } from '@nines/base/errors.ts';
import type { Ids } from '@nines/base/ids.ts';
import type { Logger } from '@nines/base/logger.ts';
import { DAY_MS } from '@nines/base/units.ts';
import type { Kysely } from 'kysely';
import type { AlertView } from '../alerting/contract.ts';
import type { Database } from '../platform/db/schema.ts';
import type { Actor } from '../platform/http/contract.ts';
import type { Secrets } from '../platform/secrets/contract.ts';
import { AcknowledgeLinks } from './acknowledge-links.ts';
import { alertsOfMessage, deliveredSince, keyNamed } from './channel-store.ts';
import type { OpenChannel } from './channels.ts';
import type { Callback, CallbackAnswer, Called } from './contract.ts';
import { replyCodeOf } from './sms/sms.ts';

/** What callbacks need of alerts; refusals are `AppError`s. */
export type Acknowledging = {
  get(alertId: string): Promise<{ readonly alert: AlertView }>;
  act(alertId: string, action: { readonly kind: 'acknowledge'; readonly comment: string }, actor: Actor): Promise<AlertView>;
};

export type CallbackDeps = {
  readonly db: Kysely<Database>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly alerting: Acknowledging;
  readonly links: AcknowledgeLinks;
  readonly channels: () => ReadonlyMap<string, OpenChannel>;
};

/** Messages among which a code or receipt is looked for: those of the last day. */
const MAX_LOOKED_AT = 2_000;
/** One answer handles so many alerts; a storm is handled in the application. */
const MAX_ACKNOWLEDGED = 1_000;
const KEY = 'acknowledge-links';
const SECRET_BYTES = 32;

/** The links of this installation; their secret is made once. */
export async function openLinks({
  db,
  ids,
  clock,
  externalUrl,
  secrets,
}: {
  db: Kysely<Database>;
  secrets: Secrets;
  ids: Ids;
  clock: Clock;
  externalUrl: string;
}): Promise<AcknowledgeLinks> {
  return new AcknowledgeLinks(await keyNamed(db, KEY, { secrets, fresh: ids.secret(SECRET_BYTES), nowMs: clock.now() }), externalUrl);
}

/** A person who answered through a channel: known to the provider, not to us, and trusted with nothing but this. */
const answerer = (name: string): Actor => ({ kind: 'anonymous', id: '', name, role: 'operator', teamId: 'default', scope: FULL_SCOPE });

const acknowledging = (comment: string) => ({ kind: 'acknowledge', comment }) as const;

/** What comes back from people: buttons of Slack and Telegram, replies by SMS, and links in messages. */
export class Callbacks {
  readonly #deps: CallbackDeps;

  constructor(deps: CallbackDeps) {
    this.#deps = deps;
  }

  /** A provider calls. `AppError` `channel_not_found`, `callback_refused` (the signature does not hold). */
  async called(channelId: string, callback: Callback): Promise<CallbackAnswer> {
    const channel = this.#deps.channels().get(channelId)?.channel;
    if (channel?.called === undefined) throw new AppError('not_found', 'channel_not_found', `no channel ${channelId} takes answers`);
    const called = channel.called(callback);
    if (called.kind === 'refused') {
      this.#deps.logger.warn('a callback was refused', { channel: channelId, reason: called.error });
      throw new AppError('forbidden', 'callback_refused', called.error);
    }
    if (called.kind === 'ignored') return called.answer;
    return called.answer(await this.#acknowledge(channelId, called));
  }

  /** What a link is about. `AppError` `link_expired`, `link_unknown`, `alert_not_found`. */
  async linked(token: string): Promise<{ readonly alert: AlertView; readonly channel: string }> {
    const { links, clock, alerting } = this.#deps;
    const opened = links.open(token, clock.now());
    if (opened === 'expired')
      throw new AppError('forbidden', 'link_expired', 'this link was good for a day; sign in to acknowledge the alert');
    if (opened === undefined) throw new AppError('not_found', 'link_unknown', 'this link is not one of ours, or a part of it is missing');
    const { alert } = await alerting.get(opened.alertId);
    return { alert, channel: opened.channel };
  }

  /** Acknowledges what the link is about. */
  async follow(token: string): Promise<AlertView> {
    const { alert, channel } = await this.linked(token);
    if (alert.condition === 'resolved' || alert.acknowledged_at_ms !== null) return alert;
    return this.#deps.alerting.act(alert.id, acknowledging('by the link in a message'), answerer(`the link sent to ${channel}`));
  }

  async #acknowledge(channelId: string, called: Extract<Called, { kind: 'acknowledge' }>): Promise<string> {
    const { db, alerting, logger } = this.#deps;
    const { by, recipient } = called;
    const id = await this.#find(channelId, called);
    const ids = id === undefined ? [] : await alertsOfMessage(db, channelId, { id, recipient, limit: MAX_ACKNOWLEDGED });
    // Strangers are not answered.
    if (ids.length === 0) return recipient === undefined ? 'No alert was found for this answer.' : '';
    let acknowledged = 0;
    let refusal = '';
    for (const alertId of ids) {
      try {
        const { alert } = await alerting.get(alertId);
        if (alert.condition === 'resolved') continue;
        await alerting.act(alertId, acknowledging(`answered in ${channelId}`), answerer(by));
        acknowledged++;
      } catch (thrown) {
        if (!(thrown instanceof AppError)) throw thrown;
        refusal = messageOf(thrown);
        logger.warn('an answer could not be carried out', { channel: channelId, alert: alertId, reason: refusal });
      }
    }
    if (acknowledged > 0) return `Acknowledged ${acknowledged} ${acknowledged === 1 ? 'alert' : 'alerts'}.`;
    return refusal === '' ? 'The alerts of this message are over already.' : `Not acknowledged: ${refusal}.`;
  }

  async #find(channelId: string, { message, recipient }: Extract<Called, { kind: 'acknowledge' }>): Promise<string | undefined> {
    if ('id' in message) return message.id;
    const { db, clock } = this.#deps;
    const since = { sinceMs: clock.now() - DAY_MS, limit: MAX_LOOKED_AT, recipient };
    if ('receipt' in message) return (await deliveredSince(db, channelId, { ...since, receipt: message.receipt }))[0];
    return (await deliveredSince(db, channelId, since)).find((id) => replyCodeOf(id) === message.code);
  }
}
