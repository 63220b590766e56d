import { createHash } from 'node:crypto';
import { z } from 'zod';
import { httpUrl, secret } from '../../platform/config/fields.ts';
import { type Brief, type BriefLimits, briefOf } from '../brief.ts';
import type { Attempt, Channel, Delivery } from '../contract.ts';
import { JSON_TYPE, exchange, memberOf, textMember } from '../exchange.ts';
import { common, timeout } from '../fields.ts';
import { type ChannelDeps, channelKind } from '../kind.ts';

const schema = z.strictObject({
  ...common,
  kind: z.literal('pagerduty'),
  /** The integration key of an Events API v2 integration: 32 characters. */
  routing_key: secret,
  /** The EU region is `https://events.eu.pagerduty.com/v2/enqueue`. */
  url: httpUrl.default('https://events.pagerduty.com/v2/enqueue'),
  timeout,
});
export type PagerdutyConfig = z.output<typeof schema>;

export const pagerdutyKind = channelKind({
  schema,
  open: createPagerduty,
  target: ({ url }) => new URL(url).origin,
  sealed: { url: 'base' },
  rateLimit: { messages: 100, perMs: 60_000 },
});

/** Source: developer.pagerduty.com, Events API v2: a summary has at most 1 024 characters, an event 512 KB. */
const LIMITS: BriefLimits = { titleChars: 1_024, alerts: 50, sentenceChars: 500, facts: 20, factChars: 500, textChars: 8_000 };
const MAX_EVENT_BYTES = 512_000;
const SEVERITIES: Readonly<Record<string, string>> = { info: 'info', warning: 'warning', critical: 'critical', emergency: 'critical' };

/** PagerDuty Events v2. One group of alerts is one incident: its key is the same for all of its messages and attempts. */
export function createPagerduty(config: PagerdutyConfig, deps: Pick<ChannelDeps, 'request' | 'clock'>): Channel {
  return {
    takesAcknowledgements: true,
    standsAlone: true,
    async deliver(attempt: Attempt): Promise<Delivery> {
      const event = { routing_key: config.routing_key.reveal(), ...eventOf(attempt) };
      const answer = await exchange(deps, {
        url: config.url,
        headers: JSON_TYPE,
        body: bodyOf(event),
        timeoutMs: config.timeout,
        signal: attempt.signal,
        explain: (json) => {
          const errors = memberOf(json, 'errors');
          const list = Array.isArray(errors) ? `: ${errors.join('; ')}` : '';
          return { error: `${textMember(json, 'message') ?? textMember(json, 'status') ?? 'refused'}${list}` };
        },
      });
      if (answer.kind === 'failed') return answer;
      return { kind: 'delivered', receipt: textMember(answer.json, 'dedup_key') ?? answer.text.slice(0, 100), thread: event.dedup_key };
    },
  };
}

const ACTIONS = { firing: 'trigger', resolved: 'resolve' } as const;

function eventOf(attempt: Attempt) {
  const { message, reason } = attempt;
  const brief = briefOf(attempt, LIMITS);
  const dedup_key = createHash('sha256').update(`${message.receiver} ${message.groupKey}`).digest('hex');
  const event_action = reason === 'acknowledged' ? 'acknowledge' : ACTIONS[message.status];
  const { instance, service, job, alertname } = { ...message.commonLabels, ...message.groupLabels };
  return {
    event_action,
    dedup_key,
    client: 'Nines',
    client_url: brief.url,
    links: brief.alerts.slice(0, 10).map(({ url, sentence }) => ({ href: url, text: sentence })),
    payload: {
      summary: brief.title,
      source: instance ?? service ?? job ?? message.externalURL,
      severity: SEVERITIES[brief.severity] ?? 'error',
      component: service,
      class: alertname,
      custom_details: detailsOf(brief),
    },
  };
}

const detailsOf = (brief: Brief): unknown =>
  brief.text ?? {
    alerts: brief.alerts.map(({ status, sentence, when, facts }) => ({ status, sentence, when, ...Object.fromEntries(facts) })),
    more: brief.more,
  };

function bodyOf(event: ReturnType<typeof eventOf> & { readonly routing_key: string }): string {
  const body = JSON.stringify(event);
  if (Buffer.byteLength(body) <= MAX_EVENT_BYTES) return body;
  return JSON.stringify({ ...event, payload: { ...event.payload, custom_details: 'left out: the event was larger than PagerDuty takes' } });
}
