import assert from 'node:assert/strict';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { createServer } from 'node:net';
import { test, type TestContext } from 'node:test';
import {
  type AnyCheck,
  attempt,
  Authority,
  closedPort,
  faultsOf,
  figuresOf,
  listen,
  said,
  silent,
} from '../../../../../test/harness/checks.ts';
import { readRdap, serverOf } from './rdap.ts';
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
  assert.match(faultsOf({ kind: 'domain', domain: 'a.com', rdap: 'https://r/', whois: 'w:43' }), /^whois: write either rdap or whois/);
});

/** A fake registry that speaks RDAP (RFC 9083). */
const rdapRegistry =
  (expiration: () => string): RequestListener =>
  (request, answer) => {
    answer.setHeader('content-type', 'application/rdap+json');
    if (request.url !== '/v1/domain/shop.example') return void answer.writeHead(404).end('{"errorCode":404,"title":"Not Found"}');
    const events = [
      { eventAction: 'registration', eventDate: '2001-01-01T00:00:00Z' },
      { eventAction: 'expiration', eventDate: expiration() },
    ];
    answer.end(JSON.stringify({ objectClassName: 'domain', ldhName: 'SHOP.EXAMPLE', events, rdapConformance: ['rdap_level_0'] }));
  };

test('RDAP tells the same', async (t) => {
  let inDays = 90.5;
  const listener = rdapRegistry(() => new Date(Date.now() + inDays * DAY).toISOString());
  const port = await listen(t, createHttpServer(listener));
  const rdap = (more: Partial<Domain> = {}): AnyCheck => {
    const { whois: _whois, ...rest } = check(0);
    return { ...rest, rdap: `http://127.0.0.1:${port}/v1/`, ...more };
  };
  const good = await attempt(rdap());
  assert.equal(said(good), 'up');
  assert.ok((figuresOf(good)['probe_domain_expiry_timestamp_seconds'] ?? 0) * 1000 > Date.now() + 90 * DAY);
  assert.match(said(await attempt(rdap({ degraded_after: '1ms' }))), /^(degraded slow|up)/);
  inDays = 10.5;
  assert.match(said(await attempt(rdap())), /^degraded domain_expiry: .* ends in 10d.*, expected 30d$/);
  inDays = -1;
  assert.match(said(await attempt(rdap())), /^down expired: /);
  assert.match(said(await attempt(rdap({ domain: 'free.example' }))), /^down not_registered: .*status 404/);
  assert.match(said(await attempt(rdap({ rdap: `http://127.0.0.1:${await closedPort()}/` }))), /^down connection_refused/);
  assert.match(said(await attempt(rdap({ rdap: `http://127.0.0.1:${await silent(t)}/`, timeout: '300ms' }))), /^down timeout/);
  assert.match(said(await attempt(rdap(), 'untrusted')), /^void refused_address/);
  const busy = await listen(
    t,
    createHttpServer((_request, answer) => void answer.writeHead(429).end()),
  );
  assert.match(said(await attempt(rdap({ rdap: `http://127.0.0.1:${busy}/` }))), /^void rate_limited/);
  const wrong = await listen(
    t,
    createHttpServer((_request, answer) => void answer.end('<html>')),
  );
  assert.match(said(await attempt(rdap({ rdap: `http://127.0.0.1:${wrong}/` }))), /^down bad_answer: .*RFC 9083/);
  using authority = new Authority();
  const secure = await listen(t, createSecureServer(authority.issue(), listener));
  inDays = 90.5;
  assert.match(said(await attempt(rdap({ rdap: `https://localhost:${secure}/v1` }))), /^down certificate/);
  assert.equal(said(await attempt(rdap({ rdap: `https://localhost:${secure}/v1`, tls: { ca: authority.cert } }))), 'up');
});

test("IANA's list tells who answers for a domain, the longest entry first", () => {
  const list = JSON.stringify({
    version: '1.0',
    services: [
      [['com', 'net'], ['https://rdap.verisign.example/com/v1/']],
      [['example'], ['http://rdap.example/', 'https://rdap.example/']],
      [['co.example'], ['https://co.example/rdap/']],
    ],
  });
  assert.equal(serverOf(list, 'Shop.COM'), 'https://rdap.verisign.example/com/v1/');
  assert.equal(serverOf(list, 'shop.example'), 'https://rdap.example/');
  assert.equal(serverOf(list, 'shop.co.example'), 'https://co.example/rdap/');
  assert.equal(serverOf(list, 'shop.de'), undefined);
  assert.equal(serverOf('no list', 'shop.com'), undefined);
  assert.deepEqual(readRdap({ statusCode: 200, body: '{"objectClassName":"domain"}' }), { kind: 'silent' });
});
