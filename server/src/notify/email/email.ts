import { messageOf } from '@nines/base/errors.ts';
import type { Transporter } from 'nodemailer';
import type { ChannelConfig } from '../config.ts';
import type { Attempt, Channel, Delivery, Message, MessageAlert } from '../contract.ts';
import { plainOf, sentenceOf, subjectOf } from '../text.ts';
import { type Html, html } from '../../platform/html.ts';

export type EmailConfig = Extract<ChannelConfig, { kind: 'email' }>;

/** SMTP answers 5yz are final, all else (4yz, no connection, timeout) may pass. Source: RFC 5321, 4.2.1. */
const PERMANENT_FROM = 500;

/** Mail by SMTP. The Message-ID comes from the idempotency key, so a mail that went out twice is shown once. */
export function createEmail(config: EmailConfig): Channel {
  let transport: Promise<Transporter> | undefined;
  return {
    async deliver({ message, idempotencyKey }: Attempt): Promise<Delivery> {
      try {
        transport ??= openTransport(config);
        const mailer = await transport;
        const sent = (await mailer.sendMail({
          from: config.from,
          to: [...config.to],
          subject: subjectOf(message),
          text: plainOf(message),
          html: htmlOf(message),
          messageId: `<${idempotencyKey}@${domainOf(config.from)}>`,
          headers: { 'Auto-Submitted': 'auto-generated' },
        })) as { response?: string };
        return { kind: 'delivered', receipt: sent.response ?? 'accepted' };
      } catch (thrown) {
        const code = (thrown as { responseCode?: number }).responseCode ?? 0;
        const authentication = (thrown as { code?: string }).code === 'EAUTH';
        return {
          kind: 'failed',
          error: `${config.host}:${config.port}: ${messageOf(thrown)}`,
          retryable: code < PERMANENT_FROM && !authentication,
        };
      }
    },
  };
}

/** Loaded at the first mail: most installations send none. */
async function openTransport(config: EmailConfig): Promise<Transporter> {
  const { createTransport } = await import('nodemailer');
  return createTransport({
    host: config.host,
    port: config.port,
    secure: config.tls === 'implicit',
    requireTLS: config.tls === 'starttls',
    ignoreTLS: config.tls === 'none',
    ...(config.user === undefined ? {} : { auth: { user: config.user, pass: config.password?.reveal() ?? '' } }),
    connectionTimeout: config.timeout,
    greetingTimeout: config.timeout,
    socketTimeout: config.timeout,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
}

/** `Nines <alerts@example.org>` gives `example.org`. */
const domainOf = (from: string): string => /@([^>\s]+)/.exec(from)?.[1] ?? 'localhost';

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
