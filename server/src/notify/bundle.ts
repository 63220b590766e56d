import type { Message, MessageAlert } from './contract.ts';

/** Messages of which a bundle shows alerts; the others are counted. */
export const MAX_LOOKED_AT = 500;

export type Bundled = {
  readonly channel: string;
  readonly externalUrl: string;
  /** The first messages of the bundle, oldest first. */
  readonly messages: readonly Message[];
  readonly messageCount: number;
  /** Different alerts of the whole bundle. */
  readonly alertCount: number;
  readonly maxAlerts: number;
};

/** One message in place of many: each alert as it was last told, what fires first; what is not shown is counted. */
export function bundleMessage({ channel, externalUrl, messages, messageCount, alertCount, maxAlerts }: Bundled): Message {
  const latest = new Map<string, MessageAlert>();
  for (const alert of messages.flatMap(({ alerts }) => alerts)) latest.set(alert.id ?? alert.fingerprint, alert);
  const all = [...latest.values()];
  const shown = [...all.filter(isFiring), ...all.filter((alert) => !isFiring(alert))].slice(0, maxAlerts);
  const firing = shown.some(isFiring) || messages.some(({ status }) => status === 'firing');
  return {
    receiver: channel,
    status: firing ? 'firing' : 'resolved',
    alerts: shown,
    groupLabels: {},
    commonLabels: {},
    commonAnnotations: {
      summary: `${messageCount} messages about ${alertCount} alerts in one, because they were more than this channel takes`,
    },
    externalURL: externalUrl,
    version: '4',
    groupKey: `{}:{bundle=${JSON.stringify(channel)}}`,
    truncatedAlerts: Math.max(0, alertCount - shown.length),
  };
}

const isFiring = ({ status }: MessageAlert): boolean => status === 'firing';

export const bundleTitle = (messageCount: number, { status, alerts, truncatedAlerts }: Message): string => {
  const count = alerts.length + truncatedAlerts;
  const services = new Set(alerts.flatMap(({ labels }) => labels['service'] ?? []));
  const about =
    services.size === 0 ? '' : ` (${[...services].slice(0, 5).join(', ')}${services.size > 5 || truncatedAlerts > 0 ? ', …' : ''})`;
  return `[${status === 'firing' ? 'STORM' : 'STORM OVER'}] ${count} alerts in ${messageCount} messages${about}`;
};
