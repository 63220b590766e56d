/** All that happened around an incident in one line of time: people, alerts, deployments, messages. Pure; instants in Unix milliseconds. */
import type { DeploymentView } from '../api/deployments.ts';
import type { IncidentDetail } from '../api/incidents.ts';
import type { NotificationView } from '../api/wire.ts';
import { deploymentName } from '../charts/deployment-band.ts';
import { fromServer } from '../language/server-text.ts';
import { t } from '../language/t.ts';
import { phrase } from '../states/words.ts';

export const STORY_KINDS = ['note', 'change', 'alert', 'deployment', 'message'] as const;
export type StoryKind = (typeof STORY_KINDS)[number];

export type StoryLine = {
  readonly id: string;
  readonly atMs: number;
  readonly kind: StoryKind;
  readonly text: string;
  readonly actor: string;
  /** Where more of it is, within this installation or at the pipeline. */
  readonly href?: string;
};

type Around = { readonly deployments: readonly DeploymentView[]; readonly messages: readonly NotificationView[] };

/** Oldest first. A message that several alerts share is there once. */
export function storyOf(incident: Pick<IncidentDetail, 'timeline' | 'alerts'>, { deployments, messages }: Around): readonly StoryLine[] {
  const written = incident.timeline.map(
    ({ id, at_ms: atMs, kind, text, actor }): StoryLine => ({
      id,
      atMs,
      kind: kind === 'comment' ? 'note' : kind === 'told' ? 'message' : 'change',
      text: fromServer(text),
      actor,
    }),
  );
  const lines = [
    ...written,
    ...incident.alerts.flatMap(linesOfAlert),
    ...deployments.map(lineOfDeployment),
    ...messages.map(lineOfMessage),
  ];
  const byId = new Map(lines.map((line) => [line.id, line]));
  return [...byId.values()].sort((a, b) => a.atMs - b.atMs);
}

function linesOfAlert(one: IncidentDetail['alerts'][number]): readonly StoryLine[] {
  const name = one.service === null ? one.alertname : t('{alert} on {service}', { alert: one.alertname, service: one.service });
  const href = `/alerts-dashboard?alert=${encodeURIComponent(one.alert)}&status=all`;
  const line = (what: string, atMs: number, text: string): StoryLine => ({
    id: `${what} ${one.alert}`,
    atMs,
    kind: 'alert',
    text,
    actor: '',
    href,
  });
  return [
    line('joined', one.joined_at_ms, t('{alert} belongs to it: {because}', { alert: name, because: fromServer(one.because) })),
    ...(one.ended_at_ms === null ? [] : [line('ended', one.ended_at_ms, t('{alert} fires no more', { alert: name }))]),
  ];
}

const lineOfDeployment = (one: DeploymentView): StoryLine => ({
  id: `deployment ${one.id}`,
  atMs: one.at_ms,
  kind: 'deployment',
  text: one.note === '' ? deploymentName(one) : `${deploymentName(one)}: ${one.note}`,
  actor: one.by,
  ...(one.url === '' ? {} : { href: one.url }),
});

const lineOfMessage = (one: NotificationView): StoryLine => ({
  id: `message ${one.id}`,
  atMs: one.created_at_ms,
  kind: 'message',
  text: t('{reason} through {channel}: {status}', { reason: phrase(one.reason), channel: one.channel, status: phrase(one.status) }),
  actor: '',
  href: `/notifications?channel=${encodeURIComponent(one.channel)}`,
});
