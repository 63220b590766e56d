import type { Message, MessageAlert } from './contract.ts';

/** One line that says what happened: `[FIRING:2] HighCpu (web-1)`. The form is Alertmanager's default subject. */
export function subjectOf(message: Message): string {
  const firing = message.alerts.filter((alert) => alert.status === 'firing').length;
  const state = message.status === 'firing' ? `FIRING:${firing}` : 'RESOLVED';
  const { alertname, ...others } = message.groupLabels;
  const rest = Object.values(others).join(' ');
  const name = alertname ?? message.commonLabels['alertname'] ?? message.alerts[0]?.labels['alertname'] ?? 'alert';
  return `[${state}] ${name}${rest === '' ? '' : ` (${rest})`}`.replace(/[\r\n]+/g, ' ');
}

/** What an alert says in one sentence: its summary, else its description, else its name. */
export const sentenceOf = (alert: MessageAlert): string =>
  alert.annotations['summary'] ?? alert.annotations['description'] ?? alert.labels['alertname'] ?? 'alert';

/** The message as plain text, one paragraph per alert. */
export function plainOf(message: Message): string {
  const paragraphs = message.alerts.map((alert) => {
    const labels = Object.entries(alert.labels).map(([name, value]) => `  ${name} = ${value}`);
    const annotations = Object.entries(alert.annotations).map(([name, value]) => `  ${name}: ${value}`);
    const end = alert.status === 'resolved' ? [`  until ${alert.endsAt}`] : [];
    return [
      `${alert.status.toUpperCase()} ${sentenceOf(alert)}`,
      `  since ${alert.startsAt}`,
      ...end,
      ...labels,
      ...annotations,
      `  ${alert.generatorURL}`,
    ].join('\n');
  });
  const more = message.truncatedAlerts > 0 ? [`and ${message.truncatedAlerts} more`] : [];
  return [subjectOf(message), ...paragraphs, ...more].join('\n\n');
}
