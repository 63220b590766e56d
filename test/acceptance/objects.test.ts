import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { configSchema } from '@nines/server/config.ts';
import { dashboardSpec } from '@nines/server/dashboards/model.ts';
import type { DeclarationView, ObjectKind, UsedByView } from '@nines/server/objects/contract.ts';
import { loadConfig } from '@nines/server/platform/config/load.ts';
import { parseRuleFile } from '@nines/server/rules/contract.ts';
import { parseExpr } from '@nines/promql/parse.ts';
import { parse, stringify } from 'yaml';
import { type StartedApp, startApp } from '../harness/app.ts';

const PASSWORD = 'a-password-that-nobody-may-read';
const CONFIG = `
channels:
  - { id: hook, kind: webhook, url: 'http://127.0.0.1:9998/alerts' }
  - { id: other, kind: webhook, url: 'http://127.0.0.1:9998/other' }
  - { id: mail, kind: email, host: 127.0.0.1, port: 9, tls: none, from: nines@example.org, to: ops@example.org }
routing:
  tree:
    receiver: hook
    routes:
      - { matchers: ['service="shop"'], receiver: other, escalation: nightly }
      - { matchers: ['team=~".+"'], receiver: hook }
oncall:
  people:
    - { id: ana, name: Ana, contacts: [{ channel: hook }] }
    - { id: cem, name: Cem, contacts: [{ channel: mail, to: cem@home.example }] }
  schedules:
    - { id: weekly, layers: [{ name: first, start: '2026-01-05 09:00', members: [ana] }] }
escalation:
  contacts: [[{ channel: hook }]]
  policies:
    - { id: nightly, levels: [{ after: 5m, targets: [{ schedule: weekly }] }] }
access:
  roles:
    - { id: watcher, name: Watcher, permits: { services: read } }
services:
  - id: shop
    name: Web shop
    team: shop
    depends_on: [db]
    checks:
      - { id: shop-http, kind: http, url: 'http://127.0.0.1:9/', interval: 1h, headers: { x-key: ${PASSWORD} } }
  - { id: db, team: data, checks: [{ id: db-port, kind: tcp, address: '127.0.0.1:9', interval: 1h }] }
slas:
  - { id: shop-availability, service: shop, indicator: { kind: availability }, target: 99.9%, window: { rolling: 24h } }
maintenance:
  - { id: patching, services: [db], cron: '0 3 * * 0', duration: 2h, zone: Europe/Berlin }
status_pages:
  - { id: public, title: Shop status, services: [shop] }
rules:
  thresholds:
    - { id: slow, metric: 'probe_duration_seconds{service="shop"}', threshold: 500ms, for: 5m }
  absences:
    - { id: silent, metric: 'orders_total', after: 10m }
statements:
  - { id: monthly, every: month, slas: [shop-availability], channel: hook }
`;

let started: StartedApp;
before(async () => {
  started = await startApp(CONFIG);
  const post = async (url: string, payload: object) => {
    const answer = await started.http.inject({ method: 'POST', url, payload, headers: bearer(started.token) });
    assert.equal(answer.statusCode, 201, `${url}: ${answer.body}`);
  };
  await post('/api/services', {
    id: 'made-service',
    depends_on: ['shop'],
    checks: [{ id: 'made-check', kind: 'http', url: 'http://203.0.113.7/', interval: '1h', headers: { 'x-key': PASSWORD } }],
  });
  const indicator = { kind: 'threshold', query: 'probe_duration_seconds{check="made-check"}', condition: '<', threshold: '100ms' };
  await post('/api/slas', { id: 'made-sla', service: 'made-service', indicator, target: '99.5%', window: { rolling: '1h' } });
  await post('/api/maintenance', { id: 'made-window', services: ['shop'], from: '2030-01-01T00:00:00Z', to: '2030-01-01T02:00:00Z' });
  await post('/api/status-pages', { id: 'made-page', title: 'Inside', services: ['made-service'], private: { password: PASSWORD } });
  await post('/api/oncall/people', { id: 'ben', name: 'Ben', contacts: [{ channel: 'hook' }] });
  await post('/api/oncall/people', { id: 'dora', name: 'Dora', contacts: [{ channel: 'mail', to: 'dora@home.example' }] });
  await post('/api/oncall/schedules', { id: 'made-schedule', layers: [{ name: 'a', start: '2026-01-05 09:00', members: ['ben'] }] });
  await post('/api/escalation/policies', {
    id: 'made-policy',
    levels: [{ after: '5m', targets: [{ person: 'ben' }, { channel: 'hook' }] }],
  });
  await post('/api/rules', { id: 'made-limit', metric: 'orders_total', threshold: '90%', for: '5m', labels: { env: 'prod' } });
  await post('/api/rules', {
    id: 'made-alert',
    alert: 'Made',
    expr: 'orders_total < 1',
    interval: '30s',
    annotations: { summary: '{{ $value }}' },
  });
  await post('/api/roles', { id: 'made-role', name: 'Made', permits: { alerts: ['read', 'operate'] }, scope: 'env="prod"' });
});
after(() => started[Symbol.asyncDispose]());

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const ask = async (url: string, token = started.token) => started.http.inject({ url, headers: bearer(token) });
const declaration = async (kind: ObjectKind, id: string): Promise<DeclarationView> => {
  const answer = await ask(`/api/declaration?kind=${kind}&id=${encodeURIComponent(id)}`);
  assert.equal(answer.statusCode, 200, `${kind} ${id}: ${answer.body}`);
  return answer.json();
};

const DECLARED: readonly (readonly [ObjectKind, ...string[]])[] = [
  ['services', 'shop', 'made-service'],
  ['checks', 'shop-http', 'made-check'],
  ['slas', 'shop-availability', 'made-sla'],
  ['maintenance', 'patching', 'made-window'],
  ['status-pages', 'public', 'made-page'],
  ['oncall/people', 'ana', 'ben'],
  ['oncall/schedules', 'weekly', 'made-schedule'],
  ['escalation/policies', 'nightly', 'made-policy', 'critical'],
  ['roles', 'watcher', 'made-role'],
  ['channels', 'hook'],
  ['routes', 'root', '0'],
  ['rules', 'slow', 'silent', 'RULE_001', 'made-limit'],
  ['statement-schedules', 'monthly'],
];

test('what a configuration can hold is shown as it holds it: each object loads again, alone, and shows no secret', async () => {
  for (const [kind, ...ids] of DECLARED) {
    for (const id of ids) {
      const { yaml, file } = await declaration(kind, id);
      assert.equal(file, 'nines.yml');
      assert.ok(!yaml.includes(PASSWORD), yaml);
      const loaded = loadConfig({ schema: configSchema, file: 'nines.yml', text: withNamed(yaml) });
      assert.ok(loaded.ok, `${kind} ${id}\n${yaml}\n${JSON.stringify(loaded)}`);
    }
  }
});

test('a shipped escalation policy is shown as what is to be written where nobody is told yet', async () => {
  const bare = await startApp('services: []');
  try {
    for (const id of ['default', 'critical', 'emergency']) {
      const url = `/api/declaration?kind=escalation/policies&id=${id}`;
      const { yaml, origin } = (await bare.http.inject({ url, headers: bearer(bare.token) })).json() as DeclarationView;
      assert.equal(origin, 'shipped');
      assert.ok(loadConfig({ schema: configSchema, file: 'nines.yml', text: yaml }).ok, yaml);
    }
  } finally {
    await bare[Symbol.asyncDispose]();
  }
});

/** With the services that it depends on, which a file cannot leave out. */
function withNamed(yaml: string): string {
  const document = parse(yaml) as { services?: { depends_on?: string[] }[] };
  const named = document.services?.flatMap(({ depends_on: ids = [] }) => ids) ?? [];
  return named.length === 0 ? yaml : stringify({ ...document, services: [...(document.services ?? []), ...named.map((id) => ({ id }))] });
}

test('a dashboard is shown as its file, a rule of a rule file as one', async () => {
  const boards = (await ask('/api/dashboards')).json() as { items: { id: string }[] };
  for (const { id } of boards.items) {
    const { yaml, file, origin } = await declaration('dashboards', id);
    assert.deepEqual([file, origin], ['dashboard', 'shipped']);
    assert.ok(dashboardSpec.safeParse(parse(yaml)).success, id);
  }
  const rules = (await ask('/api/rules')).json() as { items: { id: string; kind: string }[] };
  const asInFile = rules.items.filter(({ kind }) => kind === 'alerting' || kind === 'recording');
  assert.ok(asInFile.some(({ id }) => id === 'made-alert'));
  for (const { id } of asInFile) {
    const { yaml, file } = await declaration('rules', id);
    assert.equal(file, 'rule_file');
    assert.ok(parseRuleFile(yaml, { file: 'rules.yml', defaultIntervalMs: 60_000, parseExpr }).ok, yaml);
  }
});

const users = async (kind: ObjectKind, id: string, token = started.token): Promise<readonly string[]> => {
  const answer = await ask(`/api/used-by?kind=${kind}&id=${encodeURIComponent(id)}`, token);
  assert.equal(answer.statusCode, 200, answer.body);
  return (answer.json() as UsedByView).items.map((one) => `${one.kind} ${one.id}: ${one.how.join(', ')}`);
};

test('what names an object is found whatever its kind, by id and by what queries and matchers select', async () => {
  assert.deepEqual(await users('services', 'shop'), [
    'checks shop-http: belongs_to',
    'maintenance made-window: works_on',
    'routes 0: matches',
    'rules slow: reads',
    'services made-service: depends_on',
    'slas shop-availability: measures',
    'status-pages public: shows',
  ]);
  assert.deepEqual(await users('checks', 'made-check'), ['services made-service: asks_for', 'slas made-sla: reads']);
  assert.deepEqual(await users('oncall/schedules', 'weekly'), ['escalation/policies nightly: escalates_to']);
  assert.deepEqual(await users('oncall/people', 'ben'), [
    'escalation/policies made-policy: escalates_to',
    'oncall/schedules made-schedule: has_as_member',
  ]);
  assert.deepEqual(await users('escalation/policies', 'nightly'), ['routes 0: escalates_to']);
  assert.deepEqual(await users('slas', 'shop-availability'), ['statement-schedules monthly: reports_on']);
  assert.deepEqual(await users('channels', 'other'), ['routes 0: sends_to']);
  assert.deepEqual(await users('roles', 'watcher'), []);
});

async function token(body: object): Promise<string> {
  const answer = await started.http.inject({ method: 'POST', url: '/api/tokens', headers: bearer(started.token), payload: body });
  assert.equal(answer.statusCode, 201, answer.body);
  return (answer.json() as { token: string }).token;
}

test('a saved rule is changed by whoever may, where they may, and only as it was read; the audit log has it before and after', async () => {
  const send = (method: 'POST' | 'PUT' | 'DELETE', url: string, { payload, by = started.token }: { payload?: object; by?: string } = {}) =>
    started.http.inject({ method, url, headers: bearer(by), ...(payload === undefined ? {} : { payload }) });
  const limit = { id: 'made-limit', metric: 'orders_total', threshold: 80, for: '5m', labels: { env: 'prod' } };
  assert.equal((await send('PUT', '/api/rules/made-limit?revision=1', { payload: limit })).statusCode, 200);
  const late = await send('PUT', '/api/rules/made-limit?revision=1', { payload: limit });
  assert.deepEqual([late.statusCode, late.json().code], [409, 'revision_conflict']);
  const ofFile = await send('PUT', '/api/rules/slow', { payload: { ...limit, id: 'slow' } });
  assert.equal(ofFile.statusCode, 409);
  assert.match(ofFile.json().detail, /the rule "slow" is written at .+ and is changed there/);
  const bad = await send('POST', '/api/rules', { payload: { id: 'x', alert: 'X', expr: 'up ==' } });
  assert.deepEqual([bad.statusCode, bad.json().field], [400, 'expr']);
  const log = (await ask('/api/audit?object_kind=rules&object_id=made-limit&limit=20')).json() as {
    items: { action: string; before: unknown; after: unknown }[];
  };
  const changes = log.items.filter(({ action }) => action === 'PUT /api/rules/:id');
  assert.match(JSON.stringify(changes.map(({ before }) => before)), /"threshold":"90%"/);
  assert.match(JSON.stringify(changes.map(({ after: now }) => now)), /"threshold":80/);

  const reader = await token({ name: 'rule reader', role: 'read-only' });
  assert.equal((await send('POST', '/api/rules', { payload: { ...limit, id: 'mine' }, by: reader })).statusCode, 403);
  assert.equal((await send('DELETE', '/api/rules/made-limit', { by: reader })).statusCode, 403);
  const data = await token({ name: 'data rules', role: 'operator', teams: ['data'] });
  const theirs = { id: 'data-limit', metric: 'orders_total{team="data"}', threshold: 1, labels: { team: 'data' } };
  const refused = async (payload: object, words: RegExp) => {
    const answer = await send('POST', '/api/rules', { payload, by: data });
    assert.deepEqual([answer.statusCode, answer.json().code], [403, 'outside_scope'], answer.body);
    assert.match(answer.json().detail, words);
  };
  await refused({ ...theirs, labels: {} }, /carries labels that lie inside your scope/);
  await refused({ ...theirs, labels: { team: 'shop' } }, /carries labels/);
  await refused({ ...theirs, metric: 'orders_total' }, /each selector of a rule that you save names your scope/);
  const annotations = { summary: '{{ range query "orders_total" }}{{ .Value }}{{ end }}' };
  await refused({ ...theirs, annotations }, /query nothing/);
  await refused({ ...theirs, annotations: { summary: '{{ "orders_total{a=\\"}\\"}" | query }}' } }, /query nothing/);
  for (const id of ['RULE_001', 'RULE_003', 'RULE_004'])
    await refused({ ...theirs, id }, /comes with Nines and watches more than your scope/);
  assert.equal((await send('POST', '/api/rules', { payload: theirs, by: data })).statusCode, 201);
  assert.equal((await send('PUT', '/api/rules/made-limit', { payload: { ...theirs, id: 'made-limit' }, by: data })).statusCode, 404);
  assert.equal((await send('DELETE', '/api/rules/made-alert', { by: data })).statusCode, 404);
  assert.equal((await send('DELETE', '/api/rules/data-limit', { by: data })).statusCode, 204);
  const groups = (await ask('/api/v1/rules')).json() as { data: { groups: { file: string; name: string }[] } };
  assert.deepEqual(
    groups.data.groups.map(({ file, name }) => `${file}: ${name}`),
    ['saved rules: made-alert'],
  );
});

test('nobody learns here of what they may not read where it lives', async () => {
  const business = await token({ name: 'business', role: 'business' });
  assert.deepEqual(await users('services', 'shop', business), [
    'maintenance made-window: works_on',
    'services made-service: depends_on',
    'slas shop-availability: measures',
    'status-pages public: shows',
  ]);
  assert.equal((await ask('/api/declaration?kind=channels&id=hook', business)).statusCode, 403);
  const reader = await token({ name: 'reader', role: 'read-only' });
  for (const path of ['declaration?kind=oncall/people&id=cem', 'declaration?kind=oncall/people&id=dora', 'config', 'v1/status/config']) {
    const answer = await ask(`/api/${path}`, reader);
    assert.equal(answer.statusCode, 200, answer.body);
    assert.doesNotMatch(answer.body, /home\.example/, `${path}: only who may change them reads how people are reached`);
  }
  const scoped = await token({ name: 'data', role: 'operator', teams: ['data'] });
  assert.deepEqual(await users('services', 'db', scoped), ['checks db-port: belongs_to', 'maintenance patching: works_on']);
  assert.equal((await ask('/api/used-by?kind=services&id=shop', scoped)).statusCode, 404);
  assert.equal((await ask('/api/declaration?kind=services&id=shop', scoped)).statusCode, 404);
  assert.equal((await ask('/api/declaration?kind=services&id=db', scoped)).statusCode, 200);
  assert.equal((await ask('/api/declaration?kind=roles&id=watcher', scoped)).statusCode, 403);
  assert.equal((await ask('/api/declaration?kind=silences&id=1')).statusCode, 404);
});

test('a check is asked once more by hand, and says why it is not where it cannot be', async () => {
  const run = (id: string) => started.http.inject({ method: 'POST', url: `/api/checks/${id}/run`, headers: bearer(started.token) });
  const asked = await run('db-port');
  assert.equal(asked.statusCode, 200, asked.body);
  assert.equal((asked.json() as { outcome: string }).outcome, 'down');
  assert.equal((await run('nothing')).statusCode, 404);
  const paused = await started.http.inject({ method: 'POST', url: '/api/checks/made-check/pause', headers: bearer(started.token) });
  assert.equal(paused.statusCode, 200, paused.body);
  assert.deepEqual([(await run('made-check')).statusCode, (await run('made-check')).json().code], [409, 'check_not_askable']);
});
