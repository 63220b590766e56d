import type { Attempt, Channel, Delivery, Message, MessageAlert } from '../contract.ts';
import { plainOf, sentenceOf, subjectOf } from '../text.ts';
import { type Html, html } from '../../platform/html.ts';
import { type EmailConfig, createMailer } from './mailer.ts';

export type { EmailConfig } from './mailer.ts';

/** Alerts by mail. */
export function createEmail(config: EmailConfig): Channel {
  const mailer = createMailer(config);
  return {
    deliver: ({ message, idempotencyKey }: Attempt): Promise<Delivery> =>
      mailer.send({ subject: subjectOf(message), text: plainOf(message), html: htmlOf(message), idempotencyKey }),
  };
}

const STATUS_COLOUR: Readonly<Record<'firing' | 'resolved', string>> = { firing: '#c92a2a', resolved: '#2b8a3e' };

/** Styles stand at their elements, because mail programs take no style sheet. */
function htmlOf(message: Message): string {
  const more = message.truncatedAlerts > 0 ? html`<p>and ${message.truncatedAlerts} more</p>` : undefined;
  const page = html`<!doctype html><html><body style="font-family:sans-serif;font-size:14px"><h1 style="font-size:18px">${subjectOf(message)}</h1>${message.alerts.map(alertHtml)}${more}</body></html>`;
  return page.markup;
}

function alertHtml(alert: MessageAlert): Html {
  const rows = [...Object.entries(alert.annotations), ...Object.entries(alert.labels)].map(
    ([name, value]) => html`<tr><td style="padding:2px 12px 2px 0;color:#666">${name}</td><td>${value}</td></tr>`,
  );
  const until = alert.status === 'resolved' ? ` until ${alert.endsAt}` : '';
  return html`<h2 style="font-size:16px;margin:24px 0 4px;color:${STATUS_COLOUR[alert.status]}">${alert.status.toUpperCase()}: ${sentenceOf(alert)}</h2>
<p style="margin:0 0 8px">since ${alert.startsAt}${until} · <a href="${alert.generatorURL}">open</a></p>
<table style="border-collapse:collapse;font-size:13px">${rows}</table>`;
}
