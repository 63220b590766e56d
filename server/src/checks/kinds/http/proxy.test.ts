import assert from 'node:assert/strict';
import { createServer, type IncomingMessage } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { connect } from 'node:net';
import { test, type TestContext } from 'node:test';
import { type AnyCheck, attempt, Authority, closedPort, faultsOf, listen, said, silent } from '../../../../../test/harness/checks.ts';

type Http = Extract<AnyCheck, { kind: 'http' }>;

/** A proxy of the kind that Squid is: CONNECT, absolute addresses, and a password. It notes what it was asked for. */
async function proxyServer(t: TestContext, asked: string[] = []): Promise<number> {
  const fits = ({ headers }: IncomingMessage): boolean => headers['proxy-authorization'] === `Basic ${btoa('probe:word')}`;
  const server = createServer((request, answer) => {
    asked.push(`${request.method} ${request.url}`);
    if (!fits(request)) return void answer.writeHead(407).end();
    answer.end(`through the proxy to ${new URL(request.url ?? '').host} as ${request.headers.host}`);
  });
  server.on('connect', (request, socket) => {
    asked.push(`CONNECT ${request.url}`);
    if (!fits(request)) return void socket.end('HTTP/1.1 407 Proxy Authentication Required\r\nproxy-authenticate: Basic\r\n\r\n');
    const port = Number(request.url?.split(':').at(-1));
    const upstream = connect(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\nvia: test\r\n\r\n');
      upstream.pipe(socket).pipe(upstream);
    });
    upstream.on('error', () => socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n'));
    socket.on('error', () => upstream.destroy());
  });
  return listen(t, server);
}

const through = (port: number, password = 'word'): Http['proxy'] => ({ url: `http://127.0.0.1:${port}`, username: 'probe', password });
const ask = async (url: string, proxy: Http['proxy'], more: Partial<Http> = {}): Promise<string> =>
  said(await attempt({ kind: 'http', url, proxy, ...more }));

test('https goes through a tunnel, http by its whole address, both with the password', async (t) => {
  const asked: string[] = [];
  const proxy = through(await proxyServer(t, asked));
  using authority = new Authority();
  const secure = await listen(
    t,
    createSecureServer(authority.issue(), (_request, answer) => answer.end('ok')),
  );
  const tls = { ca: authority.cert };
  assert.equal(await ask(`https://localhost:${secure}/`, proxy, { tls, expect: { body_contains: 'ok' } }), 'up');
  assert.match(await ask(`https://localhost:${secure}/`, proxy), /^down certificate: /, 'TLS is with the target, not with the proxy');
  // A name that only the proxy knows.
  const expect = { body_contains: 'through the proxy to shop.internal:8080 as shop.internal:8080' };
  assert.equal(await ask('http://shop.internal:8080/a?b=1', proxy, { expect }), 'up');
  assert.deepEqual(asked, [`CONNECT localhost:${secure}`, `CONNECT localhost:${secure}`, 'GET http://shop.internal:8080/a?b=1']);
});

test('a proxy that is not there or lets nobody in says nothing about the service; one that cannot reach it does', async (t) => {
  const proxy = await proxyServer(t);
  assert.match(
    await ask('https://shop.example/', through(await closedPort())),
    /^void proxy: the proxy 127.* cannot be reached: .*ECONNREFUSED/,
  );
  assert.match(
    await ask('https://shop.example/', through(proxy, 'wrong')),
    /^void proxy: the proxy .* lets nobody through to shop.example:443: HTTP\/1.1 407/,
  );
  assert.match(await ask('http://shop.example/', through(proxy, 'wrong')), /^void proxy: the proxy .* asks for other credentials/);
  const closed = await closedPort();
  assert.match(
    await ask(`https://localhost:${closed}/`, through(proxy)),
    new RegExp(`^down proxy: the proxy .* cannot reach localhost:${closed}: HTTP/1.1 502`),
  );
  assert.match(await ask('https://shop.example/', through(await silent(t)), { timeout: '300ms' }), /^down timeout: /);
});

test('the guard judges the proxy, and a target that is written as an address', async (t) => {
  const proxy = through(await proxyServer(t));
  assert.match(said(await attempt({ kind: 'http', url: 'http://shop.example/', proxy }, 'untrusted')), /^void refused_address: 127/);
  assert.match(await ask('http://169.254.169.254/', proxy), /^void refused_address: 169\.254\.169\.254 is a cloud metadata address/);
});

test('what is written is checked when it is read', () => {
  const f = (proxy: unknown): string => faultsOf({ kind: 'http', url: 'http://a/', proxy });
  assert.equal(f({ url: 'http://proxy.example:3128' }), 'fits');
  assert.match(f({ url: 'socks5://proxy:1080' }), /^proxy.url: not the address of a proxy: .* \(write http:\/\/host:port\)/);
  assert.match(f({ url: 'http://a:b@proxy:3128' }), /^proxy.url: not the address of a proxy/);
  assert.match(f({ url: 'http://proxy:3128', username: 'a' }), /^proxy: write a user name and a password, or neither/);
});
