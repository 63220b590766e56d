import { z } from 'zod';
import { secret } from '../../platform/config/fields.ts';
import { type Brief, type BriefAlert, type BriefLimits, briefOf, colourOf, cut } from '../brief.ts';
import type { Attempt, Channel, Delivery } from '../contract.ts';
import { type Answered, type Failed, JSON_TYPE, exchange, memberOf, textMember } from '../exchange.ts';
import { common, timeout } from '../fields.ts';
import { type ChannelDeps, channelKind } from '../kind.ts';

const schema = z.strictObject({
  ...common,
  kind: z.literal('discord'),
  /** The webhook of a Discord channel; whoever has it may post, so it is a secret. */
  webhook_url: secret.refine((url) => URL.canParse(url.reveal()), 'write the https:// address of the webhook'),
  timeout,
});
export type DiscordConfig = z.output<typeof schema>;

export const discordKind = channelKind({
  schema,
  open: createDiscord,
  target: ({ webhook_url: url }) => new URL(url.reveal()).origin,
  rateLimit: { messages: 30, perMs: 60_000 },
});

/** Source: discord.com/developers, embed limits: title 256, description 4 096, 6 000 in all. Escapes double a text at worst. */
const LIMITS: BriefLimits = { titleChars: 120, alerts: 8, sentenceChars: 120, facts: 5, factChars: 30, textChars: 1_900 };
const MAX_TITLE_CHARS = 256;
const MAX_DESCRIPTION_CHARS = 4_096;

/** Discord by a webhook. The first message of a group is kept up to date; what changed is told in a message of its own, because an edit rings no bell. */
export function createDiscord(config: DiscordConfig, deps: Pick<ChannelDeps, 'request' | 'clock'>): Channel {
  const send = (
    method: 'POST' | 'PATCH',
    body: object,
    { signal, path = '' }: { signal: AbortSignal; path?: string },
  ): Promise<Answered | Failed> => {
    const url = new URL(config.webhook_url.reveal());
    url.pathname += path;
    // Waits until the message stands, and tells its id.
    url.searchParams.set('wait', 'true');
    return exchange(deps, {
      url: url.href,
      method,
      headers: JSON_TYPE,
      body: JSON.stringify({ ...body, allowed_mentions: { parse: [] } }),
      timeoutMs: config.timeout,
      signal,
      explain: (json) => {
        const seconds = memberOf(json, 'retry_after');
        return { error: textMember(json, 'message'), retryAfterMs: typeof seconds === 'number' ? Math.ceil(seconds * 1_000) : undefined };
      },
    });
  };
  return {
    takesAcknowledgements: true,
    async deliver(attempt: Attempt): Promise<Delivery> {
      const { signal, thread } = attempt;
      const brief = briefOf(attempt, LIMITS);
      const whole = { embeds: [embedOf(brief)] };
      if (thread === undefined) return delivered(await send('POST', whole, { signal }), undefined);
      const edited = await send('PATCH', whole, { signal, path: `/messages/${thread}` });
      // Somebody deleted it: begin again.
      if (edited.kind === 'failed' && edited.error.startsWith('HTTP 404'))
        return delivered(await send('POST', whole, { signal }), undefined);
      if (edited.kind === 'failed' || attempt.reason === 'acknowledged') return delivered(edited, thread);
      return delivered(await send('POST', { embeds: [{ title: titleOf(brief), color: numberOf(brief) }] }, { signal }), thread);
    },
  };
}

function delivered(answer: Answered | Failed, thread: string | undefined): Delivery {
  if (answer.kind === 'failed') return answer;
  const id = textMember(answer.json, 'id');
  const begun = thread ?? id;
  return { kind: 'delivered', receipt: id ?? `HTTP ${answer.status}`, ...(begun === undefined ? {} : { thread: begun }) };
}

/** Every character that Discord's Markdown or its mentions read. */
export const escapeMarkdown = (text: string): string => text.replace(/[\\*_~`|>#[\]()<@:\-+.!]/g, '\\$&');
const numberOf = (brief: Brief): number => Number.parseInt(colourOf(brief).slice(1), 16);
const titleOf = (brief: Brief): string => cut(escapeMarkdown(brief.title), MAX_TITLE_CHARS);

function embedOf(brief: Brief): object {
  const paragraphs = brief.text === undefined ? brief.alerts.map(paragraphOf) : [escapeMarkdown(brief.text)];
  const description = [...paragraphs, ...(brief.more === '' ? [] : [brief.more])].join('\n\n');
  return { title: titleOf(brief), url: brief.url, color: numberOf(brief), description: cut(description, MAX_DESCRIPTION_CHARS) };
}

function paragraphOf(alert: BriefAlert): string {
  const links = [
    `[open](<${linkOf(alert.url)}>)`,
    ...(alert.acknowledgeUrl === undefined ? [] : [`[acknowledge](<${linkOf(alert.acknowledgeUrl)}>)`]),
  ].join(' · ');
  const lines = [`${alert.status.toUpperCase()} ${alert.sentence}`, alert.when, ...alert.facts.map(([name, value]) => `${name}: ${value}`)];
  return `${escapeMarkdown(lines.join('\n'))}\n${links}`;
}
const linkOf = (url: string): string => encodeURI(url).replace(/[<>()]/g, encodeURIComponent);
