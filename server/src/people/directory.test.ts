import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { AppError } from '@nines/base/errors.ts';
import { type OpenDatabase, forEachDatabase } from '../../../test/harness/databases.ts';
import { silentLogger } from '../../../test/harness/logs.ts';
import { manualClock } from '../../../test/harness/manual-clock.ts';
import { accessRoutes } from '../access/routes.ts';
import { COMMAND_LINE } from '../access/contract.ts';
import type { Mail, Mailer } from '../notify/contract.ts';
import type { Db } from '../platform/db/open.ts';
import { createHttp } from '../platform/http/server.ts';
import { createIds } from '../platform/ids.ts';
import { sessionRoutes } from '../sessions/routes.ts';
import { openEntryForTest } from '../testing/entry.ts';
import type { IssuedView, PersonView } from './contract.ts';
import { directoryRoutes } from './directory-routes.ts';
import { peopleRoutes } from './routes.ts';

const GOOD = 'correct horse battery';
const BETTER = 'another good long one';

async function world(t: TestContext, open: OpenDatabase) {
  const { db, openAgain } = await open(t);
  const clock = manualClock();
  const ids = createIds(clock);
  const erased: string[] = [];
  const mails: Mail[] = [];
  const ended = { count: 0 };
  const entryOn = (on: Db) =>
    openEntryForTest({ db: on, clock, ids, erase: async (_trx, _by, id) => void erased.push(id), onEnded: () => void ended.count++ });
  const entry = entryOn(db);
  const http = await createHttp({ logger: silentLogger, ids, gate: entry.access, hosts: 'any', version: '0' });
  t.after(() => http.close());
  accessRoutes(http, entry);
  peopleRoutes(http, entry);
  sessionRoutes(http, entry);
  const mailer: Mailer = {
    async send(mail) {
      mails.push(mail);
      return { kind: 'delivered', receipt: '1' };
    },
  };
  directoryRoutes(http, { ...entry, url: () => 'https://nines.example/', mailer: () => mailer });
  type Asked = { readonly body?: object; readonly cookie?: string | undefined; readonly agent?: string };
  const call = async (method: 'GET' | 'POST' | 'PATCH' | 'DELETE', url: string, { body, cookie, agent = 'Firefox' }: Asked = {}) => {
    const headers = { 'user-agent': agent, ...(cookie === undefined ? {} : { cookie: `nines_session=${cookie}` }) };
    const answer = await http.inject({ method, url, headers, ...(body === undefined ? {} : { payload: body }) });
    const json = (answer.body === '' ? {} : answer.json()) as Record<string, unknown>;
    return {
      status: answer.statusCode,
      json,
      code: json['code'],
      cookie: answer.cookies.find(({ name }) => name === 'nines_session')?.value,
    };
  };
  const signIn = async (name: string, password = GOOD): Promise<string> => {
    const done = await call('POST', '/api/session', { body: { name, password } });
    assert.equal(done.status, 204, JSON.stringify(done.json));
    return done.cookie ?? '';
  };
  await entry.people.setup({ token: (await entry.people.startSetup()) ?? '', name: 'Ann', password: GOOD }, { address: '', userAgent: '' });
  const ann = await signIn('Ann');
  const person = async (name: string): Promise<PersonView> => {
    const found = (await entry.directory.list()).find((one) => one.name === name);
    assert.ok(found !== undefined, name);
    return found;
  };
  const invite = async (body: object) => {
    const made = await call('POST', '/api/people', { cookie: ann, body });
    return { ...made, link: made.json as unknown as IssuedView };
  };
  /** Invites and joins; the answer is their session. */
  const add = async (name: string, role: string): Promise<string> => {
    const { secret: token } = await entry.directory.invite(COMMAND_LINE, { name, role });
    return (await call('POST', '/api/join', { body: { token, password: GOOD } })).cookie ?? '';
  };
  return { db, openAgain, clock, call, ann, person, invite, add, signIn, mails, erased, ended, entry, entryOn };
}

const tokenIn = ({ link }: IssuedView): string => link.split('#token=')[1] ?? '';
const refusal = (code: string) => (thrown: unknown) => thrown instanceof AppError && thrown.code === code;

forEachDatabase((_name, open) => {
  test("changing one's password ends the link that was made for the old one", async (t) => {
    const { call, add, person, ann, signIn } = await world(t, open);
    const bob = await add('Bob', 'operator');
    const { id } = await person('Bob');
    const made = await call('POST', `/api/people/${id}/link`, { cookie: ann, body: {} });
    assert.equal(made.status, 201);
    const changed = await call('POST', '/api/password', { cookie: bob, body: { current: GOOD, next: BETTER } });
    assert.ok(changed.status < 300, JSON.stringify(changed.json));
    const used = await call('POST', '/api/join', {
      body: { token: tokenIn(made.json as unknown as IssuedView), password: 'yet another good one' },
    });
    assert.deepEqual([used.status, used.code], [403, 'link_invalid']);
    assert.equal((await person('Bob')).link, null);
    await signIn('Bob', BETTER);
  });

  test('a token that ends, counts from some networks or may do some actions only makes no person, no link and gives nobody more', async (t) => {
    const { entry, add, person, clock } = await world(t, open);
    await add('Bob', 'read-only');
    const { id, revision } = await person('Bob');
    const token = async (more: object) => {
      const made = await entry.tokens.create(COMMAND_LINE, { name: 'ci', role: 'administrator', ...more });
      return { kind: 'token', id: made.id, name: 'ci', role: 'administrator' } as const;
    };
    for (const more of [{ expires_at_ms: clock.now() + 60_000 }, { addresses: ['10.0.0.0/8'] }, { actions: ['acknowledge'] }]) {
      const by = await token(more);
      await assert.rejects(entry.directory.invite(by, { name: 'Eve', role: 'read-only' }), refusal('role_too_wide'), JSON.stringify(more));
      await assert.rejects(entry.directory.reset(by, id), refusal('role_too_wide'));
      await assert.rejects(entry.directory.change(by, id, { revision, role: 'operator' }), refusal('role_too_wide'));
      await assert.rejects(entry.directory.change(by, id, { revision, scope: '' }), refusal('role_too_wide'));
    }
    const lasting = await token({});
    assert.equal((await entry.directory.invite(lasting, { name: 'Eve', role: 'read-only' })).name, 'Eve');
    assert.equal((await entry.directory.change(lasting, id, { revision, role: 'operator' })).role, 'operator');
    const revoked = await token({});
    await entry.tokens.revoke(COMMAND_LINE, revoked.id);
    await assert.rejects(entry.directory.invite(revoked, { name: 'Max', role: 'read-only' }), refusal('role_too_wide'));
  });

  test('an invitation is a link that works once, for two days, and makes the person with the role that was given', async (t) => {
    const { db, call, invite, person, clock, mails } = await world(t, open);
    const { status, link } = await invite({ name: 'Bob', role: 'operator', email: 'bob@shop.example', send: true });
    assert.equal(status, 201);
    assert.match(link.link, /^https:\/\/nines\.example\/join#token=[A-Za-z0-9_-]{43}$/);
    assert.deepEqual([mails[0]?.to, mails[0]?.text.includes(link.link)], [['bob@shop.example'], true]);
    assert.ok(!JSON.stringify(await db.kysely.selectFrom('person_links').selectAll().execute()).includes(tokenIn(link)));
    assert.equal((await person('Bob')).state, 'invited');
    const token = tokenIn(link);
    assert.equal(
      (await call('POST', '/api/session', { body: { name: 'Bob', password: '' } })).status,
      401,
      'no password opens an invitation',
    );
    assert.equal((await call('POST', '/api/join/look', { body: { token } })).json['name'], 'Bob');
    const weak = await call('POST', '/api/join', { body: { token, password: 'bob@shop1' } });
    assert.equal(weak.code, 'password_refused');
    await clock.advance(47 * 3_600_000);
    const both = await Promise.all([1, 2].map(() => call('POST', '/api/join', { body: { token, password: GOOD } })));
    assert.deepEqual(
      both.map(({ status: one }) => one).sort((a, b) => a - b),
      [204, 403],
    );
    const session = await call('GET', '/api/session', { cookie: both.find(({ cookie }) => cookie !== undefined)?.cookie });
    assert.deepEqual((session.json['actor'] as { role: string }).role, 'operator');
    const { state, link: left } = await person('Bob');
    assert.deepEqual([state, left], ['active', null]);
  });

  test('a link that was used, taken back, has expired or never was looks the same', async (t) => {
    const { call, invite, person, ann, clock } = await world(t, open);
    const told = async (token: string) => {
      const { status, code, json } = await call('POST', '/api/join', { body: { token, password: GOOD } });
      return [status, code, json['detail']];
    };
    const unknown = await told('x'.repeat(43));
    assert.deepEqual(unknown.slice(0, 2), [403, 'link_invalid']);
    const used = await invite({ name: 'Used', role: 'operator' });
    await told(tokenIn(used.link));
    const revoked = await invite({ name: 'Revoked', role: 'operator' });
    assert.equal((await call('DELETE', `/api/people/${revoked.link.id}/link`, { cookie: ann })).status, 204);
    const replaced = await invite({ name: 'Replaced', role: 'operator' });
    assert.equal((await call('POST', `/api/people/${replaced.link.id}/link`, { cookie: ann, body: {} })).status, 201);
    const disabled = await invite({ name: 'Disabled', role: 'operator' });
    const { id, revision } = await person('Disabled');
    await call('PATCH', `/api/people/${id}`, { cookie: ann, body: { revision, disabled: true } });
    const old = await invite({ name: 'Old', role: 'operator' });
    for (const { link } of [used, revoked, replaced, disabled]) assert.deepEqual(await told(tokenIn(link)), unknown, link.name);
    await clock.advance(48 * 3_600_000);
    assert.deepEqual(await told(tokenIn(old.link)), unknown, 'after two days');
  });

  test('attack: a link made for a small role is no way in for a person who was given a greater one', async (t) => {
    const { call, invite, person, ann } = await world(t, open);
    const join = async (token: string) => (await call('POST', '/api/join', { body: { token, password: GOOD } })).code ?? 'in';
    const change = async (name: string, change: object) => {
      const { id, revision } = await person(name);
      assert.equal((await call('PATCH', `/api/people/${id}`, { cookie: ann, body: { revision, ...change } })).status, 200);
    };
    for (const wider of [{ role: 'administrator' }, { teams: [] }, { scope: '' }]) {
      const name = Object.keys(wider).join('');
      const { link } = await invite({ name, role: 'read-only', teams: ['shop'], scope: 'env="prod"' });
      await change(name, wider);
      assert.equal(await join(tokenIn(link)), 'link_invalid', name);
      assert.equal((await person(name)).link, null);
    }
    const { link } = await invite({ name: 'Bob', role: 'operator' });
    await change('Bob', { role: 'read-only', email: 'bob@shop.example' });
    assert.equal(await join(tokenIn(link)), 'in', 'less is no danger');
  });

  test('another role, being disabled and a reset end the sessions; who saw an older state is told', async (t) => {
    const { call, add, person, ann, signIn, ended } = await world(t, open);
    const works = async (cookie: string) => (await call('GET', '/api/session', { cookie })).status === 200;
    const first = await add('Bob', 'operator');
    const { id, revision } = await person('Bob');
    const before = ended.count;
    assert.equal((await call('PATCH', `/api/people/${id}`, { cookie: ann, body: { revision, email: 'b@shop.example' } })).status, 200);
    assert.equal(await works(first), true, 'another address ends nothing');
    const stale = await call('PATCH', `/api/people/${id}`, { cookie: ann, body: { revision, role: 'read-only' } });
    assert.deepEqual([stale.status, stale.code], [409, 'revision_conflict']);
    const lowered = await call('PATCH', `/api/people/${id}`, { cookie: ann, body: { revision: revision + 1, role: 'read-only' } });
    assert.deepEqual([lowered.status, lowered.json['role'], await works(first)], [200, 'read-only', false]);
    const second = await signIn('Bob');
    const reset = (await call('POST', `/api/people/${id}/link`, { cookie: ann, body: {} })).json as unknown as IssuedView;
    assert.deepEqual([reset.kind, await works(second)], ['reset', true], 'until it is used');
    const done = await call('POST', '/api/join', { body: { token: tokenIn(reset), password: BETTER } });
    assert.deepEqual([await works(second), await works(done.cookie ?? '')], [false, true]);
    const now = await person('Bob');
    await call('PATCH', `/api/people/${id}`, { cookie: ann, body: { revision: now.revision, disabled: true } });
    assert.equal(await works(done.cookie ?? ''), false);
    assert.equal((await call('POST', '/api/session', { body: { name: 'Bob', password: BETTER } })).code, 'wrong_credentials');
    assert.ok(ended.count > before, 'open streams are examined at once');
  });

  test('the last administrator stays, also when two processes lower each other at the same time', async (t) => {
    const { call, add, person, ann, entryOn, openAgain } = await world(t, open);
    const alone = await person('Ann');
    assert.equal(alone.last_administrator, true);
    for (const body of [{ role: 'operator' }, { disabled: true }]) {
      const refused = await call('PATCH', `/api/people/${alone.id}`, { cookie: ann, body: { ...body, revision: alone.revision } });
      assert.deepEqual([refused.status, refused.code], [409, 'last_administrator']);
    }
    assert.equal((await call('DELETE', `/api/people/${alone.id}?revision=${alone.revision}`, { cookie: ann })).code, 'last_administrator');
    await call('POST', '/api/people', { cookie: ann, body: { name: 'Invited', role: 'administrator' } });
    assert.equal((await person('Ann')).last_administrator, true, 'who has not joined cannot help');
    const processes = [entryOn(await openAgain()), entryOn(await openAgain())];
    for (const [index, round] of ['change', 'remove', 'change'].entries()) {
      await add(`Bob ${index}`, 'administrator');
      const both =
        (await processes[0]?.directory.list())?.filter(({ role, state }) => role === 'administrator' && state === 'active') ?? [];
      assert.equal(both.length, 2);
      const outcomes = await Promise.allSettled(
        both.map(({ id, revision }, i) =>
          round === 'remove' && both[i]?.name !== 'Ann'
            ? processes[i]?.directory.remove(COMMAND_LINE, id, revision)
            : processes[i]?.directory.change(COMMAND_LINE, id, { revision, disabled: true }),
        ),
      );
      assert.deepEqual(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
      // Whoever was disabled comes back, so that the next round has two again.
      for (const { id, state, revision } of (await processes[0]?.directory.list()) ?? []) {
        if (state === 'disabled') await processes[0]?.directory.change(COMMAND_LINE, id, { revision, disabled: false, role: 'operator' });
      }
      const [left] = ((await processes[0]?.directory.list()) ?? []).filter(({ last_administrator }) => last_administrator);
      assert.ok(left !== undefined);
    }
  });

  test('nobody makes anybody more than they are, and only administrators see people at all', async (t) => {
    const { call, add, person, entry } = await world(t, open);
    const operator = await add('Olga', 'operator');
    const { id } = await person('Olga');
    for (const [method, url] of [
      ['GET', '/api/people'],
      ['GET', `/api/people/${id}/sessions`],
      ['GET', '/api/people/nobody/sessions'],
      ['POST', `/api/people/${id}/link`],
      ['DELETE', `/api/people/${id}/sessions`],
    ] as const)
      assert.equal((await call(method, url, { cookie: operator, ...(method === 'POST' ? { body: {} } : {}) })).status, 403, url);
    const olga = { kind: 'user', id, name: 'Olga', role: 'operator' } as const;
    await assert.rejects(entry.directory.invite(olga, { name: 'Eve', role: 'administrator' }), refusal('role_too_wide'));
    await assert.rejects(entry.directory.reset(olga, (await person('Ann')).id), refusal('role_too_wide'), 'a reset would be a way in');
    await assert.rejects(entry.directory.invite(COMMAND_LINE, { name: 'Eve', role: 'ingest' }), refusal('unknown_role'));
    await assert.rejects(entry.directory.invite(COMMAND_LINE, { name: 'olga ', role: 'operator' }), refusal('name_taken'));
  });

  test('a removed person is gone, their sessions and links too, and the audit log forgets them', async (t) => {
    const { db, call, add, person, ann, erased } = await world(t, open);
    const cookie = await add('Bob', 'operator');
    const { id, revision } = await person('Bob');
    await call('POST', `/api/people/${id}/link`, { cookie: ann, body: {} });
    assert.equal((await call('DELETE', `/api/people/${id}?revision=${revision}`, { cookie: ann })).status, 204);
    assert.equal((await call('GET', '/api/session', { cookie })).status, 401);
    assert.deepEqual(erased, [id]);
    for (const table of ['sessions', 'person_links', 'pending_logins'] as const)
      assert.deepEqual(await db.kysely.selectFrom(table).select('user_id').where('user_id', '=', id).execute(), [], table);
    assert.equal((await call('DELETE', `/api/people/${id}?revision=${revision}`, { cookie: ann })).code, 'person_not_found');
  });

  test('everybody sees and ends their own sessions and nobody else’s; administrators end anybody’s', async (t) => {
    const { call, add, person, ann, signIn } = await world(t, open);
    const here = await add('Bob', 'read-only');
    const there = await signIn('Bob');
    const list = async (cookie: string, url = '/api/sessions') =>
      ((await call('GET', url, { cookie })).json['items'] ?? []) as readonly { id: string; current: boolean; user_agent: string }[];
    const mine = await list(here);
    assert.deepEqual(
      mine.map(({ current }) => Number(current)).sort((a, b) => a - b),
      [0, 1],
    );
    assert.equal(mine[0]?.user_agent, 'Firefox');
    const [annsOwn] = await list(ann);
    assert.equal((await call('DELETE', `/api/sessions/${annsOwn?.id}`, { cookie: here })).status, 404, "another person's id opens nothing");
    assert.deepEqual((await call('DELETE', '/api/sessions', { cookie: here })).json, { ended: 1 });
    assert.equal((await call('GET', '/api/session', { cookie: there })).status, 401);
    assert.equal((await call('GET', '/api/session', { cookie: here })).status, 200);
    const { id } = await person('Bob');
    const [left] = await list(ann, `/api/people/${id}/sessions`);
    assert.equal((await call('DELETE', `/api/people/${id}/sessions/${left?.id}`, { cookie: ann })).status, 204);
    assert.equal((await call('GET', '/api/session', { cookie: here })).status, 401);
  });

  test('a session that is proved again goes on under another identity, and the old one opens nothing', async (t) => {
    const { ann, entry, clock } = await world(t, open);
    await clock.advance(60_000);
    const next = await entry.sessions.prove(ann);
    assert.ok(next !== undefined);
    assert.equal(await entry.sessions.actorOf(ann), undefined, 'a copied cookie ends with the rotation');
    assert.equal((await entry.sessions.actorOf(next.cookie))?.actor.name, 'Ann');
    assert.equal(await entry.sessions.provedAtMs(next.cookie), clock.now());
    assert.equal(await entry.sessions.prove(ann), undefined);
  });
});
