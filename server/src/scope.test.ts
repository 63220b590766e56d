import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { formatScope } from '@nines/model/scope.ts';
import { openSqliteForTest } from '../../test/harness/databases.ts';
import { silentLogger } from '../../test/harness/logs.ts';
import { manualClock } from '../../test/harness/manual-clock.ts';
import { COMMAND_LINE } from './access/contract.ts';
import { openEntryForTest } from './testing/entry.ts';
import { createHttp } from './platform/http/server.ts';
import { createIds } from './platform/ids.ts';

async function openServer(t: TestContext) {
  const { db } = await openSqliteForTest(t);
  const clock = manualClock();
  const ids = createIds(clock);
  const { access, tokens } = openEntryForTest({ db, clock, ids });
  const http = await createHttp({ logger: silentLogger, ids, gate: access, hosts: 'any', version: '0' });
  t.after(() => http.close());
  http.get('/api/services/forgotten', { config: { permission: 'read' } }, async () => ({}));
  http.get('/api/services/free', { config: { permission: 'read', scoped: { free: 'nothing in it' } } }, async () => ({}));
  http.get('/api/services/minded', { config: { permission: 'read', scoped: 'handler' } }, async ({ actor }) => ({
    scope: formatScope(actor.scope),
  }));
  const get = (token: string, url: string) => http.inject({ url, headers: { authorization: `Bearer ${token}` } });
  return { db, tokens, get };
}

test('a route that forgot about scopes is closed to whoever has one, and open to all others', async (t) => {
  const { tokens, get } = await openServer(t);
  const { token } = await tokens.create(COMMAND_LINE, {
    name: 'shop',
    role: 'administrator',
    teams: ['shop', 'till'],
    scope: 'env="prod"',
  });
  const refused = await get(token, '/api/services/forgotten');
  assert.deepEqual([refused.statusCode, refused.json().code], [403, 'outside_scope']);
  assert.equal((await get(token, '/api/services/free')).statusCode, 200);
  assert.deepEqual((await get(token, '/api/services/minded')).json(), { scope: 'team=~"shop|till", env="prod"' });
  const all = await tokens.create(COMMAND_LINE, { name: 'all', role: 'read-only' });
  for (const path of ['forgotten', 'free', 'minded']) assert.equal((await get(all.token, `/api/services/${path}`)).statusCode, 200, path);
});

test('a scope that cannot be read shows nothing instead of everything', async (t) => {
  const { db, tokens, get } = await openServer(t);
  for (const damage of [{ teams: 'shop' }, { teams: '{}' }, { scope: 'team=' + '"' }, { scope: 'team=~"("' }]) {
    const { id, token } = await tokens.create(COMMAND_LINE, { name: 'shop', role: 'read-only', teams: ['shop'] });
    await db.kysely.updateTable('tokens').set(damage).where('id', '=', id).execute();
    assert.equal((await get(token, '/api/services/forgotten')).statusCode, 403);
    assert.deepEqual((await get(token, '/api/services/minded')).json(), { scope: 'team="", team!=""' }, JSON.stringify(damage));
  }
});
