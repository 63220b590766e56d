/** What each audience is told of an alert, in whole sentences. Pure. */
import { formatDuration } from '@nines/base/duration.ts';
import { MINUTE_MS } from '@nines/base/units.ts';
import type { AlertView } from '../alerting/contract.ts';
import type { Audience } from './contract.ts';
import type { Ladder } from './evaluate.ts';

export type About = {
  readonly alert: AlertView;
  /** What people call the service; undefined where the alert is about none. */
  readonly service: string | undefined;
  /** Where the alert stands with those who work on it; undefined when no policy took it. */
  readonly climbing: Pick<Ladder, 'level' | 'policy' | 'status'> | undefined;
  readonly nowMs: number;
  readonly externalUrl: string;
};
export type Words = { readonly title: string; readonly text: string };

/** Longest name or sentence of an alert that is taken into a message. */
const MAX_QUOTED_CHARS = 500;

export function wordsFor(audience: Audience, about: About): Words {
  const ended = about.alert.condition === 'resolved';
  return ended ? ENDED[audience](about) : OPEN[audience](about);
}

const OPEN: Readonly<Record<Audience, (about: About) => Words>> = {
  executive: (about) => ({
    title: `${what(about)} has a problem of severity ${about.alert.severity}`,
    text: [
      `${what(about)} has had a problem since ${since(about)}: ${summaryOf(about.alert)}.`,
      handled(about),
      'You hear when it is over.',
    ].join('\n'),
  }),
  business: (about) => ({
    title: `Customers of ${what(about)} may notice a problem`,
    text: [
      `Since ${since(about)} customers of ${what(about)} may notice a problem: ${summaryOf(about.alert)}.`,
      `${handled(about)} How long it takes is not known yet.`,
      'You hear when it is over.',
    ].join('\n'),
  }),
  operations: (about) => ({
    title: `${about.alert.severity}: ${about.alert.alertname} (${what(about)})`,
    text: [
      `${summaryOf(about.alert)}, since ${since(about)}.`,
      handled(about),
      ...(about.alert.assigned_to === null ? [] : [`Assigned to ${about.alert.assigned_to}.`]),
      ...runbook(about.alert),
      `Open: ${link(about)}`,
    ].join('\n'),
  }),
  technical: (about) => ({
    title: `${about.alert.severity}: ${about.alert.alertname} (${what(about)})`,
    text: [
      `${summaryOf(about.alert)}, since ${since(about)}.`,
      ...(Number.isFinite(about.alert.value) ? [`Value: ${about.alert.value}`] : []),
      `Rule: ${about.alert.rule}`,
      ...Object.entries(about.alert.labels).map(([name, value]) => `${name}=${quoted(value)}`),
      ...runbook(about.alert),
      `Open: ${link(about)}`,
    ].join('\n'),
  }),
};

const over = (about: About): Words => ({
  title: `${what(about)} is well again`,
  text: `The problem of ${what(about)} is over: ${summaryOf(about.alert)}. It lasted ${lasted(about)}, from ${since(about)}.`,
});
const ENDED: Readonly<Record<Audience, (about: About) => Words>> = {
  executive: over,
  business: over,
  operations: (about) => ({ ...over(about), text: `${over(about).text}\n${ackOf(about.alert)}\nOpen: ${link(about)}` }),
  technical: (about) => ({
    ...over(about),
    text: `${over(about).text}\nRule: ${about.alert.rule}\n${ackOf(about.alert)}\nOpen: ${link(about)}`,
  }),
};

const quoted = (text: string): string => (text.length > MAX_QUOTED_CHARS ? `${text.slice(0, MAX_QUOTED_CHARS).toWellFormed()}…` : text);
const what = ({ service, alert }: About): string => quoted(service ?? alert.labels['instance'] ?? alert.alertname);
const summaryOf = ({ annotations, alertname }: AlertView): string =>
  quoted(annotations['summary'] ?? annotations['description'] ?? alertname).replace(/[.\s]+$/, '');
const since = ({ alert }: About): string => `${new Date(alert.starts_at_ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
const lasted = ({ alert, nowMs }: About): string => {
  const lengthMs = (alert.ends_at_ms ?? nowMs) - alert.starts_at_ms;
  return lengthMs < MINUTE_MS ? 'less than a minute' : formatDuration(Math.floor(lengthMs / MINUTE_MS) * MINUTE_MS);
};
const link = ({ externalUrl, alert }: About): string => `${externalUrl}/alerts-dashboard?alert=${alert.id}`;
const runbook = ({ annotations }: AlertView): readonly string[] =>
  annotations['runbook_url'] === undefined ? [] : [`Runbook: ${quoted(annotations['runbook_url'])}`];

function handled({ alert, climbing }: About): string {
  if (alert.acknowledged_by !== null) return `${alert.acknowledged_by} has taken it.`;
  if (climbing === undefined || climbing.level === 0) return 'Nobody has taken it yet.';
  return `Nobody has taken it yet; level ${climbing.level} of ${climbing.policy.levels.length} was told.`;
}
const ackOf = ({ acknowledged_by: by }: AlertView): string => (by === null ? 'Nobody had acknowledged it.' : `${by} had acknowledged it.`);
