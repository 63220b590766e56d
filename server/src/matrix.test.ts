import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { openSqliteForTest } from '../../test/harness/databases.ts';
import { manualClock } from '../../test/harness/manual-clock.ts';
import { PERMISSIONS, ROLES, type Permission, type Role } from './platform/http/contract.ts';
import { createHttp } from './platform/http/server.ts';
import { createIds } from './platform/ids.ts';
import { silentLogger } from '../../test/harness/logs.ts';
import { COMMAND_LINE } from './access/contract.ts';
import { openEntry } from './entry.ts';

/** Written out, so that a change of the table in contract.ts has to be made twice. */
const MAY: Readonly<Record<Role, readonly Permission[]>> = {
  administrator: ['public', 'read', 'operate', 'ingest', 'administer'],
  operator: ['public', 'read', 'operate', 'ingest'],
  'read-only': ['public', 'read'],
  executive: ['public', 'read'],
  ingest: ['public', 'ingest'],
};

/** A server whose gate is the real one, with tokens of any role. */
async function openServer(t: TestContext, { open } = { open: false }) {
  const { db } = await openSqliteForTest(t);
  const clock = manualClock();
  const ids = createIds(clock);
  const { access, tokens } = openEntry({ db, clock, ids, record: async () => 0, open, secure: false });
  const http = await createHttp({ logger: silentLogger, ids, gate: access, hosts: open ? 'loopback' : 'any', version: '0' });
  t.after(() => http.close());
  const newToken = async (role: Role): Promise<string> => (await tokens.create(COMMAND_LINE, { name: role, role })).token;
  return { http, newToken };
}

test('every role gets exactly the routes of its permissions, by token', async (t) => {
  const { http, newToken } = await openServer(t);
  for (const permission of PERMISSIONS) {
    http.get(`/api/${permission}`, { config: { permission } }, async () => ({}));
    http.post(`/api/${permission}`, { config: { permission } }, async () => ({}));
  }
  for (const role of ROLES) {
    const token = await newToken(role);
    for (const permission of PERMISSIONS) {
      for (const method of ['GET', 'POST', 'HEAD'] as const) {
        const answer = await http.inject({ method, url: `/api/${permission}`, headers: { authorization: `Bearer ${token}` } });
        assert.equal(answer.statusCode, MAY[role].includes(permission) ? 200 : 403, `${role} ${method} ${permission}`);
      }
    }
  }
  for (const permission of PERMISSIONS) {
    assert.equal((await http.inject(`/api/${permission}`)).statusCode, permission === 'public' ? 200 : 401, permission);
  }
});

test('credentials that browsers send by themselves cannot be used by a page of another site', async (t) => {
  const { http, newToken } = await openServer(t);
  http.post('/api/things', { config: { permission: 'operate' } }, async () => ({}));
  const token = await newToken('operator');
  const post = async (authorization: string): Promise<number> =>
    (await http.inject({ method: 'POST', url: '/api/things', headers: { authorization, 'sec-fetch-site': 'cross-site' } })).statusCode;
  assert.equal(await post(`Basic ${Buffer.from(`any:${token}`).toString('base64')}`), 403);
  assert.equal(await post(`Bearer ${token}`), 200);
  // The word of InfluxDB's clients: known as a credential, but not one that proves where the request comes from.
  assert.equal(await post(`Token ${token}`), 403);
  const influx = { method: 'POST', url: '/api/things', headers: { authorization: `Token ${token}` } } as const;
  assert.equal((await http.inject(influx)).statusCode, 200);
});

test('with authentication off everyone is an administrator, but no page of another site is', async (t) => {
  const { http } = await openServer(t, { open: true });
  http.post('/api/things', { config: { permission: 'administer' } }, async (request) => ({ who: request.actor.role }));
  const post = (headers: Record<string, string>) =>
    http.inject({ method: 'POST', url: '/api/things', headers: { host: '127.0.0.1:7070', ...headers } });
  assert.deepEqual((await post({})).json(), { who: 'administrator' });
  assert.equal((await post({ 'sec-fetch-site': 'cross-site' })).statusCode, 403);
  assert.equal((await post({ host: 'rebound.test' })).statusCode, 403);
});
