import { z } from 'zod';
import { httpUrl, secret } from '../../platform/config/fields.ts';
import { type BriefLimits, briefOf, cut, plainBrief } from '../brief.ts';
import type { Attempt, Called, Callback, Channel, Delivery } from '../contract.ts';
import { type Answered, type Failed, JSON_TYPE, exchange, memberOf, textMember } from '../exchange.ts';
import { common, timeout } from '../fields.ts';
import { type ChannelDeps, channelKind } from '../kind.ts';
import { isSame } from '../../platform/is-same.ts';

const schema = z.strictObject({
  ...common,
  kind: z.literal('telegram'),
  bot_token: secret,
  /** A number, or `@name` of a public channel. */
  chat_id: z.union([z.string().min(1), z.number().transform(String)]),
  /** The `secret_token` that the bot's webhook was set with: shows a button that acknowledges, and verifies that Telegram pressed it. */
  secret_token: secret.optional(),
  api_url: httpUrl.default('https://api.telegram.org'),
  timeout,
});
export type TelegramConfig = z.output<typeof schema>;

export const telegramKind = channelKind({
  schema,
  open: createTelegram,
  target: ({ chat_id: chat }) => `Telegram ${chat}`,
  sealed: { api_url: 'base' },
  recipient: z.string().regex(/^(-?\d{1,20}|@\w{1,64})$/, 'write the number of a chat, or @name of a public channel'),
  rateLimit: { messages: 20, perMs: 60_000 },
});

/** Source: core.telegram.org/bots/api, sendMessage: 4 096 characters; callback_data has 64 bytes. */
const LIMITS: BriefLimits = { titleChars: 300, alerts: 8, sentenceChars: 200, facts: 6, factChars: 60, textChars: 3_700 };
const MAX_CHARS = 4_096;
const BUTTON = 'ack:';

/** A Telegram bot. Messages have no parse mode, so nothing in them is markup; later ones answer the group's first. */
export function createTelegram(config: TelegramConfig, deps: Pick<ChannelDeps, 'request' | 'clock'>): Channel {
  const send = (body: object, signal: AbortSignal): Promise<Answered | Failed> =>
    exchange(deps, {
      url: `${config.api_url}/bot${config.bot_token.reveal()}/sendMessage`,
      headers: JSON_TYPE,
      body: JSON.stringify(body),
      timeoutMs: config.timeout,
      signal,
      explain: (json) => {
        const seconds = memberOf(memberOf(json, 'parameters'), 'retry_after');
        return { error: textMember(json, 'description'), retryAfterMs: typeof seconds === 'number' ? seconds * 1_000 : undefined };
      },
    });
  return {
    takesAcknowledgements: true,
    async deliver(attempt: Attempt): Promise<Delivery> {
      const { thread, idempotencyKey, reason, message } = attempt;
      const hasButton = config.secret_token !== undefined && message.status === 'firing' && reason !== 'acknowledged';
      const answer = await send(
        {
          chat_id: attempt.to ?? config.chat_id,
          text: cut(plainBrief(briefOf(attempt, LIMITS)), MAX_CHARS),
          link_preview_options: { is_disabled: true },
          ...(thread === undefined ? {} : { reply_parameters: { message_id: Number(thread), allow_sending_without_reply: true } }),
          ...(hasButton
            ? { reply_markup: { inline_keyboard: [[{ text: 'Acknowledge', callback_data: `${BUTTON}${idempotencyKey}` }]] } }
            : {}),
        },
        attempt.signal,
      );
      if (answer.kind === 'failed') return answer;
      const id = textMember(memberOf(answer.json, 'result'), 'message_id');
      return id === undefined
        ? { kind: 'delivered', receipt: `HTTP ${answer.status}` }
        : { kind: 'delivered', receipt: receiptOf(id), thread: thread ?? id };
    },
    ...(config.secret_token === undefined ? {} : { called: (callback) => calledByTelegram(callback, config) }),
  };
}

const receiptOf = (messageId: number | string): string => `message ${messageId}`;

const person = z.object({ id: z.number(), username: z.string().optional(), first_name: z.string().optional() });
const chat = z.object({ id: z.number(), username: z.string().optional() });
const update = z.union([
  z.object({ callback_query: z.object({ id: z.string(), from: person, data: z.string(), message: z.object({ chat }) }) }),
  z.object({ message: z.object({ chat, from: person, text: z.string(), reply_to_message: z.object({ message_id: z.number() }) }) }),
]);

/** A pressed button, or a reply `ack` to a message. Source: core.telegram.org/bots/api, setWebhook, secret_token. */
function calledByTelegram({ headers, body }: Callback, config: TelegramConfig): Called {
  const token = headers['x-telegram-bot-api-secret-token'];
  if (typeof token !== 'string' || !isSame(token, config.secret_token?.reveal() ?? ''))
    return { kind: 'refused', error: 'the secret token is missing or wrong' };
  const ignored = { kind: 'ignored', answer: { type: JSON_TYPE['content-type'], body: '' } } as const;
  const parsed = update.safeParse(jsonOf(body));
  if (!parsed.success) return ignored;
  const told = parsed.data;
  const where = 'message' in told ? told.message.chat : told.callback_query.message.chat;
  const isOurs = config.chat_id === String(where.id) || config.chat_id === `@${where.username}`;
  const recipient = isOurs ? undefined : String(where.id);
  const answerWith = (fields: object) => ({ type: JSON_TYPE['content-type'], body: JSON.stringify(fields) });
  if ('callback_query' in told) {
    const { id, data, from } = told.callback_query;
    if (!data.startsWith(BUTTON)) return ignored;
    const answer = (said: string) =>
      said === '' ? ignored.answer : answerWith({ method: 'answerCallbackQuery', callback_query_id: id, text: said });
    return { kind: 'acknowledge', message: { id: data.slice(BUTTON.length) }, recipient, by: nameOf(from), answer };
  }
  const { text, from, reply_to_message: replied } = told.message;
  if (!/^\/?ack(nowledge)?\b/i.test(text.trim())) return ignored;
  const answer = (said: string) => (said === '' ? ignored.answer : answerWith({ method: 'sendMessage', chat_id: where.id, text: said }));
  return { kind: 'acknowledge', message: { receipt: receiptOf(replied.message_id) }, recipient, by: nameOf(from), answer };
}

const nameOf = ({ username, first_name: first, id }: z.output<typeof person>): string => `${username ?? first ?? id} (Telegram)`;

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
