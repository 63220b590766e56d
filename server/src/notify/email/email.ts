import { type Html, html } from '../../platform/html.ts';
import { type Brief, type BriefAlert, type BriefLimits, briefOf, colourOf, plainBrief } from '../brief.ts';
import type { Attempt, Channel, Delivery } from '../contract.ts';
import { type ChannelDeps, channelKind } from '../kind.ts';
import { type EmailConfig, createMailer, emailSchema, mailAddress, messageIdOf } from './mailer.ts';

export type { EmailConfig } from './mailer.ts';

export const emailKind = channelKind({
  schema: emailSchema,
  open: createEmail,
  target: ({ to }) => to.join(', '),
  recipient: mailAddress,
  rateLimit: { messages: 20, perMs: 60_000 },
});

/** A mail that people read; more than this is a page of the product. Subjects stay below the 998 characters of RFC 5322. */
const LIMITS: BriefLimits = { titleChars: 240, alerts: 100, sentenceChars: 1_000, facts: 40, factChars: 2_000, textChars: 100_000 };

/** Alerts by mail. Later mails of a group answer its first, so that mail programs show one conversation. */
export function createEmail(config: EmailConfig, deps: Pick<ChannelDeps, 'connect'>): Channel {
  const mailer = createMailer(config, deps);
  return {
    async deliver(attempt: Attempt): Promise<Delivery> {
      const { idempotencyKey, thread } = attempt;
      const brief = briefOf(attempt, LIMITS);
      const to = attempt.to === undefined ? {} : { to: [attempt.to] };
      const mail = { subject: brief.title, text: plainBrief(brief), html: htmlOf(brief), idempotencyKey, ...to };
      const delivery = await mailer.send({ ...mail, ...(thread === undefined ? {} : { inReplyTo: thread }) });
      return delivery.kind === 'failed' ? delivery : { ...delivery, thread: thread ?? messageIdOf(config, idempotencyKey) };
    },
  };
}

/** Styles stand at their elements, because mail programs take no style sheet. */
function htmlOf(brief: Brief): string {
  const body = brief.text === undefined ? brief.alerts.map(alertHtml) : html`<p style="white-space:pre-wrap">${brief.text}</p>`;
  const more = brief.more === '' ? undefined : html`<p><a href="${brief.url}">${brief.more}</a></p>`;
  const page = html`<!doctype html><html><body style="font-family:sans-serif;font-size:14px;overflow-wrap:anywhere"><h1 style="font-size:18px">${brief.title}</h1>${body}${more}</body></html>`;
  return page.markup;
}

function alertHtml(alert: BriefAlert): Html {
  const rows = alert.facts.map(
    ([name, value]) => html`<tr><td style="padding:2px 12px 2px 0;color:#666">${name}</td><td>${value}</td></tr>`,
  );
  const acknowledge = alert.acknowledgeUrl === undefined ? undefined : html` · <a href="${alert.acknowledgeUrl}">acknowledge</a>`;
  const colour = colourOf({ status: alert.status, severity: 'critical' });
  return html`<h2 style="font-size:16px;margin:24px 0 4px;color:${colour}">${alert.status.toUpperCase()}: ${alert.sentence}</h2>
<p style="margin:0 0 8px">${alert.when} · <a href="${alert.url}">open</a>${acknowledge}</p>
<table style="border-collapse:collapse;font-size:13px">${rows}</table>`;
}
