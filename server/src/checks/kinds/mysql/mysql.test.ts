import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test, type TestContext } from 'node:test';
import {
  type AnyCheck,
  attempt,
  Authority,
  babbler,
  closedPort,
  faultsOf,
  listen,
  said,
  silent,
  slowly,
  TOO_SLOW,
} from '../../../../../test/harness/checks.ts';
import { poll } from '../../../../../test/harness/poll.ts';

const authority = new Authority();
after(() => authority[Symbol.dispose]());
const ca = authority.cert;

type Mysql = Extract<AnyCheck, { kind: 'mysql' }>;
const check = (port: number, more: Partial<Mysql> = {}): Mysql => ({
  kind: 'mysql',
  address: `127.0.0.1:${port}`,
  username: 'anne',
  password: 's3cret',
  timeout: '8s',
  ...more,
});

/** A MariaDB server of Debian's in a directory of its own. */
const directory = mkdtempSync(join(tmpdir(), 'nines-mariadb-'));
let port: number;
let server: ChildProcess;
before(async () => {
  port = await closedPort();
  const { key, cert } = authority.issue({ days: 10 });
  for (const [name, text] of Object.entries({ 'key.pem': key, 'cert.pem': cert, 'ca.pem': ca })) writeFileSync(join(directory, name), text);
  const data = join(directory, 'data');
  const asRoot = process.getuid?.() === 0 ? ['--user=root'] : [];
  chmodSync(directory, 0o755);
  execFileSync(
    '/usr/bin/mariadb-install-db',
    ['--no-defaults', ...asRoot, `--datadir=${data}`, '--auth-root-authentication-method=normal'],
    {
      stdio: 'ignore',
    },
  );
  const users = `flush privileges; create user anne identified by 's3cret'; create user bob; create user carl identified via unix_socket;
    create user emil@'127.0.0.1' identified by 's3cret' require ssl`;
  writeFileSync(join(directory, 'init.sql'), `${users.replaceAll(/\s+/g, ' ').replaceAll('; ', ';\n')};\n`);
  const ssl = ['key', 'cert', 'ca'].map((name) => `--ssl-${name}=${join(directory, `${name}.pem`)}`);
  const paths = [`--datadir=${data}`, `--socket=${join(directory, 'socket')}`, `--init-file=${join(directory, 'init.sql')}`];
  const args = ['--no-defaults', ...asRoot, ...paths, ...ssl, `--port=${port}`, '--bind-address=127.0.0.1', '--skip-name-resolve'];
  server = spawn('/usr/sbin/mariadbd', args, { stdio: 'ignore' });
  await poll('MariaDB to take the login', async () => (said(await attempt(check(port))) === 'up' ? true : undefined), 60_000);
});
after(async () => {
  const gone = once(server, 'exit');
  if (server.kill('SIGKILL')) await gone;
  rmSync(directory, { recursive: true });
});

test('a server that greets, takes the login and answers is up, in plain text and over TLS', async (t) => {
  const plain = await attempt(check(port));
  assert.deepEqual([said(plain), plain.tls], ['up', undefined]);
  assert.match(said(await attempt(check(await slowly(t, port), TOO_SLOW))), /^degraded slow: /);
  assert.equal(said(await attempt(check(port, { username: 'bob', password: undefined }))), 'up');
  assert.equal(said(await attempt(check(port, { username: undefined, password: undefined }))), 'up');
  const secure = await attempt(check(port, { encryption: 'tls', tls: { ca }, username: 'emil' }));
  assert.deepEqual([said(secure), secure.tls], ['up', true]);
  assert.deepEqual(Object.keys(secure.phases).sort(), ['connect', 'processing', 'resolve', 'tls']);
  const soon = check(port, { encryption: 'tls', tls: { ca }, certificate_valid_for: '14d' });
  assert.match(said(await attempt(soon)), /^degraded certificate_expiry: the certificate expires in 9d/);
  assert.match(said(await attempt(check(port, { encryption: 'tls' }))), /^down certificate: /);
});

test('a wrong or missing password and an account that logs in another way are down and show no secret', async () => {
  const wrong = await attempt(check(port, { password: 'wr0ng' }));
  assert.match(said(wrong), /^down auth: Access denied for user 'anne'.* \(error 1045\)$/);
  assert.ok(!JSON.stringify(wrong).includes('wr0ng'));
  assert.match(said(await attempt(check(port, { password: undefined }))), /^down auth: Access denied/);
  assert.match(said(await attempt(check(port, { username: 'emil' }))), /^down auth: Access denied/);
  assert.match(said(await attempt(check(port, { username: 'carl' }))), /^down auth: /);
});

test('a server that is gone, silent, full or no MySQL is down', async (t) => {
  assert.match(said(await attempt(check(await closedPort()))), /^down connection_refused/);
  assert.match(said(await attempt(check(await silent(t), { timeout: '300ms' }))), /^down timeout: .*waiting for the first byte$/);
  assert.match(said(await attempt(check(await babbler(t, 'HTTP/1.1 400 Bad Request\r\n')))), /^down (bad_answer|connection_closed): /);
  assert.match(
    said(await attempt(check(await babbler(t, '\x05\0\0\0hello')))),
    /^down bad_answer: not the greeting of a MySQL server: "hello"/,
  );
  const refusal = Buffer.from('\x17\0\0\0\xff\x10\x04Too many connections', 'latin1');
  const full = await listen(
    t,
    createServer((socket) => void socket.on('error', () => {}).end(refusal)),
  );
  assert.equal(said(await attempt(check(full))), 'down too_many_connections: Too many connections (error 1040)');
});

/** Speaks as MySQL 8 does with caching_sha2_password (Debian has MariaDB only, which does not). Knows the proof of `s3cret`. */
function fakeMysql8(t: TestContext, { caches }: { readonly caches: boolean }): Promise<number> {
  const salt = Buffer.from('abcdefghijklmnopqrst');
  const packet = (sequence: number, payload: Buffer): Buffer => Buffer.concat([Buffer.of(payload.length, 0, 0, sequence), payload]);
  const tail = Buffer.concat([Buffer.of(21), Buffer.alloc(10), salt.subarray(8), Buffer.of(0), Buffer.from('caching_sha2_password\0')]);
  const flags = [Buffer.of(0, 0, 0, 0), salt.subarray(0, 8), Buffer.of(0, 0xff, 0xf7, 45, 2, 0, 0xff, 0xdf)];
  const greeting = Buffer.concat([Buffer.of(10), Buffer.from('8.0.40\0'), ...flags, tail]);
  const sha = (...parts: readonly Buffer[]): Buffer => createHash('sha256').update(Buffer.concat(parts)).digest();
  const once = sha(Buffer.from('s3cret'));
  const mask = sha(sha(once), salt);
  const proof = Buffer.from(once.map((byte, index) => byte ^ (mask[index] ?? 0)));
  const ok = Buffer.of(0, 0, 0, 2, 0, 0, 0);
  return listen(
    t,
    createServer((socket) => {
      socket.on('error', () => {}).write(packet(0, greeting));
      socket.on('data', (bytes) => {
        if (bytes[4] === 0x0e) return void socket.write(packet(1, ok));
        if (bytes[4] === 0x01) return;
        if (!bytes.includes(proof)) return void socket.end(packet(2, Buffer.from('\xff\x15\x04#28000Access denied', 'latin1')));
        socket.write(packet(2, Buffer.of(1, caches ? 3 : 4)));
        if (caches) socket.write(packet(3, ok));
      });
    }),
  );
}

test('MySQL 8 logs in by the cached proof, and is never given the password itself in plain text', async (t) => {
  const known = await fakeMysql8(t, { caches: true });
  assert.equal(said(await attempt(check(known))), 'up');
  assert.equal(said(await attempt(check(known, { password: 'wr0ng' }))), 'down auth: Access denied (error 1045)');
  const unknown = await fakeMysql8(t, { caches: false });
  assert.match(said(await attempt(check(unknown))), /^down auth: the server wants the password itself, which is sent over TLS only/);
});

test('a password without a user name is refused', () => {
  assert.equal(faultsOf({ kind: 'mysql', address: 'a:3306', password: 'x' }), 'username: a password needs its user name');
});
