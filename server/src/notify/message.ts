import { ZERO_TIME } from '@nines/base/zero-time.ts';
import type { AlertView } from '../alerting/contract.ts';
import type { Message, MessageAlert } from './contract.ts';
import type { Group } from './route.ts';

/** Alertmanager compares these before all other labels. Source: alertmanager types.AlertSlice.Less. */
const SORT_FIRST = ['job', 'instance'];

export type MessageInput = {
  readonly group: Pick<Group, 'groupKey' | 'receiver' | 'groupLabels'>;
  readonly alerts: readonly AlertView[];
  /** The product's own address, without a trailing slash. */
  readonly externalUrl: string;
  /** 0 is no limit. */
  readonly maxAlerts: number;
};

/** Alertmanager's message for a group; fields in the order in which Alertmanager writes them. */
export function buildMessage({ group, alerts, externalUrl, maxAlerts }: MessageInput): Message {
  const sorted = [...alerts].sort(byLabels);
  const taken = maxAlerts > 0 ? sorted.slice(0, maxAlerts) : sorted;
  return {
    receiver: group.receiver,
    status: alerts.some((alert) => alert.condition === 'firing') ? 'firing' : 'resolved',
    alerts: taken.map((alert) => messageAlert(alert, externalUrl)),
    groupLabels: group.groupLabels,
    commonLabels: commonOf(sorted.map((alert) => alert.labels)),
    commonAnnotations: commonOf(sorted.map((alert) => alert.annotations)),
    externalURL: externalUrl,
    version: '4',
    groupKey: group.groupKey,
    truncatedAlerts: sorted.length - taken.length,
  };
}

/** Senders may give any text as the address; only one of the web becomes a link in mails and chats. */
const isWeb = (url: string | null): url is string => url !== null && /^https?:\/\//i.test(url);

const messageAlert = (alert: AlertView, externalUrl: string): MessageAlert => ({
  id: alert.id,
  status: alert.condition === 'firing' ? 'firing' : 'resolved',
  labels: alert.labels,
  annotations: alert.annotations,
  startsAt: rfc3339(alert.starts_at_ms),
  // An alert that still fires has not ended.
  endsAt: alert.ends_at_ms === null ? ZERO_TIME : rfc3339(alert.ends_at_ms),
  generatorURL: isWeb(alert.generator_url) ? alert.generator_url : `${externalUrl}/alerts-dashboard?alert=${alert.id}`,
  fingerprint: alert.fingerprint,
});

/** As Go prints it: no fraction when it is zero, no trailing zeros. */
export const rfc3339 = (atMs: number): string => new Date(atMs).toISOString().replace(/\.?0*Z$/, 'Z');

function commonOf(records: readonly Readonly<Record<string, string>>[]): Record<string, string> {
  const [first, ...others] = records;
  return Object.fromEntries(Object.entries(first ?? {}).filter(([name, value]) => others.every((other) => other[name] === value)));
}

function byLabels(a: AlertView, b: AlertView): number {
  for (const name of SORT_FIRST) {
    const x = a.labels[name];
    const y = b.labels[name];
    if (x === y) continue;
    if (x === undefined) return 1;
    if (y === undefined) return -1;
    return x < y ? -1 : 1;
  }
  const x = JSON.stringify(Object.entries(a.labels));
  const y = JSON.stringify(Object.entries(b.labels));
  return x < y ? -1 : x > y ? 1 : 0;
}
