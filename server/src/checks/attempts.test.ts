import assert from 'node:assert/strict';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createServer as createTcpServer } from 'node:net';
import { test, type TestContext } from 'node:test';
import { epochMs } from '@nines/base/units.ts';
import { attempt, Authority, closedPort, faultsOf, listen, said, specOf } from '../../../test/harness/checks.ts';
import type { Outcome, WrittenCheck } from './contract.ts';

const site = (t: TestContext, listener: RequestListener): Promise<number> => listen(t, createHttpServer(listener));

test('a good answer is up, with every phase, its status and no excerpt', async (t) => {
  const port = await site(t, (_request, response) => response.end('all ok'));
  const result = await attempt({
    kind: 'http',
    url: `http://127.0.0.1:${port}/health?x=1`,
    expect: { status: [200], body_contains: 'ok' },
  });
  assert.equal(said(result), 'up');
  assert.equal(result.statusCode, 200);
  assert.deepEqual(Object.keys(result.phases).sort(), ['connect', 'processing', 'resolve', 'transfer']);
  const sum = Object.values(result.phases).reduce((a, b) => a + b, 0);
  assert.ok(sum <= result.durationMs, `${sum} of ${result.durationMs}`);
  assert.equal(result.excerpt, undefined);
  assert.equal(result.tls, false);
});

test('answers that break an expectation are down and say what was expected; the excerpt holds the answer', async (t) => {
  const port = await site(t, (request, response) => {
    response.writeHead(request.url === '/503' ? 503 : 200, { 'x-mode': 'normal' });
    response.end('maintenance '.repeat(1000));
  });
  const f = async (path: string, expect: Extract<WrittenCheck, { kind: 'http' }>['expect'], want: string): Promise<void> => {
    const result = await attempt({ kind: 'http', url: `http://127.0.0.1:${port}${path}`, ...(expect === undefined ? {} : { expect }) });
    assert.equal(said(result), want);
    assert.equal(result.excerpt?.length, 1024);
  };
  await f('/503', undefined, 'down status: status 503, expected 2xx');
  await f('/503', { status: [200, 204] }, 'down status: status 503, expected 200, 204');
  await f('/', { body_contains: 'ok' }, 'down body: the body does not contain "ok"');
  await f('/', { body_matches: '^ready$' }, 'down body_regex: the body does not match ^ready$');
  await f('/', { headers: { 'X-Mode': '^primary$' } }, 'down header: the header X-Mode is "normal", expected a match of ^primary$');
  await f('/', { headers: { etag: '.' } }, 'down header: the header etag is missing');
  assert.equal(
    said(await attempt({ kind: 'http', url: `http://127.0.0.1:${port}/503`, expect: { status: ['5xx'], body_matches: 'main.enance' } })),
    'up',
  );
});

test('a failure keeps the address that was asked and the headers of the answer, without what lets somebody in', async (t) => {
  const port = await site(t, (_request, response) => {
    response.writeHead(503, {
      'retry-after': '30',
      'set-cookie': ['session=abcdefgh; HttpOnly', 'b=1'],
      'www-authenticate': 'Basic realm="shop"',
      'x-api-key': 'abcdefgh',
      location: 'https://user:pass@shop.example/login?next=1',
      'x-long': 'a'.repeat(1_000),
      ...Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`x-many-${index}`, '1'])),
    });
    response.end('busy');
  });
  const failed = await attempt({ kind: 'http', url: `http://localhost:${port}/health`, ip_version: 4 });
  assert.equal(failed.address, `127.0.0.1:${port}`);
  const headers = Object.fromEntries((failed.headers ?? []).map(({ name, value }) => [name, value]));
  assert.equal(failed.headers?.length, 40);
  assert.deepEqual(
    ['retry-after', 'set-cookie', 'x-api-key', 'location', 'www-authenticate'].map((name) => headers[name]),
    ['30', '[redacted]', '[redacted]', 'https://[redacted]@shop.example/login?[redacted]', 'Basic realm="shop"'],
  );
  assert.equal(headers['x-long']?.length, 300);
  const fine = await attempt({ kind: 'http', url: `http://127.0.0.1:${port}/`, expect: { status: [503] } });
  assert.deepEqual([fine.address, fine.headers], [`127.0.0.1:${port}`, undefined]);
  const refused = await attempt({ kind: 'tcp', address: `127.0.0.1:${await closedPort()}` });
  assert.match(refused.address ?? '', /^127\.0\.0\.1:\d+$/);
});

test('a refused, reset, silent or stalled server is down with the reason', async (t) => {
  const closed = await closedPort();
  assert.equal(
    said(await attempt({ kind: 'http', url: `http://127.0.0.1:${closed}/` })),
    `down connection_refused: connection refused by 127.0.0.1:${closed}`,
  );
  const resets = await listen(
    t,
    createTcpServer((socket) => socket.resetAndDestroy()),
  );
  assert.equal(
    said(await attempt({ kind: 'http', url: `http://127.0.0.1:${resets}/` })),
    `down connection_reset: connection reset by 127.0.0.1:${resets}`,
  );
  const silent = await site(t, () => {});
  const late = await attempt({ kind: 'http', url: `http://127.0.0.1:${silent}/`, timeout: '400ms' });
  assert.equal(said(late), `down timeout: no answer from 127.0.0.1:${silent} within 400 ms while waiting for the first byte`);
  assert.ok(late.durationMs >= 390 && (late.phases.processing ?? 0) > 0);
  const stalls = await site(t, (_request, response) => void response.write('a'));
  assert.match(
    said(await attempt({ kind: 'http', url: `http://127.0.0.1:${stalls}/`, timeout: '400ms' })),
    /within 400 ms while receiving the answer$/,
  );
  const babble = await listen(
    t,
    createTcpServer((socket) => void socket.on('error', () => {}).end('SSH-2.0-x\r\n')),
  );
  assert.match(
    said(await attempt({ kind: 'http', url: `http://127.0.0.1:${babble}/` })),
    /^down bad_answer: 127\.0\.0\.1:\d+ did not answer in HTTP/,
  );
  const cut = await site(t, (_request, response) => {
    response.writeHead(200, { 'content-length': '100' });
    response.write('part', () => response.socket?.destroy());
  });
  assert.match(said(await attempt({ kind: 'http', url: `http://127.0.0.1:${cut}/` })), /^down /);
});

test('a slow answer is degraded by the limit of its own check alone', async (t) => {
  const port = await site(t, (_request, response) => void setTimeout(() => response.end('ok'), 120));
  assert.match(
    said(await attempt({ kind: 'http', url: `http://127.0.0.1:${port}/`, degraded_after: '100ms' })),
    /^degraded slow: took \d{3,} ms, more than 100ms$/,
  );
  assert.equal(said(await attempt({ kind: 'http', url: `http://127.0.0.1:${port}/` })), 'up');
});

test('the method, headers and body are sent as declared', async (t) => {
  const seen: string[] = [];
  const port = await site(t, (request, response) => {
    request.on('data', (chunk) => seen.push(String(chunk)));
    request.on('end', () => {
      seen.push([request.method, ...['x-token', 'host', 'content-length', 'connection'].map((name) => request.headers[name])].join(' '));
      response.end();
    });
  });
  await attempt({
    kind: 'http',
    url: `http://127.0.0.1:${port}/`,
    method: 'POST',
    headers: { 'X-Token': 't', Host: 'shop.example' },
    body: 'grüezi',
  });
  assert.deepEqual(seen, ['grüezi', 'POST t shop.example 7 close']);
});

test('redirects are followed to a limit, lose secrets on the way to another origin, and can be refused', async (t) => {
  const seen: (string | undefined)[] = [];
  const other = await site(t, (request, response) => {
    seen.push(request.headers.authorization, request.method);
    response.end('there');
  });
  const port = await site(t, (request, response) => {
    const to = { '/a': '/b', '/b': `http://127.0.0.1:${other}/`, '/loop': '/loop', '/odd': 'ftp://x/' }[request.url ?? ''];
    response.writeHead(302, { location: to ?? '/a' }).end();
  });
  const url = (path: string): string => `http://127.0.0.1:${port}${path}`;
  const followed = await attempt({
    kind: 'http',
    url: url('/a'),
    method: 'POST',
    body: 'x',
    headers: { Authorization: 's' },
    expect: { body_contains: 'there' },
  });
  assert.deepEqual([said(followed), followed.redirects, followed.statusCode, seen], ['up', 2, 200, [undefined, 'GET']]);
  assert.equal(said(await attempt({ kind: 'http', url: url('/loop') })), 'down redirects: more than 10 redirects');
  assert.match(said(await attempt({ kind: 'http', url: url('/odd') })), /^down redirects: redirected to "ftp:/);
  const still = await attempt({ kind: 'http', url: url('/a'), follow_redirects: false, expect: { status: [302] } });
  assert.deepEqual([said(still), still.redirects], ['up', 0]);
});

test('tcp is up when the port accepts and down when it refuses', async (t) => {
  const port = await listen(
    t,
    createTcpServer((socket) => void socket.on('error', () => {})),
  );
  const result = await attempt({ kind: 'tcp', address: `127.0.0.1:${port}` });
  assert.deepEqual([said(result), Object.keys(result.phases).sort()], ['up', ['connect', 'resolve']]);
  assert.equal(said(await attempt({ kind: 'tcp', address: `localhost:${port}` })), 'up');
  const closed = await closedPort();
  assert.equal(
    said(await attempt({ kind: 'tcp', address: `127.0.0.1:${closed}` })),
    `down connection_refused: connection refused by 127.0.0.1:${closed}`,
  );
});

test('what the UI or API made may not reach inside, metadata addresses are refused for all, and neither counts as down', async () => {
  assert.match(
    said(await attempt({ kind: 'tcp', address: '127.0.0.1:80' }, 'untrusted')),
    /^void refused_address: 127\.0\.0\.1 is internal/,
  );
  assert.match(said(await attempt({ kind: 'http', url: 'http://169.254.169.254/latest' })), /^void refused_address/);
});

test('a certificate of an unknown authority is refused by name, its end is seen all the same, and verification can be switched off', async (t) => {
  using authority = new Authority();
  const port = await listen(
    t,
    createTlsServer(authority.issue({ days: 5 }), (_request, response) => response.end('ok')),
  );
  const url = `https://127.0.0.1:${port}/`;
  const refused = await attempt({ kind: 'http', url });
  assert.match(said(refused), /^down certificate: the certificate of 127\.0\.0\.1 is not valid: unable to verify leaf signature/);
  const days = ((refused.certificateExpiresAtMs ?? 0) - Date.now()) / 86_400_000;
  assert.ok(days > 4 && days < 5.1, `${days} days`);
  assert.ok((refused.phases.tls ?? 0) > 0);
  const lax = await attempt({ kind: 'http', url, tls: { verify: false } });
  assert.deepEqual([said(lax), lax.tls, Object.keys(lax.phases).length], ['up', true, 5]);
  const soon = await attempt({ kind: 'http', url, tls: { verify: false }, expect: { certificate_valid_for: '14d' } });
  assert.match(said(soon), /^degraded certificate_expiry: the certificate expires in 4d/);
  const plain = await site(t, (_request, response) => response.end());
  assert.match(said(await attempt({ kind: 'http', url: `https://127.0.0.1:${plain}/` })), /^down (tls|connection_reset)/);
});

test('a body larger than the limit is judged by its beginning', async (t) => {
  const port = await site(t, (_request, response) => {
    response.write('start ');
    const chunk = 'x'.repeat(65_536);
    const more = (): void => {
      while (!response.destroyed && response.write(chunk));
      if (!response.destroyed) response.once('drain', more);
    };
    more();
  });
  const url = `http://127.0.0.1:${port}/`;
  assert.equal(said(await attempt({ kind: 'http', url, timeout: '5s', expect: { body_contains: 'start' } })), 'up');
  assert.match(said(await attempt({ kind: 'http', url, timeout: '5s', expect: { body_contains: 'end' } })), /in the part that was read/);
});

test('what is written is checked when it is read', () => {
  const f = (written: Record<string, unknown>, want: RegExp): void => {
    assert.match(faultsOf({ kind: 'tcp', address: 'a:1', ...written }), want);
  };
  f({}, /^fits$/);
  f({ interval: '500ms' }, /^interval: an interval is between 1s and 1d/);
  f({ interval: '30' }, /^interval: not a duration/);
  f({ interval: '5s', timeout: '6s' }, /^timeout: a timeout is not longer than the interval/);
  f({ confirm: { n: 3, of: 2 } }, /^confirm: 3 of 2/);
  f({ address: 'a' }, /^address: not an address/);
  f({ address: '[::1]:80' }, /^fits$/);
  f({ id: 'Bad Id' }, /^id: write letters/);
  f({ extra: 1 }, /extra/);
  f({ kind: 'http', url: 'http://u:p@h/', address: undefined }, /password/);
  const spec = specOf({ kind: 'tcp', address: 'a:1' });
  assert.deepEqual([spec.intervalMs, spec.timeoutMs, spec.confirm, spec.impact], [10_000, 5_000, { n: 1, of: 1 }, 'down']);
  const outcome: Outcome = { kind: 'up' };
  assert.ok(outcome.kind === 'up' && epochMs(1) === 1);
});
