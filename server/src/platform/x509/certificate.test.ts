import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { issueCertificate } from './certificate.ts';
import { objectId, positive, time } from './der.ts';

const FROM = Date.UTC(2026, 0, 2, 3, 4, 5);
const UNTIL = Date.UTC(2060, 11, 31, 23, 59, 59);

test('OpenSSL reads our certificates, accepts each for what it is for, and for nothing else', (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'nines-x509-'));
  t.after(() => rmSync(dir, { recursive: true }));
  const authority = generateKeyPairSync('ed25519');
  const issuer = { name: 'Our authority', privateKey: authority.privateKey };
  const validity = { fromMs: FROM, untilMs: UNTIL };
  const ca = issueCertificate({ name: issuer.name, publicKey: authority.publicKey, purpose: 'authority', ...validity }, issuer);
  const leaf = (purpose: 'server' | 'client', hosts: readonly string[] = []): string =>
    issueCertificate({ name: purpose, publicKey: generateKeyPairSync('ed25519').publicKey, purpose, hosts, ...validity }, issuer);
  const files = { ca, server: leaf('server', ['nines.example']), client: leaf('client') };
  for (const [name, pem] of Object.entries(files)) writeFileSync(join(dir, `${name}.pem`), pem);
  const verify = (name: string, purpose: string): boolean => {
    try {
      execFileSync('openssl', ['verify', '-x509_strict', '-purpose', purpose, '-CAfile', 'ca.pem', `${name}.pem`], {
        cwd: dir,
        stdio: 'pipe',
      });
      return true;
    } catch {
      return false;
    }
  };
  assert.deepEqual(
    [verify('server', 'sslserver'), verify('server', 'sslclient'), verify('client', 'sslclient'), verify('client', 'sslserver')],
    [true, false, true, false],
  );
  const read = new X509Certificate(files.server);
  assert.equal(read.subject, 'CN=server');
  assert.equal(read.issuer, 'CN=Our authority');
  assert.equal(read.validFromDate.getTime(), FROM);
  assert.equal(read.validToDate.getTime(), UNTIL);
  assert.equal(read.checkHost('nines.example'), 'nines.example');
  assert.equal(read.checkHost('other.example'), undefined);
  assert.ok(read.verify(authority.publicKey));
  assert.ok(!read.verify(generateKeyPairSync('ed25519').publicKey));
});

test('OpenSSL takes a certificate that ECDSA signed, under each of its names and addresses', (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'nines-x509-'));
  t.after(() => rmSync(dir, { recursive: true }));
  const pair = (): ReturnType<typeof generateKeyPairSync> => generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const authority = pair();
  const issuer = { name: 'Our authority', privateKey: authority.privateKey };
  const validity = { fromMs: FROM, untilMs: UNTIL };
  const hosts = ['nines.example', '127.0.0.1', '::1', 'fe80::1:2', '::ffff:10.0.0.1', '2001:db8:1:2:3:4:5:6'];
  const ca = issueCertificate({ name: issuer.name, publicKey: authority.publicKey, purpose: 'authority', ...validity }, issuer);
  const server = issueCertificate({ name: 'server', publicKey: pair().publicKey, purpose: 'server', hosts, ...validity }, issuer);
  writeFileSync(join(dir, 'ca.pem'), ca);
  writeFileSync(join(dir, 'server.pem'), server);
  const args = ['verify', '-x509_strict', '-purpose', 'sslserver', '-CAfile', 'ca.pem', 'server.pem'];
  execFileSync('openssl', args, { cwd: dir, stdio: 'pipe' });
  const read = new X509Certificate(server);
  assert.equal(read.checkHost('nines.example'), 'nines.example');
  for (const address of hosts.slice(1)) assert.equal(read.checkIP(address), address, read.subjectAltName);
  assert.equal(read.checkIP('127.0.0.2'), undefined);
});

test('elements are written as X.690 draws them', () => {
  const hex = (bytes: Buffer): string => bytes.toString('hex');
  assert.equal(hex(objectId('1.2.840.113549')), '06062a864886f70d');
  assert.equal(hex(positive(Buffer.from([0, 0, 1]))), '020101');
  assert.equal(hex(positive(Buffer.from([0x80]))), '02020080');
  assert.equal(hex(positive(Buffer.from([0]))), '020100');
  assert.deepEqual([time(FROM)[0], time(FROM).subarray(2).toString()], [0x17, '260102030405Z']);
  assert.deepEqual([time(UNTIL)[0], time(UNTIL).subarray(2).toString()], [0x18, '20601231235959Z']);
});
