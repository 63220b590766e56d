import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { FULL_SCOPE } from '@nines/model/storage.ts';
import { openSqliteForTest } from '../../../test/harness/databases.ts';
import { countingIds } from '../../../test/harness/ids.ts';
import { recordingLogger } from '../../../test/harness/logs.ts';
import type { Actor } from '../platform/http/contract.ts';
import { createHttp } from '../platform/http/server.ts';
import { SigningKeys } from '../platform/signing/signing-keys.ts';
import { slaRoutes } from './routes.ts';
import { statementRoutes } from './statements/routes.ts';
import { type SlaWorld, START_MS, openWorld } from './testing/world.ts';

const ACTOR: Actor = { kind: 'token', id: 't', name: 't', role: 'administrator', teamId: 'default', scope: FULL_SCOPE };
const SLA = { id: 'shop-sla', service: 'shop', indicator: { kind: 'availability' }, target: '99%', window: { rolling: '2m' } };
const seconds = (after: number): string => String(START_MS / 1000 + after);

async function open(t: TestContext) {
  const world: SlaWorld = await openWorld(t, openSqliteForTest, SLA);
  await world.play('UUUUUUxxUUUUUUUUUUUUUU');
  const http = await createHttp({
    logger: recordingLogger(),
    ids: countingIds(),
    hosts: 'any',
    version: '0.0.0',
    gate: { authenticate: async () => ACTOR, allows: () => true },
  });
  t.after(() => http.close());
  const { slas, contracts, clock } = world;
  const dir = mkdtempSync(join(tmpdir(), 'nines-statement-keys-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  slaRoutes(http, { slas, contracts, clock });
  statementRoutes(http, {
    ...world.parts(),
    keys: await SigningKeys.open(dir, undefined, clock.now()),
    serviceName: () => 'Web shop',
  });
  const get = async (url: string) => http.inject({ method: 'GET', url });
  const send = async (method: 'POST' | 'PUT' | 'DELETE', url: string, body?: object) =>
    http.inject({ method, url, ...(body === undefined ? {} : { payload: body }) });
  return { world, get, send };
}

test('the list and one SLA have the documented shape', async (t) => {
  const { get } = await open(t);
  const list = (await get('/api/slas')).json();
  const one = (await get('/api/slas/shop-sla')).json();
  // The list leaves out what is reckoned over many windows.
  const { prediction, terms, ...listed } = one;
  assert.equal(terms.target, '0.99');
  assert.deepEqual(list.items, [listed]);
  assert.deepEqual([prediction.breach_by_end, prediction.breach_within_60m], [1, 1]);
  assert.deepEqual([one.id, one.service, one.status, one.target, one.violations_open], ['shop-sla', 'shop', 'breached', 0.99, 1]);
  assert.deepEqual(one.budget, { unit: 'ms', total_ms: 1200, spent_ms: 2000, remaining_ms: -800 });
  assert.deepEqual(one.objective, { op: '>=', value: 0.99, unit: 'ratio', statistic: null });
  assert.equal(one.attained, one.value);
  assert.equal(one.window.to_at_ms - one.window.from_at_ms, 120_000);
  const missing = await get('/api/slas/nothing');
  assert.deepEqual(
    [missing.statusCode, missing.json().code, missing.headers['content-type']],
    [404, 'sla_not_found', 'application/problem+json'],
  );
});

test('a report takes RFC 3339 and Unix seconds, is half-open, and comes as JSON, HTML and CSV', async (t) => {
  const { get } = await open(t);
  const period = `from=${seconds(0)}&to=${new Date(START_MS + 20_000).toISOString()}`;
  const json = await get(`/api/slas/shop-sla/report?${period}`);
  assert.equal(json.statusCode, 200);
  assert.match(String(json.headers['content-type']), /^application\/json/);
  assert.deepEqual(json.json().period, { from_at_ms: START_MS, to_at_ms: START_MS + 20_000 });
  assert.equal(json.json().buckets.down_ms, 2_000);
  assert.deepEqual(Object.keys(json.json()), Object.keys(json.json()).toSorted());
  const html = await get(`/api/slas/shop-sla/report?${period}&format=html`);
  assert.match(String(html.headers['content-type']), /^text\/html/);
  assert.match(String(html.headers['content-security-policy']), /style-src 'sha256-/);
  assert.match(html.body, /Web shop/);
  const csv = await get(`/api/slas/shop-sla/report?${period}&format=csv`);
  assert.match(String(csv.headers['content-type']), /^text\/csv/);
});

test('a report without a period is about the window that ends now', async (t) => {
  const { get, world } = await open(t);
  const { period } = (await get('/api/slas/shop-sla/report')).json();
  assert.deepEqual(period, { from_at_ms: world.clock.now() - 120_000, to_at_ms: world.clock.now() });
});

test('periods that cannot be meant are refused with a reason', async (t) => {
  const { get } = await open(t);
  const refused = async (query: string) => {
    const answer = await get(`/api/slas/shop-sla/report?${query}`);
    return `${answer.statusCode} ${answer.json().detail}`;
  };
  assert.match(await refused(`from=${START_MS}`), /^400 query: from: .*looks like milliseconds/);
  assert.match(await refused(`from=${seconds(5)}&to=${seconds(5)}`), /^400 .*empty/);
  assert.match(await refused(`from=${seconds(900)}&to=${seconds(1_000)}`), /^400 .*future/);
  assert.match(await refused('period=november'), /^400 .*not a period/);
  assert.match(await refused('period=2026-11&zone=Mars/Olympus'), /^400 .*no time zone/);
  assert.match(await refused(`period=2026-11&from=${seconds(0)}`), /^400 .*either/);
  assert.match(await refused('customer=acme'), /^400 .*no customer "acme"/);
  assert.match(await refused('format=doc'), /^400 /);
});

test('violations are listed with what they raised', async (t) => {
  const { get } = await open(t);
  const { items } = (await get('/api/slas/shop-sla/violations')).json();
  assert.equal(items.length, 1);
  assert.deepEqual(
    [items[0].kind, items[0].closed_at_ms, items[0].alert.rule, items[0].alert.labels.sla],
    ['budget', null, 'RULE_003', 'shop-sla'],
  );
});

test('SLAs are made, changed and ended through the API; those of the file are not', async (t) => {
  const { get, send } = await open(t);
  const made = await send('POST', '/api/slas', { ...SLA, id: 'mine' });
  assert.deepEqual([made.statusCode, made.json().origin], [201, 'ui']);
  assert.equal((await send('POST', '/api/slas', { ...SLA, id: 'mine' })).statusCode, 409);
  assert.equal((await send('PUT', '/api/slas/mine', { ...SLA, id: 'mine', target: '95%' })).json().target, 0.95);
  assert.equal((await send('DELETE', '/api/slas/mine')).statusCode, 204);
  assert.equal((await get('/api/slas/mine')).statusCode, 404);
  const owned = await send('DELETE', '/api/slas/shop-sla');
  assert.deepEqual([owned.statusCode, owned.json().details], [409, { place: 'nines.yml:10' }]);
  const bad = await send('POST', '/api/slas', { ...SLA, id: 'bad', target: '101%' });
  assert.deepEqual([bad.statusCode, bad.json().field], [400, 'target']);
});
