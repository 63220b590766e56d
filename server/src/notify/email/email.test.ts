import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startSmtp } from '../../../../test/harness/smtp.ts';
import { realClock } from '../../platform/clock.ts';
import { createOutbound } from '../../platform/fetch/outbound.ts';
import { channelsConfig } from '../config.ts';
import type { Delivery } from '../contract.ts';
import { testMessage } from '../test-message.ts';
import { alertOf, attemptOf, openOne } from '../testing/provider.ts';
import { type EmailConfig, createEmail } from './email.ts';

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
  const outbound = createOutbound({ clock: realClock });
  return createEmail(config, outbound).deliver({
    message,
    idempotencyKey: 'key-1',
    reason: 'fired',
    cause: 'first notification',
    signal: new AbortController().signal,
  });
}

const refusal = (code: number) => Object.assign(new Error('mailbox says no'), { responseCode: code });

describe('mail', () => {
  it('goes to everyone as text and HTML, with an identity that repetitions share', async (t) => {
    const { port, mails } = await startSmtp(t);
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
    const { port } = await startSmtp(t, { onRcptTo: (_address, _session, done) => done(refusal(451)) });
    const delivery = await deliver({ port });
    assert.ok(delivery.kind === 'failed' && delivery.retryable);
    assert.match(delivery.error, /mailbox says no/);
  });

  it('gives up when the server refuses for good', async (t) => {
    const { port } = await startSmtp(t, { onRcptTo: (_address, _session, done) => done(refusal(550)) });
    const delivery = await deliver({ port });
    assert.ok(delivery.kind === 'failed' && !delivery.retryable);
  });

  it('gives up when user and password are wrong', async (t) => {
    const { port } = await startSmtp(t, {
      authOptional: false,
      allowInsecureAuth: true,
      onAuth: (_auth, _session, done) => done(new Error('bad password')),
    });
    const delivery = await deliver({ port, user: 'u', password: 'p' });
    assert.ok(delivery.kind === 'failed' && !delivery.retryable);
  });

  it('does not speak in the clear to a server without encryption unless told to', async (t) => {
    const { port, mails } = await startSmtp(t);
    const delivery = await deliver({ port, tls: 'starttls' });
    assert.ok(delivery.kind === 'failed');
    assert.deepEqual(mails, []);
  });

  it('wants another try when the server does not answer', async () => {
    const delivery = await deliver({ port: 1 });
    assert.ok(delivery.kind === 'failed' && delivery.retryable);
    assert.equal(delivery.error.split(':1: ').length, 2, `the server is named once: ${delivery.error}`);
  });

  it('no label, annotation or address of an alert begins a header of its own, or another mail', async (t) => {
    const { port, mails } = await startSmtp(t);
    const evil = 'x\r\nBcc: evil@example.org\r\n\r\n.\r\nMAIL FROM:<evil@example.org>\n';
    const labels = { alertname: evil, severity: 'critical', instance: evil, service: evil };
    const channel = openOne(t, { kind: 'email', host: '127.0.0.1', port, tls: 'none', from: 'n@example.org', to: ['a@example.org'] });
    const delivery = await channel.deliver(attemptOf([alertOf({ labels, annotations: { summary: evil, [evil]: evil } })]));
    assert.equal(delivery.kind, 'delivered');
    assert.equal(mails.length, 1);
    const [head = ''] = (mails[0] ?? '').split(/\r?\n\r?\n/, 1);
    const names = head.split(/\r?\n(?![ \t])/).map((line) => line.split(':', 1)[0]);
    assert.deepEqual(
      names.filter(
        (name) =>
          !/^(?:From|To|Subject|Message-ID|Auto-Submitted|Date|MIME-Version|Content-Type|Content-Transfer-Encoding)$/.test(name ?? ''),
      ),
      [],
    );
    assert.equal(
      channelsConfig.safeParse([{ id: 'm', kind: 'email', host: 'h', from: 'a@b.c', to: 'a@b.c\r\nBcc: x@y.z' }]).success,
      false,
    );
  });
});
