import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test, type TestContext } from 'node:test';
import { type AnyCheck, attempt, closedPort, faultsOf, figuresOf, listen, said, silent } from '../../../../../test/harness/checks.ts';
import { readWhois, referralOf } from './whois.ts';

type Domain = Extract<AnyCheck, { kind: 'domain' }>;
const DAY = 86_400_000;

/** A fake registry that speaks WHOIS: one line in, prose out, and it hangs up. */
const registry = (t: TestContext, answer: (domain: string) => string): Promise<number> =>
  listen(
    t,
    createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', (line) => socket.end(answer(String(line).trim())));
    }),
  );
const check = (port: number, more: Partial<Domain> = {}): Domain => ({
  kind: 'domain',
  domain: 'shop.example',
  whois: `127.0.0.1:${port}`,
  interval: '1h',
  timeout: '5s',
  ...more,
});
const ends =
  (inDays: number) =>
  (domain: string): string =>
    `Domain Name: ${domain.toUpperCase()}\r\nRegistry Expiry Date: ${new Date(Date.now() + inDays * DAY).toISOString()}\r\n`;

test('a registration is up, degraded or down by when it ends', async (t) => {
  const good = await attempt(check(await registry(t, ends(90.5))));
  assert.equal(said(good), 'up');
  const left = (figuresOf(good)['probe_domain_expiry_timestamp_seconds'] ?? 0) * 1000 - Date.now();
  assert.ok(left > 90 * DAY && left < 91 * DAY);
  assert.match(said(await attempt(check(await registry(t, ends(10.5))))), /^degraded domain_expiry: .* ends in 10d.*, expected 30d$/);
  assert.match(said(await attempt(check(await registry(t, ends(-1))))), /^down expired: /);
  const free = await registry(t, () => 'No match for domain "SHOP.EXAMPLE".\r\n');
  assert.match(said(await attempt(check(free))), /^down not_registered: .*No match for domain/);
  assert.match(said(await attempt(check(await registry(t, () => 'Domain: shop.example\r\nStatus: connect\r\n')))), /^void no_expiry/);
});

test('a closed, silent or guarded registry says so', async (t) => {
  assert.match(said(await attempt(check(await closedPort()))), /^down connection_refused/);
  assert.match(said(await attempt(check(await silent(t), { timeout: '300ms' }))), /^down timeout/);
  assert.match(said(await attempt(check(await closedPort()), 'untrusted')), /^void refused_address/);
});

test('the wordings of registries are read', () => {
  const f = (text: string): unknown => {
    const found = readWhois(`% comment\n${text}\n`);
    return found.kind === 'registered' ? new Date(found.endsAtMs).toISOString() : found.kind;
  };
  assert.equal(f('   Registry Expiry Date: 2027-03-01T04:00:00Z'), '2027-03-01T04:00:00.000Z');
  assert.equal(f('paid-till:     2027-03-01T21:00:00Z'), '2027-03-01T21:00:00.000Z');
  assert.equal(f('expires:          2027-03-01'), '2027-03-01T00:00:00.000Z');
  assert.equal(f('Expiry date:  01-Mar-2027'), '2027-03-01T00:00:00.000Z');
  assert.equal(f('Expiration Date: 2027/03/01'), '2027-03-01T00:00:00.000Z');
  assert.equal(f('expires............: 2027-03-01 12:00:00'), '2027-03-01T12:00:00.000Z');
  assert.equal(f('Status: free'), 'unregistered');
  assert.equal(f('Status: connect'), 'silent');
  assert.equal(referralOf('domain: COM\nwhois:        whois.verisign-grs.com\n'), 'whois.verisign-grs.com');
});

test('what is written is checked when it is read', () => {
  assert.match(faultsOf({ kind: 'domain', domain: 'example.com', interval: '5m' }), /^interval: 5m is out of range/);
  assert.match(faultsOf({ kind: 'domain', domain: 'https://example.com' }), /^domain: write a domain/);
  assert.equal(faultsOf({ kind: 'domain', domain: 'example.com' }), 'fits');
});
