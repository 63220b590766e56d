import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { forEachDatabase, openSqliteForTest, type OpenDatabase } from '../../../test/harness/databases.ts';
import { silentLogger } from '../../../test/harness/logs.ts';
import { manualClock } from '../../../test/harness/manual-clock.ts';
import { COMMAND_LINE } from '../access/contract.ts';
import type { AuditEntryView } from '../audit/contract.ts';
import { eventOf } from '../audit/findings.ts';
import { accessRoutes } from '../access/routes.ts';
import { createHttp } from '../platform/http/server.ts';
import { createIds } from '../platform/ids.ts';
import { openEntryForTest } from '../testing/entry.ts';
import { tokenRoutes } from '../tokens/routes.ts';
import { type RoleBody, roleBody, rolesConfig } from './contract.ts';
import { roleRoutes } from './routes.ts';

type Call = (as: string, method: 'GET' | 'POST' | 'PUT' | 'DELETE', url: string, body?: object) => Promise<{ status: number; json: never }>;

/** The real gate with its roles and tokens; `/api/alerts` can be read and written. */
async function world(t: TestContext, open: OpenDatabase = openSqliteForTest) {
  const { db } = await open(t);
  const clock = manualClock();
  const ids = createIds(clock);
  const noted: unknown[] = [];
  const record = async (_trx: unknown, entry: unknown) => noted.push(entry);
  const serve = async () => {
    const entry = openEntryForTest({ db, clock, ids, record });
    const http = await createHttp({ logger: silentLogger, ids, gate: entry.access, hosts: 'any', version: '0' });
    accessRoutes(http, entry);
    roleRoutes(http, entry.roles);
    tokenRoutes(http, entry.tokens);
    http.get('/api/alerts', { config: { permission: 'read' } }, async () => ({}));
    http.post('/api/alerts', { config: { permission: 'operate' } }, async () => ({}));
    http.get('/api/services', { config: { permission: 'read', scoped: 'handler' } }, async ({ actor }) => actor.scope.matchers.length);
    t.after(() => http.close());
    const call: Call = async (as, method, url, body) => {
      const headers = { authorization: `Bearer ${as}` };
      const answer = await http.inject({ method, url, headers, ...(body === undefined ? {} : { payload: body }) });
      return { status: answer.statusCode, json: (answer.body === '' ? {} : answer.json()) as never };
    };
    return { ...entry, call };
  };
  const first = await serve();
  const token = async (role: string): Promise<string> => (await first.tokens.create(COMMAND_LINE, { name: role, role })).token;
  return { ...first, clock, noted, serve, token, admin: await token('administrator') };
}

const role = (id: string, permits: RoleBody['permits']): RoleBody => roleBody.parse({ id, name: id, permits });
const codeOf = ({ status, json }: { status: number; json: { code?: string } }): readonly unknown[] => [status, json.code];

forEachDatabase((_name, open) => {
  test('a role of one area opens that area and nothing else, and what is changed about it holds at once', async (t) => {
    const { call, admin, token, noted } = await world(t, open);
    const made = await call(admin, 'POST', '/api/roles', { id: 'night', name: 'Night watch', permits: { alerts: 'operate' } });
    assert.deepEqual([made.status, made.json], [201, { ...(made.json as object), permits: { alerts: ['read', 'operate'] }, origin: 'ui' }]);
    const night = await token('night');
    const statuses = async () => {
      const calls = [call(night, 'GET', '/api/alerts'), call(night, 'POST', '/api/alerts', {}), call(night, 'GET', '/api/services')];
      return (await Promise.all([...calls, call(night, 'GET', '/api/roles')])).map(({ status }) => status);
    };
    assert.deepEqual(await statuses(), [200, 200, 403, 403]);
    assert.deepEqual(((await call(night, 'GET', '/api/session')).json as { permits: object }).permits, { alerts: ['read', 'operate'] });
    const next = { id: 'night', name: 'Night watch', permits: { alerts: 'read', services: 'read' } };
    assert.deepEqual(codeOf(await call(admin, 'PUT', '/api/roles/night?revision=7', next)), [409, 'revision_conflict']);
    assert.equal((await call(admin, 'PUT', '/api/roles/night?revision=1', next)).status, 200);
    assert.deepEqual(await statuses(), [200, 403, 200, 403]);
    const actions = (noted as { action: string }[]).map(({ action }) => action).filter((action) => action.startsWith('role.'));
    assert.deepEqual(actions, ['role.created', 'role.changed']);
  });

  test('a role that somebody holds is not removed, and it is said who does', async (t) => {
    const { call, admin, roles, tokens } = await world(t, open);
    await roles.create(role('night', { alerts: 'read' }), COMMAND_LINE);
    const { id } = await tokens.create(COMMAND_LINE, { name: 'pager', role: 'night' });
    const refused = await call(admin, 'DELETE', '/api/roles/night');
    assert.deepEqual(codeOf(refused), [409, 'role_in_use']);
    assert.match((refused.json as { detail: string }).detail, /held by the token pager/);
    await tokens.revoke(COMMAND_LINE, id);
    assert.equal((await call(admin, 'DELETE', '/api/roles/night')).status, 204);
    assert.deepEqual(codeOf(await call(admin, 'DELETE', '/api/roles/night')), [404, 'role_not_found']);
  });
});

// Attack: whoever may administer access makes themselves, or a friend, greater than they are.
test('nobody gives more than they have, by a role or by a token, nor takes from whoever has more', async (t) => {
  const { call, roles, token, admin } = await world(t);
  await roles.create(role('doorkeeper', { access: 'administer', alerts: 'read' }), COMMAND_LINE);
  await roles.create(role('great', { services: 'administer' }), COMMAND_LINE);
  const keeper = await token('doorkeeper');
  const post = (url: string, body: object) => call(keeper, 'POST', url, body);
  const greater = await post('/api/roles', { id: 'mine', name: 'Mine', permits: { alerts: 'operate', system: 'administer' } });
  assert.deepEqual(codeOf(greater), [403, 'beyond_own_permits']);
  assert.deepEqual((greater.json as { details: object }).details, {
    beyond: ['alerts:operate', 'system:read', 'system:operate', 'system:administer'],
  });
  const own = { id: 'doorkeeper', name: 'Me', permits: { access: 'administer', alerts: 'operate' } };
  assert.deepEqual(codeOf(await call(keeper, 'PUT', '/api/roles/doorkeeper', own)), [403, 'beyond_own_permits']);
  const less = { id: 'great', name: 'Great', permits: { alerts: 'read' } };
  assert.deepEqual(codeOf(await call(keeper, 'PUT', '/api/roles/great', less)), [403, 'beyond_own_permits']);
  assert.deepEqual(codeOf(await call(keeper, 'DELETE', '/api/roles/great')), [403, 'beyond_own_permits']);
  for (const id of ['administrator', 'read-only', 'great'])
    assert.deepEqual(codeOf(await post('/api/tokens', { name: 'x', role: id })), [403, 'beyond_own_permits'], id);
  assert.deepEqual(codeOf(await post('/api/tokens', { name: 'x', role: 'unheard-of' })), [400, 'role_not_found']);
  assert.equal((await post('/api/roles', { id: 'mine', name: 'Mine', permits: { alerts: 'read' } })).status, 201);
  assert.equal((await post('/api/tokens', { name: 'x', role: 'mine' })).status, 201);
  assert.equal((await call(admin, 'POST', '/api/tokens', { name: 'x', role: 'great' })).status, 201);
});

test('a declared role is changed in the file alone; one that the file no longer declares leaves its holders with nothing', async (t) => {
  const { call, admin, roles, token } = await world(t);
  await roles.declare([{ spec: role('night', { alerts: 'operate' }), place: 'nines.yml:3' }]);
  const night = await token('night');
  assert.equal((await call(night, 'GET', '/api/alerts')).status, 200);
  const next = { id: 'night', name: 'Night', permits: { services: 'read' } };
  assert.deepEqual(codeOf(await call(admin, 'PUT', '/api/roles/night', next)), [409, 'role_owned_elsewhere']);
  assert.deepEqual(codeOf(await call(admin, 'DELETE', '/api/roles/night')), [409, 'role_owned_elsewhere']);
  assert.deepEqual(codeOf(await call(admin, 'POST', '/api/roles', next)), [409, 'role_exists']);
  await roles.declare([]);
  for (const url of ['/api/alerts', '/api/services', '/api/roles']) assert.equal((await call(night, 'GET', url)).status, 403, url);
  assert.deepEqual(((await call(night, 'GET', '/api/session')).json as { permits: object }).permits, {});
});

// Attack: a role by the name of a shipped one, or a word that an expression of the table would find on an object's prototype.
test('what is no role is refused: names of shipped ones, unknown areas and verbs, pages that are none', async (t) => {
  const { call, admin } = await world(t);
  const base = { id: 'mine', name: 'Mine', permits: { alerts: 'read' } };
  const bad = [
    { ...base, id: 'administrator' },
    { ...base, id: 'read only' },
    { ...base, permits: { everything: 'read' } },
    { ...base, permits: { __proto__x: 'read' } },
    { ...base, permits: { alerts: 'public' } },
    { ...base, permits: { alerts: [] } },
    { ...base, landing: 'https://elsewhere.test/' },
    { ...base, landing: '/dashboards/a/b' },
    { ...base, landing: '/dashboards/:id' },
    { ...base, scope: 'team=~"("' },
    { ...base, more: true },
  ];
  for (const body of bad) assert.equal((await call(admin, 'POST', '/api/roles', body)).status, 400, JSON.stringify(body));
  for (const id of ['administrator', 'constructor', '__proto__', 'toString']) {
    assert.equal((await call(admin, 'DELETE', `/api/roles/${id}`)).status, id === 'administrator' ? 409 : 404, id);
  }
  assert.equal(rolesConfig.safeParse([base, base]).success, false, 'an id is used once');
  assert.equal(rolesConfig.safeParse([{ ...base, id: 'ingest' }]).success, false);
});

test('a role narrows what its holders see, and what another process changed holds after some seconds', async (t) => {
  const { call, admin, serve, token, clock } = await world(t);
  const shop = { id: 'shop', name: 'Shop', permits: { services: 'read' }, teams: ['shop'], scope: 'env="prod"' };
  assert.equal((await call(admin, 'POST', '/api/roles', shop)).status, 201);
  const holder = await token('shop');
  assert.deepEqual((await call(holder, 'GET', '/api/services')).json, 2);
  const other = await serve();
  assert.equal((await other.call(holder, 'GET', '/api/services')).status, 200);
  assert.equal((await call(admin, 'PUT', '/api/roles/shop', { ...shop, permits: { slas: 'read' } })).status, 200);
  await clock.advance(5_001);
  assert.equal((await other.call(holder, 'GET', '/api/services')).status, 403);
});

test('what the file gives a role is recorded as if somebody had given it, also over a restart, and once', async (t) => {
  const { roles, noted, serve } = await world(t);
  const declared = (permits: RoleBody['permits']) => [{ spec: role('night', permits), place: 'nines.yml:3' }];
  const entries = async (book: typeof roles, now: Parameters<typeof roles.declare>[0]) => {
    const from = noted.length;
    await book.recordDeclared(now);
    await book.declare(now);
    return (noted.slice(from) as AuditEntryView[]).map((entry) => [
      entry.action,
      eventOf({ ...entry, seq: 1, at_ms: 1, address: null, object: { kind: 'roles', id: 'night' } }, () => false)?.kind,
    ]);
  };
  const small = declared({ alerts: 'operate' });
  const large = declared({ alerts: 'administer' });
  assert.deepEqual(await entries(roles, small), [['role.created', undefined]]);
  assert.deepEqual(await entries(roles, small), []);
  assert.deepEqual(await entries(roles, large), [['role.changed', 'administrator_made']]);
  const { roles: again } = await serve();
  assert.deepEqual(await entries(again, large), [], 'known from before the restart');
  assert.deepEqual(await entries(again, []), [['role.removed', undefined]]);
  assert.deepEqual(await entries(again, large), [['role.changed', 'administrator_made']], 'whoever held it holds it again');
});
