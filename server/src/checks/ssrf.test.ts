/**
 * Server-side request forgery by checks that were made in the UI or API: someone with an account there makes the server ask what only
 * the server can reach. A canary listens on every address of this host and must hear nothing.
 */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:net';
import { test, type TestContext } from 'node:test';
import { type AnyCheck, attempt, faultsOf, listen, said } from '../../../test/harness/checks.ts';
import { startNameServer } from '../discover/testing/name-server.ts';
import { createJudge, policiesOf } from '../platform/fetch/judge.ts';
import { outboundConfig } from '../platform/fetch/policy.ts';
import { hostOfCheck, checkSchema } from './contract.ts';
import { createResolve } from './resolve.ts';

/** Listens on TCP and UDP, on every address, and counts who comes. */
async function canary(t: TestContext): Promise<{ readonly port: number; heard: number }> {
  const server = createServer((socket) => {
    heard.heard++;
    socket.on('error', () => {}).destroy();
  });
  const heard = { port: 0, heard: 0 };
  for (;;) {
    server.listen(0, '::');
    await once(server, 'listening');
    heard.port = (server.address() as { port: number }).port;
    const datagrams = createSocket('udp6', () => void heard.heard++);
    const bound = await new Promise<boolean>((resolve) => {
      datagrams.once('error', () => resolve(false));
      datagrams.bind(heard.port, '::', () => resolve(true));
    });
    t.after(() => datagrams.close());
    if (bound) break;
    server.close();
    await once(server, 'close');
  }
  t.after(() => server.close());
  return heard;
}

/** Every kind of check that goes out, asking `host`. */
const kindsAt = (host: string, port: number): readonly AnyCheck[] => {
  const at = `${host}:${port}`;
  return [
    { kind: 'http', url: `http://${at}/` },
    { kind: 'http', url: `https://${at}/` },
    { kind: 'websocket', url: `ws://${at}/` },
    { kind: 'tcp', address: at },
    { kind: 'tls', address: at },
    { kind: 'smtp', address: at },
    { kind: 'redis', address: at },
    { kind: 'mongodb', address: at },
    { kind: 'mysql', address: at },
    { kind: 'postgresql', address: at, username: 'x' },
    { kind: 'grpc', address: at },
    { kind: 'snmp', address: at, oid: '1.3.6.1.2.1.1.3.0' },
    { kind: 'dns', server: at, query: 'example.org', record: 'A' },
    { kind: 'dns', server: at, query: 'example.org', record: 'A', transport: 'tcp' },
    { kind: 'domain', domain: 'example.org', whois: at, interval: '1h' },
    { kind: 'domain', domain: 'example.org', rdap: `http://${at}/`, interval: '1h' },
    { kind: 'icmp', host: host.replace(/^\[|\]$/g, '') },
    { kind: 'http', url: 'http://shop.example/', proxy: { url: `http://${at}` } },
  ];
};

/** Ways to write this host, its interfaces and the metadata services; what a parser might take for something else. */
const SPELLINGS = [
  '127.0.0.1',
  '127.1',
  '127.0.1',
  '0',
  '0.0.0.0',
  '2130706433',
  '0x7f000001',
  '0x7f.1',
  '0X7F.0.0.1',
  '0177.0.0.1',
  '017700000001',
  'localhost',
  'LOCALHOST',
  'localhost.',
  '127.0.0.1.',
  '[::1]',
  '[::]',
  '[0:0:0:0:0:0:0:1]',
  '[::127.0.0.1]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[0:0:0:0:0:ffff:7f00:0001]',
  '[::ffff:0:127.0.0.1]',
  '[64:ff9b::127.0.0.1]',
  '[64:ff9b:1::7f00:1]',
  '[2002:7f00:1::]',
  '[2001:0:7f00:1::80ff:fffe]',
  '[fe80::5efe:127.0.0.1]',
  '[fe80::1%25lo]',
  '１２７.０.０.１',
  '①②⑦.⓪.⓪.①',
  '127。0。0。1',
  'ⓛⓞⓒⓐⓛⓗⓞⓢⓣ',
  'shop.example@127.0.0.1',
  'shop.example%00@127.0.0.1',
  '127.0.0.1%00.shop.example',
  '10.0.0.1',
  '172.16.0.1',
  '192.168.0.1',
  '100.64.0.1',
  '169.254.1.1',
  '224.0.0.1',
  '255.255.255.255',
  '[fc00::1]',
  '[ff02::1]',
  '169.254.169.254',
  '2852039166',
  '0xa9fea9fe',
  '0251.0376.0251.0376',
  '[::ffff:169.254.169.254]',
  '[64:ff9b::a9fe:a9fe]',
  '[2002:a9fe:a9fe::]',
  '[fd00:ec2::254]',
  '168.63.129.16',
  '100.100.100.200',
];

/** As the most willing system resolves: it takes the forms of inet_aton(3) for addresses, and a last dot. Nobody outside is asked. */
const systemOnly = async (host: string): Promise<string> => {
  const known = /^(?:[\dxa-f.]+|localhost)\.?$/i.test(host);
  if (!known) throw Object.assign(new Error(`getaddrinfo ENOTFOUND ${host}`), { code: 'ENOTFOUND' });
  return (await lookup(host.replace(/\.$/, ''), { order: 'ipv4first' })).address;
};

test('no spelling of an internal address is asked by any kind of check, whoever of the UI or API made it', async (t) => {
  const there = await canary(t);
  for (const spelling of SPELLINGS) {
    const outcomes = await Promise.all(
      kindsAt(spelling, there.port).map(async (check) => {
        const written = { interval: '10s', timeout: '5s', ...check };
        if (faultsOf(written) !== 'fits') return 'not accepted';
        return said(await attempt(check, 'operator', { resolve: systemOnly }));
      }),
    );
    for (const outcome of outcomes)
      assert.match(
        outcome,
        /^(?:not accepted|void refused_address|down (?:name_|bad_address)|void proxy: .*ENOTFOUND)/,
        `${spelling}: ${outcome}`,
      );
    assert.equal(there.heard, 0, `${spelling} reached this host`);
  }
  const plain = await Promise.all(
    kindsAt('127.0.0.1', there.port).map(async (check) => said(await attempt(check, 'administrator', { resolve: systemOnly }))),
  );
  assert.deepEqual(
    plain.filter((one) => !one.startsWith('void refused_address')),
    [],
    'each kind was judged, not merely unlucky',
  );
  // Written as an address, a target is judged before the proxy that would lead there is asked.
  const through = { kind: 'http', url: `http://127.0.0.1:${there.port}/`, proxy: { url: 'http://proxy.example:3128' } } as const;
  assert.match(said(await attempt(through, 'operator', { resolve: systemOnly })), /^void refused_address: 127\.0\.0\.1/);
  assert.equal(there.heard, 0);
});

test('metadata addresses are refused to the configuration file as well, and the refusal names address and rule', async () => {
  for (const host of [
    '169.254.169.254',
    '[::ffff:169.254.169.254]',
    '[64:ff9b::a9fe:a9fe]',
    '168.63.129.16',
    '100.100.100.200',
    '[fd00:ec2::254]',
  ])
    for (const check of kindsAt(host, 80).filter((one) => !('proxy' in one)))
      assert.match(said(await attempt(check)), /^void refused_address: .* is a cloud metadata/, check.kind);
  assert.match(
    said(await attempt({ kind: 'tcp', address: '10.1.2.3:80' }, 'operator')),
    /^void refused_address: 10\.1\.2\.3 is internal; .*allow it in outbound\.operator\.allow/,
  );
});

/** What a policy allows stands for a public address here: 127.0.0.5 is allowed, 127.0.0.1 is not. */
const judge = createJudge(
  policiesOf(outboundConfig.parse({ operator: { allow: ['public', '127.0.0.5'] }, administrator: { allow: ['127.0.0.0/8'] } })),
);

async function on(t: TestContext, address: string, server: Server, port = 0): Promise<number> {
  server.listen(port, address);
  await once(server, 'listening');
  t.after(() => server.close());
  return (server.address() as { port: number }).port;
}

test('a name that is harmless when it is judged and internal a moment later leads to what was judged', async (t) => {
  const records: Record<string, string[]> = { 'A shop.test': ['127.0.0.5'] };
  await using names = await startNameServer(records);
  const asked = { good: 0, bad: 0 };
  const answer = (who: 'good' | 'bad') => (_request: IncomingMessage, response: ServerResponse) => {
    asked[who]++;
    response.setHeader('connection', 'close');
    response.end(who);
  };
  const port = await on(t, '127.0.0.5', createHttpServer(answer('good')));
  await on(t, '127.0.0.1', createHttpServer(answer('bad')), port);
  const resolve = createResolve([names.address]);
  let resolved = 0;
  const rebinding: typeof resolve = async (host, options) => {
    const address = await resolve(host, options);
    resolved++;
    // By the time that the connection is made the name points elsewhere.
    records['A shop.test'] = [resolved % 2 === 1 ? '127.0.0.1' : '169.254.169.254'];
    return address;
  };
  const check = { kind: 'http', url: `http://shop.test:${port}/` } as const;
  assert.equal(said(await attempt(check, 'operator', { resolve: rebinding, judge })), 'up');
  assert.deepEqual([asked, resolved], [{ good: 1, bad: 0 }, 1], 'resolved once, connected to what was judged');
  assert.match(said(await attempt(check, 'operator', { resolve: rebinding, judge })), /^void refused_address: 127\.0\.0\.1/);
  assert.match(said(await attempt(check, 'operator', { resolve: rebinding, judge })), /^void refused_address: 169\.254\.169\.254/);
  assert.equal(asked.bad, 0);
});

test('a redirect is judged like any other target, and takes no secret to another host', async (t) => {
  const got: { host: string | undefined; key: string | undefined; cookie: string | undefined; body: string }[] = [];
  const away = await on(
    t,
    '127.0.0.1',
    createHttpServer((request, response) => {
      let body = '';
      request.on('data', (chunk) => void (body += String(chunk)));
      request.on('end', () => {
        const { host, cookie } = request.headers;
        got.push({ host, cookie, key: request.headers['x-api-key'] as string | undefined, body });
        response.end();
      });
    }),
  );
  const port = await on(
    t,
    '127.0.0.5',
    createHttpServer((request, response) => {
      const to = new URL(request.url ?? '', 'http://h').searchParams.get('to') ?? '';
      const hops = /^hop(\d+)$/.exec(to)?.[1];
      const location = hops === undefined ? to : `/?to=hop${Number(hops) + 1}`;
      response.writeHead(request.method === 'POST' ? 307 : 302, { location, connection: 'close' }).end();
    }),
  );
  const go = async (
    to: string,
    trust: 'operator' | 'administrator',
    more: Partial<Extract<AnyCheck, { kind: 'http' }>> = {},
  ): Promise<string> =>
    said(await attempt({ kind: 'http', url: `http://127.0.0.5:${port}/?to=${encodeURIComponent(to)}`, ...more }, trust, { judge }));
  for (const to of [
    `http://127.0.0.1:${away}/`,
    `http://2130706433:${away}/`,
    `//127.0.0.1:${away}/`,
    'http://[::1]/',
    'http://169.254.169.254/latest',
  ])
    assert.match(await go(to, 'operator'), /^void refused_address/, to);
  for (const to of ['file:///etc/passwd', 'gopher://127.0.0.1/', 'ftp://127.0.0.1/', 'javascript:1'])
    assert.match(await go(to, 'operator'), /^down redirects: redirected to/, to);
  assert.match(await go('hop0', 'operator'), /^down redirects: more than 10 redirects/);
  const secret = { headers: { 'X-Api-Key': 'k', Cookie: 'c', Accept: 'text/html' } };
  assert.equal(await go(`http://127.0.0.1:${away}/`, 'administrator', secret), 'up');
  assert.deepEqual(got.splice(0), [{ host: `127.0.0.1:${away}`, key: undefined, cookie: undefined, body: '' }]);
  assert.match(
    await go(`http://127.0.0.1:${away}/`, 'administrator', { method: 'POST', body: 'password=p' }),
    /another host: it is not sent the body/,
  );
  assert.deepEqual(got, []);
});

test('answers without end, slow ones and bombs end the attempt, not the server', async (t) => {
  const endless = await on(
    t,
    '127.0.0.1',
    createHttpServer((request, response) => {
      if (request.url === '/slow') return void response.write('x');
      response.writeHead(200, request.url === '/bomb' ? { 'content-encoding': 'gzip' } : {});
      const more = (): void => {
        while (!response.destroyed && response.write('x'.repeat(65_536)));
        if (!response.destroyed) response.once('drain', more);
      };
      more();
    }),
  );
  const url = (path: string): string => `http://127.0.0.1:${endless}${path}`;
  // What it reads of a page is limited, and what is packed stays packed.
  assert.equal(said(await attempt({ kind: 'http', url: url('/') })), 'up');
  assert.equal(said(await attempt({ kind: 'http', url: url('/bomb') })), 'up');
  assert.match(said(await attempt({ kind: 'http', url: url('/slow'), timeout: '1s' })), /^down timeout/);
  const header = await listen(
    t,
    createServer((socket) => {
      socket.on('error', () => {});
      socket.write('HTTP/1.1 200 OK\r\n');
      const more = (): void => void (socket.destroyed || socket.write(`x: ${'y'.repeat(8_000)}\r\n`, () => setImmediate(more)));
      more();
    }),
  );
  assert.match(said(await attempt({ kind: 'http', url: `http://127.0.0.1:${header}/` })), /^down /);
});

test('every kind of check names the host that it asks, so that a literal one is refused when it is made', () => {
  for (const check of kindsAt('127.0.0.1', 1)) {
    const asked = hostOfCheck(checkSchema.parse({ id: 'c', interval: '10s', ...check }));
    assert.ok(asked !== undefined, check.kind);
  }
});
