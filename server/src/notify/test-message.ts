import { ZERO_TIME } from '@nines/base/zero-time.ts';
import type { Message } from './contract.ts';
import { rfc3339 } from './message.ts';

/** What the test button sends: the real shape, so that what works here works in earnest. */
export function testMessage({
  channel,
  by,
  atMs,
  externalUrl,
}: {
  channel: string;
  by: string;
  atMs: number;
  externalUrl: string;
}): Message {
  const labels = { alertname: 'TestNotification', severity: 'info', channel };
  const annotations = { summary: `Test of the channel ${channel}, asked for by ${by}. Nothing is wrong.` };
  return {
    receiver: channel,
    status: 'firing',
    alerts: [
      {
        status: 'firing',
        labels,
        annotations,
        startsAt: rfc3339(atMs),
        endsAt: ZERO_TIME,
        generatorURL: `${externalUrl}/alerts-dashboard`,
        fingerprint: '0000000000000000',
      },
    ],
    groupLabels: { alertname: labels.alertname },
    commonLabels: labels,
    commonAnnotations: annotations,
    externalURL: externalUrl,
    version: '4',
    groupKey: `{}:{alertname="TestNotification"}`,
    truncatedAlerts: 0,
  };
}
