import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type OpenDatabase, forEachDatabase, openSqliteForTest } from '../../../test/harness/databases.ts';
import { silentLogger } from '../../../test/harness/logs.ts';
import { type ManualClock, manualClock } from '../../../test/harness/manual-clock.ts';
import { accessConfig } from '../access/config.ts';
import { COMMAND_LINE } from '../access/contract.ts';
import { accessRoutes } from '../access/routes.ts';
import { openEntryForTest } from '../testing/entry.ts';
import { NO_ONES_HASH, hashPassword } from '../people/password.ts';
import { newUser } from '../people/person.ts';
import { peopleRoutes } from '../people/routes.ts';
import type { Db } from '../platform/db/open.ts';
import type { Role } from '../platform/http/contract.ts';
import { createHttp } from '../platform/http/server.ts';
import { createIds } from '../platform/ids.ts';
import { createTestSecrets } from '../platform/secrets/testing/secrets.ts';
import { fromBase32 } from './base32.ts';
import { factorRoutes } from './routes.ts';
import { createAuthenticator } from './testing/authenticator.ts';
import { stepAt, totpCode } from './totp.ts';

const GOOD = 'correct horse battery';
const ORIGIN = 'https://nines.example.org';
const PARTY = { origin: ORIGIN, rpId: 'nines.example.org' };
const MINUTE = 60_000;

type Options = { readonly required?: readonly string[]; readonly open?: boolean; readonly secrets?: ReturnType<typeof createTestSecrets> };
type Answer = { readonly status: number; readonly json: Record<string, unknown>; readonly cookie: string | undefined };
type Request = { readonly cookie?: string | undefined; readonly token?: string; readonly body?: unknown; readonly address?: string };

/** One process on a database that others may share. */
async function processOn(
  t: TestContext,
  db: Db,
  clock: ManualClock,
  { required = [], open = false, secrets = createTestSecrets() }: Options = {},
) {
  const ids = createIds(clock);
  const recorded: { action: string; actor: string; after: unknown }[] = [];
  const record = async (_trx: unknown, { action, actor, after }: { action: string; actor: { name: string }; after?: unknown }) =>
    recorded.push({ action, actor: actor.name, after });
  const policy = { ...accessConfig.parse(undefined), require_second_factor: [...required] };
  const entry = openEntryForTest({ db, clock, ids, record, open, settings: () => policy, second: { secrets, baseUrl: ORIGIN } });
  const http = await createHttp({ logger: silentLogger, ids, gate: entry.access, hosts: open ? 'loopback' : 'any', version: '0' });
  accessRoutes(http, entry);
  peopleRoutes(http, entry);
  assert.ok(entry.second !== undefined);
  factorRoutes(http, { ...entry.second, mayTouch: (by, id) => entry.directory.mayTouch(by, id), cookie: entry.cookie, secure: false });
  http.get('/api/services', { config: { permission: 'read' } }, async () => ({ ok: true }));
  http.post('/api/services', { config: { permission: 'administer', stepUp: true } }, async () => ({ ok: true }));
  t.after(() => http.close());
  const call = async (
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
    url: string,
    { cookie, token, body, address }: Request = {},
  ): Promise<Answer> => {
    const headers = {
      host: 'localhost',
      'user-agent': 'Firefox',
      ...(cookie === undefined ? {} : { cookie: `nines_session=${cookie}` }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    };
    const payload = body === undefined ? {} : { payload: body as object };
    const answer = await http.inject({ method, url, headers, remoteAddress: address ?? '192.0.2.1', ...payload });
    const json = answer.body === '' ? {} : (answer.json() as Record<string, unknown>);
    return { status: answer.statusCode, json, cookie: answer.cookies.find(({ name }) => name === 'nines_session')?.value };
  };
  const addPerson = async (name: string, role: Role): Promise<string> => {
    const id = ids.uuid();
    const user = newUser({ id, name, role, password_hash: await hashPassword(GOOD), created_at_ms: clock.now() });
    await db.kysely.insertInto('users').values(user).execute();
    return id;
  };
  const login = (name = 'Ann') => call('POST', '/api/session', { body: { name, password: GOOD } });
  return { ...entry, recorded, policy, call, addPerson, login };
}
type Process = Awaited<ReturnType<typeof processOn>>;

/** A process with Ann, an administrator who has just signed in. */
async function world(t: TestContext, open: OpenDatabase, options: Options = {}) {
  const { db, openAgain } = await open(t);
  const clock = manualClock();
  const secrets = createTestSecrets();
  const one = await processOn(t, db, clock, { ...options, secrets });
  const ann = await one.addPerson('Ann', 'administrator');
  const cookie = (await one.login()).cookie ?? '';
  const another = async () => processOn(t, await openAgain(), clock, { ...options, secrets });
  return { ...one, db, clock, ann, cookie, another };
}

/** Sets up an app and returns how it shows codes, with the recovery codes. */
async function withApp({ call }: Pick<Process, 'call'>, clock: ManualClock, cookie: string) {
  const started = await call('POST', '/api/factors/totp', { cookie });
  assert.equal(started.status, 201, JSON.stringify(started.json));
  const secret = fromBase32(String(started.json['secret']));
  assert.ok(secret.ok);
  const code = (steps = 0): string => totpCode(secret.value, stepAt(clock.now()) + steps);
  const confirmed = await call('POST', '/api/factors/totp/confirm', { cookie, body: { code: code() } });
  assert.equal(confirmed.status, 201, JSON.stringify(confirmed.json));
  return { code, codes: confirmed.json['recovery_codes'] as string[], secret: String(started.json['secret']) };
}

const challengeOf = (answer: Answer): string => {
  assert.deepEqual([answer.status, answer.json['kind'], answer.cookie], [200, 'factor_needed', undefined]);
  return String(answer.json['challenge']);
};

/** Registers a passkey of an authenticator in software. */
async function withPasskey({ call }: Pick<Process, 'call'>, cookie: string, lies: { readonly flags?: number } = {}) {
  const device = createAuthenticator(PARTY);
  const options = await call('POST', '/api/factors/passkeys/options', { cookie });
  assert.equal(options.status, 200, JSON.stringify(options.json));
  const answer = device.register(String(options.json['challenge']), lies);
  const made = await call('POST', '/api/factors/passkeys', { cookie, body: { name: 'Laptop', answer } });
  assert.equal(made.status, 201, JSON.stringify(made.json));
  return { device, answer, codes: made.json['recovery_codes'] as string[] };
}

forEachDatabase((_name, open) => {
  test('an app is in force after its first code; then the password alone opens nothing, and each code works once', async (t) => {
    const { call, login, clock, cookie, db, recorded } = await world(t, open);
    const { code, codes, secret } = await withApp({ call }, clock, cookie);
    assert.equal(codes.length, 10);
    const stored = JSON.stringify([
      await db.kysely.selectFrom('totp_factors').selectAll().execute(),
      await db.kysely.selectFrom('recovery_codes').selectAll().execute(),
    ]);
    for (const kept of [secret, Buffer.from((fromBase32(secret) as { value: Uint8Array }).value).toString('base64url'), ...codes]) {
      assert.ok(!stored.includes(kept), 'the tables open nothing');
    }
    const first = await login();
    assert.deepEqual(first.json['kinds'], ['totp', 'recovery_code']);
    const challenge = challengeOf(first);
    const show = (shown: string, to = challenge) =>
      call('POST', '/api/session/factor', { body: { challenge: to, factor: { kind: 'totp', code: shown } } });
    const replayed = await show(code());
    assert.deepEqual([replayed.status, replayed.json['code']], [400, 'factor_refused'], 'the code that confirmed the app is used up');
    await clock.advance(30_000);
    const done = await show(`${code().slice(0, 3)} ${code().slice(3)}`);
    assert.deepEqual([done.status, done.json], [200, { recovery_codes_left: null }]);
    assert.equal((await call('GET', '/api/services', { cookie: done.cookie })).status, 200);
    assert.equal((await show(code())).status, 401, 'the sign-in is over');
    assert.equal((await show(code(), challengeOf(await login()))).status, 400, 'a code that was seen over a shoulder is worth nothing');
    assert.deepEqual(
      recorded.filter(({ action }) => action.startsWith('factor.')).map(({ action }) => action),
      ['factor.added', 'factor.shown'],
    );
  });

  test('replay in a race: of four who show the same code at the same time in two processes, one signs in', async (t) => {
    const { call, login, clock, cookie, another } = await world(t, open);
    const { code } = await withApp({ call }, clock, cookie);
    await clock.advance(30_000);
    const other = await another();
    const challenges = await Promise.all(Array.from({ length: 4 }, async () => challengeOf(await login())));
    const body = (challenge: string) => ({ body: { challenge, factor: { kind: 'totp', code: code() } } });
    const all = await Promise.all(
      challenges.map((one, index) => (index % 2 === 0 ? call : other.call)('POST', '/api/session/factor', body(one))),
    );
    assert.equal(all.filter(({ status }) => status === 200).length, 1, JSON.stringify(all.map(({ status }) => status)));
  });

  test('guessing codes waits, in every process, after a start and from every address', async (t) => {
    const { call, login, clock, cookie, another } = await world(t, open);
    const { code } = await withApp({ call }, clock, cookie);
    await clock.advance(16 * MINUTE);
    const guess = (at: Process | { call: Process['call'] }, shown: string, address: string) =>
      at.call('POST', '/api/session/proof', { cookie, address, body: { kind: 'totp', code: shown } });
    const wrong = String((Number(code()) + 1) % 1_000_000).padStart(6, '0');
    for (let i = 0; i < 5; i++) assert.equal((await guess({ call }, wrong, `192.0.2.${i}`)).status, 400);
    const started = await another();
    const refused = await guess(started, code(), '198.51.100.7');
    assert.deepEqual([refused.status, refused.json['code']], [429, 'too_many_tries'], 'even the right one has to wait');
    await clock.advance(1_001);
    assert.equal((await guess(started, code(), '198.51.100.7')).status, 204);
    challengeOf(await login());
  });

  test('guesses sent at the same time in two processes do not pass together', async (t) => {
    const { call, clock, cookie, another } = await world(t, open);
    const { code } = await withApp({ call }, clock, cookie);
    await clock.advance(30_000);
    const other = await another();
    const wrong = String((Number(code()) + 1) % 1_000_000).padStart(6, '0');
    const tries = Array.from({ length: 14 }, (_, index) =>
      (index % 2 === 0 ? call : other.call)('POST', '/api/session/proof', { cookie, body: { kind: 'totp', code: wrong } }),
    );
    const statuses = (await Promise.all(tries)).map(({ status }) => status);
    assert.ok(statuses.filter((status) => status === 400).length <= 5, JSON.stringify(statuses));
    assert.ok(statuses.every((status) => status === 400 || status === 429));
  });

  test('a recovery code stands in once, is counted and told, and new ones end the old', async (t) => {
    const { call, login, clock, cookie, recorded } = await world(t, open);
    const { codes } = await withApp({ call }, clock, cookie);
    const [first = '', second = ''] = codes;
    const show = async (code: string) =>
      call('POST', '/api/session/factor', { body: { challenge: challengeOf(await login()), factor: { kind: 'recovery_code', code } } });
    const used = await show(first.toUpperCase().replaceAll('-', ' '));
    assert.deepEqual([used.status, used.json], [200, { recovery_codes_left: 9 }]);
    assert.equal((await show(first)).status, 400, 'replay');
    const own = await call('GET', '/api/factors', { cookie: used.cookie });
    assert.equal((own.json['recovery'] as { left: number }).left, 9);
    assert.ok(recorded.some(({ action, after }) => action === 'recovery_code.used' && JSON.stringify(after) === '{"left":9}'));
    const made = await call('POST', '/api/factors/recovery-codes', { cookie: used.cookie });
    assert.equal((made.json['recovery_codes'] as string[]).length, 10);
    assert.equal((await show(second)).status, 400, 'the old ones have ended');
    assert.equal((await show((made.json['recovery_codes'] as string[])[0] ?? '')).status, 200);
  });

  test('a recovery code used twice at the same time opens one session', async (t) => {
    const { call, login, clock, cookie, another } = await world(t, open);
    const { codes } = await withApp({ call }, clock, cookie);
    const other = await another();
    const challenges = [challengeOf(await login()), challengeOf(await login())];
    const factor = { kind: 'recovery_code', code: codes[0] };
    const both = await Promise.all(
      [call, other.call].map((at, i) => at('POST', '/api/session/factor', { body: { challenge: challenges[i], factor } })),
    );
    assert.deepEqual(
      both.map(({ status }) => status).sort((a, b) => a - b),
      [200, 400],
    );
  });

  test('a passkey that examines its person signs in alone; every challenge works once and for what it was asked', async (t) => {
    const { call, login, clock, cookie } = await world(t, open);
    const { device, answer } = await withPasskey({ call }, cookie);
    const again = await call('POST', '/api/factors/passkeys', { cookie, body: { name: 'Again', answer } });
    assert.deepEqual([again.status, again.json['code']], [400, 'factor_refused'], 'a registration that is replayed');
    const options = await call('POST', '/api/session/passkey/options');
    assert.deepEqual(
      [options.json['allowCredentials'], options.json['userVerification']],
      [[], 'required'],
      'nothing is told to strangers',
    );
    const shown = device.assert(String(options.json['challenge']));
    const done = await call('POST', '/api/session/passkey', { body: { answer: shown } });
    assert.equal(done.status, 204, JSON.stringify(done.json));
    assert.equal((await call('GET', '/api/services', { cookie: done.cookie })).status, 200);
    assert.equal((await call('POST', '/api/session/passkey', { body: { answer: shown } })).status, 400, 'replay');
    const late = String((await call('POST', '/api/session/passkey/options')).json['challenge']);
    await clock.advance(5 * MINUTE);
    assert.equal((await call('POST', '/api/session/passkey', { body: { answer: device.assert(late) } })).status, 400, 'too late');
    const stepUp = String((await call('POST', '/api/session/proof/options', { cookie })).json['challenge']);
    assert.equal(
      (await call('POST', '/api/session/passkey', { body: { answer: device.assert(stepUp) } })).status,
      400,
      'for something else',
    );
    const challenge = challengeOf(await login());
    const second = await call('POST', '/api/session/factor/options', { body: { challenge } });
    const factor = { kind: 'passkey', answer: device.assert(String(second.json['challenge'])) };
    const elsewhere = challengeOf(await login());
    assert.equal((await call('POST', '/api/session/factor', { body: { challenge: elsewhere, factor } })).status, 400, 'of another sign-in');
    const next = await call('POST', '/api/session/factor/options', { body: { challenge } });
    const answered = { kind: 'passkey', answer: device.assert(String(next.json['challenge'])) };
    assert.equal((await call('POST', '/api/session/factor', { body: { challenge, factor: answered } })).status, 200);
  });

  test('a passkey that was copied shows by its counter: refused, and in the audit log', async (t) => {
    const { call, cookie, recorded } = await world(t, open);
    const { device } = await withPasskey({ call }, cookie);
    const alone = async (counter: number) => {
      const options = await call('POST', '/api/session/passkey/options');
      return call('POST', '/api/session/passkey', { body: { answer: device.assert(String(options.json['challenge']), { counter }) } });
    };
    assert.equal((await alone(5)).status, 204);
    const copied = await alone(5);
    assert.equal(copied.status, 400);
    assert.match(String(copied.json['detail']), /copied/);
    assert.ok(recorded.some(({ action }) => action === 'passkey.refused'));
    assert.equal((await alone(6)).status, 204);
  });

  test('the passkey of somebody else proves nothing, and a person names and removes their own alone', async (t) => {
    const { call, login, cookie, addPerson } = await world(t, open);
    await addPerson('Bob', 'operator');
    const bob = (await login('Bob')).cookie ?? '';
    const { device } = await withPasskey({ call }, bob);
    await withPasskey({ call }, cookie);
    const mine = ((await call('GET', '/api/factors', { cookie })).json['passkeys'] as { id: string; name: string }[])[0];
    for (const method of ['PATCH', 'DELETE'] as const) {
      const body = method === 'PATCH' ? { body: { name: 'Mine now' } } : {};
      assert.equal((await call(method, `/api/factors/passkeys/${mine?.id}`, { cookie: bob, ...body })).status, 404);
    }
    const options = await call('POST', '/api/session/proof/options', { cookie });
    const foreign = await call('POST', '/api/session/proof', {
      cookie,
      body: { kind: 'passkey', answer: device.assert(String(options.json['challenge'])) },
    });
    assert.deepEqual([foreign.status, foreign.json['code']], [400, 'factor_refused']);
    assert.equal((await call('PATCH', `/api/factors/passkeys/${mine?.id}`, { cookie, body: { name: ' Key ring ' } })).status, 204);
    assert.equal(((await call('GET', '/api/factors', { cookie })).json['passkeys'] as { name: string }[])[0]?.name, 'Key ring');
    assert.equal((await call('DELETE', `/api/factors/passkeys/${mine?.id}`, { cookie })).status, 204);
    assert.equal((await login()).status, 204, 'without a factor the password is enough again');
    assert.equal((await call('GET', '/api/factors', { cookie })).json['recovery'], null);
  });

  test('administration needs a proof of the last quarter of an hour, after which the session has another cookie', async (t) => {
    const { call, clock, cookie, tokens, recorded } = await world(t, open);
    const administer = (credential: Request) => call('POST', '/api/services', credential);
    assert.equal((await administer({ cookie })).status, 200, 'signing in is a proof');
    await clock.advance(15 * MINUTE);
    const asked = await administer({ cookie });
    assert.deepEqual(
      [asked.status, asked.json['code'], asked.json['details']],
      [403, 'step_up_needed', { kinds: ['password'], max_age_ms: 900_000 }],
    );
    assert.equal((await call('GET', '/api/services', { cookie })).status, 200, 'everything else goes on');
    const prove = (password: string) => call('POST', '/api/session/proof', { cookie, body: { kind: 'password', password } });
    assert.equal((await prove('not the password')).status, 400);
    assert.equal((await administer({ cookie })).status, 403);
    const proved = await prove(GOOD);
    assert.equal(proved.status, 204);
    assert.equal((await administer({ cookie: proved.cookie })).status, 200);
    assert.equal((await call('GET', '/api/services', { cookie })).status, 401, 'a cookie that was stolen before opens nothing now');
    assert.ok(recorded.some(({ action }) => action === 'session.proved'));
    const { token } = await tokens.create(COMMAND_LINE, { name: 'ci', role: 'administrator' });
    assert.equal((await administer({ token })).status, 200, 'tokens are scoped');
    clock.jump(-20 * MINUTE);
    assert.equal((await administer({ cookie: proved.cookie })).status, 403, 'a clock that is set back makes no proof last longer');
  });

  test('factors themselves cannot be changed from a browser that was left open', async (t) => {
    const { call, clock, cookie } = await world(t, open);
    await withApp({ call }, clock, cookie);
    await clock.advance(15 * MINUTE);
    const changes = [
      ['POST', '/api/factors/totp'],
      ['POST', '/api/factors/totp/confirm'],
      ['DELETE', '/api/factors/totp'],
      ['POST', '/api/factors/recovery-codes'],
      ['POST', '/api/factors/passkeys/options'],
      ['POST', '/api/factors/passkeys'],
      ['DELETE', '/api/factors/passkeys/any'],
    ] as const;
    for (const [method, url] of changes)
      assert.equal((await call(method, url, { cookie })).json['code'], 'step_up_needed', `${method} ${url}`);
    const asked = await call('DELETE', '/api/factors/totp', { cookie });
    assert.deepEqual((asked.json['details'] as { kinds: string[] }).kinds, ['password', 'totp']);
  });

  test('who must have a factor and has none may do nothing but set one up, and keeps the last', async (t) => {
    const { call, clock, cookie, policy, another, tokens } = await world(t, open, { required: ['administrator'] });
    const session = await call('GET', '/api/session', { cookie });
    assert.equal(session.json['factor_needed'], true);
    for (const [method, url] of [
      ['GET', '/api/services'],
      ['POST', '/api/services'],
      ['GET', '/api/openapi.json'],
    ] as const) {
      const refused = await call(method, url, { cookie });
      assert.deepEqual([refused.status, refused.json['code']], [403, 'second_factor_needed'], `${method} ${url}`);
    }
    const { token } = await tokens.create(COMMAND_LINE, { name: 'ci', role: 'administrator' });
    assert.equal((await call('POST', '/api/services', { token })).status, 200, 'programs have no factors');
    await withApp({ call }, clock, cookie);
    assert.equal((await call('GET', '/api/services', { cookie })).status, 200);
    assert.equal((await (await another()).call('GET', '/api/services', { cookie })).status, 200);
    const last = await call('DELETE', '/api/factors/totp', { cookie });
    assert.deepEqual([last.status, last.json['code']], [409, 'last_factor']);
    assert.ok((await call('GET', '/api/factors', { cookie })).json['totp'] !== null, 'refused whole');
    policy.require_second_factor = [];
    assert.equal((await call('DELETE', '/api/factors/totp', { cookie })).status, 204);
  });

  test('an administrator takes away factors that somebody lost; that ends their sessions, and nobody else may', async (t) => {
    const { call, login, clock, cookie, ann, addPerson, recorded } = await world(t, open);
    const bob = await addPerson('Bob', 'operator');
    const session = (await login('Bob')).cookie ?? '';
    await withApp({ call }, clock, session);
    assert.equal((await call('POST', `/api/people/${ann}/reset-factors`, { cookie: session })).status, 403);
    assert.equal((await call('POST', `/api/people/${bob}/reset-factors`, { cookie })).status, 204);
    assert.equal((await call('GET', '/api/services', { cookie: session })).status, 401);
    assert.equal((await login('Bob')).status, 204);
    assert.ok(recorded.some(({ action, actor }) => action === 'factors.reset' && actor === 'Ann'));
    await clock.advance(15 * MINUTE);
    assert.equal((await call('POST', `/api/people/${bob}/reset-factors`, { cookie })).json['code'], 'step_up_needed');
  });
});

test('what is no answer is refused before anything is looked up', async (t) => {
  const { call, login, clock, cookie } = await world(t, openSqliteForTest);
  const { device } = await withPasskey({ call }, cookie);
  await withApp({ call }, clock, cookie);
  const challenge = challengeOf(await login());
  const good = device.assert('x'.repeat(43));
  const part = (changed: object) => ({ kind: 'passkey', answer: { ...good, response: { ...good.response, ...changed } } });
  const bad: readonly (readonly [string, unknown])[] = [
    ['no factor', undefined],
    ['an unknown kind', { kind: 'sms', code: '123456' }],
    ['a code of five digits', { kind: 'totp', code: '12345' }],
    ['a code of seven digits', { kind: 'totp', code: '1234567' }],
    ['digits of another script', { kind: 'totp', code: '\u0661\u0662\u0663\u0664\u0665\u0666' }],
    ['a code that is a number', { kind: 'totp', code: 123_456 }],
    ['a list of codes', { kind: 'totp', code: ['123456'] }],
    ['a field that is not known', { kind: 'totp', code: '123456', remember: true }],
    ['a recovery code that is too long', { kind: 'recovery_code', code: 'a'.repeat(41) }],
    ['no passkey', { kind: 'passkey' }],
    ['another type of credential', { kind: 'passkey', answer: { ...good, type: 'password' } }],
    ['an id that is no base64url', { kind: 'passkey', answer: { ...good, id: '../../etc' } }],
    ['an id that is too long', { kind: 'passkey', answer: { ...good, id: 'a'.repeat(1_365) } }],
    ['client data that are huge', part({ clientDataJSON: 'a'.repeat(5_501) })],
    ['authenticator data that are huge', part({ authenticatorData: 'a'.repeat(2_801) })],
    ['a signature that is huge', part({ signature: 'a'.repeat(1_501) })],
    ['client data that are no JSON', part({ clientDataJSON: Buffer.from('no').toString('base64url') })],
    ['client data that are null', part({ clientDataJSON: Buffer.from('null').toString('base64url') })],
    ['client data that are no UTF-8', part({ clientDataJSON: Buffer.from([0xff, 0xfe]).toString('base64url') })],
    ['a challenge that was never asked', part({})],
  ];
  for (const [what, factor] of bad) {
    const answer = await call('POST', '/api/session/factor', { body: { challenge, factor } });
    // Those that are an answer count as a try; a sign-in has five.
    assert.ok([400, 401, 429].includes(answer.status), `${what}: ${answer.status} ${JSON.stringify(answer.json)}`);
    assert.equal(answer.cookie, undefined, what);
  }
  const huge = { ...device.register('x'.repeat(43)), response: { clientDataJSON: 'aaaa', attestationObject: 'a'.repeat(22_001) } };
  const made = await call('POST', '/api/factors/passkeys', { cookie, body: { name: 'Huge', answer: huge } });
  assert.equal(made.status, 400, 'a huge attestation');
  assert.equal((await call('POST', '/api/factors/passkeys', { cookie, body: { name: ' ', answer: good } })).status, 400);
});

test('strangers who ask for challenges without end end only those of strangers', async (t) => {
  const { call, cookie, db, clock } = await world(t, openSqliteForTest);
  const { device } = await withPasskey({ call }, cookie);
  const own = String((await call('POST', '/api/session/proof/options', { cookie })).json['challenge']);
  const flood = Array.from({ length: 1_200 }, (_, index) => ({
    digest: `stranger ${index}`,
    purpose: 'sign_in',
    user_id: null,
    bound_to: '',
    expires_at_ms: clock.now() + index,
  }));
  for (let at = 0; at < flood.length; at += 100)
    await db.kysely
      .insertInto('factor_challenges')
      .values(flood.slice(at, at + 100))
      .execute();
  const late = String((await call('POST', '/api/session/passkey/options')).json['challenge']);
  const kept = await db.kysely.selectFrom('factor_challenges').select('user_id').execute();
  assert.equal(kept.filter(({ user_id }) => user_id === null).length, 1_000);
  assert.equal((await call('POST', '/api/session/passkey', { body: { answer: device.assert(late) } })).status, 204, 'the newest stays');
  const proof = { kind: 'passkey', answer: device.assert(own) };
  assert.equal((await call('POST', '/api/session/proof', { cookie, body: proof })).status, 204);
});

test('a passkey that does not examine its person is a second factor only', async (t) => {
  const { call, login, cookie } = await world(t, openSqliteForTest);
  const { device } = await withPasskey({ call }, cookie, { flags: 0x41 });
  assert.equal(
    ((await call('GET', '/api/factors', { cookie })).json['passkeys'] as { signs_in_alone: boolean }[])[0]?.signs_in_alone,
    false,
  );
  const options = await call('POST', '/api/session/passkey/options');
  const alone = device.assert(String(options.json['challenge']), { flags: 0x01 });
  assert.equal((await call('POST', '/api/session/passkey', { body: { answer: alone } })).status, 400);
  const challenge = challengeOf(await login());
  const second = await call('POST', '/api/session/factor/options', { body: { challenge } });
  const factor = { kind: 'passkey', answer: device.assert(String(second.json['challenge']), { flags: 0x01 }) };
  assert.equal((await call('POST', '/api/session/factor', { body: { challenge, factor } })).status, 200);
});

test('whom only an identity provider lets in does not come in past it, and has nothing to prove with but the provider', async (t) => {
  const { call, clock, cookie, db, ann, policy } = await world(t, openSqliteForTest, { required: ['administrator'] });
  const { device } = await withPasskey({ call }, cookie);
  const alone = async () => {
    const options = await call('POST', '/api/session/passkey/options');
    return (await call('POST', '/api/session/passkey', { body: { answer: device.assert(String(options.json['challenge'])) } })).status;
  };
  policy.password_login = false;
  assert.equal(await alone(), 400, 'only providers let people in');
  policy.password_login = true;
  assert.equal(await alone(), 204);
  await db.kysely.updateTable('users').set({ password_hash: NO_ONES_HASH }).where('id', '=', ann).execute();
  assert.equal(await alone(), 400, 'the provider may have shut them out');
  await db.kysely.deleteFrom('passkeys').execute();
  await clock.advance(15 * MINUTE);
  assert.equal((await call('GET', '/api/services', { cookie })).status, 200, 'their second factor is the matter of the provider');
  assert.deepEqual((await call('POST', '/api/services', { cookie })).json['details'], { kinds: [], max_age_ms: 900_000 });
});

test('without authentication nobody is asked for a proof, and nobody has factors', async (t) => {
  const { db } = await openSqliteForTest(t);
  const { call } = await processOn(t, db, manualClock(), { open: true, required: ['administrator'] });
  assert.equal((await call('POST', '/api/services')).status, 200);
  assert.deepEqual((await call('GET', '/api/factors')).json['code'], 'session_needed');
});
