import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { AppError } from '@nines/base/errors.ts';
import { DAY_MS, MINUTE_MS } from '@nines/base/units.ts';
import { sql as text } from 'kysely';
import { z } from 'zod';
import { openSqliteForTest } from '../../../test/harness/databases.ts';
import { silentLogger } from '../../../test/harness/logs.ts';
import { poll } from '../../../test/harness/poll.ts';
import { manualClock } from '../../../test/harness/manual-clock.ts';
import { COMMAND_LINE } from '../access/contract.ts';
import { accessRoutes } from '../access/routes.ts';
import { openEntryForTest } from '../testing/entry.ts';
import { peopleRoutes } from '../people/routes.ts';
import { tokenRoutes } from '../tokens/routes.ts';
import { Tokens } from '../tokens/service.ts';
import { createHttp } from '../platform/http/server.ts';
import { createIds } from '../platform/ids.ts';
import { auditRequests } from './hook.ts';
import { auditRoutes } from './routes.ts';
import { openAuditLog } from './start.ts';

const isJson = (type: unknown): boolean => /^application\/(problem\+)?json/.test(String(type));

/** A server with the real gate and a book of slas that can be read, made, changed and removed. */
async function world(t: TestContext) {
  const { db } = await openSqliteForTest(t);
  const dataDir = mkdtempSync(join(tmpdir(), 'nines-audit-'));
  t.after(() => rmSync(dataDir, { recursive: true, force: true }));
  const clock = manualClock();
  const ids = createIds(clock);
  const audit = await openAuditLog({ db, clock, logger: silentLogger, dataDir, keptMs: 400 * DAY_MS, sealing: undefined });
  const entry = openEntryForTest({ db, clock, ids, record: audit.record });
  const http = await createHttp({ logger: silentLogger, ids, gate: entry.access, hosts: 'any', version: '0' });
  t.after(() => http.close());
  auditRequests(http, { audit, refusals: audit.refusals, clock, logger: silentLogger });
  accessRoutes(http, entry);
  peopleRoutes(http, entry);
  tokenRoutes(http, entry.tokens);
  auditRoutes(http, { audit, clock });
  const slas = new Map<string, { id: string; size: number; password: string }>();
  const params = z.object({ id: z.string() });
  const config = { permission: 'operate' } as const;
  http.get('/api/slas/:id', { config: { permission: 'read' }, schema: { params } }, async ({ params: { id } }) => {
    const found = slas.get(id);
    if (found === undefined) throw new AppError('not_found', 'thing_not_found', 'there is no such thing');
    return found;
  });
  const body = z.object({ size: z.number() });
  http.put('/api/slas/:id', { config, schema: { params, body } }, async (request) => {
    const thing = { id: request.params.id, size: request.body.size, password: 'hunter2' };
    slas.set(thing.id, thing);
    return thing;
  });
  http.delete('/api/slas/:id', { config, schema: { params } }, async (request, reply) => {
    if (!slas.delete(request.params.id)) throw new AppError('not_found', 'thing_not_found', 'there is no such thing');
    return reply.code(204).send();
  });
  http.post('/api/analytics/search', { config: { permission: 'read' } }, async () => ({}));
  http.post('/api/import', { config: { permission: 'ingest' } }, async () => ({}));
  const unrecorded = new Tokens({ db, clock, ids, record: async () => 0, judgeRole: () => {}, permitsOfRole: () => ({}) });
  const { token } = await unrecorded.create(COMMAND_LINE, { name: 'robot', role: 'administrator' });
  const call = async (method: 'GET' | 'POST' | 'PUT' | 'DELETE', url: string, payload?: object, as = token) => {
    const answer = await http.inject({
      method,
      url,
      headers: { authorization: `Bearer ${as}` },
      ...(payload !== undefined && { payload }),
    });
    return {
      status: answer.statusCode,
      text: answer.body,
      json: (isJson(answer.headers['content-type']) ? answer.json() : {}) as Record<string, unknown>,
    };
  };
  const entries = async () => (await audit.list({}, { beforeSeq: undefined, limit: 100 })).toReversed();
  return { entry, audit, db, clock, http, call, slas, entries, token, unrecorded };
}

test('a change is recorded before it happens and with its outcome: who, what, before, after, from where', async (t) => {
  const { call, entries, audit } = await world(t);
  await call('PUT', '/api/slas/a', { size: 1 });
  await call('PUT', '/api/slas/a', { size: 2 });
  await call('DELETE', '/api/slas/a');
  assert.equal((await call('DELETE', '/api/slas/a')).status, 404);
  const found = await entries();
  const shown = found.map(({ phase, action, object, status, about_seq, before, after }) => [
    phase,
    action.split(' ', 1)[0],
    object.id,
    status ?? about_seq,
    (before as { size: number } | null)?.size ?? null,
    (after as { size: number } | null)?.size ?? null,
  ]);
  assert.deepEqual(shown, [
    ['asked', 'PUT', 'a', null, null, null],
    ['answered', 'PUT', 'a', 200, null, 1],
    ['asked', 'PUT', 'a', null, 1, null],
    ['answered', 'PUT', 'a', 200, null, 2],
    ['asked', 'DELETE', 'a', null, 2, null],
    ['answered', 'DELETE', 'a', 204, null, null],
    ['asked', 'DELETE', 'a', null, null, null],
    ['answered', 'DELETE', 'a', 404, null, null],
  ]);
  assert.deepEqual(
    found.map(({ actor, address, object }) => [actor.name, address, object.kind]),
    found.map(() => ['robot', '127.0.0.1', 'slas']),
  );
  assert.doesNotMatch(JSON.stringify(found), /hunter2/);
  assert.equal((await audit.verify()).whole, true);
});

test('evasion: what was before stands in the log also when a token that counts from elsewhere alone changes it', async (t) => {
  const { call, http, entries, unrecorded } = await world(t);
  await call('PUT', '/api/slas/a', { size: 1 });
  const { token } = await unrecorded.create(COMMAND_LINE, { name: 'far', role: 'administrator', addresses: ['192.0.2.0/24'] });
  const headers = { authorization: `Bearer ${token}` };
  const asked = { method: 'DELETE', url: '/api/slas/a', headers, remoteAddress: '192.0.2.7' } as const;
  assert.equal((await http.inject(asked)).statusCode, 204);
  const removed = (await entries()).find(({ action, phase }) => action.startsWith('DELETE') && phase === 'asked');
  assert.equal((removed?.before as { size: number } | null)?.size, 1);
});

test('a change whose entry cannot be written does not happen, nor does a sensitive read; others go on', async (t) => {
  const { call, db, slas } = await world(t);
  await text`create trigger full before insert on audit_entries begin select raise(abort, 'disk full'); end`.execute(db.kysely);
  const refused = await call('PUT', '/api/slas/a', { size: 1 });
  assert.deepEqual([refused.status, refused.json['code'], slas.size], [503, 'audit_unavailable', 0]);
  assert.equal((await call('GET', '/api/tokens')).status, 503);
  assert.deepEqual([(await call('POST', '/api/analytics/search')).status, (await call('POST', '/api/import')).status], [200, 200]);
});

test('queries, ingest and refused requests leave no entry; a sensitive read leaves one in five minutes', async (t) => {
  const { call, entries, clock } = await world(t);
  await call('POST', '/api/analytics/search');
  await call('POST', '/api/import');
  await call('PUT', '/api/slas/a', { size: 'x' });
  await call('PUT', '/api/slas/a', { size: 1 }, 'nines_nobody');
  assert.deepEqual(await entries(), []);
  await call('GET', '/api/tokens');
  await call('GET', '/api/tokens');
  await clock.advance(6 * MINUTE_MS);
  await call('GET', '/api/tokens');
  assert.deepEqual(
    (await entries()).map(({ phase, action }) => `${phase} ${action}`),
    ['read GET /api/tokens', 'read GET /api/tokens'],
  );
});

test('administrators page through the log, filter it, export it and have it examined; others may not', async (t) => {
  const { call } = await world(t);
  for (let i = 1; i <= 3; i++) await call('PUT', `/api/slas/t${i}`, { size: i });
  const first = (await call('GET', '/api/audit?object_kind=slas&limit=4')).json as { items: { seq: number }[]; next: string };
  const second = (await call('GET', `/api/audit?object_kind=slas&limit=4&cursor=${first.next}`)).json as typeof first;
  assert.deepEqual([first.items.length, second.items.length, second.next], [4, 2, null]);
  const one = (await call('GET', '/api/audit?object_id=t2&phase=answered')).json as { items: { after: { size: number } }[] };
  assert.deepEqual(
    one.items.map(({ after }) => after.size),
    [2],
  );
  const lines = (await call('GET', '/api/audit/export?object_kind=slas')).text.trimEnd().split('\n');
  assert.deepEqual(
    lines.map((line) => (JSON.parse(line) as { object: { id: string } }).object.id),
    ['t1', 't1', 't2', 't2', 't3', 't3'],
  );
  assert.equal((await call('GET', '/api/audit/verify')).json['whole'], true);
  const { json } = await call('POST', '/api/tokens', { name: 'op', role: 'operator' });
  for (const path of ['', '/export', '/verify'])
    assert.equal((await call('GET', `/api/audit${path}`, undefined, String(json['token']))).status, 403);
  const made = (await call('GET', '/api/audit?object_kind=tokens&phase=answered')).json as {
    items: { object: { id: string }; after: unknown }[];
  };
  assert.deepEqual([made.items[0]?.object.id, JSON.stringify(made.items).includes(String(json['token']))], [json['id'], false]);
});

test('what is refused is recorded by whose it is, a failed sign-in by a digest of its name, and neither tells who exists', async (t) => {
  const { call, entries, http } = await world(t);
  const { json } = await call('POST', '/api/tokens', { name: 'op', role: 'operator' });
  const before = (await entries()).length;
  for (let i = 0; i < 3; i++) assert.equal((await call('GET', '/api/audit', undefined, String(json['token']))).status, 403);
  await call('PUT', '/api/things/a', { size: 1 }, 'nines_nobody');
  for (const name of ['Ann Secretname', 'ann secretname ', 'Bob'])
    assert.equal(
      (await http.inject({ method: 'POST', url: '/api/session', payload: { name, password: 'hunter2 hunter2' } })).statusCode,
      401,
    );
  const found = (await entries()).slice(before);
  assert.deepEqual(
    found.map(({ action, actor, object, status }) => [action, actor.name, object.kind, status]),
    [
      ['request.refused', 'op', 'audit', 403],
      ['sign_in.refused', '', 'sign-ins', 401],
      ['sign_in.refused', '', 'sign-ins', 401],
    ],
  );
  assert.notEqual(found[1]?.object.id, found[2]?.object.id, 'another name is another account');
  assert.doesNotMatch(JSON.stringify(found), /secretname|hunter2|Bob/i);
});

test('people, sessions and tokens change with their entries or not at all, and no password or token stands in them', async (t) => {
  const { entry, db, entries, http } = await world(t);
  const link = await entry.people.startSetup();
  const body = { token: link, name: 'Ann', password: 'correct horse battery' };
  const { cookies } = await http.inject({ method: 'POST', url: '/api/setup', payload: body });
  const cookie = (from: typeof cookies): Record<string, string> => ({ cookie: `nines_session=${from[0]?.value ?? ''}` });
  const next = 'another long battery';
  const changed = await http.inject({
    method: 'POST',
    url: '/api/password',
    headers: cookie(cookies),
    payload: { current: body.password, next },
  });
  assert.equal(changed.statusCode, 204);
  await http.inject({ method: 'DELETE', url: '/api/session', headers: cookie(changed.cookies) });
  const { id } = await entry.tokens.create(COMMAND_LINE, { name: 'short-lived', role: 'operator' });
  await entry.tokens.revoke(COMMAND_LINE, id);
  const found = await entries();
  assert.deepEqual(
    found.map(({ action, actor, before }) => [action, actor.name, (before as { name: string } | null)?.name ?? null]),
    [
      ['user.created', 'Ann', null],
      ['session.started', 'Ann', null],
      ['password.changed', 'Ann', null],
      ['session.started', 'Ann', null],
      ['session.ended', 'Ann', null],
      ['token.created', 'command line', null],
      ['token.revoked', 'command line', 'short-lived'],
    ],
  );
  for (const secret of [link, body.password, next, cookies[0]?.value]) assert.equal(JSON.stringify(found).includes(String(secret)), false);
  await text`create trigger full before insert on audit_entries begin select raise(abort, 'disk full'); end`.execute(db.kysely);
  const refused = await http.inject({ method: 'POST', url: '/api/session', payload: { name: 'Ann', password: next } });
  assert.deepEqual([refused.statusCode, refused.json().code, refused.cookies], [503, 'audit_unavailable', []]);
});

test('an export of the log says how many entries it handed out, however small it is', async (t) => {
  const { call, entries } = await world(t);
  for (const id of ['a', 'b', 'c']) await call('PUT', `/api/slas/${id}`, { size: 1 });
  for (const format of ['json', 'csv']) {
    const { text: sent } = await call('GET', `/api/audit/export?format=${format}&action=${encodeURIComponent('PUT /api/slas/:id')}`);
    const lines = sent.trim().split('\n').length - (format === 'csv' ? 1 : 0);
    assert.equal(lines, 6);
    const told = await poll('the outcome of the export', async () =>
      (await entries()).findLast(({ action, phase }) => action === 'GET /api/audit/export' && phase === 'answered'),
    );
    assert.deepEqual(told.after, { bytes: Buffer.byteLength(sent), rows: lines });
  }
});
