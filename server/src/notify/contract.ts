/**
 * Notify brings an alert's change to people: route, group, mute, send, retry, record. One pipeline, written as one literal.
 * Delivery is at least once and survives a crash: what must go out stands in the outbox before anything is sent.
 * Each suppression is recorded with what caused it. A channel alone knows whether a failure is worth another try.
 * Never decides whether an alert fires, never sends inside a transaction.
 */
import type { Transaction } from 'kysely';
import { z } from 'zod';
import type { AlertView } from '../alerting/contract.ts';
import type { Database } from '../platform/db/schema.ts';

export type { ChannelsConfig, RoutingConfig } from './config.ts';
export { channelsConfig, routingConfig } from './config.ts';
export { templateFault } from './words.ts';
export type { Inhibition } from './inhibit.ts';
export type { Group, Match, Routes } from './route.ts';
export type { RouteView, RoutingTestView, RoutingView } from './routing-view.ts';

/**
 * Why notify hears of an alert. `updated` (somebody handled it, its rule holds it back or releases it) changes what later
 * messages say and whether repeats go out, but sends nothing by itself.
 */
export type NotifyReason = 'fired' | 'resolved' | 'escalated' | 'updated';

export type AlertChange = {
  readonly alert: AlertView;
  readonly reason: NotifyReason;
  readonly cooldownMs: number;
  /** A person asks for the next level of escalation, by a policy that they may name. */
  readonly asked?: { readonly by: string; readonly policy: string | undefined };
};

/**
 * Called by alerting inside its transaction with changes of one evaluation; runs SQL only, and what must go out stands in the outbox
 * after it. `more`: others of the same evaluation follow, so what was told a moment ago need not be told again with each part.
 */
export type NotifyFn = (
  trx: Transaction<Database>,
  changes: readonly AlertChange[],
  atMs: number,
  options?: { readonly more: boolean },
) => Promise<void>;

/** What a channel says after one attempt. */
export type Delivery =
  | {
      readonly kind: 'delivered';
      /** What the provider calls it. */
      readonly receipt: string;
      /** What later messages of the group need to join this one; kept until the group is resolved. */
      readonly thread?: string;
    }
  | { readonly kind: 'failed'; readonly error: string; readonly retryable: boolean; readonly retryAfterMs?: number };

/** Alertmanager's webhook message, version 4; every channel renders from it. Source: alertmanager notify/webhook and template.Data. */
export type Message = {
  readonly version: '4';
  readonly groupKey: string;
  readonly truncatedAlerts: number;
  readonly status: 'firing' | 'resolved';
  readonly receiver: string;
  readonly groupLabels: Readonly<Record<string, string>>;
  readonly commonLabels: Readonly<Record<string, string>>;
  readonly commonAnnotations: Readonly<Record<string, string>>;
  readonly externalURL: string;
  readonly alerts: readonly MessageAlert[];
};

export type MessageAlert = {
  /** Ours; never part of what a webhook gets. */
  readonly id?: string;
  readonly status: 'firing' | 'resolved';
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** RFC 3339; a firing alert ends at Go's zero time, `0001-01-01T00:00:00Z`. */
  readonly startsAt: string;
  readonly endsAt: string;
  readonly generatorURL: string;
  readonly fingerprint: string;
};

/** One attempt of one message. `idempotencyKey` is the same for every attempt, so that a receiver can drop repetitions. */
export type Attempt = {
  readonly message: Message;
  readonly idempotencyKey: string;
  readonly reason: string;
  /** Why it is sent, in words: `acknowledged by anne`. */
  readonly cause: string;
  readonly signal: AbortSignal;
  /** What an earlier message of the group left; absent for its first. */
  readonly thread?: string | undefined;
  /** The user's own words in place of ours. */
  readonly words?: { readonly title?: string | undefined; readonly text?: string | undefined } | undefined;
  /** A link that acknowledges this alert after a question. */
  readonly acknowledgeUrl?: ((alert: MessageAlert) => string | undefined) | undefined;
  /** Whom to reach in place of the channel's own recipients; the kind has judged it (`recipientFault`). */
  readonly to?: string | undefined;
};

/** What a provider called back with, as it arrived. `headers` have names in lower case. */
export type Callback = { readonly headers: Readonly<Record<string, string | string[] | undefined>>; readonly body: string };
/** What a callback asks for, once its signature held. */
export type Called =
  | { readonly kind: 'refused'; readonly error: string }
  /** Nothing to do: a button of somebody else, a chat about the weather. */
  | { readonly kind: 'ignored'; readonly answer: CallbackAnswer }
  | {
      readonly kind: 'acknowledge';
      /** The message that was answered: its id, or its receipt, or the code that stood in it. */
      readonly message: { readonly id: string } | { readonly receipt: string } | { readonly code: string };
      /** Who answered is none of the channel's own recipients: only a message that was sent to this one counts. */
      readonly recipient?: string | undefined;
      /** Who it was, as the provider knows them. */
      readonly by: string;
      /** What the provider is answered; `said` is what came of it. */
      readonly answer: (said: string) => CallbackAnswer;
    };
export type CallbackAnswer = { readonly type: string; readonly body: string };

/** A way to reach people. Adding one is a folder with a schema and a function of this shape, and one line in `kinds.ts`. */
export interface Channel {
  /** Each group is something of its own at the provider, which only a message of its own can end. */
  readonly standsAlone?: boolean;
  /** Also told when all that it called firing is acknowledged. */
  readonly takesAcknowledgements?: boolean;
  deliver(attempt: Attempt): Promise<Delivery>;
  /** Absent: the provider never calls back. */
  called?(callback: Callback): Called;
}

/** A mail of another domain, sent through a channel of kind `email`. */
export type Mail = {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  /** Absent: the channel's own. */
  readonly to?: readonly string[];
  readonly attachments?: readonly { readonly name: string; readonly mediaType: string; readonly bytes: Uint8Array }[];
  /** Where who gets the mail ends their subscription: by opening it, and with one click in the mail program (RFC 8058). */
  readonly unsubscribeUrl?: string;
  /** The Message-ID of the mail that this one answers. */
  readonly inReplyTo?: string;
  readonly idempotencyKey: string;
};
export interface Mailer {
  send(mail: Mail): Promise<Delivery>;
}

export const NOTIFICATION_STATUSES = ['queued', 'delivered', 'dead', 'suppressed'] as const;

/** The shape of `GET /api/notifications` items. */
export const notificationView = z.object({
  id: z.string(),
  channel: z.string(),
  group_key: z.string(),
  reason: z.string(),
  status: z.enum(NOTIFICATION_STATUSES),
  cause: z.string(),
  attempts: z.number(),
  /** How many of them the end of the process cut off; each may have arrived, so the receiver may have the message so many times more. */
  cut_off: z.number(),
  last_error: z.string().nullable(),
  receipt: z.string().nullable(),
  created_at_ms: z.number(),
  finished_at_ms: z.number().nullable(),
  alerts: z.array(z.string()),
});
export type NotificationView = z.infer<typeof notificationView>;

/** Why a message was held back, for somebody who may not see what held it. */
export const causeWithin = ({ status, cause }: Pick<NotificationView, 'status' | 'cause'>): string =>
  status === 'suppressed' ? 'something kept it from people' : cause;

/** The shape of `GET /api/channels` items: where one leads, and what became of its messages of the last week, tests included. */
export const channelView = z.object({
  id: z.string(),
  kind: z.string(),
  target: z.string(),
  delivered: z.number(),
  given_up: z.number(),
  /** Not sent yet, or to be tried again. */
  waiting: z.number(),
  delivered_at_ms: z.number().nullable(),
  /** The last message that failed at least once; it may have been delivered later. */
  failed: z.object({ at_ms: z.number(), error: z.string() }).nullable(),
});
export type ChannelView = z.infer<typeof channelView>;

export const CHANNEL_CODES = {
  notFound: 'channel_not_found',
  exists: 'channel_exists',
  ownedByFile: 'channel_owned_by_file',
  used: 'channel_used',
  invalid: 'channel_invalid',
  full: 'channels_full',
  changed: 'revision_conflict',
} as const;

/** Where a channel is changed: `ui` when it was made here, otherwise its place in the configuration file. */
const standing = { origin: z.string(), revision: z.number(), takes_rest: z.boolean() };
/** The shape of `GET /api/channels` items. */
export const listedChannel = channelView.extend({
  ...standing,
  /** Why it cannot send; null when it can. */
  fault: z.string().nullable(),
});
export type ListedChannel = z.infer<typeof listedChannel>;

/** The shape of `GET /api/channels/{id}`: as a person would write it, with `[redacted]` for each secret that is set. */
export const madeChannelView = z.object({
  id: z.string(),
  kind: z.string(),
  ...standing,
  channel: z.record(z.string(), z.unknown()),
});
export type MadeChannelView = z.infer<typeof madeChannelView>;

export const FIELD_TYPES = ['text', 'lines', 'secret', 'number', 'switch', 'choice', 'list', 'pairs', 'length'] as const;
/** One input of the form of a kind, read from the schema that judges what is sent. */
export const channelField = z.object({
  /** `http.url` stands in the object `http`. */
  path: z.string(),
  type: z.enum(FIELD_TYPES),
  /** Within an object that may be left out: whenever something of that is written. */
  required: z.boolean(),
  /** What holds when nothing is written; null: nothing does. */
  default: z.union([z.string(), z.number(), z.boolean()]).nullable(),
  choices: z.array(z.string()),
  min: z.number().nullable(),
  max: z.number().nullable(),
  /** Every kind has it. */
  common: z.boolean(),
});
export type ChannelField = z.infer<typeof channelField>;
export const channelKindView = z.object({ kind: z.string(), fields: z.array(channelField) });
export type ChannelKindView = z.infer<typeof channelKindView>;

/** A message about one alert that another domain decided: past routing and grouping, through the same outbox, pace and channels. */
export type Page = {
  readonly channel: string;
  /** Whom to reach in place of the channel's own recipients; a kind that takes none tells its own. */
  readonly to?: string | undefined;
  readonly alert: AlertView;
  /** Messages of one thread, which ends with `resolved`. */
  readonly thread: string;
  /** `acknowledged` reaches only channels that can show it; `handover` none that would open an incident of it. */
  readonly reason: 'escalation' | 'resolved' | 'acknowledged' | 'heartbeat' | 'notice' | 'handover';
  /** Why it is sent, in words. */
  readonly cause: string;
  readonly words?: { readonly title: string; readonly text: string } | undefined;
  /** Go templates over the message, in place of some of the words. */
  readonly templates?: { readonly title?: string | undefined; readonly text?: string | undefined } | undefined;
};

/** What other domains may send. */
export interface Pager {
  /** Puts a message into the outbox, in the caller's transaction. False when there is no such channel, or it takes no messages of this reason. */
  page(trx: Transaction<Database>, page: Page): Promise<boolean>;
  /** Channels that exist now. */
  channelIds(): readonly string[];
  /** Whether routing has told this channel of the alert, or is about to. */
  hasTold(trx: Transaction<Database>, alertId: string, channel: string): Promise<boolean>;
  /** Whether a message of this thread waits to be sent. */
  isWaiting(thread: string): Promise<boolean>;
  /** Open alerts that routing still has something to do for: a message that waits, or a group that is looked at again. */
  pendingAlerts(): Promise<ReadonlySet<string>>;
  /** What keeps an alert with these labels from people now, beside what was done to it (a silence, another alert); `untilMs` is when that ends by itself. */
  keeping(labels: Readonly<Record<string, string>>, nowMs: number): { readonly cause: string; readonly untilMs: number | null } | undefined;
}

/** Reads for other domains. */
export interface Notifications {
  /** What keeps an alert with these labels from people now (a silence, another alert), beside its handling. */
  keeping(labels: Readonly<Record<string, string>>, nowMs: number): { readonly cause: string } | undefined;
  /** What was sent or suppressed about one alert, oldest first. */
  ofAlert(alertId: string): Promise<readonly NotificationView[]>;
}
