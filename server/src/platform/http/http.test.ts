import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { FULL_SCOPE } from '@nines/model/storage.ts';
import { AppError } from '@nines/base/errors.ts';
import { z } from 'zod';
import { forEachDatabase } from '../../../../test/harness/databases.ts';
import { countingIds } from '../../../../test/harness/ids.ts';
import { poll } from '../../../../test/harness/poll.ts';
import { recordingLogger } from '../../../../test/harness/logs.ts';
import type { Actor, Gate, Http } from './contract.ts';
import { createHttp } from './server.ts';
import { servePages } from './static.ts';

const actor = (kind: Actor['kind'], role: Actor['role']): Actor => ({
  kind,
  id: '1',
  name: 'a',
  role,
  teamId: 'default',
  scope: FULL_SCOPE,
});
const gate: Gate = {
  async authenticate(request) {
    if (request.headers.authorization === 'Bearer reader') return actor('token', 'read-only');
    if (request.headers.authorization === 'Bearer admin') return actor('token', 'administrator');
    return request.headers.cookie === 'session=1' ? actor('user', 'administrator') : undefined;
  },
  allows: (who, permission) => who.role === 'administrator' || permission === 'read',
};
const admin = { authorization: 'Bearer admin' };

async function make(
  t: TestContext,
  hosts: 'any' | 'loopback' = 'any',
): Promise<{ http: Http; logger: ReturnType<typeof recordingLogger> }> {
  const logger = recordingLogger();
  const http = await createHttp({ logger, ids: countingIds(), gate, hosts, version: '1.2.3' });
  t.after(() => http.close());
  const body = z.strictObject({ items: z.array(z.object({ value: z.number() })) });
  http.get('/api/things', { config: { permission: 'read' } }, async (request) => ({ who: request.actor.name }));
  http.post('/api/things', { config: { permission: 'administer' }, schema: { summary: 'Make', body } }, async (request) => request.body);
  http.get('/api/things/:id', { config: { permission: 'public' } }, async (request) => {
    const { id } = request.params as { id: string };
    if (id === 'bug') throw new Error('secret inside');
    throw new AppError('conflict', 'thing_busy', `thing ${id} is busy`, { field: 'id' });
  });
  http.get('/api/v1/query', { config: { permission: 'read', errors: 'prometheus' } }, async () => {
    throw new AppError('bad_input', 'parse', '1:2: parse error');
  });
  return { http, logger };
}

describe('the HTTP server', () => {
  it('does not register a route without a permission', async (t) => {
    const { http } = await make(t);
    assert.throws(() => http.get('/api/open', async () => ({})), /BUG: route (GET|HEAD) \/api\/open declares no config.permission/);
  });

  it('answers 401 without a credential, 403 without the permission, and runs the handler with the actor otherwise', async (t) => {
    const { http } = await make(t);
    const none = await http.inject('/api/things');
    assert.deepEqual(
      [none.statusCode, none.json().code, none.headers['www-authenticate']],
      [401, 'unauthenticated', 'Bearer realm="nines"'],
    );
    const payload = { items: [] };
    const reader = await http.inject({ method: 'POST', url: '/api/things', headers: { authorization: 'Bearer reader' }, payload });
    assert.deepEqual([reader.statusCode, reader.json().code], [403, 'forbidden']);
    assert.deepEqual((await http.inject({ url: '/api/things', headers: admin })).json(), { who: 'a' });
  });

  it('answers every refusal as problem+json with code, field and path', async (t) => {
    const { http } = await make(t);
    const conflict = await http.inject('/api/things/7?x=1');
    assert.equal(conflict.headers['content-type'], 'application/problem+json');
    assert.deepEqual(conflict.json(), {
      type: 'about:blank',
      title: 'Conflict',
      status: 409,
      detail: 'thing 7 is busy',
      code: 'thing_busy',
      field: 'id',
      instance: '/api/things/7',
    });
    const post = (payload: string, type = 'application/json') =>
      http.inject({ method: 'POST', url: '/api/things', headers: { ...admin, 'content-type': type }, payload });
    const invalid = (await post('{"items":[{"value":1},{"value":"x"}]}')).json();
    assert.deepEqual([invalid.status, invalid.code, invalid.field], [400, 'invalid_request', 'items[1].value']);
    const cases: [string, string, number, string][] = [
      ['{"items":', 'application/json', 400, 'invalid_json'],
      ['', 'application/json', 400, 'invalid_request'],
      ['{"__proto__":{"a":1},"items":[]}', 'application/json', 400, 'invalid_json'],
      ['['.repeat(65) + ']'.repeat(65), 'application/json', 400, 'json_too_deep'],
      ['a=1', 'application/x-www-form-urlencoded', 415, 'unsupported_media_type'],
      ['{}', 'text/plain', 415, 'unsupported_media_type'],
      [`{"items":[],"x":"${'a'.repeat(1024 * 1024)}"}`, 'application/json', 413, 'body_too_large'],
    ];
    for (const [payload, type, status, code] of cases) {
      const answer = await post(payload, type);
      assert.deepEqual([answer.statusCode, answer.json().code], [status, code], payload.slice(0, 40));
      assert.equal(answer.headers['content-type'], 'application/problem+json');
    }
  });

  it('hides the message of an unexpected failure from the caller and logs it with the request id', async (t) => {
    const { http, logger } = await make(t);
    const answer = await http.inject('/api/things/bug');
    assert.equal(answer.statusCode, 500);
    assert.ok(!answer.body.includes('secret inside'));
    assert.equal(logger.lines[0]?.fields['request_id'], answer.headers['x-request-id']);
    assert.match(String(logger.lines[0]?.fields['error']), /secret inside/);
  });

  it('answers unknown paths with 404 problem+json, whatever they accept', async (t) => {
    const { http } = await make(t);
    for (const url of ['/api/nothing', '/api/v1/nothing', '/nothing', '/config/nines.yml', '/%zz']) {
      const answer = await http.inject({ url, headers: { accept: 'text/html' } });
      assert.equal(answer.headers['content-type'], 'application/problem+json', url);
      assert.equal(answer.statusCode, url === '/%zz' ? 400 : 404, url);
    }
  });

  it('takes an empty JSON body for none', async (t) => {
    const { http } = await make(t);
    http.post('/api/things/:id/touch', { config: { permission: 'read' } }, async (request) => ({ body: request.body ?? null }));
    const post = (url: string) =>
      http.inject({ method: 'POST', url, headers: { ...admin, 'content-type': 'application/json' }, payload: '' });
    assert.deepEqual((await post('/api/things/7/touch')).json(), { body: null });
    assert.deepEqual([(await post('/api/things')).statusCode, (await post('/api/things')).json().field], [400, 'body']);
  });

  it('refuses a compressed JSON body as such, with 415', async (t) => {
    const { http } = await make(t);
    const post = (encoding: string) =>
      http.inject({
        method: 'POST',
        url: '/api/things',
        headers: { ...admin, 'content-type': 'application/json', 'content-encoding': encoding },
        payload: '{"items":[]}',
      });
    const refused = await post('gzip');
    assert.deepEqual([refused.statusCode, refused.json().code], [415, 'unsupported_encoding']);
    assert.equal((await post('Identity')).statusCode, 200);
  });

  it('speaks Prometheus’ error shape on routes that ask for it, refusals of access included', async (t) => {
    const { http } = await make(t);
    const bad = await http.inject({ url: '/api/v1/query', headers: admin });
    assert.deepEqual([bad.statusCode, bad.json()], [400, { status: 'error', errorType: 'bad_data', error: '1:2: parse error' }]);
    const none = await http.inject('/api/v1/query');
    assert.deepEqual([none.statusCode, none.json().status], [401, 'error']);
  });

  it('sends the security headers with every answer', async (t) => {
    const { http } = await make(t);
    for (const url of ['/api/things', '/nowhere', '/api/things/7']) {
      const { headers } = await http.inject(url);
      assert.match(String(headers['content-security-policy']), /default-src 'none'; script-src 'self';.*frame-ancestors 'none'/);
      assert.deepEqual([headers['x-content-type-options'], headers['referrer-policy']], ['nosniff', 'same-origin']);
    }
  });

  it('refuses changes that a page of another site sends with the browser’s cookie, and lets tokens through', async (t) => {
    const { http } = await make(t);
    const post = (headers: Record<string, string>) =>
      http.inject({ method: 'POST', url: '/api/things', payload: { items: [] }, headers: { host: 'nines.test', ...headers } });
    const session = { cookie: 'session=1' };
    assert.equal((await post({ ...session, 'sec-fetch-site': 'cross-site' })).json().code, 'cross_site_request');
    assert.equal((await post({ ...session, 'sec-fetch-site': 'same-site' })).statusCode, 403);
    assert.equal((await post({ ...session, origin: 'https://evil.test' })).statusCode, 403);
    assert.equal((await post({ ...session, origin: 'null' })).statusCode, 403);
    assert.equal((await post({ ...session, 'sec-fetch-site': 'same-origin' })).statusCode, 200);
    assert.equal((await post({ ...session, origin: 'http://nines.test' })).statusCode, 200);
    assert.equal((await post({ ...admin, origin: 'https://evil.test' })).statusCode, 200);
  });

  it('answers loopback names only when authentication is off', async (t) => {
    const { http } = await make(t, 'loopback');
    const status = async (host: string): Promise<number> => (await http.inject({ url: '/api/things/7', headers: { host } })).statusCode;
    assert.equal(await status('rebound.attacker.test:7070'), 403);
    for (const host of ['127.0.0.1:7070', 'localhost', '[::1]:7070', 'demo.localhost:1']) assert.equal(await status(host), 409, host);
  });

  it('describes its routes from the schemas that validate them', async (t) => {
    const { http } = await make(t);
    const document = (await http.inject({ url: '/api/openapi.json', headers: admin })).json();
    assert.equal(document.openapi, '3.1.0');
    const post = document.paths['/api/things'].post;
    assert.deepEqual([post.summary, post['x-permission']], ['Make', 'administer']);
    assert.equal(post.requestBody.content['application/json'].schema.properties.items.type, 'array');
    assert.deepEqual(document.paths['/api/things/{id}'].get.parameters[0].name, 'id');
    assert.ok(document.paths['/api/openapi.json']);
  });

  it('lets a client finish a body that is too large, so that its refusal arrives, and goes on with the connection', async (t) => {
    const { http } = await make(t);
    const url = new URL(await http.listen({ host: '127.0.0.1', port: 0 }));
    const socket = connect(Number(url.port), url.hostname);
    t.after(() => socket.destroy());
    let heard = '';
    socket.on('data', (chunk) => (heard += String(chunk)));
    const part = Buffer.alloc(1024 * 1024, ' ');
    const head = (length: number): string =>
      `POST /api/things HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nauthorization: Bearer admin\r\ncontent-length: ${length}\r\n\r\n`;
    socket.write(head(20 * part.length));
    await poll('the refusal', () => heard.startsWith('HTTP/1.1 413'));
    for (let i = 0; i < 20; i++) await new Promise((resolve) => socket.write(part, resolve));
    socket.write(`${head(12)}{"items":[]}`);
    await poll('the answer to the next request', () => heard.includes('HTTP/1.1 200'));
  });

  it('survives bytes that are no HTTP and headers that are too large', async (t) => {
    const { http } = await make(t);
    await http.listen({ host: '127.0.0.1', port: 0 });
    const { port } = http.server.address() as { port: number };
    const answers = await Promise.all(
      ['\x00\x01\x02\r\n\r\n', `GET / HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`].map((bytes) => exchange(port, bytes)),
    );
    assert.match(answers[0] ?? '', /^HTTP\/1\.1 400/);
    assert.match(answers[1] ?? '', /^HTTP\/1\.1 431/);
    for (const answer of answers) assert.match(answer, /\r\ncontent-type: application\/problem\+json\r\n/i);
    assert.match(answers[1] ?? '', /send a long query in the body of a POST/);
    assert.equal((await fetch(`http://127.0.0.1:${port}/api/things/7`)).status, 409);
  });
});

describe('stopping', () => {
  it('cuts off what is still open after the time to drain', async () => {
    const http = await createHttp({ logger: recordingLogger(), ids: countingIds(), gate, hosts: 'any', version: '1', drainMs: 50 });
    http.post('/api/slow', { config: { permission: 'read' } }, async () => ({}));
    await http.listen({ host: '127.0.0.1', port: 0 });
    const { port } = http.server.address() as { port: number };
    const half = `POST /api/slow HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer admin\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{`;
    // A connection alone is not enough: a request that arrives while the server closes is answered 503.
    const arrived = once(http.server, 'request');
    const sent = exchange(port, half);
    await arrived;
    await http.close();
    assert.equal(await sent, '');
  });
});

function exchange(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    socket.on('data', (chunk) => (text += chunk.toString()));
    socket.on('close', () => resolve(text));
    socket.on('error', reject);
  });
}

describe('pages', () => {
  async function withBuild(t: TestContext): Promise<{ readonly http: Http; readonly directory: string }> {
    const directory = await mkdtemp(join(tmpdir(), 'nines-web-'));
    t.after(() => rm(directory, { recursive: true }));
    await mkdir(join(directory, 'assets'));
    await writeFile(join(directory, 'index.html'), '<meta name="csp-nonce" content="__CSP_NONCE__"><div id="root">');
    await writeFile(join(directory, 'assets', 'app-abc123.js'), 'let a = 1;');
    await writeFile(join(directory, 'favicon.svg'), '<svg/>');
    const { http } = await make(t);
    servePages(http, { directory, secure: false });
    return { http, directory };
  }

  it('serves the shell for the pages that exist, with a fresh nonce that the policy names', async (t) => {
    const { http } = await withBuild(t);
    const nonces = new Set<string>();
    for (const url of ['/', '/services', '/services/shop', '/slas/a', '/checks', '/alerts-dashboard', '/settings', '/login', '/setup']) {
      const answer = await http.inject(url);
      const nonce = /content="([^"]+)"/.exec(answer.body)?.[1] ?? '';
      assert.ok(String(answer.headers['content-security-policy']).includes(`style-src 'self' 'nonce-${nonce}'`), url);
      nonces.add(nonce);
    }
    assert.equal(nonces.size, 9);
    for (const url of ['/incident', '/index.html', '/services/a/b', '/assets/none.js'])
      assert.equal((await http.inject(url)).statusCode, 404, url);
  });

  it('leads people on who mistyped an address, and tells programs', async (t) => {
    const { http } = await withBuild(t);
    const browser = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };
    const page = await http.inject({ url: '/alert', headers: browser });
    assert.deepEqual([page.statusCode, page.headers['content-type']], [404, 'text/html; charset=utf-8']);
    assert.match(String(page.headers['content-security-policy']), /style-src 'self' 'nonce-/);
    for (const [url, headers] of [
      ['/alert', {}],
      ['/api/none', browser],
    ] as const) {
      const answer = await http.inject({ url, headers });
      assert.deepEqual([answer.statusCode, answer.json().code], [404, 'no_such_path'], url);
    }
  });

  it('lets hashed assets be kept for ever and asks again for the others', async (t) => {
    const { http } = await withBuild(t);
    const asset = await http.inject('/assets/app-abc123.js');
    assert.deepEqual([asset.body, asset.headers['cache-control']], ['let a = 1;', 'public, max-age=31536000, immutable']);
    assert.equal(asset.headers['content-type'], 'text/javascript; charset=utf-8');
    const icon = await http.inject('/favicon.svg');
    assert.equal(icon.headers['cache-control'], 'no-cache');
    assert.equal((await http.inject({ url: '/favicon.svg', headers: { 'if-none-match': String(icon.headers['etag']) } })).statusCode, 304);
  });

  it('serves the page it started with while another one is being built', async (t) => {
    const { http, directory } = await withBuild(t);
    await rm(join(directory, 'assets'), { recursive: true });
    assert.equal((await http.inject('/assets/app-abc123.js')).body, 'let a = 1;');
  });

  it('says how to build the pages when they are not there', async (t) => {
    const { http } = await make(t);
    servePages(http, { directory: join(tmpdir(), 'nines-no-such-build'), secure: false });
    const answer = await http.inject('/');
    assert.deepEqual([answer.statusCode, answer.json().code], [503, 'pages_not_built']);
  });
});

forEachDatabase((name, open) => {
  it('says whose fault it is when a text cannot be kept', async (t) => {
    const { db } = await open(t);
    const { http } = await make(t);
    http.get('/api/kept/:id', { config: { permission: 'public' } }, async (request) => {
      const { id } = request.params as { id: string };
      const row = await db.kysely.selectFrom('agents').selectAll().where('id', '=', id).executeTakeFirst();
      if (row === undefined) throw new AppError('not_found', 'thing_not_found', 'there is no such thing');
      return row;
    });
    const { statusCode, body } = await http.inject('/api/kept/%00');
    assert.equal(statusCode, name === 'postgresql' ? 400 : 404, body);
    assert.match(body, /the character 0|no such thing/);
  });
});
