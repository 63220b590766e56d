import { createHmac } from 'node:crypto';
import { messageOf } from '@nines/base/errors.ts';
import type { Clock } from '@nines/base/clock.ts';
import type { ChannelConfig } from '../config.ts';
import type { Attempt, Channel, Delivery, Mail, Mailer } from '../contract.ts';
import type { Outbound, OutboundAnswer } from '../../platform/fetch/outbound.ts';

export type WebhookConfig = Extract<ChannelConfig, { kind: 'webhook' }>;

export type HttpRequest = Outbound['request'];

export type WebhookDeps = { readonly config: WebhookConfig; readonly request: HttpRequest; readonly clock: Pick<Clock, 'now'> };

/** Characters of a refusing answer that stand in the error: enough for a sentence, too few for a page. */
const MAX_ANSWER_CHARS = 300;

/** Posts Alertmanager's message as JSON. */
export const createWebhook = (deps: WebhookDeps): Channel => ({
  deliver: ({ message, idempotencyKey, signal }: Attempt) => post(deps, { body: JSON.stringify(message), idempotencyKey, signal }),
});

/** Posts a mail as JSON, its attachments in base64. */
export const createPostMailer = (deps: WebhookDeps): Mailer => ({
  send: ({ subject, text, attachments = [], idempotencyKey }: Mail) => {
    const parts = attachments.map(({ name, mediaType, bytes }) => ({
      name,
      media_type: mediaType,
      content_base64: Buffer.from(bytes).toString('base64'),
    }));
    return post(deps, { body: JSON.stringify({ version: '1', type: 'mail', subject, text, attachments: parts }), idempotencyKey });
  },
});

/** Worth another try: transport errors, 5xx, 408 and 429 (after its `Retry-After`). */
async function post(
  { config, request, clock }: WebhookDeps,
  { body, idempotencyKey, signal }: { readonly body: string; readonly idempotencyKey: string; readonly signal?: AbortSignal },
): Promise<Delivery> {
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    'user-agent': 'Nines',
    'idempotency-key': idempotencyKey,
    ...(config.secret === undefined ? {} : { 'x-nines-signature': signatureOf(config.secret.reveal(), body, clock.now()) }),
    ...Object.fromEntries(Object.entries(config.headers).map(([name, value]) => [name.toLowerCase(), value.reveal()])),
  };
  try {
    const answer = await request(config.url, {
      method: 'POST',
      headers,
      body,
      timeoutMs: config.timeout,
      ...(signal === undefined ? {} : { signal }),
    });
    return judge(answer, clock.now());
  } catch (thrown) {
    return { kind: 'failed', error: messageOf(thrown), retryable: true };
  }
}

/** `t=<Unix seconds>,v1=<HMAC-SHA256 of "t.body" in hexadecimal>`: the time is signed too, so that a copy cannot be played again later. */
function signatureOf(secret: string, body: string, nowMs: number): string {
  const seconds = Math.floor(nowMs / 1000);
  return `t=${seconds},v1=${createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex')}`;
}

function judge(answer: OutboundAnswer, nowMs: number): Delivery {
  const { status, headers, body } = answer;
  if (status >= 200 && status < 300) return { kind: 'delivered', receipt: `HTTP ${status}` };
  const said = body.toString('utf8').trim().slice(0, MAX_ANSWER_CHARS);
  const error = `HTTP ${status}${said === '' ? '' : `: ${said}`}`;
  const retryable = status >= 500 || status === 429 || status === 408;
  const afterMs = retryable ? retryAfterMs(headers['retry-after'], nowMs) : undefined;
  return { kind: 'failed', error, retryable, ...(afterMs === undefined ? {} : { retryAfterMs: afterMs }) };
}

/** `Retry-After` in seconds or as a date (RFC 9110, 10.2.3); what is neither is ignored. */
export function retryAfterMs(header: string | string[] | undefined, nowMs: number): number | undefined {
  const text = Array.isArray(header) ? header[0] : header;
  if (text === undefined) return undefined;
  if (/^\d+$/.test(text.trim())) return Number(text) * 1000;
  // Only the date form of HTTP: Date.parse takes "-1" for a day of the year 2001.
  const atMs = /^[A-Za-z]{3,9},? /.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - nowMs);
}
