import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { forEachDatabase, openSqliteForTest } from '../../../test/harness/databases.ts';
import type { OpenDatabase } from '../../../test/harness/databases.ts';
import { manualClock } from '../../../test/harness/manual-clock.ts';
import { silentLogger } from '../../../test/harness/logs.ts';
import { accessRoutes } from '../access/routes.ts';
import { accessConfig } from '../access/config.ts';
import type { AuditEntry } from '../audit/contract.ts';
import { peopleRoutes } from '../people/routes.ts';
import { realClock } from '../platform/clock.ts';
import { createOutbound } from '../platform/fetch/outbound.ts';
import { createHttp } from '../platform/http/server.ts';
import { createIds } from '../platform/ids.ts';
import { openEntryForTest } from '../testing/entry.ts';
import { ssoRoutes } from './routes.ts';
import { type Tricks, startHostileProvider } from './testing/hostile-provider.ts';
import { signInThere, startRealProvider } from './testing/real-provider.ts';

const BASE = 'http://127.0.0.1:7070';
const GOOD = 'correct horse battery';

async function world(t: TestContext, open: OpenDatabase, oidc: readonly Record<string, unknown>[]) {
  const { db } = await open(t);
  const clock = manualClock();
  const ids = createIds(clock);
  const entries: AuditEntry[] = [];
  const record = async (_trx: unknown, entry: AuditEntry): Promise<number> => entries.push(entry);
  let settings = accessConfig.parse({ oidc });
  const outbound = createOutbound({ clock: realClock });
  t.after(() => outbound[Symbol.asyncDispose]());
  const entry = openEntryForTest({ db, clock, ids, record, outbound, baseUrl: BASE, settings: () => settings });
  const http = await createHttp({ logger: silentLogger, ids, gate: entry.access, hosts: 'any', version: '0' });
  t.after(() => http.close());
  accessRoutes(http, entry);
  peopleRoutes(http, entry);
  ssoRoutes(http, entry);
  const get = async (url: string, cookies: Readonly<Record<string, string>> = {}) => {
    const answer = await http.inject({ method: 'GET', url, cookies: { ...cookies } });
    const set = Object.fromEntries(answer.cookies.map(({ name, value }) => [name, value]));
    return {
      status: answer.statusCode,
      location: String(answer.headers.location ?? ''),
      set,
      json: answer.body.startsWith('{') ? answer.json() : {},
    };
  };
  const start = (query = '', provider = 'corp') => get(`/api/sso/${provider}/start${query}`);
  const comeBack = (query: string, attempt: string | undefined, provider = 'corp') =>
    get(`/api/sso/${provider}/callback${query}`, attempt === undefined ? {} : { nines_sso: attempt });
  const reconfigure = (next: Record<string, unknown>): void => {
    settings = accessConfig.parse(next);
    entry.take();
  };
  return { db, http, entry, entries, get, start, comeBack, reconfigure };
}

forEachDatabase((_name, open) => {
  test('a person signs in by a real provider, gets the role of their group, and is the same person under another name', async (t) => {
    const accounts = new Map([['ann-1', { name: 'ann', groups: ['staff', 'ops'] }]]);
    await using provider = await startRealProvider([`${BASE}/api/sso/corp/callback`], accounts);
    const corp = {
      id: 'corp',
      name: 'Example Corp',
      issuer: provider.url,
      client_id: 'nines',
      client_secret: 'a secret of the client',
      scopes: ['openid', 'profile', 'groups'],
      roles: { ops: 'operator', staff: 'read-only' },
    };
    const { db, get, start, comeBack, entries } = await world(t, open, [corp]);
    assert.deepEqual((await get('/api/sso')).json, { password_login: true, providers: [{ id: 'corp', name: 'Example Corp' }] });
    const signIn = async (query = '') => {
      const { location, set } = await start(query);
      const back = await signInThere(location, 'ann-1', BASE);
      return comeBack(back.search, set['nines_sso']);
    };
    const first = await signIn('?next=%2Fslas%3Fq%3D1');
    assert.deepEqual([first.status, first.location, first.set['nines_sso']], [303, '/slas?q=1', '']);
    const session = (await get('/api/session', { nines_session: first.set['nines_session'] ?? '' })).json as {
      actor: { id: string; name: string; role: string };
    };
    assert.deepEqual([session.actor.name, session.actor.role], ['ann', 'operator']);
    assert.deepEqual(
      entries.map(({ action }) => action),
      ['user.created', 'identity.linked', 'session.started'],
    );

    accounts.set('ann-1', { name: 'ann married', groups: ['staff'] });
    const second = await signIn();
    const again = (await get('/api/session', { nines_session: second.set['nines_session'] ?? '' })).json as typeof session;
    assert.deepEqual([again.actor.id, again.actor.name, again.actor.role], [session.actor.id, 'ann', 'read-only']);
    assert.equal(
      (await get('/api/session', { nines_session: first.set['nines_session'] ?? '' })).status,
      401,
      'a changed role ends sessions',
    );

    accounts.set('ann-1', { name: 'ann', groups: ['visitors'] });
    assert.equal((await signIn()).location, '/login?refused=sso_no_role');
    await db.kysely.updateTable('users').set({ disabled_at_ms: 1 }).execute();
    accounts.set('ann-1', { name: 'ann', groups: ['ops'] });
    assert.equal((await signIn()).location, '/login?refused=sso_disabled');
    const stored = JSON.stringify(await db.kysely.selectFrom('sso_attempts').selectAll().execute());
    assert.equal(stored, '[]', 'every attempt was used up');
  });
});

/** One sign-in at a provider that does `tricks`; the refusal, or undefined when it was let in. */
async function attemptWith(t: TestContext, tricks: Tricks, change?: (query: URLSearchParams) => void): Promise<string | undefined> {
  await using provider = await startHostileProvider(() => Math.floor(Date.now() / 1000));
  Object.assign(provider.tricks, tricks);
  const { start, comeBack } = await world(t, openSqliteForTest, [
    { id: 'corp', issuer: provider.url, client_id: 'nines', roles: { ops: 'operator' } },
  ]);
  const { location, set } = await start();
  if (location.startsWith('/login')) return new URLSearchParams(location.split('?')[1]).get('refused') ?? undefined;
  const query = provider.answerTo(location);
  change?.(query);
  const back = await comeBack(`?${query.toString()}`, set['nines_sso']);
  assert.equal(back.status, 303);
  const refusal = new URLSearchParams(back.location.split('?')[1]).get('refused') ?? undefined;
  assert.equal(back.set['nines_session'] === undefined, refusal !== undefined, 'a session is made for whom is let in, and only for them');
  return refusal;
}

test('an honest answer is taken, by a public client as well', async (t) => {
  assert.equal(await attemptWith(t, {}), undefined);
});

const LIES: readonly (readonly [what: string, tricks: Tricks, change?: (query: URLSearchParams) => void])[] = [
  ['a token of another nonce', { token: ({ payload }) => (payload['nonce'] = 'other') }],
  ['a token without a nonce', { token: ({ payload }) => delete payload['nonce'] }],
  ['a token for another client', { token: ({ payload }) => (payload['aud'] = 'somebody') }],
  ['a token of another issuer', { token: ({ payload }) => (payload['iss'] = 'https://elsewhere.test') }],
  ['a token that has expired', { token: ({ payload }) => (payload['exp'] = 1) }],
  ['a token without a subject', { token: ({ payload }) => delete payload['sub'] }],
  ['a token without a signature', { signing: 'none' }],
  ['a token signed with the public key as a secret', { signing: 'hmac_with_public_key' }],
  ['a token signed with a key that is not published', { signing: 'other_key' }],
  ['user info about somebody else', { userInfo: { sub: 'mallory' } }],
  ['an answer without an ID token', { answer: { status: 200, body: '{"access_token":"at","token_type":"Bearer"}' } }],
  ['an answer that is no JSON', { answer: { status: 200, type: 'text/html', body: '<p>' } }],
  ['an error of the token endpoint', { answer: { status: 400, body: '{"error":"invalid_grant"}' } }],
  ['another state', {}, (query) => query.set('state', 'other')],
  ['no state', {}, (query) => query.delete('state')],
  ['two states', {}, (query) => query.append('state', 'other')],
  ['another issuer in the answer', {}, (query) => query.set('iss', 'https://elsewhere.test')],
  ['no code', {}, (query) => query.delete('code')],
];

for (const [what, tricks, change] of LIES) {
  test(`refused: ${what}`, async (t) => {
    assert.equal(await attemptWith(t, tricks, change), 'sso_answer_refused');
  });
}

test('a provider that calls itself by another name, is too long, cannot be reached or declines is told apart', async (t) => {
  assert.equal(await attemptWith(t, { metadata: (metadata) => (metadata['issuer'] = 'https://elsewhere.test') }), 'sso_provider_down');
  assert.equal(await attemptWith(t, { metadata: (metadata) => (metadata['padding'] = 'x'.repeat(600_000)) }), 'sso_provider_down');
  assert.equal(await attemptWith(t, { answer: { status: 200, body: 'x'.repeat(600_000) } }), 'sso_provider_down');
  assert.equal(await attemptWith(t, {}, (query) => query.set('error', 'access_denied')), 'sso_declined');
  const { start } = await world(t, openSqliteForTest, [{ id: 'corp', issuer: 'http://127.0.0.1:9', client_id: 'nines' }]);
  assert.equal((await start('?next=/slas')).location, '/login?refused=sso_provider_down&next=%2Fslas');
  assert.equal((await start('', 'nobody')).location, '/login?refused=sso_unknown_provider');
});

test('an answer counts once, in the browser that asked, at the provider that was asked, for ten minutes', async (t) => {
  await using provider = await startHostileProvider(() => Math.floor(Date.now() / 1000));
  await using second = await startHostileProvider(() => Math.floor(Date.now() / 1000));
  const of = (id: string, issuer: string) => ({ id, issuer, client_id: 'nines', default_role: 'read-only' });
  const { start, comeBack, db } = await world(t, openSqliteForTest, [of('corp', provider.url), of('other', second.url)]);
  const begin = async () => {
    const { location, set } = await start();
    return { query: `?${provider.answerTo(location).toString()}`, attempt: set['nines_sso'] };
  };
  const refusalOf = ({ location }: { location: string }) => new URLSearchParams(location.split('?')[1]).get('refused');
  const victim = await begin();
  assert.equal(refusalOf(await comeBack(victim.query, undefined)), 'sso_other_browser', 'a link to an answer signs nobody in');
  const attacker = await begin();
  assert.equal(refusalOf(await comeBack(attacker.query, victim.attempt)), 'sso_answer_refused', "another's answer in my browser");
  const mixed = await begin();
  assert.equal(refusalOf(await comeBack(mixed.query, mixed.attempt, 'other')), 'sso_answer_refused', 'mixed up providers');
  assert.equal(
    second.requests.some(({ path }) => path === '/token'),
    false,
    'the code was not handed to the other provider',
  );
  const good = await begin();
  const both = await Promise.all([comeBack(good.query, good.attempt), comeBack(good.query, good.attempt)]);
  assert.deepEqual(new Set(both.map(refusalOf)), new Set(['sso_expired', null]));
  const late = await begin();
  await db.kysely.updateTable('sso_attempts').set({ expires_at_ms: 1 }).execute();
  assert.equal(refusalOf(await comeBack(late.query, late.attempt)), 'sso_expired');
});

test('nobody is led to another site after signing in', async (t) => {
  await using provider = await startHostileProvider(() => Math.floor(Date.now() / 1000));
  const { start, comeBack } = await world(t, openSqliteForTest, [
    { id: 'corp', issuer: provider.url, client_id: 'nines', default_role: 'read-only' },
  ]);
  for (const next of [
    'https://evil.test/',
    '//evil.test',
    '/\\evil.test',
    '/.//evil.test',
    '/\t/evil.test',
    'javascript:alert(1)',
    '/%2f/..//evil.test',
    '',
  ])
    for (const spelled of [encodeURIComponent(next)]) {
      const { location, set } = await start(`?next=${spelled}`);
      const back = await comeBack(`?${provider.answerTo(location).toString()}`, set['nines_sso']);
      const led = new URL(back.location, BASE);
      assert.equal(led.origin, BASE, `${next} led to ${back.location}`);
      assert.ok(!back.location.startsWith('//'), back.location);
    }
});

test('a signed-in person links an identity and unlinks it; nobody takes an identity that somebody has, or loses their only way in', async (t) => {
  await using provider = await startHostileProvider(() => Math.floor(Date.now() / 1000));
  const corp = { id: 'corp', issuer: provider.url, client_id: 'nines', roles: { ops: 'operator' } };
  const { http, entry, get, start, comeBack, reconfigure } = await world(t, openSqliteForTest, [corp]);
  const token = await entry.people.startSetup();
  const setUp = await http.inject({ method: 'POST', url: '/api/setup', payload: { token, name: 'Ann', password: GOOD } });
  const ann = { nines_session: setUp.cookies[0]?.value ?? '' };
  const link = async (cookies: Record<string, string>) => {
    const answer = await http.inject({ method: 'POST', url: '/api/sso/corp/link', cookies, payload: { next: '/settings' } });
    assert.equal(answer.statusCode, 200, answer.body);
    const attempt = answer.cookies.find(({ name }) => name === 'nines_sso')?.value ?? '';
    const query = provider.answerTo((answer.json() as { url: string }).url);
    return { query: `?${query.toString()}`, cookies: { ...cookies, nines_sso: attempt } };
  };
  const stolen = await link(ann);
  const inOtherBrowser = await get(`/api/sso/corp/callback${stolen.query}`, { nines_sso: stolen.cookies.nines_sso });
  assert.equal(inOtherBrowser.location, '/login?refused=sso_other_browser&next=%2Fsettings', 'the session must be the one that asked');
  const own = await link(ann);
  assert.equal((await get(`/api/sso/corp/callback${own.query}`, own.cookies)).location, '/settings');
  const { items } = (await get('/api/identities', ann)).json as { items: { id: string; name: string }[] };
  assert.deepEqual(
    items.map(({ name }) => name),
    ['eve'],
  );

  const begun = await start();
  const signedIn = await comeBack(`?${provider.answerTo(begun.location).toString()}`, begun.set['nines_sso']);
  const session = (await get('/api/session', { nines_session: signedIn.set['nines_session'] ?? '' })).json as {
    actor: { name: string; role: string };
  };
  assert.deepEqual([session.actor.name, session.actor.role], ['Ann', 'administrator'], 'the last administrator is not lowered by a group');

  const unlink = (cookies: Record<string, string>, id: string) => http.inject({ method: 'DELETE', url: `/api/identities/${id}`, cookies });
  assert.equal((await unlink(ann, 'unknown')).statusCode, 404);
  assert.equal((await unlink(ann, items[0]?.id ?? '')).statusCode, 204);
  const fresh = await start();
  const newcomer = await comeBack(`?${provider.answerTo(fresh.location).toString()}`, fresh.set['nines_sso']);
  const eve = { nines_session: newcomer.set['nines_session'] ?? '' };
  const refused = await link(ann);
  assert.equal(
    (await get(`/api/sso/corp/callback${refused.query}`, refused.cookies)).location,
    '/login?refused=sso_taken&next=%2Fsettings',
  );
  const hers = (await get('/api/identities', eve)).json as { items: { id: string }[] };
  assert.equal((await unlink(eve, hers.items[0]?.id ?? '')).json().code, 'last_way_in');

  const login = () => http.inject({ method: 'POST', url: '/api/session', payload: { name: 'Ann', password: GOOD } });
  assert.equal((await login()).statusCode, 204);
  reconfigure({ oidc: [corp], password_login: false });
  assert.deepEqual([(await login()).statusCode, (await login()).json().code], [403, 'password_login_off']);
  const joined = await http.inject({
    method: 'POST',
    url: '/api/join',
    payload: { token: 'x'.repeat(43), password: 'correct horse battery' },
  });
  assert.deepEqual([joined.statusCode, joined.json().code], [403, 'password_login_off'], 'a link to a password is no way past it');
});

test('a configuration that would shut everybody out, or ask a provider in the clear, is refused', () => {
  const fault = (input: unknown): string | undefined => accessConfig.safeParse(input).error?.issues[0]?.message;
  assert.match(fault({ password_login: false }) ?? '', /nobody could sign in/);
  assert.match(fault({ oidc: [{ id: 'a', issuer: 'http://id.example.com', client_id: 'n' }] }) ?? '', /https/);
  assert.match(fault({ oidc: [{ id: 'a', issuer: 'http://127.0.0.1.evil.test', client_id: 'n' }] }) ?? '', /https/);
  assert.match(fault({ oidc: [{ id: 'a', issuer: 'https://id.example.com', client_id: 'n', scopes: ['profile'] }] }) ?? '', /openid/);
  assert.match(fault({ oidc: ['a', 'a'].map((id) => ({ id, issuer: 'https://id.example.com', client_id: 'n' })) }) ?? '', /twice/);
});
