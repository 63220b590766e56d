import { callbackify } from 'node:util';
import { messageOf } from '@nines/base/errors.ts';
import type { Transporter } from 'nodemailer';
import type { Outbound } from '../../platform/fetch/outbound.ts';
import type { Delivery, Mail, Mailer } from '../contract.ts';
import { secret } from '../../platform/config/fields.ts';
import { common, timeout } from '../fields.ts';
import { z } from 'zod';
import { scrub } from '../../platform/scrub.ts';

/** `ops@example.org` or `Ops <ops@example.org>`. A line break would begin another header. */
export const mailAddress = z.string().regex(/^[^\p{Cc}]*[^\s\p{Cc}]@[^\s\p{Cc}@]+$/u, 'write a mail address, for example ops@example.org');

export const emailSchema = z.strictObject({
  ...common,
  kind: z.literal('email'),
  host: z.string().min(1),
  port: z.int().min(1).max(65_535).default(587),
  /** `starttls` refuses a server that offers no encryption; `implicit` speaks TLS from the first byte. */
  tls: z.enum(['starttls', 'implicit', 'none']).default('starttls'),
  user: z.string().optional(),
  password: secret.optional(),
  from: mailAddress,
  to: z.union([mailAddress.transform((address) => [address]), z.array(mailAddress).min(1)]),
  timeout,
});
export type EmailConfig = z.output<typeof emailSchema>;

/** SMTP answers 5yz are final, all else (4yz, no connection, timeout) may pass. Source: RFC 5321, 4.2.1. */
const PERMANENT_FROM = 500;

/** Mail by SMTP. The Message-ID comes from the idempotency key, so a mail that went out twice is shown once. */
export function createMailer(config: EmailConfig, { connect }: Pick<Outbound, 'connect'>): Mailer {
  let transport: Promise<Transporter> | undefined;
  return {
    async send(mail: Mail): Promise<Delivery> {
      try {
        transport ??= openTransport(config, connect);
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
          messageId: messageIdOf(config, mail.idempotencyKey),
          ...(mail.inReplyTo === undefined ? {} : { inReplyTo: mail.inReplyTo, references: mail.inReplyTo }),
          headers: { 'Auto-Submitted': 'auto-generated', ...unsubscribeHeaders(mail) },
        })) as { response?: string };
        return { kind: 'delivered', receipt: sent.response ?? 'accepted' };
      } catch (thrown) {
        const code = (thrown as { responseCode?: number }).responseCode ?? 0;
        const authentication = (thrown as { code?: string }).code === 'EAUTH';
        return {
          kind: 'failed',
          error: scrub(namedOnce(`${config.host}:${config.port}: `, messageOf(thrown))),
          retryable: code < PERMANENT_FROM && !authentication,
        };
      }
    },
  };
}

/** What could not be connected to names its address already; what the mail server said does not. */
const namedOnce = (prefix: string, message: string): string => (message.startsWith(prefix) ? message : prefix + message);

/** Made from the key, so that a mail that went out twice is shown once. */
export const messageIdOf = (config: Pick<EmailConfig, 'from'>, key: string): string => `<${key}@${domainOf(config.from)}>`;

/** Source: RFC 2369, RFC 8058. */
const unsubscribeHeaders = ({ unsubscribeUrl: url }: Mail): Record<string, string> =>
  url === undefined ? {} : { 'List-Unsubscribe': `<${url}>`, 'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click' };

/** Loaded at the first mail: most installations send none. */
async function openTransport(config: EmailConfig, connect: Outbound['connect']): Promise<Transporter> {
  const { createTransport } = await import('nodemailer');
  const dial = callbackify(() => connect({ host: config.host, port: config.port }, { timeoutMs: config.timeout }));
  return createTransport({
    host: config.host,
    port: config.port,
    // The library is handed connections: it opens none by itself.
    getSocket: (_options, callback) => dial((fault, connection) => callback(fault, { connection })),
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
