import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { openSqliteForTest } from '../../test/harness/databases.ts';
import { manualClock } from '../../test/harness/manual-clock.ts';
import type { Role } from './platform/http/contract.ts';
import { createHttp } from './platform/http/server.ts';
import { createIds } from './platform/ids.ts';
import { silentLogger } from '../../test/harness/logs.ts';
import { AREAS, type Area, COMMAND_LINE, SHIPPED_ROLES, VERBS } from './access/contract.ts';
import { openEntryForTest } from './testing/entry.ts';

/**
 * Written out, so that a change of the table in contract.ts has to be made twice. r read, o operate, a administer, i ingest.
 * A role begins at its page; what is not written is not allowed.
 */
const MAY = `
               administrator operator read-only executive technical operations        business ingest
own            r             r        r         r         r         r                 r        -
services       roa           ro       r         r         ro        r                 r        -
checks         roai          roi      r         -         roi       ro                -        i
maintenance    roa           ro       r         r         ro        ro                r        -
slas           roa           ro       r         r         r         r                 r        -
reports        roa           ro       r         r         r         r                 ro       -
alerts         roai          roi      r         r         ro        ro                -        i
incidents      roa           ro       r         r         ro        ro                r        -
oncall         roa           ro       r         -         r         ro                -        -
notifications  roa           ro       r         -         r         ro                -        -
status_pages   roa           ro       r         r         r         ro                ro       -
metrics        roai          roi      r         r         roi       r                 r        i
analytics      roa           ro       r         r         ro        r                 r        -
dashboards     roa           ro       r         r         ro        ro                ro       -
agents         roa           ro       r         -         r         r                 -        -
audit          roa           -        -         -         -         -                 -        -
access         roa           -        -         -         -         -                 -        -
system         roa           ro       r         -         r         r                 -        -
landing        /             /        /         /dashboards/executive /dashboards/technical /dashboards/operations /dashboards/business /settings`;

const ROWS = MAY.trim()
  .split('\n')
  .map((line) => line.trim().split(/ +/));
const COLUMNS = ROWS[0] ?? [];
/** By `role area`; `landing` stands among the areas. */
const CELLS = new Map(ROWS.slice(1).flatMap(([area, ...cells]) => cells.map((cell, at) => [`${COLUMNS[at]} ${area}`, cell])));
/** An address of each area. */
const ADDRESS: Readonly<Record<Area, string>> = {
  own: '/api/password',
  services: '/api/services',
  checks: '/api/checks',
  maintenance: '/api/maintenance',
  slas: '/api/slas',
  reports: '/api/reports',
  alerts: '/api/alerts',
  incidents: '/api/incidents',
  oncall: '/api/oncall/people',
  notifications: '/api/channels',
  status_pages: '/api/status-pages',
  metrics: '/api/metrics',
  analytics: '/api/analytics',
  dashboards: '/api/dashboards',
  agents: '/api/agents',
  audit: '/api/audit',
  access: '/api/tokens',
  system: '/api/backups',
};

/** A server whose gate is the real one, with tokens of any role. */
async function openServer(t: TestContext, { open } = { open: false }) {
  const { db } = await openSqliteForTest(t);
  const clock = manualClock();
  const ids = createIds(clock);
  const { access, tokens } = openEntryForTest({ db, clock, ids, open });
  const http = await createHttp({ logger: silentLogger, ids, gate: access, hosts: open ? 'loopback' : 'any', version: '0' });
  t.after(() => http.close());
  const newToken = async (role: Role): Promise<string> => (await tokens.create(COMMAND_LINE, { name: role, role })).token;
  return { http, newToken };
}

test('every role has exactly the permits that are written for it, by token', async (t) => {
  const { http, newToken } = await openServer(t);
  for (const area of AREAS) {
    for (const verb of VERBS) {
      http.get(`${ADDRESS[area]}/${verb}`, { config: { permission: verb } }, async () => ({}));
      http.post(`${ADDRESS[area]}/${verb}`, { config: { permission: verb } }, async () => ({}));
    }
  }
  assert.deepEqual(
    SHIPPED_ROLES.map(({ id }) => id),
    COLUMNS,
  );
  for (const { id: role, landing } of SHIPPED_ROLES) {
    assert.equal(CELLS.get(`${role} landing`), landing);
    const token = await newToken(role);
    for (const area of AREAS) {
      for (const verb of VERBS) {
        for (const method of ['GET', 'POST', 'HEAD'] as const) {
          const answer = await http.inject({ method, url: `${ADDRESS[area]}/${verb}`, headers: { authorization: `Bearer ${token}` } });
          const may = CELLS.get(`${role} ${area}`)?.includes(verb.charAt(0)) === true;
          assert.equal(answer.statusCode, may ? 200 : 403, `${role} ${method} ${area}:${verb}`);
        }
      }
    }
  }
  assert.equal((await http.inject(`${ADDRESS.own}/read`)).statusCode, 401);
});

test('a route of no area, and one without a permission, keep the server from starting', async (t) => {
  const { http } = await openServer(t);
  assert.throws(() => http.get('/api/forgotten', { config: { permission: 'read' } }, async () => ({})), /belongs to no area/);
  assert.throws(() => http.get('/api/services', async () => ({})), /no config.permission/);
  http.get('/welcome', { config: { permission: 'public' } }, async () => ({}));
});

test('credentials that browsers send by themselves cannot be used by a page of another site', async (t) => {
  const { http, newToken } = await openServer(t);
  http.post('/api/services', { config: { permission: 'operate' } }, async () => ({}));
  const token = await newToken('operator');
  const post = async (authorization: string): Promise<number> =>
    (await http.inject({ method: 'POST', url: '/api/services', headers: { authorization, 'sec-fetch-site': 'cross-site' } })).statusCode;
  assert.equal(await post(`Basic ${Buffer.from(`any:${token}`).toString('base64')}`), 403);
  assert.equal(await post(`Bearer ${token}`), 200);
  // The word of InfluxDB's clients: known as a credential, but not one that proves where the request comes from.
  assert.equal(await post(`Token ${token}`), 403);
  const influx = { method: 'POST', url: '/api/services', headers: { authorization: `Token ${token}` } } as const;
  assert.equal((await http.inject(influx)).statusCode, 200);
});

test('with authentication off everyone is an administrator, but no page of another site is', async (t) => {
  const { http } = await openServer(t, { open: true });
  http.post('/api/services', { config: { permission: 'administer' } }, async (request) => ({ who: request.actor.role }));
  const post = (headers: Record<string, string>) =>
    http.inject({ method: 'POST', url: '/api/services', headers: { host: '127.0.0.1:7070', ...headers } });
  assert.deepEqual((await post({})).json(), { who: 'administrator' });
  assert.equal((await post({ 'sec-fetch-site': 'cross-site' })).statusCode, 403);
  assert.equal((await post({ host: 'rebound.test' })).statusCode, 403);
});
