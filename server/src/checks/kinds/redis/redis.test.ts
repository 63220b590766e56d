import { type ChildProcess, spawn } from 'node:child_process';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test, type TestContext } from 'node:test';
import {
  type AnyCheck,
  attempt,
  Authority,
  babbler,
  closedPort,
  faultsOf,
  said,
  silent,
  slowly,
  TOO_SLOW,
} from '../../../../../test/harness/checks.ts';
import { poll } from '../../../../../test/harness/poll.ts';

const authority = new Authority();
after(() => authority[Symbol.dispose]());
const ca = authority.cert;
const certificate = authority.issue({ days: 10 });

type Redis = Extract<AnyCheck, { kind: 'redis' }>;
const check = (port: number, more: Partial<Redis> = {}): Redis => ({ kind: 'redis', address: `127.0.0.1:${port}`, timeout: '5s', ...more });

type Started = { readonly port: number; readonly tlsPort: number; readonly server: ChildProcess };

/** A Redis server of Debian's, without persistence, until the test ends. */
async function redisServer(t: TestContext, ...flags: readonly string[]): Promise<Started> {
  const directory = mkdtempSync(join(tmpdir(), 'nines-redis-'));
  const [port, tlsPort] = [await closedPort(), await closedPort()];
  writeFileSync(join(directory, 'key.pem'), certificate.key);
  writeFileSync(join(directory, 'cert.pem'), certificate.cert);
  writeFileSync(join(directory, 'ca.pem'), ca);
  const tls = ['--tls-port', String(tlsPort), '--tls-key-file', 'key.pem', '--tls-cert-file', 'cert.pem', '--tls-ca-cert-file', 'ca.pem'];
  const args = [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--save',
    '',
    '--dir',
    directory,
    ...tls,
    '--tls-auth-clients',
    'no',
    ...flags,
  ];
  const server = spawn('/usr/bin/redis-server', args, { cwd: directory, stdio: 'ignore' });
  t.after(async () => {
    const gone = once(server, 'exit');
    if (server.kill('SIGKILL')) await gone;
    rmSync(directory, { recursive: true });
  });
  await poll('Redis to listen', async () => (await accepts(port)) || undefined);
  return { port, tlsPort, server };
}

const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true));
    socket.once('error', () => resolve(false)).once('connect', () => socket.destroy());
  });

test('a server that answers PING is up, in plain text and over TLS', async (t) => {
  const { port, tlsPort, server } = await redisServer(t);
  const plain = await attempt(check(port));
  assert.deepEqual([said(plain), plain.tls], ['up', undefined]);
  assert.deepEqual(Object.keys(plain.phases).sort(), ['connect', 'processing', 'resolve']);
  const secure = await attempt(check(tlsPort, { encryption: 'tls', tls: { ca } }));
  assert.deepEqual([said(secure), secure.tls], ['up', true]);
  assert.match(said(await attempt(check(await slowly(t, port), TOO_SLOW))), /^degraded slow: /);
  const soon = check(tlsPort, { encryption: 'tls', tls: { ca }, certificate_valid_for: '14d' });
  assert.match(said(await attempt(soon)), /^degraded certificate_expiry: the certificate expires in 9d/);
  assert.match(said(await attempt(check(tlsPort, { encryption: 'tls' }))), /^down certificate: /);
  server.kill('SIGSTOP');
  assert.match(said(await attempt(check(port, { timeout: '300ms' }))), /^down timeout: .*waiting for the first byte$/);
  server.kill('SIGKILL');
  await once(server, 'exit');
  assert.match(said(await attempt(check(port))), /^down connection_refused/);
});

test('the password is tried when there is one; a wrong or missing one is down and shown nowhere', async (t) => {
  const { port } = await redisServer(t, '--requirepass', 's3cret', '--user', 'anne', 'on', '>pa55', '+ping');
  assert.equal(said(await attempt(check(port, { password: 's3cret' }))), 'up');
  assert.equal(said(await attempt(check(port, { username: 'anne', password: 'pa55' }))), 'up');
  const wrong = await attempt(check(port, { password: 'wr0ng' }));
  assert.match(said(wrong), /^down auth: "WRONGPASS .*" in answer to AUTH$/);
  assert.ok(!JSON.stringify(wrong).includes('wr0ng'));
  assert.match(said(await attempt(check(port))), /^down auth: "NOAUTH .*" in answer to PING$/);
});

test('a server that is silent, loads its data or is no Redis is down', async (t) => {
  assert.match(said(await attempt(check(await silent(t), { timeout: '300ms' }))), /^down timeout/);
  const loading = await babbler(t, '-LOADING Redis is loading the dataset in memory\r\n');
  assert.equal(said(await attempt(check(loading))), 'down not_ready: "LOADING Redis is loading the dataset in memory" in answer to PING');
  assert.match(said(await attempt(check(await babbler(t, 'HTTP/1.1 400 Bad Request\r\n')))), /^down bad_answer: not an answer of Redis/);
  assert.match(said(await attempt(check(await babbler(t, '+PO')))), /^down connection_closed/);
});

test('a user name without a password is refused', () => {
  assert.equal(faultsOf({ kind: 'redis', address: 'a:6379', username: 'anne' }), 'password: a user name needs its password');
});
