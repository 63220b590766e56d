import { z } from 'zod';
import { httpUrl, secret } from '../../platform/config/fields.ts';
import { type Brief, type BriefAlert, type BriefLimits, briefOf, colourOf, cut, plainBrief } from '../brief.ts';
import type { Attempt, Called, Callback, Channel, Delivery } from '../contract.ts';
import { type Answered, type Failed, JSON_TYPE, exchange, failed, memberOf, textMember } from '../exchange.ts';
import { common, timeout } from '../fields.ts';
import { type ChannelDeps, channelKind } from '../kind.ts';
import { isSame } from '../../platform/is-same.ts';
import { hmac } from '../signatures.ts';

const schema = z
  .strictObject({
    ...common,
    kind: z.literal('slack'),
    /** An incoming webhook; it carries a token in its path, so it is a secret. Later messages cannot join the first one. */
    webhook_url: secret.optional(),
    /** A bot's token (`xoxb-…`, scope `chat:write`) with a channel: updates and resolves stand in the thread of the first message. */
    token: secret.optional(),
    channel: z.string().min(1).optional(),
    /** Shows a button that acknowledges, and verifies that Slack pressed it. */
    signing_secret: secret.optional(),
    api_url: httpUrl.default('https://slack.com/api'),
    timeout,
  })
  .superRefine((config, context) => {
    const complain = (message: string): void => context.addIssue({ code: 'custom', message });
    if ((config.webhook_url === undefined) === (config.token === undefined))
      complain('a slack channel needs "webhook_url", or "token" with "channel"');
    if (config.token !== undefined && config.channel === undefined) complain('"token" needs "channel": the name or id of a Slack channel');
    if (config.webhook_url !== undefined && !URL.canParse(config.webhook_url.reveal())) complain('"webhook_url" is no address');
  });
export type SlackConfig = z.output<typeof schema>;

export const slackKind = channelKind({
  schema,
  open: createSlack,
  target: ({ webhook_url: url, channel }) => (url === undefined ? `Slack ${channel}` : new URL(url.reveal()).origin),
  sealed: { api_url: 'base' },
  rateLimit: { messages: 30, perMs: 60_000 },
  // A member's id writes to them directly. Source: docs.slack.dev, chat.postMessage, channel.
  recipient: z.string().regex(/^(#\S{1,80}|[CDGUW][A-Z0-9]{6,20})$/, 'write #channel, or the id of a channel or member (U012AB3CD)'),
});

/**
 * Slack's limits: 150 characters in a header, 3 000 in a section, 50 blocks; with about 12 000 characters in all a message is refused
 * (`msg_blocks_too_long`, slackapi/bolt-js 2867), so ten alerts of at most 1 000 are shown.
 */
const LIMITS: BriefLimits = { titleChars: 150, alerts: 10, sentenceChars: 250, facts: 8, factChars: 80, textChars: 2_900 };
const MAX_TEXT_CHARS = 3_500;
/** What Slack answers with 200 and may pass. Source: docs.slack.dev, chat.postMessage, errors. */
const PASSING = new Set(['ratelimited', 'rate_limited', 'internal_error', 'fatal_error', 'service_unavailable', 'request_timeout']);
/** The message that the thread began with is gone; a new one is begun. */
const GONE = new Set(['message_not_found', 'thread_not_found', 'cant_update_message', 'edit_window_closed']);
/** Slack refuses the form; the words alone are sent. */
const BAD_FORM = new Set(['invalid_blocks', 'msg_blocks_too_long', 'invalid_blocks_format', 'msg_too_long', 'invalid_attachments']);
/** Older requests could be played again. Source: docs.slack.dev, verifying requests. */
const MAX_AGE_S = 300;

type Post = { readonly method: 'chat.postMessage' | 'chat.update' | 'webhook'; readonly body: Record<string, unknown> };

/** Slack by a bot's token or an incoming webhook. */
export function createSlack(config: SlackConfig, deps: Pick<ChannelDeps, 'request' | 'clock'>): Channel {
  const token = config.token?.reveal();
  const send = async ({ method, body }: Post, signal: AbortSignal): Promise<Answered | Failed> => {
    const url = method === 'webhook' ? (config.webhook_url?.reveal() ?? '') : `${config.api_url}/${method}`;
    const headers = {
      'content-type': 'application/json; charset=utf-8',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    };
    const answer = await exchange(deps, { url, headers, body: JSON.stringify(body), timeoutMs: config.timeout, signal });
    if (answer.kind === 'failed' || method === 'webhook' || memberOf(answer.json, 'ok') === true) return answer;
    const error = textMember(answer.json, 'error') ?? `an answer that is not Slack's: ${cut(answer.text, 100)}`;
    return failed(`Slack: ${error}`, PASSING.has(error));
  };
  const post = async (made: Post, signal: AbortSignal): Promise<Answered | Failed> => {
    const answer = await send(made, signal);
    if (answer.kind === 'answered' || !isOneOf(answer, BAD_FORM)) return answer;
    const { blocks: _blocks, attachments: _attachments, ...words } = made.body;
    return send({ ...made, body: words }, signal);
  };
  return {
    takesAcknowledgements: token !== undefined,
    async deliver(attempt: Attempt): Promise<Delivery> {
      const { signal, idempotencyKey } = attempt;
      const brief = briefOf(attempt, LIMITS);
      const form = formOf(brief, {
        button: config.signing_secret === undefined || attempt.reason === 'acknowledged' ? undefined : idempotencyKey,
      });
      if (token === undefined) return delivered(await post({ method: 'webhook', body: form }, signal));
      const begun = threadOf(attempt.thread);
      if (begun !== undefined) {
        // First the message that everybody sees, then the reply that tells: an update that is done twice is the same.
        const updated = await post({ method: 'chat.update', body: { ...form, channel: begun.channel, ts: begun.ts } }, signal);
        if (updated.kind === 'failed' && !isOneOf(updated, GONE)) return updated;
        const reply = {
          channel: begun.channel,
          thread_ts: begun.ts,
          text: escapeText(`${brief.title}${brief.alerts.map(lineOf).join('')}`),
          ...QUIET,
        };
        const replied = updated.kind === 'failed' ? updated : await post({ method: 'chat.postMessage', body: reply }, signal);
        if (replied.kind === 'answered') return delivered(replied, attempt.thread);
        if (!isOneOf(replied, GONE)) return replied;
      }
      return delivered(await post({ method: 'chat.postMessage', body: { ...form, channel: attempt.to ?? config.channel } }, signal));
    },
    ...(config.signing_secret === undefined
      ? {}
      : { called: (callback) => calledBySlack(callback, config.signing_secret?.reveal() ?? '', deps.clock.now()) }),
  };
}

const isOneOf = ({ error }: Failed, codes: ReadonlySet<string>): boolean => codes.has(error.replace(/^Slack: |^HTTP \d+: /, ''));

function delivered(answer: Answered | Failed, thread?: string): Delivery {
  if (answer.kind === 'failed') return answer;
  const [channel, ts] = [textMember(answer.json, 'channel'), textMember(answer.json, 'ts')];
  if (channel === undefined || ts === undefined) return { kind: 'delivered', receipt: answer.text.slice(0, 100) };
  return { kind: 'delivered', receipt: `${channel} ${ts}`, thread: thread ?? `${channel} ${ts}` };
}

function threadOf(thread: string | undefined): { readonly channel: string; readonly ts: string } | undefined {
  const [channel, ts] = thread?.split(' ') ?? [];
  return channel === undefined || ts === undefined ? undefined : { channel, ts };
}

/** No mention is made of what only looks like one, no link is opened. */
const QUIET = { unfurl_links: false, unfurl_media: false };
/** The three characters that Slack reads. Source: docs.slack.dev, formatting message text. */
const escapeText = (text: string): string =>
  cut(text, MAX_TEXT_CHARS).replace(/[&<>]/g, (character) => ({ '&': '&amp;', '<': '&lt;' })[character] ?? '&gt;');
const lineOf = (alert: BriefAlert): string => `\n${alert.status.toUpperCase()} ${alert.sentence}`;
const plain = (text: string): object => ({ type: 'plain_text', text, emoji: false });

/** Everything from outside stands in `plain_text`, in which Slack reads no markup. */
function formOf(brief: Brief, { button }: { button: string | undefined }): Record<string, unknown> {
  const alerts = brief.alerts.flatMap((alert) => [
    { type: 'section', text: plain(sectionOf(alert)) },
    { type: 'context', elements: [{ type: 'mrkdwn', text: linksOf(alert) }] },
  ]);
  const body = brief.text === undefined ? alerts : [{ type: 'section', text: plain(brief.text === '' ? ' ' : brief.text) }];
  const more = brief.more === '' ? [] : [{ type: 'context', elements: [plain(brief.more)] }];
  const press = { type: 'button', action_id: 'acknowledge', style: 'primary', text: plain('Acknowledge'), value: button };
  const actions = button === undefined || brief.status === 'resolved' ? [] : [{ type: 'actions', elements: [press] }];
  const header = { type: 'header', text: plain(brief.title) };
  return {
    text: escapeText(plainBrief(brief)),
    attachments: [{ color: colourOf(brief), blocks: [header, ...body, ...more, ...actions] }],
    ...QUIET,
  };
}

const sectionOf = (alert: BriefAlert): string =>
  [`${alert.status.toUpperCase()} ${alert.sentence}`, alert.when, ...alert.facts.map(([name, value]) => `${name}: ${value}`)].join('\n');
function linksOf(alert: BriefAlert): string {
  const link = (url: string, text: string): string => `<${encodeURI(url).replace(/[<>|]/g, encodeURIComponent)}|${text}>`;
  return [link(alert.url, 'Open'), ...(alert.acknowledgeUrl === undefined ? [] : [link(alert.acknowledgeUrl, 'Acknowledge')])].join(' · ');
}

const pressed = z.object({
  user: z.object({ id: z.string(), name: z.string().optional(), username: z.string().optional() }),
  actions: z.array(z.object({ action_id: z.string(), value: z.string().optional() })).min(1),
});

/** A pressed button. Source: docs.slack.dev, verifying requests (`v0=` HMAC-SHA256 of `v0:time:body`). */
function calledBySlack({ headers, body }: Callback, signingSecret: string, nowMs: number): Called {
  const [atS, signature] = [headers['x-slack-request-timestamp'], headers['x-slack-signature']];
  if (typeof atS !== 'string' || typeof signature !== 'string') return { kind: 'refused', error: 'the request is not signed' };
  if (!(Math.abs(nowMs / 1_000 - Number(atS)) <= MAX_AGE_S)) return { kind: 'refused', error: 'the signature is too old' };
  if (!isSame(signature, `v0=${hmac('sha256', signingSecret, `v0:${atS}:${body}`).toString('hex')}`))
    return { kind: 'refused', error: 'the signature does not hold' };
  const answer = { type: JSON_TYPE['content-type'], body: '' };
  const payload = pressed.safeParse(jsonOf(new URLSearchParams(body).get('payload') ?? ''));
  const action = payload.data?.actions.find((one) => one.action_id === 'acknowledge');
  if (payload.data === undefined || action?.value === undefined) return { kind: 'ignored', answer };
  const { name, username, id } = payload.data.user;
  return { kind: 'acknowledge', message: { id: action.value }, by: `${username ?? name ?? id} (Slack)`, answer: () => answer };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
