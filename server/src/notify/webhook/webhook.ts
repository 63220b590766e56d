import { createHmac } from 'node:crypto';
import { z } from 'zod';
import { hookUrl, requestHeaders, secret } from '../../platform/config/fields.ts';
import type { Attempt, Channel, Delivery, Mail, Mailer, Message } from '../contract.ts';
import { JSON_TYPE, exchange } from '../exchange.ts';
import { common, timeout } from '../fields.ts';
import { type ChannelDeps, channelKind } from '../kind.ts';

const schema = z.strictObject({
  ...common,
  kind: z.literal('webhook'),
  url: hookUrl,
  headers: requestHeaders,
  /** Signs each body; see docs for the header. */
  secret: secret.optional(),
  timeout,
  /** Alerts in one message; 0 is no limit. The rest is counted in `truncatedAlerts`. */
  max_alerts: z.int().min(0).default(0),
});
export type WebhookConfig = z.output<typeof schema>;

type Deps = Pick<ChannelDeps, 'request' | 'clock'>;

/** Posts Alertmanager's message as JSON. */
export const createWebhook = (config: WebhookConfig, deps: Deps): Channel => ({
  deliver: ({ message, idempotencyKey, signal }: Attempt) => post(config, deps, { body: bodyOf(message), idempotencyKey, signal }),
});

export const webhookKind = channelKind({
  schema,
  open: createWebhook,
  target: ({ url }) => new URL(url).origin,
  sealed: { url: 'hook' },
  rateLimit: { messages: 2_000, perMs: 10_000 },
});

/** Posts a mail as JSON, its attachments in base64. */
export const createPostMailer = (config: WebhookConfig, deps: Deps): Mailer => ({
  send: ({ subject, text, attachments = [], idempotencyKey }: Mail) => {
    const parts = attachments.map(({ name, mediaType, bytes }) => ({
      name,
      media_type: mediaType,
      content_base64: Buffer.from(bytes).toString('base64'),
    }));
    return post(config, deps, { body: JSON.stringify({ version: '1', type: 'mail', subject, text, attachments: parts }), idempotencyKey });
  },
});

type Posted = { readonly body: string; readonly idempotencyKey: string; readonly signal?: AbortSignal };

async function post(config: WebhookConfig, deps: Deps, { body, idempotencyKey, signal }: Posted): Promise<Delivery> {
  const headers: Record<string, string> = {
    ...JSON_TYPE,
    'idempotency-key': idempotencyKey,
    ...(config.secret === undefined ? {} : { 'x-nines-signature': signatureOf(config.secret.reveal(), body, deps.clock.now()) }),
    ...Object.fromEntries(Object.entries(config.headers).map(([name, value]) => [name.toLowerCase(), value.reveal()])),
  };
  const stopping = signal === undefined ? {} : { signal };
  const answer = await exchange(deps, { url: config.url, headers, body, timeoutMs: config.timeout, ...stopping });
  return answer.kind === 'failed' ? answer : { kind: 'delivered', receipt: `HTTP ${answer.status}` };
}

/** Exactly Alertmanager's fields. */
const bodyOf = (message: Message): string =>
  JSON.stringify({ ...message, alerts: message.alerts.map(({ id: _id, ...alert }) => alert) } satisfies Message);

/** `t=<Unix seconds>,v1=<HMAC-SHA256 of "t.body" in hexadecimal>`: the time is signed too, so that a copy cannot be played again later. */
function signatureOf(secretText: string, body: string, nowMs: number): string {
  const seconds = Math.floor(nowMs / 1000);
  return `t=${seconds},v1=${createHmac('sha256', secretText).update(`${seconds}.${body}`).digest('hex')}`;
}
