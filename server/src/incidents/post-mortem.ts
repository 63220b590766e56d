/** The draft of a post-mortem: what is known in figures and from the time line, and the questions that people answer. Pure. */
import { formatDuration } from '@nines/base/duration.ts';
import type { FiguresView, IncidentDetail } from './contract.ts';

/** Lines of the time line that a draft takes over. */
const MAX_LINES = 200;
const MAX_ALERTS = 50;

/** Text of others as plain text in Markdown: nothing in it makes a heading, a link or markup. */
const plain = (text: string): string => text.replace(/[\r\n]+/g, ' ').replace(/[\\`*_{}[\]()#+!|<>~]/g, '\\$&');
const instant = (atMs: number): string => `${new Date(atMs).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
const length = (lengthMs: number | null): string =>
  lengthMs === null ? 'not known' : formatDuration(Math.round(lengthMs / 1_000) * 1_000);

export function draftPostMortem(incident: IncidentDetail): string {
  const { roles, figures, timeline, alerts, causes, actions } = incident;
  const sections = [
    `# INC-${incident.number}: ${plain(incident.title)}`,
    [
      `- Severity: ${incident.severity} (${plain(incident.severity_why)})`,
      `- Category: ${incident.category} (${plain(incident.category_why)})`,
      `- Services: ${incident.services.map(plain).join(', ') || 'none linked'}`,
      `- Commander: ${plain(roles.commander ?? 'nobody')}; communications: ${plain(roles.communications ?? 'nobody')}; scribe: ${plain(roles.scribe ?? 'nobody')}`,
      `- Began ${instant(incident.started_at_ms)}, noticed ${instant(incident.opened_at_ms)}${incident.resolved_at_ms === null ? ', not resolved' : `, resolved ${instant(incident.resolved_at_ms)}`}`,
    ].join('\n'),
    '## Summary',
    incident.summary === '' ? '_What happened, in three sentences._' : plain(incident.summary),
    '## Impact',
    figuresTable(figures),
    '_Who noticed, and what could they not do?_',
    '## Cause',
    causes.length === 0
      ? '_Nothing was suggested. What was it?_'
      : ['Suggested, not proven:', ...causes.map(({ subject, reasons }) => `- ${plain(subject)}: ${reasons.map(plain).join('; ')}`)].join(
          '\n',
        ),
    '## Time line',
    timelineOf(timeline),
    '## Alerts',
    alertsOf(alerts),
    '## What went well, what did not, where we were lucky',
    '_…_',
    '## Action items',
    actions.length === 0
      ? '_None yet._'
      : actions
          .map(({ done_at_ms, text, owner, due_at_ms }) => {
            const who = owner === '' ? 'nobody' : plain(owner);
            return `- [${done_at_ms === null ? ' ' : 'x'}] ${plain(text)} (${who}${due_at_ms === null ? '' : `, due ${instant(due_at_ms).slice(0, 10)}`})`;
          })
          .join('\n'),
  ];
  return `${sections.join('\n\n')}\n`;
}

function figuresTable({ detect_ms, acknowledge_ms, resolve_ms, downtime }: FiguresView): string {
  const rows = [
    ['Time to detect', length(detect_ms)],
    ['Time to acknowledge', length(acknowledge_ms)],
    ['Time to recover', length(resolve_ms)],
    ...downtime.map(({ service, down_ms, degraded_ms, unknown_ms }) => {
      const others = [
        degraded_ms > 0 ? `degraded ${length(degraded_ms)}` : '',
        unknown_ms > 0 ? `unknown ${length(unknown_ms)}` : '',
      ].filter((word) => word !== '');
      return [`Downtime of ${plain(service)}, by the ledger`, [length(down_ms), ...others].join('; ')];
    }),
  ];
  return ['| figure | |', '| --- | --- |', ...rows.map(([name, value]) => `| ${name} | ${value} |`)].join('\n');
}

function timelineOf(timeline: IncidentDetail['timeline']): string {
  const lines = timeline.slice(0, MAX_LINES).map(({ at_ms, text, actor }) => `- ${instant(at_ms)}: ${plain(text)} (${plain(actor)})`);
  const left = timeline.length - lines.length;
  return [...lines, ...(left > 0 ? [`- and ${left} more`] : [])].join('\n');
}

function alertsOf(alerts: IncidentDetail['alerts']): string {
  if (alerts.length === 0) return '_None linked._';
  const lines = alerts.slice(0, MAX_ALERTS).map(({ alertname, service, severity, joined_at_ms }) => {
    const on = service === null ? '' : ` on ${plain(service)}`;
    return `- ${instant(joined_at_ms)}: ${plain(alertname)}${on} (${severity})`;
  });
  const left = alerts.length - lines.length;
  return [...lines, ...(left > 0 ? [`- and ${left} more`] : [])].join('\n');
}
