import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { FULL_SCOPE } from '@nines/model/storage.ts';
import { countingIds } from '../../../../test/harness/ids.ts';
import { silentLogger } from '../../../../test/harness/logs.ts';
import { manualClock } from '../../../../test/harness/manual-clock.ts';
import { clientAddresses } from './client-address.ts';
import type { Actor, Gate } from './contract.ts';
import { Buckets, type RateClass, rateClassOf, Rates, type RateLimits, rateLimitsConfig } from './rates.ts';
import { createHttp } from './server.ts';

const NONE = { per_token: 'none', per_address: 'none' } as const;
const actor = (id: string): Actor => ({ kind: 'token', id, name: id, role: 'administrator', teamId: 'default', scope: FULL_SCOPE });
const gate: Gate = {
  authenticate: async ({ headers }) =>
    headers.authorization?.startsWith('Bearer ') === true ? actor(headers.authorization.slice(7)) : undefined,
  allows: () => true,
};

async function limitedServer(t: TestContext, limits: Partial<RateLimits>, proxies: readonly string[] = []) {
  const clock = manualClock();
  const limited: RateClass[] = [];
  const all = { ingest: NONE, query: NONE, api: NONE, login: NONE, public: NONE, ...limits };
  const rates = new Rates({ clock, limits: all, onLimited: (one) => limited.push(one) });
  const denied: string[] = [];
  const http = await createHttp({
    logger: silentLogger,
    ids: countingIds(),
    gate,
    hosts: 'any',
    version: '1',
    rates,
    clientAddress: clientAddresses({ proxies, header: 'X-Forwarded-For' }),
    onDenied: (code) => denied.push(code),
  });
  t.after(() => http.close());
  http.get('/api/things', { config: { permission: 'read' } }, async (request) => ({ address: request.ip }));
  http.get('/api/v1/query', { config: { permission: 'read', errors: 'prometheus' } }, async () => ({}));
  http.post('/api/session', { config: { permission: 'public' } }, async () => ({}));
  http.get('/', { config: { permission: 'public' } }, async () => 'page');
  const ask = (
    url: string,
    {
      token,
      from = '203.0.113.1',
      headers = {},
      method = 'GET',
    }: { token?: string; from?: string; headers?: Record<string, string>; method?: 'GET' | 'POST' } = {},
  ) =>
    http.inject({
      method,
      url,
      remoteAddress: from,
      headers: { ...headers, ...(token !== undefined && { authorization: `Bearer ${token}` }) },
    });
  return { clock, ask, limited, denied };
}

test('a bucket holds its burst, gains by time, and says when to come back', () => {
  const buckets = new Buckets({ per_second: 2, burst: 3 });
  assert.deepEqual(
    [0, 0, 0, 0].map(() => buckets.take('a', 0)),
    [0, 0, 0, 500],
  );
  assert.equal(buckets.take('b', 0), 0);
  assert.equal(buckets.take('a', 400), 100);
  assert.equal(buckets.take('a', 500), 0);
  assert.deepEqual(
    [1, 2, 3, 4].map(() => buckets.take('a', 1e9)),
    [0, 0, 0, 500],
  );
});

test('attack: a flood of made-up addresses fills no memory and frees nobody who is in use', () => {
  const buckets = new Buckets({ per_second: 0.001, burst: 1 });
  assert.equal(buckets.take('known', 0), 0);
  for (let i = 0; i < 60_000; i++) {
    buckets.take(`made up ${i}`, 0);
    if (i % 1_000 === 0) assert.ok(buckets.take('known', 0) > 0, `forgotten after ${i}`);
  }
});

test('attack: one token that floods is sent away with 429 and Retry-After; others, and other classes, are answered', async (t) => {
  const limits = { per_token: { per_second: 1, burst: 2 }, per_address: 'none' } as const;
  const { ask, clock, limited, denied } = await limitedServer(t, { api: limits });
  const statuses = async (token: string, count: number) => {
    const all: number[] = [];
    for (let i = 0; i < count; i++) all.push((await ask('/api/things', { token })).statusCode);
    return all;
  };
  assert.deepEqual(await statuses('a', 4), [200, 200, 429, 429]);
  assert.deepEqual(await statuses('b', 2), [200, 200]);
  assert.equal((await ask('/api/v1/query', { token: 'a' })).statusCode, 200);
  const refused = await ask('/api/things', { token: 'a' });
  assert.deepEqual(
    [refused.headers['retry-after'], refused.json().code, refused.headers['cache-control']],
    ['1', 'rate_limited', 'no-store'],
  );
  assert.deepEqual(limited, ['api', 'api', 'api']);
  assert.deepEqual(denied, ['rate_limited', 'rate_limited', 'rate_limited']);
  await clock.advance(1_000);
  assert.deepEqual(await statuses('a', 2), [200, 429]);
});

test('attack: guesses of tokens and passwords from one address are limited before anybody is looked up', async (t) => {
  const byAddress = (burst: number) => ({ per_token: 'none', per_address: { per_second: 0.1, burst } }) as const;
  const { ask } = await limitedServer(t, { api: byAddress(2), login: byAddress(1), query: byAddress(1) });
  assert.deepEqual(
    [(await ask('/api/things')).statusCode, (await ask('/api/things')).statusCode, (await ask('/api/things')).statusCode],
    [401, 401, 429],
  );
  assert.equal((await ask('/api/things', { from: '203.0.113.2' })).statusCode, 401);
  assert.equal((await ask('/api/session', { method: 'POST' })).statusCode, 200);
  assert.equal((await ask('/api/session', { method: 'POST' })).statusCode, 429);
  await ask('/api/v1/query', { token: 'a' });
  const prometheus = await ask('/api/v1/query', { token: 'a' });
  assert.deepEqual([prometheus.statusCode, prometheus.json().status], [429, 'error']);
});

test('attack: a forwarding header gives no fresh limit unless a trusted proxy sent it', async (t) => {
  const limits = { public: { per_token: 'none', per_address: { per_second: 0.1, burst: 1 } } } as const;
  const direct = await limitedServer(t, limits);
  assert.equal((await direct.ask('/', { headers: { 'x-forwarded-for': '1.1.1.1' } })).statusCode, 200);
  assert.equal((await direct.ask('/', { headers: { 'x-forwarded-for': '2.2.2.2' } })).statusCode, 429);
  const behind = await limitedServer(t, limits, ['203.0.113.1']);
  for (const viewer of ['1.1.1.1', '2.2.2.2'])
    assert.equal((await behind.ask('/', { headers: { 'x-forwarded-for': viewer } })).statusCode, 200, viewer);
  assert.equal((await behind.ask('/', { headers: { 'x-forwarded-for': '9.9.9.9, 2.2.2.2' } })).statusCode, 429);
  const seen = await behind.ask('/api/things', { token: 'a', headers: { 'x-forwarded-for': '9.9.9.9, 3.3.3.3' } });
  assert.deepEqual(seen.json(), { address: '3.3.3.3' });
});

test('honest: two thousand viewers behind one address open a page at once and look at it', () => {
  const clock = manualClock();
  const rates = new Rates({ clock, limits: rateLimitsConfig.parse(undefined), onLimited: () => assert.fail('limited') });
  for (let viewer = 0; viewer < 2_000; viewer++) {
    for (let asset = 0; asset < 20; asset++) assert.equal(rates.waitOfAddress('public', 'proxy'), 0);
    assert.equal(rates.waitOfAddress('login', 'proxy') === 0 || viewer >= 1_000, true);
    for (let call = 0; call < 15; call++) {
      assert.equal(rates.waitOfAddress('api', 'proxy') + rates.waitOfActor('api', { ...actor(`viewer ${viewer}`), kind: 'user' }), 0);
      assert.equal(rates.waitOfAddress('query', 'proxy') + rates.waitOfActor('query', { ...actor(`viewer ${viewer}`), kind: 'user' }), 0);
    }
  }
});

test('honest: two hundred shards of a large Prometheus send twenty requests a second each, for a minute', async () => {
  const clock = manualClock();
  const rates = new Rates({ clock, limits: rateLimitsConfig.parse(undefined), onLimited: () => assert.fail('limited') });
  for (let tick = 0; tick < 600; tick++) {
    await clock.advance(100);
    for (let i = 0; i < 400; i++)
      assert.equal(rates.waitOfAddress('ingest', 'prometheus') + rates.waitOfActor('ingest', actor('prometheus')), 0);
  }
});

test('routes fall into classes by what they need and where they lie', () => {
  const cases: readonly [method: string, url: string, permission: 'read' | 'public' | 'ingest' | 'operate', expected: RateClass][] = [
    ['POST', '/api/v1/write', 'ingest', 'ingest'],
    ['GET', '/api/v1/query_range', 'read', 'query'],
    ['POST', '/api/v1/query', 'read', 'query'],
    ['GET', '/api/v1/label/:name/values', 'read', 'query'],
    ['POST', '/api/analytics/forecast', 'read', 'query'],
    ['GET', '/api/v1/rules', 'read', 'api'],
    ['GET', '/api/metrics/current', 'read', 'api'],
    ['GET', '/api/metrics/history/:type', 'read', 'query'],
    ['POST', '/api/alerts/:id/:action', 'operate', 'api'],
    ['POST', '/api/session', 'public', 'login'],
    ['GET', '/api/session', 'public', 'public'],
    ['POST', '/api/setup', 'public', 'login'],
    ['POST', '/api/password', 'read', 'login'],
    ['GET', '/status/:slug', 'public', 'public'],
  ];
  for (const [method, url, permission, expected] of cases)
    assert.equal(rateClassOf({ method, url, permission }), expected, `${method} ${url}`);
});
