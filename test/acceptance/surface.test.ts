/** Everything between the socket and a route, on every route of the product. Each test says which attack it is. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { after, before, test } from 'node:test';
import { connect } from 'node:tls';
import { deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { VERSION } from '@nines/server/version.ts';
import { type AppRoute, type StartedApp, startApp } from '../harness/app.ts';
import { poll } from '../harness/poll.ts';

const MIB = 1024 * 1024;
const HOST = 'nines.test';
const UNSAFE = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);

let started: StartedApp;
before(async () => {
  started = await startApp('server: { tls: auto }\ncollect: { host: { interval: 5m } }\n');
});
after(() => started[Symbol.asyncDispose]());

type Asked = { readonly headers?: Record<string, string>; readonly payload?: string | Buffer | Readable };

const ask = ({ method, path }: Pick<AppRoute, 'method' | 'path'>, { headers = {}, payload }: Asked = {}) =>
  started.http.inject({ method, url: path, headers: { host: HOST, ...headers }, ...(payload !== undefined && { payload }) });
type Answer = Awaited<ReturnType<typeof ask>>;
/** Of the API's description the bodies of requests. */
type Paths = Record<string, Record<string, { readonly requestBody?: { readonly content: unknown } }>>;

const bearer = (): Record<string, string> => ({ authorization: `Bearer ${started.token}` });
const nameOf = ({ method, url }: AppRoute): string => `${method} ${url}`;
const unsafe = (): readonly AppRoute[] => started.routes.filter(({ method }) => UNSAFE.has(method));

function checkHeaders(answer: Answer, where: string, isPublic: boolean): void {
  const { headers } = answer;
  const policy = String(headers['content-security-policy']);
  assert.match(policy, /default-src 'none'/, where);
  assert.match(policy, /base-uri 'none'/, where);
  assert.match(policy, /frame-ancestors /, where);
  // A frame without an origin has no page to deface: its own styles are its own affair.
  const own = policy.startsWith("sandbox allow-scripts; default-src 'none'") ? policy.replace("style-src 'unsafe-inline'", '') : policy;
  assert.doesNotMatch(own, /unsafe-|\*/, where);
  assert.doesNotMatch(/script-src ([^;]*)/.exec(policy)?.[1] ?? '', /http|data:|blob:/, where);
  assert.equal(headers['x-content-type-options'], 'nosniff', where);
  assert.match(String(headers['referrer-policy']), /^(same-origin|no-referrer|strict-origin-when-cross-origin)$/, where);
  assert.equal(headers['cross-origin-opener-policy'], 'same-origin', where);
  assert.match(String(headers['permissions-policy']), /camera=\(\)/, where);
  assert.equal(headers['strict-transport-security'], 'max-age=31536000; includeSubDomains', where);
  assert.equal(headers['access-control-allow-origin'], undefined, where);
  for (const name of ['server', 'x-powered-by', 'via']) assert.equal(headers[name], undefined, where);
  const kept = String(headers['cache-control']);
  if (isPublic) assert.ok(headers['cache-control'] !== undefined, where);
  else assert.match(kept, /no-store|private/, `${where}: ${kept}`);
  if (answer.body !== '') assert.ok(headers['content-type'] !== undefined, where);
  if (String(headers['content-type'] ?? '').startsWith('text/')) assert.match(String(headers['content-type']), /charset=utf-8/i, where);
  for (const cookie of [headers['set-cookie'] ?? []].flat()) {
    assert.match(cookie, /^__Host-/, where);
    for (const attribute of [/; HttpOnly/i, /; SameSite=(Lax|Strict)/i, /; Secure/i, /; Path=\//i]) assert.match(cookie, attribute, where);
  }
}

test('attack: a page that frames, sniffs, caches or leaks finds the headers against it on every route, whoever asks', async () => {
  for (const route of started.routes) {
    const where = nameOf(route);
    const isPublic = route.config.permission === 'public';
    const anonymous = await ask(route);
    checkHeaders(anonymous, `${where}, anonymous, ${anonymous.statusCode}`, isPublic);
    if (!isPublic) assert.equal(anonymous.statusCode, 401, where);
    // A stream does not end; its headers are looked at below.
    if (route.method !== 'GET' || route.url === '/api/stream') continue;
    const known = await ask(route, { headers: bearer() });
    checkHeaders(known, `${where}, administrator, ${known.statusCode}`, isPublic);
    assert.ok(known.statusCode < 500 || known.statusCode === 503, `${where}: ${known.statusCode} ${known.body}`);
  }
  const signedIn = await ask(
    { method: 'POST', path: '/api/session' },
    { payload: '{"name":"x","password":"y"}', headers: { 'content-type': 'application/json' } },
  );
  checkHeaders(signedIn, 'sign in', false);
  assert.match(started.cookie, /^__Host-/);
});

test('attack: no folder is listed, and nothing lies about that nobody meant to serve', async () => {
  for (const path of ['/nowhere', '/api/nowhere', '/%zz', '/.git/config', '/.env', '/server-status', '/debug/pprof/', '/assets/']) {
    const answer = await ask({ method: 'GET', path });
    checkHeaders(answer, path, false);
    assert.ok([400, 404].includes(answer.statusCode), `${path}: ${answer.statusCode}`);
  }
});

test('attack: a field that no body describes is refused or dropped, on every route', async () => {
  const { paths } = (await ask({ method: 'GET', path: '/api/openapi.json' }, { headers: bearer() })).json() as { paths: Paths };
  let objects = 0;
  const look = (schema: unknown, where: string): void => {
    if (typeof schema !== 'object' || schema === null) return;
    const { properties, additionalProperties = false } = schema as { properties?: unknown; additionalProperties?: unknown };
    // Without `properties` it is a map, such as labels, whose names nobody can describe.
    if (properties !== undefined) {
      objects++;
      assert.equal(additionalProperties, false, where);
    }
    for (const [name, inner] of Object.entries(schema)) look(inner, `${where}/${name}`);
  };
  for (const [path, methods] of Object.entries(paths))
    for (const [method, { requestBody }] of Object.entries(methods)) look(requestBody?.content, `${method} ${path}`);
  assert.ok(objects > 100, `${objects} objects`);
});

test('attack: a stranger learns neither the version, nor the program, nor what is inside', async () => {
  for (const route of started.routes.filter(({ url }) => !url.startsWith('/assets/'))) {
    const { body, headers } = await ask(route);
    const said = `${JSON.stringify(headers)} ${body}`;
    assert.ok(!said.includes(`"${VERSION}"`) && !said.includes(`v${VERSION}`), nameOf(route));
    assert.doesNotMatch(said, /fastify|sqlite|postgres|node_modules|at .*\.ts:\d+/i, nameOf(route));
  }
  for (const path of ['/-/healthy', '/-/ready']) assert.match((await ask({ method: 'GET', path })).body, /^Nines is (healthy|ready)\.\n$/);
  for (const path of ['/api/health', '/api/status', '/metrics', '/api/config', '/api/openapi.json'])
    assert.equal((await ask({ method: 'GET', path })).statusCode, 401, path);
});

test('attack: pages of other sites cannot make the browser of a signed-in person change anything, on any route', async () => {
  const json = { 'content-type': 'application/json' };
  const attempts: readonly [what: string, headers: Record<string, string>, body: string][] = [
    ['a fetch across sites', { ...json, 'sec-fetch-site': 'cross-site', origin: 'https://evil.test' }, '{}'],
    ['a fetch from a neighbouring name', { ...json, 'sec-fetch-site': 'same-site', origin: `https://evil.${HOST}` }, '{}'],
    ['a form as text', { 'content-type': 'text/plain', 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }, '{"a":"="}'],
    ['a form', { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'cross-site' }, 'a=1'],
    ['a form with parts', { 'content-type': 'multipart/form-data; boundary=x', 'sec-fetch-site': 'cross-site' }, '--x--'],
    ['a form without a body', { 'sec-fetch-site': 'cross-site' }, ''],
    ['an old browser', { ...json, origin: 'https://evil.test' }, '{}'],
    ['a sandboxed frame', { ...json, origin: 'null' }, '{}'],
    ['another port', { ...json, origin: `https://${HOST}:8443` }, '{}'],
    ['a name that begins alike', { ...json, origin: `https://${HOST}.evil.test` }, '{}'],
    ['a method in a header', { ...json, 'sec-fetch-site': 'cross-site', 'x-http-method-override': 'GET' }, '{}'],
  ];
  for (const route of unsafe().filter(({ config }) => config.crossOrigin !== true)) {
    for (const [what, headers, payload] of attempts) {
      const answer = await ask(route, { headers: { cookie: started.cookie, ...headers }, payload });
      assert.equal(answer.statusCode, 403, `${nameOf(route)}, ${what}: ${answer.body}`);
      assert.match(answer.body, /another site/, `${nameOf(route)}, ${what}`);
    }
  }
});

test('attack: a form that an old browser sends without saying from where is no JSON', async () => {
  for (const route of unsafe().filter(({ config, url }) => config.permission === 'operate' && !url.includes('heartbeat'))) {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x']) {
      const answer = await ask(route, { headers: { cookie: started.cookie, 'content-type': type }, payload: '{"a":"="}' });
      assert.equal(answer.statusCode, 415, `${nameOf(route)} ${type}: ${answer.body}`);
    }
  }
});

test('attack: a method in a header or in the address changes no method', async () => {
  for (const name of ['x-http-method-override', 'x-http-method', 'x-method-override']) {
    const answer = await ask({ method: 'GET', path: '/api/tokens?_method=DELETE' }, { headers: { ...bearer(), [name]: 'DELETE' } });
    assert.equal(answer.statusCode, 200, name);
  }
  for (const method of ['OPTIONS', 'TRACE'] as const) {
    const answer = await started.http.inject({
      method: method as 'OPTIONS',
      url: '/api/tokens',
      headers: { host: HOST, ...bearer(), origin: 'https://evil.test' },
    });
    assert.equal(answer.statusCode, 404, method);
    assert.equal(answer.headers['access-control-allow-origin'], undefined);
  }
});

test('attack: admin paths are off until the configuration says so, and strangers learn nothing of it', async () => {
  const admin = started.routes.filter(({ config }) => config.adminApi === true);
  assert.deepEqual(
    admin.map(nameOf).sort(),
    [
      'POST /-/reload',
      ...['POST', 'PUT'].flatMap((method) => ['clean_tombstones', 'delete_series'].map((name) => `${method} /api/v1/admin/tsdb/${name}`)),
    ].sort(),
  );
  for (const route of admin) {
    const off = await ask(route, { headers: bearer() });
    assert.equal(off.statusCode, 404, nameOf(route));
    assert.match(off.body, /server\.admin_api/);
    const anonymous = await ask(route);
    assert.equal(anonymous.statusCode, 401);
    assert.doesNotMatch(anonymous.body, /admin_api/);
  }
  for (const path of ['/-/quit', '/debug/pprof/heap', '/debug/vars', '/api/v1/admin/tsdb/snapshot']) {
    assert.equal((await ask({ method: 'POST', path }, { headers: bearer() })).statusCode, 404, path);
  }
});

/** What a route reads of a body at most, where it is not the 1 MiB of the native API. Written out, so that a change is made twice. */
const LIMITS: Readonly<Record<string, number>> = {
  '/api/v1/write': 32 * MIB,
  '/api/v1/otlp/v1/metrics': 16 * MIB,
  '/api/metrics': 16 * MIB,
  '/api/config/diff': 8 * MIB,
  '/api/dashboards/import': 8 * MIB,
  '/write': 25 * MIB,
  '/api/v2/write': 25 * MIB,
  '/metrics/job/*': 16 * MIB,
  '/metrics/job@base64/*': 16 * MIB,
  '/api/v2/alerts': 16 * MIB,
  '/api/availability/imports': 32 * MIB,
  '/api/channels/:id/callback': MIB / 4,
  '/acknowledge/:token': MIB / 4,
  ...Object.fromEntries(
    ['forecast', 'anomalies', 'seasonality', 'capacity', 'regression', 'correlation', 'drift', 'load', 'load/import'].map((name) => [
      `/api/analytics/${name}`,
      16 * MIB,
    ]),
  ),
};
/** Read as they come, whatever their length; what is held of them is limited line by line. */
const STREAMS = new Set(['POST /api/import', 'POST /api/v1/import']);
const TYPES: Readonly<Record<string, string>> = {
  '/api/v1/write': 'application/x-protobuf',
  '/api/v1/read': 'application/x-protobuf',
  '/api/v1/otlp/v1/metrics': 'application/x-protobuf',
};

/** The status, or `cut` when the connection was. */
const statusOf = async (route: Pick<AppRoute, 'method' | 'path'>, asked: Asked): Promise<number | 'cut'> => {
  try {
    return (await ask(route, asked)).statusCode;
  } catch (thrown) {
    assert.match(String(thrown), /destroyed before completion/);
    return 'cut';
  }
};

test('attack: a body that is announced one byte over the limit of its route is refused before it is read; one at the limit is not', async () => {
  const wrong: string[] = [];
  for (const route of unsafe().filter((one) => !STREAMS.has(nameOf(one)) && one.config.adminApi !== true)) {
    const limit = LIMITS[route.url] ?? MIB;
    const announced = (bytes: number) => ({
      ...bearer(),
      'content-type': TYPES[route.url] ?? 'application/json',
      'content-length': String(bytes),
    });
    // The few bytes that follow are not what was announced, which is another fault.
    const at = await statusOf(route, { headers: announced(limit), payload: '{}' });
    const over = await statusOf(route, { headers: announced(limit + 1), payload: '{}' });
    if (at === 413 || over !== 413) wrong.push(`${nameOf(route)}: ${at} and ${over} at ${limit}`);
  }
  assert.deepEqual(wrong, []);
});

test('attack: a body that announces no length is cut off at the limit', async () => {
  const urls = [
    '/api/services',
    '/api/v1/query',
    '/api/v1/read',
    '/status/:page/subscribe',
    '/api/channels/:id/callback',
    ...Object.keys(LIMITS),
  ];
  for (const route of unsafe().filter(({ method, url }) => method === 'POST' && urls.includes(url) && !url.startsWith('/api/analytics'))) {
    const limit = LIMITS[route.url] ?? MIB;
    const type = /query|subscribe/.test(route.url) ? 'application/x-www-form-urlencoded' : (TYPES[route.url] ?? 'application/json');
    const payload = Readable.from([Buffer.alloc(limit, ' '), Buffer.alloc(1)]);
    const status = await statusOf(route, { headers: { ...bearer(), 'content-type': type }, payload });
    assert.ok(status === 413 || status === 'cut', `${nameOf(route)}: ${status}`);
  }
});

/** More than any route takes, in a hundred kilobytes. */
const NOTHING = Buffer.alloc(96 * MIB);
/** The length that a block of snappy declares, 4 GiB less one, and nothing behind it; and one that copies a byte 32 MiB long. */
const SNAPPY_LIE = Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f, 0x00, 0x61]);
const snappyBomb = (): Buffer => {
  const declared = Buffer.from([0x80, 0x80, 0x80, 0x20]);
  // Each element copies the 64 bytes before it, from three bytes.
  const copies = Buffer.alloc(3 * ((64 * MIB) / 64), Buffer.from([0xfe, 0x01, 0x00]));
  return Buffer.concat([declared, Buffer.from([0x00, 0x61]), copies]);
};

test('attack: a few kilobytes that unfold to more than a route takes are refused on every route, and no memory is taken for them', async () => {
  const gzipped = gzipSync(NOTHING);
  const bombs: readonly [encoding: string, body: Buffer][] = [
    ['gzip', gzipped],
    ['deflate', deflateSync(NOTHING)],
    ['zstd', zstdCompressSync(NOTHING)],
    ['snappy', SNAPPY_LIE],
    ['snappy', snappyBomb()],
    ['gzip, gzip', gzipSync(gzipped)],
    ['gzip,snappy', gzipped],
    ['identity, gzip', gzipped],
    ['br', Buffer.from('bomb')],
    ['compress', Buffer.from('bomb')],
  ];
  const before = process.memoryUsage().rss;
  let most = before;
  for (const route of unsafe().filter(
    ({ method, config }) => method !== 'DELETE' && (config.permission === 'ingest' || config.rate === 'query'),
  )) {
    for (const [encoding, payload] of bombs) {
      const headers = { ...bearer(), 'content-type': TYPES[route.url] ?? 'application/json', 'content-encoding': encoding };
      const status = await statusOf(route, { headers, payload });
      most = Math.max(most, process.memoryUsage().rss);
      assert.ok(status === 'cut' || (status >= 400 && status < 500), `${nameOf(route)} ${encoding}: ${status}`);
    }
  }
  assert.ok(most - before < 256 * MIB, `took ${Math.round((most - before) / MIB)} MiB`);
});

/** What the server says to these bytes over a connection of its own, until it closes it. */
async function exchange(bytes: string): Promise<string> {
  const { port } = new URL(started.app.url);
  const socket = connect({ port: Number(port), host: '127.0.0.1', rejectUnauthorized: false });
  let heard = '';
  socket.on('data', (chunk) => (heard += String(chunk)));
  socket.on('error', () => undefined);
  const closed = once(socket, 'close');
  await once(socket, 'secureConnect');
  socket.write(bytes);
  await closed;
  return heard;
}

test('attack: requests that two servers would read differently are refused, and nothing after them is read', async () => {
  const post = 'POST /api/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';
  const smuggled = 'GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n';
  const cases: readonly [what: string, bytes: string][] = [
    ['both lengths', `${post}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`],
    ['two lengths', `${post}Content-Length: 0\r\nContent-Length: 40\r\n\r\n${smuggled}`],
    ['a list of lengths', `${post}Content-Length: 0, 40\r\n\r\n${smuggled}`],
    ['a negative length', `${post}Content-Length: -1\r\n\r\n${smuggled}`],
    ['a length with a sign', `${post}Content-Length: +0\r\n\r\n${smuggled}`],
    ['a length in hexadecimal', `${post}Content-Length: 0x0\r\n\r\n${smuggled}`],
    ['chunked not last', `${post}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${smuggled}`],
    ['an unknown coding', `${post}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${smuggled}`],
    ['a blank before the colon', `${post}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n${smuggled}`],
    ['a folded header', `${post}Transfer-Encoding:\r\n chunked\r\nContent-Length: 0\r\n\r\n${smuggled}`],
    ['a line end within a value', `${post}X-A: b\rContent-Length: 0\r\n\r\n${smuggled}`],
    ['a null within a value', `${post}X-A: b\u0000c\r\n\r\n${smuggled}`],
    ['a chunk of a wrong length', `${post}Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n${smuggled}`],
    ['a chunk that is too long to count', `${post}Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n\r\n${smuggled}`],
    ['no host', `GET /-/healthy HTTP/1.1\r\nX: y\r\n\r\n${smuggled}`],
    ['an unknown version', `GET /-/healthy HTTP/3.7\r\nHost: x\r\n\r\n${smuggled}`],
    ['no request at all', '\u0016\u0003\u0001\u0002\r\n\r\n'],
    ['headers that are too large', `GET /-/healthy HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(17_000)}\r\n\r\n`],
    ['an address that is too long', `GET /${'a'.repeat(17_000)} HTTP/1.1\r\nHost: x\r\n\r\n`],
  ];
  const answers = await Promise.all(cases.map(([, bytes]) => exchange(bytes)));
  cases.forEach(([what], at) => {
    const heard = answers[at] ?? '';
    assert.match(heard, /^HTTP\/1\.1 (400|431) /, `${what}: ${heard.slice(0, 200)}`);
    assert.equal(heard.split('HTTP/1.1 ').length, 2, `${what}: answered twice: ${heard}`);
    assert.doesNotMatch(heard, /is healthy/, what);
  });
});

test('attack: two hosts, a proxy request and a tunnel lead nowhere else', async () => {
  const end = 'Connection: close\r\n\r\n';
  const [twoHosts = '', absolute = '', tunnel = ''] = await Promise.all(
    [
      `GET /-/ready HTTP/1.1\r\nHost: a\r\nHost: b\r\n${end}`,
      `GET http://169.254.169.254/latest/meta-data HTTP/1.1\r\nHost: x\r\n${end}`,
      `CONNECT 169.254.169.254:80 HTTP/1.1\r\nHost: 169.254.169.254:80\r\n${end}`,
    ].map(exchange),
  );
  assert.match(twoHosts, /^HTTP\/1\.1 400 [\s\S]*malformed_request/);
  assert.match(absolute, /^HTTP\/1\.1 40[04] /);
  assert.doesNotMatch(tunnel, /^HTTP\/1\.1 2/);
});

test('attack: a stream of events has the headers of every answer too', async () => {
  const { port } = new URL(started.app.url);
  const socket = connect({ port: Number(port), host: '127.0.0.1', rejectUnauthorized: false });
  let heard = '';
  socket.on('data', (chunk) => (heard += String(chunk)));
  await once(socket, 'secureConnect');
  socket.write(`GET /api/stream HTTP/1.1\r\nHost: ${HOST}\r\nAuthorization: Bearer ${started.token}\r\n\r\n`);
  await poll('the stream', () => heard.includes('retry:'));
  socket.destroy();
  for (const header of [
    /content-security-policy: default-src 'none'/,
    /x-content-type-options: nosniff/,
    /cache-control: no-store/,
    /strict-transport-security/,
  ])
    assert.match(heard, header);
});
