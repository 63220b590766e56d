import { createHash } from 'node:crypto';
import { z } from 'zod';
import { httpUrl, secret } from '../../platform/config/fields.ts';
import { type BriefLimits, briefOf, plainBrief } from '../brief.ts';
import type { Attempt, Channel, Delivery } from '../contract.ts';
import { JSON_TYPE, exchange, textMember } from '../exchange.ts';
import { common, timeout } from '../fields.ts';
import { type ChannelDeps, channelKind } from '../kind.ts';

const schema = z.strictObject({
  ...common,
  kind: z.literal('opsgenie'),
  api_key: secret,
  /** The EU region is `https://api.eu.opsgenie.com`; Jira Service Management speaks the same interface under its own address. */
  api_url: httpUrl.default('https://api.opsgenie.com'),
  /** Teams and people who are told, by name. */
  teams: z.array(z.string().min(1)).default([]),
  timeout,
});
export type OpsgenieConfig = z.output<typeof schema>;

export const opsgenieKind = channelKind({
  schema,
  open: createOpsgenie,
  target: ({ api_url: url }) => new URL(url).origin,
  sealed: { api_url: 'base' },
  rateLimit: { messages: 60, perMs: 60_000 },
});

/** Source: docs.opsgenie.com, alert API: message 130 characters, description 15 000, note 25 000, tags 20 of 50, details 8 000 in all. */
const LIMITS: BriefLimits = { titleChars: 130, alerts: 20, sentenceChars: 300, facts: 12, factChars: 300, textChars: 14_000 };
const MAX_DESCRIPTION_CHARS = 15_000;
const MAX_TAG_CHARS = 50;
const PRIORITIES: Readonly<Record<string, string>> = { emergency: 'P1', critical: 'P2', warning: 'P3', info: 'P5' };

/** Opsgenie's alert API. One group of alerts is one alert there, found again by its alias. */
export function createOpsgenie(config: OpsgenieConfig, deps: Pick<ChannelDeps, 'request' | 'clock'>): Channel {
  const base = config.api_url.replace(/\/$/, '');
  return {
    takesAcknowledgements: true,
    standsAlone: true,
    async deliver(attempt: Attempt): Promise<Delivery> {
      const { message, reason, idempotencyKey, signal } = attempt;
      const alias = createHash('sha256').update(`${message.receiver} ${message.groupKey}`).digest('hex');
      const path =
        message.status === 'resolved'
          ? `/${alias}/close?identifierType=alias`
          : reason === 'acknowledged'
            ? `/${alias}/acknowledge?identifierType=alias`
            : '';
      const brief = briefOf(attempt, LIMITS);
      const about = { source: 'Nines', user: 'Nines' };
      const alert = {
        ...about,
        message: brief.title,
        alias,
        description: plainBrief(brief).slice(0, MAX_DESCRIPTION_CHARS),
        priority: PRIORITIES[brief.severity] ?? 'P3',
        entity: message.commonLabels['service'],
        tags: [brief.severity].map((tag) => tag.slice(0, MAX_TAG_CHARS)),
        details: { url: brief.url, idempotency_key: idempotencyKey },
        responders: config.teams.map((name) => ({ type: 'team', name })),
      };
      const answer = await exchange(deps, {
        url: `${base}/v2/alerts${path}`,
        headers: { ...JSON_TYPE, authorization: `GenieKey ${config.api_key.reveal()}` },
        body: JSON.stringify(path === '' ? alert : { ...about, note: brief.title }),
        timeoutMs: config.timeout,
        signal,
        explain: (json) => ({ error: textMember(json, 'message') }),
      });
      return answer.kind === 'failed'
        ? answer
        : { kind: 'delivered', receipt: textMember(answer.json, 'requestId') ?? `HTTP ${answer.status}`, thread: alias };
    },
  };
}
