import { messageOf } from '@nines/base/errors.ts';
import type { Transporter } from 'nodemailer';
import type { Delivery, Mail, Mailer } from '../contract.ts';
import type { ChannelConfig } from '../config.ts';

export type EmailConfig = Extract<ChannelConfig, { kind: 'email' }>;

/** SMTP answers 5yz are final, all else (4yz, no connection, timeout) may pass. Source: RFC 5321, 4.2.1. */
const PERMANENT_FROM = 500;

/** Mail by SMTP. The Message-ID comes from the idempotency key, so a mail that went out twice is shown once. */
export function createMailer(config: EmailConfig): Mailer {
  let transport: Promise<Transporter> | undefined;
  return {
    async send(mail: Mail): Promise<Delivery> {
      try {
        transport ??= openTransport(config);
        const mailer = await transport;
        const sent = (await mailer.sendMail({
          from: config.from,
          to: [...(mail.to ?? config.to)],
          subject: mail.subject,
          text: mail.text,
          html: mail.html,
          attachments: (mail.attachments ?? []).map(({ name, mediaType, bytes }) => ({
            filename: name,
            contentType: mediaType,
            content: Buffer.from(bytes),
          })),
          messageId: `<${mail.idempotencyKey}@${domainOf(config.from)}>`,
          headers: { 'Auto-Submitted': 'auto-generated', ...unsubscribeHeaders(mail) },
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

/** Source: RFC 2369, RFC 8058. */
const unsubscribeHeaders = ({ unsubscribeUrl: url }: Mail): Record<string, string> =>
  url === undefined ? {} : { 'List-Unsubscribe': `<${url}>`, 'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click' };

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
