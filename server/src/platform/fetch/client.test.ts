import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, type RequestListener, type Server, createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { z } from 'zod';
import { realClock } from '../clock.ts';
import { type HttpClientSettings, checkHttpClient, httpClientFields, httpClientOf } from './client-config.ts';
import { type HttpClient, createHttpClient } from './client.ts';
import { createOutbound } from './outbound.ts';
import { proxyFor } from './proxy.ts';

const folder = mkdtempSync(join(tmpdir(), 'nines-client-'));
const outbound = createOutbound({ clock: realClock });
after(async () => {
  await outbound[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const path = (name: string): string => join(folder, name);
const pem = (name: string): string => readFileSync(path(name), 'utf8');
const openssl = (...args: readonly string[]): void => void execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });

/** An authority, and a certificate of it for the name `metrics.test` and no address. */
function makeCertificates(): void {
  openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=authority', '-days', '2');
  writeFileSync(path('names'), 'subjectAltName=DNS:metrics.test\n');
  for (const name of ['server', 'client']) {
    openssl('req', '-newkey', 'rsa:2048', '-nodes', '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
    const signing = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'names'];
    openssl('x509', '-req', '-in', `${name}.csr`, '-out', `${name}.pem`, ...signing);
  }
}
makeCertificates();

async function listening(server: Server): Promise<AsyncDisposable & { readonly port: number }> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(address !== null && typeof address !== 'string');
  return {
    port: address.port,
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

const schema = z.strictObject(httpClientFields).superRefine(checkHttpClient);
const settings = (written: z.input<typeof schema>): HttpClientSettings => httpClientOf(schema.parse(written), folder);
const clientOf = (written: z.input<typeof schema>, environment = {}): HttpClient =>
  createHttpClient(settings(written), { outbound, clock: realClock, environment });
const get = async (client: HttpClient, url: string): Promise<string> => {
  const { status, body } = await client.get(url, { headers: {}, timeoutMs: 5_000, maxBytes: 10_000 });
  return `${status} ${String(body)}`;
};

test('a server is believed with the right authority and name only, and certificates may be files or text', async () => {
  const answer: RequestListener = (_request, response) => response.end('hello');
  await using server = await listening(createTlsServer({ cert: pem('server.pem'), key: pem('server.key') }, answer));
  const url = `https://127.0.0.1:${server.port}/`;
  await assert.rejects(get(clientOf({}), url), /unable to verify|self-signed|issuer/i);
  await assert.rejects(get(clientOf({ tls_config: { ca_file: 'ca.pem' } }), url), /IP: 127\.0\.0\.1 is not in the cert/);
  assert.equal(await get(clientOf({ tls_config: { ca_file: 'ca.pem', server_name: 'metrics.test' } }), url), '200 hello');
  assert.equal(await get(clientOf({ tls_config: { ca: pem('ca.pem'), server_name: 'metrics.test' } }), url), '200 hello');
  await assert.rejects(get(clientOf({ tls_config: { ca_file: 'ca.pem', server_name: 'other.test' } }), url), /other\.test/);
  assert.equal(await get(clientOf({ tls_config: { insecure_skip_verify: true } }), url), '200 hello');
  await assert.rejects(get(clientOf({ tls_config: { ca_file: 'gone.pem' } }), url), /ENOENT.*gone\.pem/);
});

test('a client certificate proves who asks, and versions of TLS are kept to', async () => {
  const strict = { cert: pem('server.pem'), key: pem('server.key'), ca: pem('ca.pem'), requestCert: true, rejectUnauthorized: true };
  const answer: RequestListener = (_request, response) => response.end('hello');
  await using server = await listening(createTlsServer({ ...strict, maxVersion: 'TLSv1.2' }, answer));
  const url = `https://127.0.0.1:${server.port}/`;
  const tls = { ca_file: 'ca.pem', server_name: 'metrics.test' };
  await assert.rejects(get(clientOf({ tls_config: tls }), url));
  const mine = { ...tls, cert_file: 'client.pem', key: pem('client.key') };
  assert.equal(await get(clientOf({ tls_config: mine }), url), '200 hello');
  await assert.rejects(get(clientOf({ tls_config: { ...mine, min_version: 'TLS13' } }), url), /version|alert/i);
});

test('a certificate and a password that are renewed in place are taken at the next request', async () => {
  const seen: (string | undefined)[] = [];
  await using server = await listening(
    createServer((request, response) => {
      seen.push(request.headers.authorization);
      response.end();
    }),
  );
  const client = clientOf({
    basic_auth: { username: 'scraper', password_file: 'password' },
    http_headers: { 'X-Scope': { values: ['a', 'b'] } },
  });
  for (const password of ['first', 'second']) {
    writeFileSync(path('password'), `${password}\n`);
    await get(client, `http://127.0.0.1:${server.port}/`);
  }
  assert.deepEqual(
    seen.map((header) => Buffer.from(header?.replace('Basic ', '') ?? '', 'base64').toString()),
    ['scraper:first', 'scraper:second'],
  );
});

test('an OAuth 2.0 token is asked for once, used while it lasts, and its endpoint may want the secret in the form', async () => {
  const asked: { authorization: string | undefined; form: string }[] = [];
  const used: (string | undefined)[] = [];
  const read = async (request: IncomingMessage): Promise<string> => String(Buffer.concat(await Array.fromAsync(request)));
  await using server = await listening(
    createServer(async (request, response) => {
      if (request.url !== '/token') {
        used.push(request.headers.authorization);
        return void response.end('ok');
      }
      asked.push({ authorization: request.headers.authorization, form: await read(request) });
      if (request.headers.authorization !== undefined) return void response.writeHead(401).end();
      response.end(JSON.stringify({ access_token: 'abc', token_type: 'bearer', expires_in: 3600 }));
    }),
  );
  const base = `http://127.0.0.1:${server.port}`;
  const oauth2 = {
    client_id: 'id',
    client_secret: 's&t',
    token_url: `${base}/token`,
    scopes: ['a', 'b'],
    endpoint_params: { audience: 'x' },
  };
  const client = clientOf({ oauth2 });
  assert.deepEqual([await get(client, base), await get(client, base)], ['200 ok', '200 ok']);
  assert.deepEqual(used, ['Bearer abc', 'Bearer abc']);
  const form = 'grant_type=client_credentials&audience=x&scope=a+b';
  assert.deepEqual(asked, [
    { authorization: `Basic ${Buffer.from('id:s%26t').toString('base64')}`, form },
    { authorization: undefined, form: `${form}&client_id=id&client_secret=s%26t` },
  ]);
});

test('a proxy carries plain requests as they are and tunnels encrypted ones, and is told the configured headers', async () => {
  const seen: string[] = [];
  await using plain = await listening(createServer((_request, response) => response.end('plain')));
  await using secure = await listening(
    createTlsServer({ cert: pem('server.pem'), key: pem('server.key') }, (_request, response) => response.end('secure')),
  );
  const proxyServer = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    response.end('by proxy');
  });
  proxyServer.on('connect', (request, socket, head) => {
    seen.push(`CONNECT ${String(request.headers['x-pass'])}`);
    const onward = connect(secure.port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      onward.write(head);
      onward.pipe(socket).pipe(onward);
    });
  });
  await using proxy = await listening(proxyServer);
  const proxy_url = `http://127.0.0.1:${proxy.port}`;
  assert.equal(await get(clientOf({ proxy_url }), 'http://inside.test/metrics'), '200 by proxy');
  const tls_config = { ca_file: 'ca.pem' };
  const tunnelled = clientOf({ proxy_url, tls_config, proxy_connect_header: { 'x-pass': ['let-me'] } });
  assert.equal(await get(tunnelled, 'https://metrics.test/'), '200 secure');
  assert.equal(await get(clientOf({ proxy_url, no_proxy: 'x.test' }), `http://127.0.0.1:${plain.port}/`), '200 plain');
  assert.equal(await get(clientOf({ proxy_from_environment: true }, { HTTP_PROXY: proxy_url }), 'http://inside.test/env'), '200 by proxy');
  assert.deepEqual(seen, ['GET http://inside.test/metrics', 'CONNECT let-me', 'GET http://inside.test/env']);
});

test('what goes straight is decided as Go decides it', () => {
  const straight = (url: string, noProxy: string): boolean =>
    proxyFor(new URL(url), { kind: 'url', url: 'http://proxy', noProxy, connectHeaders: {} }, {}) === undefined;
  const cases: readonly (readonly [url: string, noProxy: string, straight: boolean])[] = [
    ['http://localhost/', '', false],
    ['http://localhost/', 'x', true],
    ['http://127.1.2.3/', 'x', true],
    ['http://example.com/', 'example.com', true],
    ['http://www.example.com/', 'example.com', true],
    ['http://notexample.com/', 'example.com', false],
    ['http://example.com/', '.example.com', false],
    ['http://www.example.com/', '.example.com', true],
    ['http://www.example.com/', '*.example.com', true],
    ['http://a.test/', 'b.test, *', true],
    ['http://10.1.2.3/', '10.0.0.0/8', true],
    ['http://11.1.2.3/', '10.0.0.0/8', false],
    ['http://10.1.2.3:9100/', '10.1.2.3:9100', true],
    ['http://10.1.2.3:9101/', '10.1.2.3:9100', false],
    ['https://a.test/', 'a.test:443', true],
    ['http://[fd00::1]/', 'fd00::/8', true],
  ];
  for (const [url, noProxy, expected] of cases) assert.equal(straight(url, noProxy), expected, `${url} with ${noProxy}`);
});
