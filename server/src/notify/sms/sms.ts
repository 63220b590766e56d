import { createHash } from 'node:crypto';
import { z } from 'zod';
import { httpUrl, requestHeaders, secret } from '../../platform/config/fields.ts';
import { type BriefLimits, briefOf } from '../brief.ts';
import type { Attempt, Called, Callback, Channel, Delivery } from '../contract.ts';
import { type Answered, type Failed, JSON_TYPE, exchange, textMember } from '../exchange.ts';
import { common, timeout } from '../fields.ts';
import { type ChannelDeps, channelKind } from '../kind.ts';
import { isSame } from '../../platform/is-same.ts';
import { hmac } from '../signatures.ts';
import { fitGsm } from './gsm.ts';

const number = z.string().regex(/^\+[1-9]\d{6,14}$/, 'write a number with its country, for example +4930123456');
const twilio = z.strictObject({
  account_sid: z.string().min(1),
  auth_token: secret,
  api_url: httpUrl.default('https://api.twilio.com'),
});
const http = z.strictObject({
  url: httpUrl,
  headers: requestHeaders,
  /** Names of the fields in the JSON body. */
  fields: z.strictObject({ to: z.string().default('to'), from: z.string().default('from'), text: z.string().default('text') }).prefault({}),
  /** Who calls back with a reply sends it as `Authorization: Bearer …`, and a JSON body with the same fields. */
  reply_token: secret.optional(),
});

const schema = z
  .strictObject({
    ...common,
    kind: z.literal('sms'),
    /** Twilio, or whatever speaks its interface. */
    twilio: twilio.optional(),
    /** A gateway that takes one message as JSON. */
    http: http.optional(),
    /** The sender: a number, a name where the provider takes one, or a Twilio messaging service (`MG…`). */
    from: z.string().min(1).max(40),
    to: z.union([number.transform((one) => [one]), z.array(number).min(1).max(20)]),
    /** Longest message, in parts of a text message; the rest is a link away. */
    max_parts: z.int().min(1).max(6).default(2),
    /** Puts a code into each message; who answers with it acknowledges. The provider must call `/api/channels/<id>/callback`. */
    replies: z.boolean().default(false),
    timeout,
  })
  .superRefine((config, context) => {
    if ((config.twilio === undefined) === (config.http === undefined))
      context.addIssue({ code: 'custom', message: 'an sms channel needs "twilio" or "http", one of them' });
    if (config.replies && config.http !== undefined && config.http.reply_token === undefined)
      context.addIssue({
        code: 'custom',
        message: '"replies" over http needs "reply_token", so that nobody else answers',
        path: ['http', 'reply_token'],
      });
  });
export type SmsConfig = z.output<typeof schema>;

export const smsKind = channelKind({
  schema,
  open: createSms,
  target: ({ to }) => to.join(', '),
  sealed: { 'twilio.api_url': 'base', 'http.url': 'hook' },
  recipient: number,
  rateLimit: { messages: 6, perMs: 60_000 },
});

const LIMITS: BriefLimits = { titleChars: 200, alerts: 3, sentenceChars: 200, facts: 0, factChars: 0, textChars: 900 };
/** Messages of which is remembered who got them, so that a repetition goes to the others alone. */
const MAX_REMEMBERED = 1_000;
const CODE_DIGITS = 5;

/** What a reply names a message by. */
export const replyCodeOf = (notification: string): string =>
  String(createHash('sha256').update(notification).digest().readUInt32BE(0) % 10 ** CODE_DIGITS).padStart(CODE_DIGITS, '0');

/** Text messages. Providers offer no key against repetition: who got a message is remembered until all have it. */
export function createSms(config: SmsConfig, deps: Pick<ChannelDeps, 'request' | 'clock' | 'externalUrl'>): Channel {
  const reached = new Map<string, Map<string, string>>();
  return {
    async deliver(attempt: Attempt): Promise<Delivery> {
      const { idempotencyKey: key, signal } = attempt;
      const got = reached.get(key) ?? new Map<string, string>();
      const text = textFor(attempt, config);
      for (const to of attempt.to === undefined ? config.to : [attempt.to]) {
        if (got.has(to)) continue;
        const answer = await sendOne(config, deps, { to, text, signal });
        if (answer.kind === 'failed') {
          remember(reached, key, got);
          return { ...answer, error: `${to}: ${answer.error}` };
        }
        got.set(to, textMember(answer.json, 'sid') ?? textMember(answer.json, 'id') ?? `HTTP ${answer.status}`);
      }
      reached.delete(key);
      return { kind: 'delivered', receipt: [...got.values()].join(', ') };
    },
    ...(config.replies ? { called: (callback) => calledBySms(callback, config, deps.externalUrl) } : {}),
  };
}

function remember(reached: Map<string, Map<string, string>>, key: string, got: Map<string, string>): void {
  reached.set(key, got);
  for (const oldest of reached.keys()) if (reached.size > MAX_REMEMBERED) reached.delete(oldest);
}

function textFor(attempt: Attempt, { max_parts: parts, replies }: SmsConfig): string {
  const { title, text, alerts, more, status } = briefOf(attempt, LIMITS);
  const body = [title, ...(text === undefined ? alerts.map(({ sentence }) => sentence) : [text]), more]
    .filter((line) => line !== '')
    .join('\n');
  const tail = replies && status === 'firing' ? `\nReply ${replyCodeOf(attempt.idempotencyKey)} to acknowledge` : '';
  return fitGsm(body, tail, parts);
}

type One = { readonly to: string; readonly text: string; readonly signal: AbortSignal };

function sendOne(config: SmsConfig, deps: Pick<ChannelDeps, 'request' | 'clock'>, { to, text, signal }: One): Promise<Answered | Failed> {
  const { twilio: account, http: gateway, from, timeout: timeoutMs } = config;
  const explain = (json: unknown): { error: string | undefined } => ({ error: textMember(json, 'message') ?? textMember(json, 'error') });
  if (account !== undefined) {
    const sender = from.startsWith('MG') ? { MessagingServiceSid: from } : { From: from };
    const login = Buffer.from(`${account.account_sid}:${account.auth_token.reveal()}`).toString('base64');
    return exchange(deps, {
      url: `${account.api_url}/2010-04-01/Accounts/${encodeURIComponent(account.account_sid)}/Messages.json`,
      headers: { 'content-type': 'application/x-www-form-urlencoded', authorization: `Basic ${login}` },
      body: new URLSearchParams({ To: to, ...sender, Body: text }).toString(),
      timeoutMs,
      signal,
      explain,
    });
  }
  const { fields, url = '', headers = {} } = gateway ?? {};
  return exchange(deps, {
    url,
    headers: { ...JSON_TYPE, ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value.reveal()])) },
    body: JSON.stringify({ [fields?.to ?? 'to']: to, [fields?.from ?? 'from']: from, [fields?.text ?? 'text']: text }),
    timeoutMs,
    signal,
    explain,
  });
}

/** A reply with a code, from a number that is told. */
function calledBySms({ headers, body }: Callback, config: SmsConfig, externalUrl: string): Called {
  const { twilio: account, http: gateway } = config;
  const form = account === undefined ? undefined : new URLSearchParams(body);
  if (form !== undefined) {
    const signed = `${externalUrl}/api/channels/${config.id}/callback${[...form.entries()]
      .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
      .flat()
      .join('')}`;
    const signature = headers['x-twilio-signature'];
    // Source: twilio.com/docs, security, validating requests.
    if (typeof signature !== 'string' || !isSame(signature, hmac('sha1', account?.auth_token.reveal() ?? '', signed).toString('base64')))
      return {
        kind: 'refused',
        error: `the signature does not hold; the address that Twilio calls must be ${externalUrl}/api/channels/${config.id}/callback`,
      };
  } else if (
    typeof headers['authorization'] !== 'string' ||
    !isSame(headers['authorization'], `Bearer ${gateway?.reply_token?.reveal() ?? ''}`)
  ) {
    return { kind: 'refused', error: 'the token is missing or wrong' };
  }
  const json = form === undefined ? jsonOf(body) : undefined;
  const [from, text] =
    form === undefined
      ? [textMember(json, gateway?.fields.from ?? 'from'), textMember(json, gateway?.fields.text ?? 'text')]
      : [form.get('From'), form.get('Body')];
  const answer = (said: string) =>
    form === undefined
      ? { type: JSON_TYPE['content-type'], body: JSON.stringify({ [gateway?.fields.text ?? 'text']: said }) }
      : twiml(said);
  const code = new RegExp(`(?:^|\\D)(\\d{${CODE_DIGITS}})(?:\\D|$)`).exec(text ?? '')?.[1];
  if (from === undefined || from === null) return { kind: 'ignored', answer: answer('') };
  const recipient = config.to.includes(from) ? undefined : from;
  // Strangers are not answered.
  if (code === undefined && recipient !== undefined) return { kind: 'ignored', answer: answer('') };
  if (code === undefined) return { kind: 'ignored', answer: answer('Reply with the code of the message to acknowledge it.') };
  return { kind: 'acknowledge', message: { code }, recipient, by: `${from} (SMS)`, answer };
}

const twiml = (said: string) => ({
  type: 'text/xml',
  body: `<?xml version="1.0" encoding="UTF-8"?><Response>${said === '' ? '' : `<Message>${said.replace(/[&<>]/g, '')}</Message>`}</Response>`,
});

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
