import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { DAY_MS, MINUTE_MS } from '@nines/base/units.ts';
import { labelValue } from '@nines/model/labels.ts';
import { type OpenDatabase, forEachDatabase } from '../../../test/harness/databases.ts';
import { silentLogger } from '../../../test/harness/logs.ts';
import { manualClock } from '../../../test/harness/manual-clock.ts';
import { COMMAND_LINE } from '../access/contract.ts';
import { accessConfig } from '../access/config.ts';
import { createHttp } from '../platform/http/server.ts';
import { createIds } from '../platform/ids.ts';
import { openEntryForTest } from '../testing/entry.ts';
import { expiryEvaluation } from './expiry-alert.ts';
import { refuseTokensInAddresses, tokenRoutes } from './routes.ts';

async function world(t: TestContext, open: OpenDatabase, access: Record<string, unknown> = {}) {
  const { db } = await open(t);
  const clock = manualClock();
  const ids = createIds(clock);
  const refused: string[] = [];
  const settings = accessConfig.parse(access);
  const { access: gate, tokens } = openEntryForTest({
    db,
    clock,
    ids,
    settings: () => settings,
    onRefused: (reason) => refused.push(reason),
  });
  const http = await createHttp({ logger: silentLogger, ids, gate, hosts: 'any', version: '0' });
  t.after(() => http.close());
  refuseTokensInAddresses(http);
  tokenRoutes(http, tokens);
  http.get('/api/alerts', { config: { permission: 'read' } }, async () => ({}));
  http.get('/api/slas', { config: { permission: 'read' } }, async () => ({}));
  http.post('/api/silences', { config: { permission: 'operate' } }, async () => ({}));
  for (const action of ['acknowledge', 'resolve'])
    http.post(`/api/alerts/${action}`, { config: { permission: 'operate', action } }, async () => ({}));
  const call = async (method: 'GET' | 'POST' | 'DELETE', url: string, token: string, rest: { body?: object; from?: string } = {}) => {
    const answer = await http.inject({
      method,
      url,
      headers: { authorization: `Bearer ${token}` },
      remoteAddress: rest.from ?? '192.0.2.1',
      ...(rest.body !== undefined && { payload: rest.body }),
    });
    return { status: answer.statusCode, json: (answer.body === '' ? {} : answer.json()) as Record<string, unknown> };
  };
  const { token: admin } = await tokens.create(COMMAND_LINE, { name: 'root', role: 'administrator' });
  const make = async (body: object): Promise<{ id: string; token: string }> => {
    const made = await call('POST', '/api/tokens', admin, { body: { name: 'robot', ...body } });
    assert.equal(made.status, 201, JSON.stringify(made.json));
    return made.json as never;
  };
  return { db, clock, tokens, call, make, admin, refused };
}

forEachDatabase((_name, open) => {
  test('a token is narrowed to areas, to actions on alerts and to networks, and says so when it is looked at', async (t) => {
    const { call, make, admin, refused } = await world(t, open);
    const narrow = { role: 'operator', permits: { alerts: 'operate' }, actions: ['acknowledge'], addresses: ['10.0.0.0/8'] };
    const { token } = await make(narrow);
    const from = '10.1.2.3';
    assert.equal((await call('GET', '/api/alerts', token, { from })).status, 200);
    assert.equal((await call('POST', '/api/alerts/acknowledge', token, { from })).status, 200);
    for (const [method, url] of [
      ['POST', '/api/alerts/resolve'],
      ['POST', '/api/silences'],
      ['GET', '/api/slas'],
      ['GET', '/api/tokens'],
    ] as const)
      assert.equal((await call(method, url, token, { from })).status, 403, url);
    assert.equal((await call('GET', '/api/alerts', token)).status, 401, 'from another network it is no token at all');
    assert.deepEqual(refused, ['address']);
    const { json } = await call('POST', '/api/tokens/introspect', admin, { body: { token } });
    const { active, role, permits, actions, addresses, last_used_address: used } = json;
    assert.deepEqual(
      { active, role, permits, actions, addresses, used },
      { active: true, ...narrow, permits: { alerts: ['read', 'operate'] }, used: from },
    );
    assert.ok(!JSON.stringify(json).includes(token));
  });

  test('a replaced secret counts a quarter of an hour more, and nobody replaces what is gone', async (t) => {
    const { call, make, admin, clock, refused } = await world(t, open);
    const { id, token } = await make({ role: 'read-only' });
    const replaced = await call('POST', `/api/tokens/${id}/replace`, admin);
    const next = String(replaced.json['token']);
    assert.notEqual(next, token);
    for (const secret of [token, next]) assert.equal((await call('GET', '/api/alerts', secret)).status, 200);
    await clock.advance(15 * MINUTE_MS);
    assert.equal((await call('GET', '/api/alerts', token)).status, 401);
    assert.equal((await call('GET', '/api/alerts', next)).status, 200);
    assert.equal((await call('DELETE', `/api/tokens/${id}`, admin)).status, 204);
    assert.equal((await call('GET', '/api/alerts', next)).status, 401);
    for (const gone of [id, 'unknown']) assert.equal((await call('POST', `/api/tokens/${gone}/replace`, admin)).status, 404);
    assert.deepEqual(refused, ['replaced', 'revoked']);
    assert.deepEqual((await call('POST', '/api/tokens/introspect', admin, { body: { token: next } })).json, { active: false });
  });

  test('two who replace a secret at the same time: each new secret works or says that it does not', async (t) => {
    const { call, make, admin } = await world(t, open);
    const { id } = await make({ role: 'read-only' });
    const both = await Promise.all([1, 2].map(() => call('POST', `/api/tokens/${id}/replace`, admin)));
    const made = both.filter(({ status }) => status === 200).map(({ json }) => String(json['token']));
    assert.ok(made.length > 0 && both.every(({ status }) => status === 200 || status === 409), JSON.stringify(both));
    for (const secret of made) assert.equal((await call('GET', '/api/alerts', secret)).status, 200);
  });
});

const SQLITE: OpenDatabase = async (t) => (await import('../../../test/harness/databases.ts')).openSqliteForTest(t);

test('malformed, unknown, expired and foreign tokens are refused alike, and counted by what they were', async (t) => {
  const { call, make, clock, refused } = await world(t, SQLITE);
  const { token: expired } = await make({ role: 'read-only', expires_at_ms: clock.now() + 1_000 });
  const elsewhere = await world(t, SQLITE);
  await clock.advance(1_000);
  const { token: foreign } = await elsewhere.make({ role: 'administrator' });
  const shown = ['nines_', 'x', `${expired}x`, `nines_${'A'.repeat(43)}`, foreign, expired];
  const answers = [];
  for (const token of shown) answers.push(await call('GET', '/api/alerts', token));
  assert.deepEqual(new Set(answers.map(({ status, json }) => `${status} ${String(json['code'])} ${String(json['detail'])}`)).size, 1);
  assert.equal(answers[0]?.status, 401);
  assert.deepEqual(refused, ['malformed', 'malformed', 'malformed', 'unknown', 'unknown', 'expired']);
});

test('a token in an address is refused, with what to do instead', async (t) => {
  const { call, admin } = await world(t, SQLITE);
  const { status, json } = await call('GET', `/api/alerts?access_token=${admin}`, admin);
  assert.deepEqual([status, json['code']], [400, 'token_in_address']);
  assert.ok(!JSON.stringify(json).includes(admin));
});

test('a token may do no more than its role, and live no longer than the configuration allows', async (t) => {
  const { call, admin, clock, make, tokens } = await world(t, SQLITE, { tokens: { max_life: '30d' } });
  const refusal = async (body: object): Promise<unknown> =>
    (await call('POST', '/api/tokens', admin, { body: { name: 'n', role: 'read-only', ...body } })).json['code'];
  assert.equal(await refusal({ permits: { alerts: 'operate' } }), 'beyond_role');
  assert.equal(await refusal({ expires_at_ms: clock.now() }), 'token_already_expired');
  assert.equal(await refusal({ expires_at_ms: clock.now() + 31 * DAY_MS }), 'token_lives_too_long');
  for (const bad of [
    { addresses: ['10.0.0.0/33'] },
    { addresses: [] },
    { actions: [] },
    { actions: ['delete'] },
    { permits: { all: 'read' } },
    { scope: 'team' },
  ])
    assert.equal(await refusal(bad), 'invalid_request', JSON.stringify(bad));
  const { id } = await make({ role: 'read-only' });
  const listed = (await tokens.list()).find((token) => token.id === id);
  assert.equal(listed?.expires_at_ms, clock.now() + 30 * DAY_MS);
});

test('attack: a narrowed token makes none that grows with its role', async (t) => {
  const { call, make } = await world(t, SQLITE);
  const { token } = await make({
    role: 'administrator',
    permits: { access: 'administer', alerts: 'operate', checks: 'ingest', metrics: 'ingest' },
  });
  const made = await call('POST', '/api/tokens', token, { body: { name: 'sender', role: 'ingest', permits: undefined } });
  assert.equal(made.status, 403, 'its role may do what the maker may not');
  const { token: whole } = await make({
    role: 'administrator',
    permits: { access: 'administer', checks: 'ingest', alerts: 'ingest', metrics: 'ingest' },
  });
  const sender = await call('POST', '/api/tokens', whole, { body: { name: 'sender', role: 'ingest' } });
  assert.deepEqual(sender.json['permits'], { checks: ['ingest'], alerts: ['ingest'], metrics: ['ingest'] });
});

test('a token in use that ends within a week is an alert; others are not', async (t) => {
  const { tokens, make, call, clock } = await world(t, SQLITE);
  const { token, id } = await make({ role: 'read-only', expires_at_ms: clock.now() + 10 * DAY_MS });
  await make({ role: 'read-only', expires_at_ms: clock.now() + 5 * DAY_MS });
  const ending = async (): Promise<readonly unknown[]> => {
    const { found } = expiryEvaluation(await tokens.list(), clock.now());
    assert.ok(found.kind === 'complete');
    return found.active.map(({ labels }) => labelValue(labels, 'token_id'));
  };
  await call('GET', '/api/alerts', token);
  assert.deepEqual(await ending(), [], 'too early');
  await clock.advance(4 * DAY_MS);
  await call('GET', '/api/alerts', token);
  assert.deepEqual(await ending(), [id], 'the other one was never used');
  await clock.advance(6 * DAY_MS);
  assert.deepEqual(await ending(), [], 'it has ended');
});
