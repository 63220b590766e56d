import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { silentLogger } from '../../test/harness/logs.ts';
import { openSqliteForTest } from '../../test/harness/databases.ts';
import { poll } from '../../test/harness/poll.ts';
import { areaOfRoute } from './access/areas.ts';
import { COMMAND_LINE, SHIPPED_ROLES } from './access/contract.ts';
import { createApp } from './app.ts';
import { readConfig } from './config.ts';
import { realClock } from './platform/clock.ts';
import { createIds } from './platform/ids.ts';
import type { App } from './serve.ts';
import { openEntryForTest } from './testing/entry.ts';

/**
 * Every route of the real server, called with every kind of credential, against docs/permissions.md. That file is what is expected:
 * whatever changes who may do what shows there as a difference that somebody reads.
 */
const BOOK = join(import.meta.dirname, '../../docs/permissions.md');
const REGENERATE = 'if that is meant: NINES_WRITE_PERMISSIONS=1 node --test server/src/permissions.test.ts';
const NOWHERE = 'nothing-has-this-id';
const STREAM = '/api/stream';
/** These start the program again, which a test is not. */
const STARTS_PROGRAM: ReadonlySet<string> = new Set(['POST /api/doctor', 'POST /api/support-bundle', 'POST /api/backups']);

const CONFIG = `
server:
  listen: 127.0.0.1:0
  rate_limits:
    ingest: { per_token: none, per_address: none }
    query: { per_token: none, per_address: none }
    api: { per_token: none, per_address: none }
    login: { per_token: none, per_address: none }
    public: { per_token: none, per_address: none }
access:
  roles:
    - { id: alerts-alone, name: Alerts alone, permits: { alerts: operate } }
services:
  - { id: shop, name: Shop, checks: [{ id: shop-port, kind: tcp, address: '127.0.0.1:1', interval: 1h }] }
slas:
  - { id: shop-sla, service: shop, indicator: { kind: availability }, target: 99%, window: { rolling: 30d } }
status_pages:
  - { id: public, title: Shop, services: [shop] }
oncall:
  people: [{ id: anne, name: Anne, zone: UTC }]
  schedules:
    - { id: platform, name: Platform, zone: UTC, layers: [{ name: one, rotation: weekly, start: '2026-01-05 09:00', members: [anne] }] }
maintenance:
  - { id: window, name: Window, services: [shop], from: 2026-01-05T09:00:00Z, to: 2026-01-05T10:00:00Z }
`;

type Route = { readonly method: string; readonly path: string; readonly needs: string; readonly scoped: string };
type Line = Route & { readonly roles: ReadonlySet<string> };

let app: App;
let folder: string;
/** By what it is called. */
const tokens = new Map<string, string>();

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'nines-permissions-'));
  const file = join(folder, 'nines.yml');
  writeFileSync(file, CONFIG);
  const read = () => readConfig({ file, dataDir: join(folder, 'data') });
  const loaded = read();
  assert.ok(loaded.ok, JSON.stringify(loaded));
  const clock = realClock;
  const ids = createIds(clock);
  const dataDir = join(folder, 'data');
  app = await createApp({ loaded, read, dataDir, configFile: file, key: undefined, open: false, clock, ids, logger: silentLogger });
  await makeTokens();
});
after(async () => {
  await app[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

async function makeTokens(): Promise<void> {
  const link = app.setupUrl?.split('token=')[1];
  const done = await app.http.inject({
    method: 'POST',
    url: '/api/setup',
    payload: { token: link, name: 'Ann', password: 'correct horse battery' },
  });
  assert.equal(done.statusCode, 204, done.body);
  const cookie = `nines_session=${done.cookies.find(({ name }) => name === 'nines_session')?.value}`;
  const make = async (body: object): Promise<{ id: string; token: string }> => {
    const made = await app.http.inject({ method: 'POST', url: '/api/tokens', headers: { cookie }, payload: body });
    assert.equal(made.statusCode, 201, made.body);
    return made.json();
  };
  for (const role of [...SHIPPED_ROLES.map(({ id }) => id), 'alerts-alone']) tokens.set(role, (await make({ name: role, role })).token);
  tokens.set('another team', (await make({ name: 'b', role: 'administrator', teams: ['another'] })).token);
  const revoked = await make({ name: 'revoked', role: 'administrator' });
  await app.http.inject({ method: 'DELETE', url: `/api/tokens/${revoked.id}`, headers: { cookie } });
  tokens.set('revoked', revoked.token);
  const expired = await make({ name: 'expired', role: 'administrator', expires_at_ms: realClock.now() + 500 });
  await poll('the token to expire', async () => (await call({ method: 'GET', path: '/api/services' }, expired.token)).statusCode === 401);
  tokens.set('expired', expired.token);
  tokens.set('malformed', 'nines_\u00ff"; drop');
}

// What is registered, without files of the build, whose names carry hashes.
const routesOf = (): readonly Route[] =>
  app.http
    .everyRoute()
    .filter(({ url }) => !/\.[a-z0-9]+$/.test(url) || url.startsWith('/api/'))
    .flatMap(({ method, url, config }) =>
      [method].flat().map((one) => {
        const { permission = '?', scoped } = config ?? {};
        return {
          method: one,
          path: url,
          needs: permission === 'public' ? 'public' : `${areaOfRoute(url)}:${permission}`,
          scoped:
            permission === 'public' ? '' : scoped === undefined ? 'no' : typeof scoped === 'object' && 'free' in scoped ? 'free' : 'minded',
        };
      }),
    );

const INTRODUCTION = `# Permissions

Every route of the server, what it needs, and who has that. Written by \`server/src/permissions.test.ts\`, which calls each of them with every kind of
credential and compares; ${REGENERATE.replace('if that is meant', 'to write it anew')}.

- **401** without a credential, or with one that is malformed, expired, revoked or of another installation: the same answer for all of these.
- **403** when the role does not include what the route needs. It is decided before anything is looked up, so the answer is the same whether the thing
  that was asked for exists or not.
- **404** only to those who may use the route.
- *scope*: what somebody who sees only some teams gets there. *minded*: what is theirs; *free*: all, because it is no team's; *no*: 403.

Roles: **a**dministrator, **o**perator, **r**ead-only, **e**xecutive, **t**echnical, o**p**erations, **b**usiness, **i**ngest. HEAD needs what GET needs.

| method | path | needs | scope | a | o | r | e | t | p | b | i |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
`;

function bookOf(routes: readonly Route[]): string {
  const lines = routes
    .filter(({ method }) => method !== 'HEAD')
    .map(({ method, path, needs, scoped }) => {
      const [area = '', verb = ''] = needs.split(':');
      const marks = SHIPPED_ROLES.map(({ permits }) => {
        const held: readonly string[] = permits[area as keyof typeof permits] ?? [];
        return needs === 'public' || held.includes(verb) ? 'x' : '';
      });
      return `| ${[method, `\`${path}\``, needs, scoped, ...marks].join(' | ')} |`.replaceAll('|  |', '| |').replaceAll('|  |', '| |');
    });
  return `${INTRODUCTION}${lines.toSorted(byPath).join('\n')}\n`;
}

const pathOf = (line: string): string => line.split('`')[1] ?? '';
const byPath = (a: string, b: string): number => (pathOf(a) === pathOf(b) ? (a < b ? -1 : 1) : pathOf(a) < pathOf(b) ? -1 : 1);

/** The lines of docs/permissions.md. */
const written = (): readonly Line[] =>
  readFileSync(BOOK, 'utf8')
    .split('\n')
    .filter((line) => line.includes('`/'))
    .map((line) => {
      const [method = '', path = '', needs = '', scoped = '', ...marks] = line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim());
      const roles = SHIPPED_ROLES.filter((_role, at) => marks[at] === 'x').map(({ id }) => id);
      return { method, path: path.replaceAll('`', ''), needs, scoped, roles: new Set(roles) };
    });

const call = ({ method, path }: { readonly method: string; readonly path: string }, token: string | undefined, id = NOWHERE) =>
  app.http.inject({
    method: method as 'GET',
    url: path.replace(/:[A-Za-z]+/g, id).replaceAll('*', id),
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
  });

/** What the gate answered: `in` when the request came through it. */
type Verdict = 'in' | 401 | 'role' | 'scope';
function verdictOf({ statusCode, body }: { readonly statusCode: number; readonly body: string }, route: Route): Verdict {
  if (statusCode === 401) return 401;
  if (statusCode !== 403) return 'in';
  const [area, verb] = route.needs.split(':');
  if (body.includes(`needs ${verb} on ${area}; the role`)) return 'role';
  return body.includes('this is not divided by team or label') ? 'scope' : 'in';
}

test('docs/permissions.md says what the server does', () => {
  const now = bookOf(routesOf());
  if (process.env['NINES_WRITE_PERMISSIONS'] === '1') writeFileSync(BOOK, now);
  const before = readFileSync(BOOK, 'utf8').split('\n');
  const after = now.split('\n');
  const gone = before.filter((line) => !after.includes(line));
  const come = after.filter((line) => !before.includes(line));
  assert.deepEqual([...gone.map((line) => `- ${line}`), ...come.map((line) => `+ ${line}`)], [], REGENERATE);
  assert.ok(written().length > 250, 'and it says it of all routes');
});

test('HEAD needs what GET needs', () => {
  const routes = routesOf();
  const gets = new Map(routes.filter(({ method }) => method === 'GET').map(({ path, needs }) => [path, needs]));
  for (const { method, path, needs } of routes) if (method === 'HEAD') assert.equal(needs, gets.get(path), path);
});

// Attacks: a stranger; a credential that ended, was taken back, is broken, or opens another installation.
test('whoever shows no good credential gets 401, the same for every bad one', async (t) => {
  const { db } = await openSqliteForTest(t);
  const other = openEntryForTest({ db, clock: realClock, ids: createIds(realClock) });
  const { token: foreign } = await other.tokens.create(COMMAND_LINE, { name: 'foreign', role: 'administrator' });
  const bad = [undefined, tokens.get('expired'), tokens.get('revoked'), tokens.get('malformed'), foreign];
  const told = new Set<string>();
  for (const route of written().filter(({ needs }) => needs !== 'public')) {
    for (const token of bad) {
      const answer = await call(route, token);
      assert.equal(answer.statusCode, 401, `${route.method} ${route.path} with ${token}: ${answer.body}`);
      told.add(answer.body.replace(/"instance":"[^"]*"/, ''));
    }
  }
  // problem+json, Prometheus' shape and Alertmanager's: nothing tells one bad credential from another.
  assert.equal(told.size, 3, [...told].join('\n'));
});

// Attacks: every role tries everything; somebody with one area tries all others; somebody of another team tries everything.
test('every role is let in where the book says so, and refused everywhere else', async () => {
  const wrong: string[] = [];
  for (const route of written()) {
    if (route.path === STREAM || route.needs === 'public') continue;
    const expected = new Map<string, Verdict>(SHIPPED_ROLES.map(({ id }) => [id, route.roles.has(id) ? 'in' : 'role']));
    expected.set('alerts-alone', ['alerts:read', 'alerts:operate'].includes(route.needs) ? 'in' : 'role');
    expected.set('another team', route.scoped === 'no' ? 'scope' : 'in');
    for (const [who, verdict] of expected) {
      if (verdict === 'in' && STARTS_PROGRAM.has(`${route.method} ${route.path}`)) continue;
      const found = verdictOf(await call(route, tokens.get(who)), route);
      if (found !== verdict) wrong.push(`${who}: ${route.method} ${route.path} is ${found}, expected ${verdict}`);
    }
  }
  assert.deepEqual(wrong, []);
});

test('what is public asks for nothing, and never says that a role is missing', async () => {
  for (const route of written().filter(({ needs }) => needs === 'public')) {
    for (const token of [undefined, tokens.get('ingest')]) {
      const { statusCode, body } = await call(route, token);
      // Signing in answers 401 by itself, to those who give no credentials.
      const own = /^\/(api\/(session|setup|sso)|status)/.test(route.path);
      assert.ok(own || (statusCode !== 401 && statusCode !== 403), `${route.method} ${route.path}: ${statusCode} ${body}`);
      assert.ok(!body.includes('; the role'), route.path);
    }
  }
});

test('the live stream opens for those who have a page of their own, by a real connection', async () => {
  for (const { id, permits } of SHIPPED_ROLES) {
    const ending = new AbortController();
    const headers = { authorization: `Bearer ${tokens.get(id)}` };
    const { status } = await fetch(`${app.url}${STREAM}`, { headers, signal: ending.signal });
    ending.abort();
    assert.equal(status, permits.own === undefined ? 403 : 200, id);
  }
});

// Attack: somebody without the permission finds out by the answer which objects there are.
test('who may not see something is told the same whether it exists or not', async () => {
  const admin = tokens.get('administrator');
  const ids = new Map<string, string | undefined>();
  const existing = async (path: string): Promise<string | undefined> => {
    const list = path.slice(0, path.indexOf('/:'));
    if (!ids.has(list)) {
      const answer = await call({ method: 'GET', path: list }, admin);
      const items = answer.statusCode === 200 ? (answer.json() as { items?: readonly { id?: string | number }[] }).items : undefined;
      ids.set(list, items?.[0]?.id === undefined ? undefined : String(items[0].id));
    }
    return ids.get(list);
  };
  let compared = 0;
  for (const route of written().filter(({ path, needs }) => path.includes('/:') && needs !== 'public')) {
    const there = (await existing(route.path)) ?? 'anything';
    for (const role of ['ingest', 'alerts-alone', 'executive']) {
      const [one, other] = [await call(route, tokens.get(role), there), await call(route, tokens.get(role))];
      if (verdictOf(other, route) === 'in') continue;
      const told = ({ statusCode, body }: typeof one): readonly unknown[] => [statusCode, body.replace(/"instance":"[^"]*"/, '')];
      assert.deepEqual(told(one), told(other), `${role} ${route.method} ${route.path}`);
      compared += there === 'anything' ? 0 : 1;
    }
  }
  assert.ok(compared > 40, `of ${compared} existing objects nothing was told`);
});
