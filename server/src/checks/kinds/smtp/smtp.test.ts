import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { after, test, type TestContext } from 'node:test';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { type AnyCheck, attempt, Authority, babbler, closedPort, faultsOf, said, silent } from '../../../../../test/harness/checks.ts';

const authority = new Authority();
after(() => authority[Symbol.dispose]());
const ca = authority.cert;
const certificate = authority.issue({ days: 10 });

type Smtp = Extract<AnyCheck, { kind: 'smtp' }>;
const check = (port: number, more: Partial<Smtp> = {}): Smtp => ({
  kind: 'smtp',
  address: `127.0.0.1:${port}`,
  tls: { ca },
  timeout: '5s',
  ...more,
});

async function mailServer(t: TestContext, options: SMTPServerOptions = {}): Promise<number> {
  const server = new SMTPServer({
    ...certificate,
    logger: false,
    authMethods: ['PLAIN', 'LOGIN'],
    onAuth: ({ username, password }, _session, done) =>
      username === 'anne' && password === 's3cret' ? done(null, { user: 'anne' }) : done(new Error('no such user')),
    ...options,
  });
  server.on('error', () => {});
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  t.after(() => server.close(() => {}));
  return (server.server.address() as AddressInfo).port;
}

test('a mail server that greets is up, in plain text, with STARTTLS and over TLS', async (t) => {
  const port = await mailServer(t);
  const plain = await attempt(check(port));
  assert.deepEqual([said(plain), plain.tls], ['up', undefined]);
  const started = await attempt(check(port, { encryption: 'starttls' }));
  assert.deepEqual([said(started), started.tls], ['up', true]);
  assert.deepEqual(Object.keys(started.phases).sort(), ['connect', 'processing', 'resolve', 'tls']);
  const secure = await mailServer(t, { secure: true });
  assert.equal(said(await attempt(check(secure, { encryption: 'tls' }))), 'up');
  const soon = check(port, { encryption: 'starttls', certificate_valid_for: '14d' });
  assert.match(said(await attempt(soon)), /^degraded certificate_expiry: the certificate expires in 9d/);
});

test('the password is tried when there is one, with either mechanism, and a wrong one is down without being shown', async (t) => {
  for (const authMethods of [['PLAIN'], ['LOGIN']]) {
    const port = await mailServer(t, { authMethods });
    const auth = { username: 'anne', password: 's3cret' };
    assert.equal(said(await attempt(check(port, { encryption: 'starttls', auth }))), 'up');
    const refused = await attempt(check(port, { encryption: 'starttls', auth: { ...auth, password: 'wr0ng' } }));
    assert.match(said(refused), /^down auth: "535 .*no such user" in answer to the password, expected 235/);
    assert.ok(!JSON.stringify(refused).includes('wr0ng'));
  }
  const without = await mailServer(t, { disabledCommands: ['AUTH'] });
  const outcome = said(await attempt(check(without, { encryption: 'starttls', auth: { username: 'a', password: 'b' } })));
  assert.equal(outcome, 'down auth: the server offers neither AUTH PLAIN nor AUTH LOGIN');
});

test('a server that refuses, hides STARTTLS, has a foreign certificate, is silent or is no mail server is down', async (t) => {
  assert.match(said(await attempt(check(await closedPort()))), /^down connection_refused/);
  const busy = await mailServer(t, { onConnect: (_session, done) => done(Object.assign(new Error('too busy'), { responseCode: 421 })) });
  assert.match(said(await attempt(check(busy))), /^down (banner|bad_answer): "421 /);
  const bare = await mailServer(t, { disabledCommands: ['STARTTLS', 'AUTH'] });
  assert.match(said(await attempt(check(bare, { encryption: 'starttls' }))), /^down starttls: .* does not offer STARTTLS$/);
  const port = await mailServer(t);
  assert.match(said(await attempt(check(port, { encryption: 'starttls', tls: {} }))), /^down certificate: /);
  assert.match(said(await attempt(check(await silent(t), { timeout: '300ms' }))), /^down timeout: .*waiting for the first byte$/);
  assert.match(
    said(await attempt(check(await babbler(t, 'HTTP/1.1 400 Bad Request\r\n')))),
    /^down bad_answer: not an answer of a mail server/,
  );
  assert.match(said(await attempt(check(await babbler(t, '220-half')))), /^down connection_closed/);
});

test('a slow server is degraded', async (t) => {
  const port = await mailServer(t, { onConnect: (_session, done) => void setTimeout(done, 120) });
  assert.match(said(await attempt(check(port, { degraded_after: '100ms' }))), /^degraded slow/);
});

test('a password is never sent in plain text', () => {
  assert.match(
    faultsOf({ kind: 'smtp', address: 'a:25', auth: { username: 'a', password: 'b' } }),
    /^auth: a password is sent over TLS only/,
  );
});
