import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import { type TestContext, describe, it } from 'node:test';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { channelsConfig } from '../config.ts';
import type { Delivery } from '../contract.ts';
import { testMessage } from '../test-message.ts';
import { type EmailConfig, createEmail } from './email.ts';

/** A real SMTP server that keeps the mails it takes. */
async function smtp(t: TestContext, options: SMTPServerOptions = {}): Promise<{ port: number; mails: string[] }> {
  const mails: string[] = [];
  const server = new SMTPServer({
    disabledCommands: ['STARTTLS'],
    authOptional: true,
    logger: false,
    onData(stream, _session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        mails.push(Buffer.concat(chunks).toString());
        done();
      });
    },
    ...options,
  });
  server.on('error', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => new Promise<void>((resolve) => server.close(() => resolve())));
  return { port: (server.server.address() as AddressInfo).port, mails };
}

function deliver(fields: Record<string, unknown>): Promise<Delivery> {
  const base = {
    id: 'mail',
    kind: 'email',
    host: '127.0.0.1',
    tls: 'none',
    from: 'Nines <nines@example.org>',
    to: ['a@example.org', 'b@example.org'],
    timeout: '500ms',
  };
  const config = channelsConfig.parse([{ ...base, ...fields }])[0] as EmailConfig;
  const message = testMessage({ channel: 'mail', by: '<anne>', atMs: 1_760_000_000_000, externalUrl: 'http://nines.example' });
  return createEmail(config).deliver({ message, idempotencyKey: 'key-1', reason: 'fired', signal: new AbortController().signal });
}

const refusal = (code: number) => Object.assign(new Error('mailbox says no'), { responseCode: code });

describe('mail', () => {
  it('goes to everyone as text and HTML, with an identity that repetitions share', async (t) => {
    const { port, mails } = await smtp(t);
    const delivery = await deliver({ port });
    assert.equal(delivery.kind, 'delivered');
    const [mail = ''] = mails;
    assert.match(mail, /^Message-ID: <key-1@example\.org>/m);
    assert.match(mail, /^To: a@example\.org, b@example\.org/m);
    assert.match(mail, /^Subject: \[FIRING:1\] TestNotification/m);
    assert.match(mail, /^Content-Type: text\/plain/m);
    assert.match(mail, /^Content-Type: text\/html/m);
    assert.match(mail, /&lt;anne&gt;/);
  });

  it('wants another try when the server is busy', async (t) => {
    const { port } = await smtp(t, { onRcptTo: (_address, _session, done) => done(refusal(451)) });
    const delivery = await deliver({ port });
    assert.ok(delivery.kind === 'failed' && delivery.retryable);
    assert.match(delivery.error, /mailbox says no/);
  });

  it('gives up when the server refuses for good', async (t) => {
    const { port } = await smtp(t, { onRcptTo: (_address, _session, done) => done(refusal(550)) });
    const delivery = await deliver({ port });
    assert.ok(delivery.kind === 'failed' && !delivery.retryable);
  });

  it('gives up when user and password are wrong', async (t) => {
    const { port } = await smtp(t, {
      authOptional: false,
      allowInsecureAuth: true,
      onAuth: (_auth, _session, done) => done(new Error('bad password')),
    });
    const delivery = await deliver({ port, user: 'u', password: 'p' });
    assert.ok(delivery.kind === 'failed' && !delivery.retryable);
  });

  it('does not speak in the clear to a server without encryption unless told to', async (t) => {
    const { port, mails } = await smtp(t);
    const delivery = await deliver({ port, tls: 'starttls' });
    assert.ok(delivery.kind === 'failed');
    assert.deepEqual(mails, []);
  });

  it('wants another try when the server does not answer', async () => {
    const delivery = await deliver({ port: 1 });
    assert.ok(delivery.kind === 'failed' && delivery.retryable);
  });
});
