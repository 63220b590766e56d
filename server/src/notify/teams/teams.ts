import { z } from 'zod';
import { secret } from '../../platform/config/fields.ts';
import { type Brief, type BriefAlert, type BriefLimits, briefOf } from '../brief.ts';
import type { Attempt, Channel, Delivery } from '../contract.ts';
import { JSON_TYPE, exchange, failed } from '../exchange.ts';
import { common, timeout } from '../fields.ts';
import { type ChannelDeps, channelKind } from '../kind.ts';

const schema = z.strictObject({
  ...common,
  kind: z.literal('teams'),
  /** The address of a workflow "When a Teams webhook request is received"; whoever has it may post, so it is a secret. */
  webhook_url: secret.refine((url) => URL.canParse(url.reveal()), 'write the https:// address of the workflow'),
  timeout,
});
export type TeamsConfig = z.output<typeof schema>;

export const teamsKind = channelKind({
  schema,
  open: createTeams,
  target: ({ webhook_url: url }) => new URL(url.reveal()).origin,
  rateLimit: { messages: 60, perMs: 60_000 },
});

const LIMITS: BriefLimits = { titleChars: 250, alerts: 10, sentenceChars: 300, facts: 10, factChars: 120, textChars: 6_000 };
/** Source: learn.microsoft.com, webhooks and connectors: 28 KB a message. Alerts are left out until it fits. */
const MAX_BODY_BYTES = 28_000;

/** Microsoft Teams by a workflow, as an Adaptive Card. A workflow cannot answer a message of its own, so each stands by itself. */
export function createTeams(config: TeamsConfig, deps: Pick<ChannelDeps, 'request' | 'clock'>): Channel {
  return {
    async deliver(attempt: Attempt): Promise<Delivery> {
      const url = config.webhook_url.reveal();
      const answer = await exchange(deps, {
        url,
        headers: JSON_TYPE,
        body: fitting(attempt),
        timeoutMs: config.timeout,
        signal: attempt.signal,
      });
      if (answer.kind === 'failed') return answer;
      // Connectors of the old kind answer 200 and say in words what went wrong.
      const wrong = /Webhook message delivery failed with error: (.{0,200})/.exec(answer.text)?.[1];
      if (wrong !== undefined) return failed(`Teams: ${wrong}`, /HTTP error (429|5\d\d)|throttl/i.test(wrong));
      return { kind: 'delivered', receipt: `HTTP ${answer.status}` };
    },
  };
}

function fitting(attempt: Attempt): string {
  for (let { alerts } = LIMITS; ; alerts = Math.floor(alerts / 2)) {
    const body = JSON.stringify(cardOf(briefOf(attempt, { ...LIMITS, alerts })));
    if (Buffer.byteLength(body) <= MAX_BODY_BYTES || alerts === 0) return body;
  }
}

/** Text from outside stands in runs, in which no markup is read (a TextBlock reads Markdown). */
const rich = (text: string, style: object = {}): object => ({ type: 'RichTextBlock', inlines: [{ type: 'TextRun', text, ...style }] });
const colour = ({ status, severity }: Brief): string =>
  status === 'resolved' ? 'Good' : severity === 'info' ? 'Accent' : severity === 'warning' ? 'Warning' : 'Attention';

function cardOf(brief: Brief): object {
  const body = brief.text === undefined ? brief.alerts.flatMap(alertBlocks) : [rich(brief.text)];
  const actions = [
    { type: 'Action.OpenUrl', title: 'Open', url: brief.alerts.length === 1 ? brief.alerts[0]?.url : brief.url },
    ...brief.alerts
      .slice(0, 3)
      .flatMap(({ acknowledgeUrl: url, sentence }) =>
        url === undefined
          ? []
          : [{ type: 'Action.OpenUrl', title: brief.alerts.length === 1 ? 'Acknowledge' : `Acknowledge ${sentence.slice(0, 30)}`, url }],
      ),
  ];
  const content = {
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    type: 'AdaptiveCard',
    version: '1.4',
    body: [
      rich(brief.title, { weight: 'Bolder', size: 'Medium', color: colour(brief) }),
      ...body,
      ...(brief.more === '' ? [] : [rich(brief.more)]),
    ],
    actions,
  };
  return { type: 'message', attachments: [{ contentType: 'application/vnd.microsoft.card.adaptive', content }] };
}

const alertBlocks = (alert: BriefAlert): object[] => [
  rich(`${alert.status.toUpperCase()} ${alert.sentence}`, { weight: 'Bolder' }),
  rich([alert.when, ...alert.facts.map(([name, value]) => `${name}: ${value}`)].join('\n'), { isSubtle: true }),
];
