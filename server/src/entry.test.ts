import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { forEachDatabase } from '../../test/harness/databases.ts';
import type { OpenDatabase } from '../../test/harness/databases.ts';
import { manualClock } from '../../test/harness/manual-clock.ts';
import { createHttp } from './platform/http/server.ts';
import { createIds } from './platform/ids.ts';
import { silentLogger } from '../../test/harness/logs.ts';
import { accessRoutes } from './access/routes.ts';
import { COMMAND_LINE } from './access/contract.ts';
import { openEntryForTest } from './testing/entry.ts';
import { hashPassword } from './people/password.ts';
import { peopleRoutes } from './people/routes.ts';
import { tokenRoutes } from './tokens/routes.ts';

const GOOD = 'correct horse battery';

async function world(t: TestContext, open: OpenDatabase) {
  const { db } = await open(t);
  const clock = manualClock();
  const ids = createIds(clock);
  const entry = openEntryForTest({ db, clock, ids });
  const http = await createHttp({ logger: silentLogger, ids, gate: entry.access, hosts: 'any', version: '0' });
  accessRoutes(http, entry);
  peopleRoutes(http, entry);
  tokenRoutes(http, entry.tokens);
  http.get('/api/services', { config: { permission: 'read' } }, async () => ({ ok: true }));
  http.post('/api/services', { config: { permission: 'administer' } }, async () => ({ ok: true }));
  t.after(() => http.close());
  const call = async (method: 'GET' | 'POST' | 'DELETE', url: string, options: { body?: object; cookie?: string; token?: string } = {}) => {
    const headers: Record<string, string> = {
      ...(options.cookie === undefined ? {} : { cookie: `nines_session=${options.cookie}` }),
      ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
    };
    const answer = await http.inject({ method, url, headers, ...(options.body === undefined ? {} : { payload: options.body }) });
    const cookie = answer.cookies.find(({ name }) => name === 'nines_session');
    return { status: answer.statusCode, json: answer.body === '' ? {} : (answer.json() as Record<string, unknown>), cookie };
  };
  const { people } = entry;
  const setUp = async (): Promise<string> => {
    const token = await people.startSetup();
    const done = await call('POST', '/api/setup', { body: { token, name: 'Ann', password: GOOD } });
    assert.equal(done.status, 204, JSON.stringify(done.json));
    return done.cookie?.value ?? '';
  };
  return { db, clock, tokens: entry.tokens, people, call, setUp };
}

forEachDatabase((_name, open) => {
  test('the first administrator is created by the one-time link, which works once', async (t) => {
    const { people, call } = await world(t, open);
    const token = await people.startSetup();
    assert.ok(token !== undefined && token.length >= 43, '256 bits');
    const weak = await call('POST', '/api/setup', { body: { token, name: 'Ann', password: 'short' } });
    assert.deepEqual([weak.status, weak.json['code']], [400, 'password_refused']);
    const made = await call('POST', '/api/setup', { body: { token, name: 'Ann', password: GOOD } });
    assert.equal(made.status, 204);
    assert.equal(made.cookie?.httpOnly, true);
    assert.equal(made.cookie?.sameSite, 'Lax');
    const session = await call('GET', '/api/session', { cookie: made.cookie?.value ?? '' });
    const { permits, landing } = session.json as { permits: Record<string, string[]>; landing: string };
    assert.deepEqual([permits['access'], landing], [['read', 'operate', 'administer'], '/']);
    const again = await call('POST', '/api/setup', { body: { token, name: 'Eve', password: GOOD } });
    assert.deepEqual([again.status, again.json['code']], [410, 'setup_link_used']);
    assert.equal(await people.startSetup(), undefined, 'no link once someone can sign in');
  });

  test('a link expires after an hour, and a newer one ends the older', async (t) => {
    const { people, call, clock } = await world(t, open);
    const first = await people.startSetup();
    const second = await people.startSetup();
    assert.equal((await call('POST', '/api/setup', { body: { token: first, name: 'Ann', password: GOOD } })).status, 403);
    await clock.advance(3_600_000);
    assert.equal((await call('POST', '/api/setup', { body: { token: second, name: 'Ann', password: GOOD } })).status, 403);
  });

  test('two who use the link at the same time: one becomes administrator', async (t) => {
    const { people, call } = await world(t, open);
    const token = await people.startSetup();
    const both = await Promise.all(['Ann', 'Eve'].map((name) => call('POST', '/api/setup', { body: { token, name, password: GOOD } })));
    assert.deepEqual(
      both.map(({ status }) => status).sort((a, b) => a - b),
      [204, 410],
    );
  });

  test('without a credential nothing but the public is answered', async (t) => {
    const { call } = await world(t, open);
    assert.equal((await call('GET', '/api/services')).status, 401);
    assert.equal((await call('GET', '/api/services', { token: 'nines_wrong' })).status, 401);
    assert.equal((await call('GET', '/api/services', { cookie: 'wrong' })).status, 401);
  });

  test('an unknown name and a wrong password are refused alike; after five failures the next try waits', async (t) => {
    const { call, setUp, clock } = await world(t, open);
    await setUp();
    const login = (name: string, password: string) => call('POST', '/api/session', { body: { name, password } });
    const unknown = await login('Bob', 'wrong password');
    const wrong = await login('Ann', 'wrong password');
    const told = ({ status, json }: { status: number; json: Record<string, unknown> }) => ({
      status,
      code: json['code'],
      detail: json['detail'],
    });
    assert.deepEqual(told(unknown), told(wrong));
    for (let i = 0; i < 4; i++) await login('Ann', 'wrong password');
    assert.equal((await login('Ann', GOOD)).status, 429);
    await clock.advance(1_100);
    assert.equal((await login('ann ', GOOD)).status, 204, 'names are folded and the wait is over');
  });

  test('guesses sent at the same time do not pass the throttle together', async (t) => {
    const { call, setUp } = await world(t, open);
    await setUp();
    const tries = Array.from({ length: 12 }, (_, i) =>
      call('POST', '/api/session', { body: { name: 'Ann', password: `wrong password ${i}` } }),
    );
    const statuses = (await Promise.all(tries)).map(({ status }) => status);
    assert.deepEqual([statuses.filter((status) => status === 401).length, statuses.filter((status) => status === 429).length], [5, 7]);
  });

  test('a password stored under a former cost is stored anew at the next sign-in', async (t) => {
    const { db, call, setUp } = await world(t, open);
    await setUp();
    const cheap = await hashPassword(GOOD, { memory: 64, passes: 1, parallelism: 1 });
    await db.kysely.updateTable('users').set({ password_hash: cheap }).execute();
    assert.equal((await call('POST', '/api/session', { body: { name: 'Ann', password: GOOD } })).status, 204);
    const [user] = await db.kysely.selectFrom('users').selectAll().execute();
    assert.match(user?.password_hash ?? '', /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    assert.equal((await call('POST', '/api/session', { body: { name: 'Ann', password: GOOD } })).status, 204);
  });

  test('a session ends when idle for twelve hours, after seven days, and on sign-out', async (t) => {
    const { call, setUp, clock } = await world(t, open);
    const idle = await setUp();
    await clock.advance(12 * 3_600_000 + 1);
    assert.equal((await call('GET', '/api/services', { cookie: idle })).status, 401);
    const busy = (await call('POST', '/api/session', { body: { name: 'Ann', password: GOOD } })).cookie?.value ?? '';
    for (let hours = 0; hours < 7 * 24 - 6; hours += 6) {
      await clock.advance(6 * 3_600_000);
      assert.equal((await call('GET', '/api/services', { cookie: busy })).status, 200, `after ${hours + 6} h`);
    }
    await clock.advance(6 * 3_600_000);
    assert.equal((await call('GET', '/api/services', { cookie: busy })).status, 401);
    const last = (await call('POST', '/api/session', { body: { name: 'Ann', password: GOOD } })).cookie?.value ?? '';
    assert.equal((await call('DELETE', '/api/session', { cookie: last })).status, 204);
    assert.equal((await call('GET', '/api/services', { cookie: last })).status, 401);
  });

  test('signing in again ends the session that the browser had, whoever’s it was', async (t) => {
    const { call, setUp } = await world(t, open);
    const before = await setUp();
    const elsewhere = (await call('POST', '/api/session', { body: { name: 'Ann', password: GOOD } })).cookie?.value ?? '';
    const wrong = await call('POST', '/api/session', { cookie: before, body: { name: 'Ann', password: 'not this one' } });
    assert.equal(wrong.status, 401);
    assert.equal((await call('GET', '/api/services', { cookie: before })).status, 200, 'a try that failed ends nothing');
    const now = (await call('POST', '/api/session', { cookie: before, body: { name: 'Ann', password: GOOD } })).cookie?.value ?? '';
    assert.equal((await call('GET', '/api/services', { cookie: before })).status, 401);
    for (const cookie of [now, elsewhere]) assert.equal((await call('GET', '/api/services', { cookie })).status, 200);
  });

  test('a changed password ends every session and only the new one signs in', async (t) => {
    const { call, setUp } = await world(t, open);
    const first = await setUp();
    const second = (await call('POST', '/api/session', { body: { name: 'Ann', password: GOOD } })).cookie?.value ?? '';
    assert.equal(
      (await call('POST', '/api/password', { cookie: first, body: { current: 'wrong', next: 'another long one' } })).status,
      400,
    );
    const changed = await call('POST', '/api/password', { cookie: first, body: { current: GOOD, next: 'another long one' } });
    assert.equal(changed.status, 204);
    for (const cookie of [first, second]) assert.equal((await call('GET', '/api/services', { cookie })).status, 401);
    assert.equal((await call('GET', '/api/services', { cookie: changed.cookie?.value ?? '' })).status, 200);
    assert.equal((await call('POST', '/api/session', { body: { name: 'Ann', password: GOOD } })).status, 401);
    assert.equal((await call('POST', '/api/session', { body: { name: 'Ann', password: 'another long one' } })).status, 204);
  });

  test('a token acts with its role, shows its secret once, expires and is revoked', async (t) => {
    const { db, clock, tokens, call, setUp } = await world(t, open);
    const cookie = await setUp();
    const made = await call('POST', '/api/tokens', {
      cookie,
      body: { name: 'reader', role: 'read-only', expires_at_ms: clock.now() + 60_000 },
    });
    assert.equal(made.status, 201);
    const token = String(made.json['token']);
    assert.match(token, /^nines_[A-Za-z0-9_-]{43}[a-z0-9]{7}$/);
    assert.equal((await call('GET', '/api/services', { token })).status, 200);
    const refused = await call('POST', '/api/services', { token });
    assert.deepEqual([refused.status, refused.json['code']], [403, 'forbidden']);
    const listed = JSON.stringify((await call('GET', '/api/tokens', { cookie })).json);
    assert.ok(!listed.includes(token) && listed.includes('"reader"'));
    const stored = JSON.stringify(await db.kysely.selectFrom('tokens').selectAll().execute());
    assert.ok(!stored.includes(token), 'the table cannot be used as a credential');
    await clock.advance(60_001);
    assert.equal((await call('GET', '/api/services', { token })).status, 401);
    const cli = await tokens.create(COMMAND_LINE, { name: 'cli', role: 'administrator' });
    assert.equal((await call('POST', '/api/services', { token: cli.token })).status, 200);
    assert.equal((await call('DELETE', `/api/tokens/${cli.id}`, { cookie })).status, 204);
    assert.equal((await call('POST', '/api/services', { token: cli.token })).status, 401);
    assert.equal((await call('DELETE', `/api/tokens/${cli.id}`, { cookie })).status, 404);
  });
});
