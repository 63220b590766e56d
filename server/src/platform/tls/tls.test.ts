import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { Agent } from 'node:https';
import { connect, type ConnectionOptions, type SecureVersion, type TLSSocket } from 'node:tls';
import { DAY_MS } from '@nines/base/units.ts';
import { openSqliteForTest } from '../../../../test/harness/databases.ts';
import { countingIds } from '../../../../test/harness/ids.ts';
import { recordingLogger, silentLogger } from '../../../../test/harness/logs.ts';
import { manualClock } from '../../../../test/harness/manual-clock.ts';
import { NOBODY } from '../http/contract.ts';
import { createHttp } from '../http/server.ts';
import { openSecrets } from '../secrets/service.ts';
import { issueCertificate } from '../x509/certificate.ts';
import { AUTHORITY_FILE, TlsAuthority } from './authority.ts';
import { tlsConfig } from './config.ts';
import { ServerTls, TLS_STEP_MS, type TlsDeps } from './server-tls.ts';
import { startTls } from './start.ts';

const NOW = Date.now();

/** Two files with a certificate, its authority, and a way to replace them. */
function files(t: TestContext) {
  const dir = mkdtempSync(join(tmpdir(), 'nines-tls-'));
  t.after(() => rmSync(dir, { recursive: true }));
  const keys = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const authority = keys();
  const issuer = { name: 'test', privateKey: authority.privateKey };
  const validity = { fromMs: NOW - DAY_MS, untilMs: NOW + 60 * DAY_MS };
  const ca = issueCertificate({ name: 'test', publicKey: authority.publicKey, purpose: 'authority', ...validity }, issuer);
  const paths = { cert: join(dir, 'server.crt'), key: join(dir, 'server.key') };
  const make = (untilMs = validity.untilMs) => {
    const { publicKey, privateKey } = keys();
    const hosts = ['localhost', '127.0.0.1'];
    const certificate = issueCertificate({ name: 'server', publicKey, purpose: 'server', hosts, fromMs: validity.fromMs, untilMs }, issuer);
    return { certificate, key: String(privateKey.export({ type: 'pkcs8', format: 'pem' })) };
  };
  const write = ({ certificate, key }: { certificate: string; key: string }): void => {
    writeFileSync(paths.cert, certificate);
    writeFileSync(paths.key, key);
  };
  write(make());
  return { dir, ca, paths, make, write };
}

/** A server over TLS with one public page. */
async function serveTls(t: TestContext, deps: Pick<TlsDeps, 'source'> & Partial<TlsDeps>) {
  const logger = recordingLogger();
  const clock = manualClock(NOW);
  const tls = new ServerTls({ minVersion: 'TLSv1.3', clock, logger, ...deps });
  const gate = { authenticate: async () => undefined, allows: () => false };
  const http = await createHttp({ logger: silentLogger, ids: countingIds(), gate, hosts: 'any', version: '1', secure: true, tls });
  t.after(() => http.close());
  http.get('/', { config: { permission: 'public' } }, async ({ actor }) => (actor === NOBODY ? 'page' : 'no'));
  await http.listen({ host: '127.0.0.1', port: 0 });
  return { tls, logger, clock, http, port: (http.server.address() as AddressInfo).port };
}

/** The version that both agreed on, or why they did not. */
async function shake(port: number, options: ConnectionOptions): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
  try {
    await once(socket, 'secureConnect');
    return socket.getProtocol() ?? 'none';
  } catch (thrown) {
    return String((thrown as NodeJS.ErrnoException).code);
  } finally {
    socket.destroy();
  }
}

test('attack: an old version of TLS is refused, 1.2 too unless the configuration allows it', async (t) => {
  const { paths } = files(t);
  const source = { kind: 'files', ...paths } as const;
  const strict = await serveTls(t, { source });
  const lenient = await serveTls(t, { source, minVersion: 'TLSv1.2' });
  const only = (version: SecureVersion) => ({ minVersion: version, maxVersion: version, ciphers: 'DEFAULT@SECLEVEL=0' });
  assert.equal(await shake(strict.port, only('TLSv1.3')), 'TLSv1.3');
  assert.equal(await shake(lenient.port, only('TLSv1.3')), 'TLSv1.3');
  assert.equal(await shake(lenient.port, only('TLSv1.2')), 'TLSv1.2');
  for (const version of ['TLSv1.2', 'TLSv1.1', 'TLSv1'] as const) {
    assert.match(await shake(strict.port, only(version)), /PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL|HANDSHAKE_FAILURE|ECONNRESET/, version);
  }
  for (const version of ['TLSv1.1', 'TLSv1'] as const) assert.notEqual(await shake(lenient.port, only(version)), version);
  // Weak ciphers are none of 1.2's.
  for (const ciphers of ['RC4', 'DES-CBC3-SHA:@SECLEVEL=0', 'NULL', 'aNULL:@SECLEVEL=0']) {
    const agreed = await shake(lenient.port, { maxVersion: 'TLSv1.2', minVersion: 'TLSv1.2', ciphers }).catch(() => 'unknown here');
    assert.notEqual(agreed, 'TLSv1.2', ciphers);
  }
});

test('a new certificate is shown to new connections while requests go on over those that are open', async (t) => {
  const { ca, paths, make, write } = files(t);
  const { port, tls, logger } = await serveTls(t, { source: { kind: 'files', ...paths } });
  const agent = new Agent({ keepAlive: true, maxSockets: 4, ca });
  t.after(() => agent.destroy());
  const serials = new Set<string>();
  const sockets = new Set<unknown>();
  const ask = (using: Agent | undefined): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      const sent = request({
        port,
        host: '127.0.0.1',
        servername: 'localhost',
        path: '/',
        ca,
        ...(using === undefined ? { agent: false } : { agent: using }),
      });
      sent.on('response', (answer) => {
        const socket = answer.socket as TLSSocket;
        if (using === undefined) serials.add(socket.getPeerX509Certificate()?.serialNumber ?? '');
        else sockets.add(socket);
        answer.resume().on('end', () => resolve(answer.statusCode));
      });
      sent.on('error', reject);
      sent.end();
    });
  for (let round = 0; round < 5; round++) {
    write(make());
    tls.step();
    // Nothing here may fail: the old connections go on, the new ones see the new certificate.
    const answers = await Promise.all([...Array<Agent>(20).fill(agent), undefined, undefined].map(ask));
    assert.deepEqual(new Set(answers), new Set([200]));
  }
  assert.equal(serials.size, 5);
  assert.ok(sockets.size <= 4, `${sockets.size} connections`);
  assert.equal(logger.lines.filter(({ message }) => message === 'a new certificate is in use').length, 5);
});

test('a pair that cannot be used leaves the one before in use, says so once, counts it, and shows in health', async (t) => {
  const { paths, make, write } = files(t);
  const { port, tls, logger, clock } = await serveTls(t, { source: { kind: 'files', ...paths } });
  const good = make();
  const cases: readonly [why: RegExp, pair: { certificate: string; key: string }][] = [
    [/does not belong/, { ...good, key: make().key }],
    [/holds no certificate/, { ...good, certificate: 'half a fi' }],
    [/holds no private key/, { ...good, key: '' }],
    [/the certificate ended/, make(NOW - 1_000)],
    [/more than \d+ bytes/, { ...good, certificate: 'x'.repeat(300_000) }],
  ];
  for (const [why, pair] of cases) {
    const before = { failures: tls.failures, lines: logger.lines.length };
    write(pair);
    assert.throws(() => tls.reload(), { code: 'bad_certificate', message: why });
    tls.step();
    assert.deepEqual([tls.failures - before.failures, logger.lines.length - before.lines], [2, 1], String(why));
    assert.equal(tls.health().status, 'degraded');
    assert.match(tls.health().detail, why);
    assert.equal(await shake(port, {}), 'TLSv1.3');
  }
  write(good);
  rmSync(paths.key);
  assert.throws(() => tls.reload(), { code: 'bad_certificate', message: /ENOENT/ });
  write(good);
  tls.reload();
  assert.equal(tls.health().status, 'ok');
  await clock.advance(50 * DAY_MS);
  assert.match(tls.health().detail, /the certificate ends at/);
  await clock.advance(20 * DAY_MS);
  assert.equal(tls.health().status, 'failing');
});

test('one word gives a certificate of our own that browsers could take, for every name of the listener, renewed in time', async (t) => {
  const { db, openAgain } = await openSqliteForTest(t);
  const dataDir = mkdtempSync(join(tmpdir(), 'nines-tls-'));
  t.after(() => rmSync(dataDir, { recursive: true }));
  const clock = manualClock(NOW);
  const config = tlsConfig.parse('auto');
  assert.ok(config !== undefined);
  const secrets = await openSecrets({ db, dataDir, sealing: undefined, logger: silentLogger, nowMs: NOW });
  const watched = new Map<string, () => number>();
  const options = {
    config: { ...config, names: ['nines.internal', '192.0.2.7'] },
    host: '127.0.0.1',
    baseUrl: 'https://status.example:8443/x',
    baseDir: '.',
    dataDir,
    secrets,
    clock,
    logger: silentLogger,
    metrics: { watch: (name: string, _help: string, read: () => number) => void watched.set(name, read) },
  };
  await using first = await startTls({ ...options, sql: db.kysely });
  const ca = readFileSync(join(dataDir, AUTHORITY_FILE), 'utf8');
  const gate = { authenticate: async () => undefined, allows: () => false };
  const http = await createHttp({ logger: silentLogger, ids: countingIds(), gate, hosts: 'any', version: '1', tls: first.tls });
  t.after(() => http.close());
  await http.listen({ host: '127.0.0.1', port: 0 });
  const { port } = http.server.address() as AddressInfo;
  for (const servername of ['nines.internal', 'status.example', 'localhost']) {
    assert.equal(await shake(port, { ca, rejectUnauthorized: true, servername }), 'TLSv1.3', servername);
  }
  assert.equal(await shake(port, { ca, rejectUnauthorized: true }), 'TLSv1.3');
  assert.equal(await shake(port, { ca, rejectUnauthorized: true, servername: 'other.example' }), 'ERR_TLS_CERT_ALTNAME_INVALID');
  assert.equal(await shake(port, { rejectUnauthorized: true }), 'SELF_SIGNED_CERT_IN_CHAIN');
  assert.equal(watched.get('nines_tls_certificate_expires_seconds')?.(), first.tls.untilMs / 1000);

  // Another process on the same state signs with the same authority, so whoever trusts one trusts both.
  const again = await TlsAuthority.open({ sql: (await openAgain()).kysely, secrets, dataDir }, NOW);
  assert.equal(again.certificate, ca);
  const { private_key: kept } = await db.kysely.selectFrom('tls_authority').selectAll().executeTakeFirstOrThrow();
  assert.doesNotMatch(kept, /PRIVATE/);
  const until = first.tls.untilMs;
  clock.jump(59 * DAY_MS);
  await clock.advance(TLS_STEP_MS);
  assert.equal(first.tls.untilMs, until);
  clock.jump(2 * DAY_MS);
  await clock.advance(TLS_STEP_MS);
  assert.ok(first.tls.untilMs > until);
  assert.equal(first.tls.health().status, 'ok');
});

test('a server does not start with a certificate that it cannot use', (t) => {
  const { dir, paths } = files(t);
  const deps = { clock: manualClock(NOW), logger: silentLogger, minVersion: 'TLSv1.3' as const };
  writeFileSync(paths.key, 'nothing');
  assert.throws(() => new ServerTls({ ...deps, source: { kind: 'files', ...paths } }), { code: 'bad_certificate' });
  const missing = { kind: 'files', cert: join(dir, 'none'), key: paths.key } as const;
  assert.throws(() => new ServerTls({ ...deps, source: missing }), { code: 'bad_certificate', message: /ENOENT/ });
});

test('the configuration says what belongs together', () => {
  assert.equal(tlsConfig.parse('auto')?.min_version, 'TLSv1.3');
  assert.equal(tlsConfig.parse({ min_version: 1.2 })?.min_version, 'TLSv1.2');
  for (const bad of [
    { cert_file: 'a' },
    { key_file: 'a' },
    { cert_file: 'a', key_file: 'b', names: ['c'] },
    { min_version: '1.1' },
    'yes',
    { names: ['a b'] },
  ])
    assert.equal(tlsConfig.safeParse(bad).success, false, JSON.stringify(bad));
});
