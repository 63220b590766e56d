import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import {
  type AnyCheck,
  attempt,
  Authority,
  babbler,
  closedPort,
  faultsOf,
  figuresOf,
  listen,
  said,
  silent,
  slowly,
  TOO_SLOW,
} from '../../../../../test/harness/checks.ts';

const authority = new Authority();
after(() => authority[Symbol.dispose]());
const ca = authority.cert;
const check = (port: number, more: Partial<Extract<AnyCheck, { kind: 'tls' }>> = {}): AnyCheck => ({
  kind: 'tls',
  address: `127.0.0.1:${port}`,
  tls: { ca },
  timeout: '5s',
  ...more,
});

test('a valid certificate is up, with its end and the version of TLS', async (t) => {
  const port = await listen(t, createTlsServer(authority.issue({ days: 90 })));
  const result = await attempt(check(port, { address: `localhost:${port}` }));
  assert.equal(said(result), 'up');
  const days = ((result.certificateExpiresAtMs ?? 0) - Date.now()) / 86_400_000;
  assert.ok(days > 89 && days < 90.1, `${days} days`);
  assert.deepEqual(figuresOf(result), { 'probe_tls_version_info{version=TLS 1.3}': 1 });
  assert.deepEqual(Object.keys(result.phases).sort(), ['connect', 'resolve', 'tls']);
  const slow = await attempt(check(0, { address: `localhost:${await slowly(t, port)}`, ...TOO_SLOW }));
  assert.match(said(slow), /^degraded slow: /);
});

test('an expired, foreign or misnamed certificate is down; one that ends soon is degraded', async (t) => {
  const expired = await listen(t, createTlsServer(authority.issue({ days: -1 })));
  const gone = await attempt(check(expired));
  assert.equal(said(gone), 'down certificate: the certificate of 127.0.0.1 is not valid: cert has expired');
  assert.ok((gone.certificateExpiresAtMs ?? Infinity) < Date.now(), 'its end is seen all the same');
  const good = await listen(t, createTlsServer(authority.issue({ days: 5 })));
  assert.match(said(await attempt(check(good, { tls: {} }))), /^down certificate: .*unable to verify/);
  const misnamed = await listen(t, createTlsServer(authority.issue({ host: 'other.example' })));
  assert.match(said(await attempt(check(misnamed))), /^down certificate: .*altname/);
  assert.equal(said(await attempt(check(misnamed, { tls: { ca, server_name: 'other.example' } }))), 'up');
  assert.match(said(await attempt(check(good))), /^degraded certificate_expiry: the certificate expires in 4d/);
  assert.equal(said(await attempt(check(good, { certificate_valid_for: '3d' }))), 'up');
});

test('a server that asks for a certificate is shown that of the check', async (t) => {
  const options = { ...authority.issue(), ca, requestCert: true, rejectUnauthorized: true, maxVersion: 'TLSv1.2' } as const;
  const port = await listen(t, createTlsServer(options));
  const own = authority.issue({ host: 'monitor.example' });
  assert.equal(said(await attempt(check(port, { tls: { ca, certificate: own.cert, key: own.key } }))), 'up');
  assert.match(said(await attempt(check(port))), /^down (tls|connection_reset)/);
});

test('a port that is closed, silent or speaks something else is down', async (t) => {
  assert.match(said(await attempt(check(await closedPort()))), /^down connection_refused/);
  assert.match(said(await attempt(check(await silent(t), { timeout: '300ms' }))), /^down timeout: .* in the TLS handshake$/);
  assert.match(said(await attempt(check(await babbler(t, 'SSH-2.0-x\r\n')))), /^down (tls|connection_reset)/);
});

test('certificates and keys are checked when they are read, and the key is a secret', () => {
  const f = (tls: unknown): string => faultsOf({ kind: 'tls', address: 'a:1', tls });
  const own = authority.issue();
  assert.equal(f({ ca, certificate: own.cert, key: own.key }), 'fits');
  assert.match(f({ ca: 'file.pem' }), /^tls\.ca: not a certificate in PEM/);
  assert.match(f({ certificate: own.cert }), /^tls\.key: a client certificate needs its key/);
  assert.match(f({ certificate: own.cert, key: authority.issue().key }), /^tls\.key: .*mismatch/);
});
