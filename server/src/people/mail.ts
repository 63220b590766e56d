import type { Mail, Mailer } from '../notify/contract.ts';
import { escapeHtml } from '../platform/html.ts';
import type { IssuedLink, IssuedView } from './contract.ts';

/** The mail with a one-time link. Nothing in it can be used once the link was. */
export function linkMail({ name, email, kind, expires_at_ms }: IssuedLink, link: string, key: string): Mail {
  const until = new Date(expires_at_ms).toISOString().replace('T', ' ').slice(0, 16);
  const asked = kind === 'invitation' ? 'You are invited to Nines. Choose a password here:' : 'Choose a new password for Nines here:';
  const end = `The link works once, until ${until} UTC. Whoever has it can sign in as you: do not pass it on.`;
  return {
    subject: kind === 'invitation' ? 'Your invitation to Nines' : 'A new password for Nines',
    text: `Hello ${name},\n\n${asked}\n\n${link}\n\n${end}\n`,
    html: `<p>Hello ${escapeHtml(name)},</p><p>${asked}</p><p><a href="${escapeHtml(link)}">${escapeHtml(link)}</a></p><p>${end}</p>`,
    ...(email !== null && { to: [email] }),
    idempotencyKey: key,
  };
}

/** Sends it at once: a secret does not wait in a queue that is stored. */
export async function sendLink(mailer: Mailer | undefined, issued: IssuedLink, mail: Mail): Promise<NonNullable<IssuedView['sent']>> {
  if (issued.email === null) return { to: '', ok: false, error: 'this person has no e-mail address' };
  if (mailer === undefined) return { to: issued.email, ok: false, error: 'there is no channel of kind email in the configuration' };
  const delivery = await mailer.send(mail);
  return { to: issued.email, ok: delivery.kind === 'delivered', error: delivery.kind === 'delivered' ? null : delivery.error };
}
