import { createHash } from 'node:crypto';
import { DAY_MS } from '@nines/base/units.ts';
import { z } from 'zod';
import { type BriefLimits, briefOf, cut } from '../brief.ts';
import type { Attempt, Channel, Delivery } from '../contract.ts';
import { exchange, failed } from '../exchange.ts';
import { common, timeout } from '../fields.ts';
import { type ChannelDeps, channelKind } from '../kind.ts';
import { MAX_TEXT_BYTES, encryptPush, vapidHeader } from './encrypt.ts';
import type { PushSubscriber } from './subscriptions.ts';

const schema = z.strictObject({
  ...common,
  kind: z.literal('webpush'),
  /** Whom a push service may write to when it has trouble with us. */
  contact: z.union([z.email().transform((address) => `mailto:${address}`), z.url({ protocol: /^(https|mailto)$/ })]),
  timeout,
});
export type WebpushConfig = z.output<typeof schema>;

export const webpushKind = channelKind({
  schema,
  open: createWebpush,
  target: () => 'browsers that asked for it',
  rateLimit: { messages: 30, perMs: 60_000 },
  /** The name under which somebody signs in: their own browsers. */
  recipient: z.string().min(1).max(200),
});

const LIMITS: BriefLimits = { titleChars: 150, alerts: 3, sentenceChars: 200, facts: 0, factChars: 0, textChars: 800 };
/** How long a push service keeps a message for a browser that is away. */
const TTL_S = DAY_MS / 1_000;
const GONE = /^HTTP (404|410)\b/;
/** Messages of which is remembered who got them, so that a repetition goes to the others alone. */
const MAX_REMEMBERED = 1_000;

/** Notices of the system, also when no page is open. A later message of a group takes the place of the earlier one. */
export function createWebpush(config: WebpushConfig, deps: Pick<ChannelDeps, 'request' | 'clock' | 'push'>): Channel {
  const reached = new Map<string, Set<string>>();
  const pushOne = async (subscriber: PushSubscriber, { text, topic, urgency, signal }: Push): Promise<Delivery> => {
    const { endpoint } = subscriber;
    const answer = await exchange(deps, {
      url: endpoint,
      headers: {
        'content-type': 'application/octet-stream',
        'content-encoding': 'aes128gcm',
        ttl: String(TTL_S),
        urgency,
        topic,
        authorization: vapidHeader(deps.push.key, { endpoint, contact: config.contact, nowMs: deps.clock.now() }),
      },
      body: encryptPush(text, subscriber),
      // The address came from a browser, not from the configuration file.
      trust: 'untrusted',
      timeoutMs: config.timeout,
      signal,
    });
    return answer.kind === 'failed' ? answer : { kind: 'delivered', receipt: `HTTP ${answer.status}` };
  };
  return {
    takesAcknowledgements: true,
    async deliver(attempt: Attempt): Promise<Delivery> {
      const { idempotencyKey: key } = attempt;
      const subscribers = await deps.push.of(config.id, attempt.to);
      if (subscribers.length === 0) return failed('no browser has asked for this channel yet; switch it on in the settings', false);
      const got = reached.get(key) ?? new Set<string>();
      const push = pushOf(attempt);
      let failure: Extract<Delivery, { kind: 'failed' }> | undefined;
      for (const subscriber of subscribers.filter(({ id }) => !got.has(id))) {
        const delivery = await pushOne(subscriber, push);
        if (delivery.kind === 'delivered') got.add(subscriber.id);
        else if (GONE.test(delivery.error)) await deps.push.remove(subscriber.id);
        else
          failure = {
            ...delivery,
            error: `${new URL(subscriber.endpoint).host}: ${delivery.error}`,
            retryable: failure?.retryable === true || delivery.retryable,
          };
      }
      if (failure !== undefined && failure.retryable) {
        reached.set(key, got);
        for (const oldest of reached.keys()) if (reached.size > MAX_REMEMBERED) reached.delete(oldest);
        return failure;
      }
      reached.delete(key);
      if (got.size === 0) return failure ?? failed('every browser that had asked for it has ended its subscription', false);
      return { kind: 'delivered', receipt: `${got.size} ${got.size === 1 ? 'browser' : 'browsers'}` };
    },
  };
}

type Push = { readonly text: Buffer; readonly topic: string; readonly urgency: string; readonly signal: AbortSignal };

function pushOf(attempt: Attempt): Push {
  const { title, text, alerts, more, severity, url } = briefOf(attempt, LIMITS);
  const body = [...(text === undefined ? alerts.map(({ sentence }) => sentence) : [text]), more].filter((line) => line !== '').join('\n');
  // 32 characters of base64url at most (RFC 8030, 5.4).
  const topic = createHash('sha256').update(attempt.message.groupKey).digest('base64url').slice(0, 32);
  const said = (room: number): Buffer =>
    Buffer.from(JSON.stringify({ title, body: cut(body, room), url: alerts.length === 1 ? alerts[0]?.url : url, tag: topic }));
  const whole = said(1_000);
  const urgent = severity === 'critical' || severity === 'emergency';
  return { text: whole.length <= MAX_TEXT_BYTES ? whole : said(200), topic, urgency: urgent ? 'high' : 'normal', signal: attempt.signal };
}
