import assert from 'node:assert/strict';
import { it, type TestContext } from 'node:test';
import { FULL_SCOPE } from '@nines/model/storage.ts';
import { AppError } from '@nines/base/errors.ts';
import { countingIds } from '../../../test/harness/ids.ts';
import { manualClock } from '../../../test/harness/manual-clock.ts';
import { Secret } from '../platform/config/fields.ts';
import type { Actor, Gate } from '../platform/http/contract.ts';
import { createHttp } from '../platform/http/server.ts';
import { silentLogger } from '../../../test/harness/logs.ts';
import { createHealth } from './health.ts';
import { opsRoutes } from './routes.ts';

const admin: Actor = { kind: 'token', id: '1', name: 'a', role: 'administrator', teamId: 'default', scope: FULL_SCOPE };
const gate: Gate = {
  authenticate: async (request) => (request.headers.authorization === 'Bearer a' ? admin : undefined),
  allows: () => true,
};

async function world(t: TestContext) {
  const clock = manualClock();
  const http = await createHttp({ logger: silentLogger, ids: countingIds(), gate, hosts: 'any', version: '1', adminApi: true });
  t.after(() => http.close());
  const health = createHealth(clock);
  const state = { ready: true, reloads: 0, bad: false };
  const reload = async (): Promise<{ warnings: readonly string[] }> => {
    if (state.bad) throw new AppError('bad_input', 'bad_configuration', 'nines.yml:3:1: unknown key "x"');
    state.reloads++;
    return { warnings: ['nines.yml:9:1: no file matches rules/*.yml'] };
  };
  const config = (): unknown => ({ state: { url: new Secret('postgresql://u:p@h') } });
  const counts = async () => ({ services: { up: 2 } });
  opsRoutes(http, {
    clock,
    health,
    version: '1.2.3',
    startedAtMs: clock.now() - 5_000,
    isReady: () => state.ready,
    config,
    reload,
    counts,
  });
  const get = (url: string) => http.inject({ url, headers: { authorization: 'Bearer a' } });
  return { clock, http, health, state, get };
}

it('answers alive and ready without a credential, and not ready while it drains', async (t) => {
  const { http, state } = await world(t);
  assert.deepEqual([(await http.inject('/-/healthy')).statusCode, (await http.inject('/-/ready')).statusCode], [200, 200]);
  state.ready = false;
  assert.deepEqual([(await http.inject('/-/healthy')).statusCode, (await http.inject('/-/ready')).statusCode], [200, 503]);
});

it('is as well as its worst part; a part that throws or keeps silent is failing', async (t) => {
  const { clock, health, get } = await world(t);
  health.register('store', () => ({ status: 'ok', detail: '3 series' }));
  assert.deepEqual((await get('/api/health')).json(), { status: 'ok', components: [{ name: 'store', status: 'ok', detail: '3 series' }] });
  const slow = health.register('state', () => new Promise<never>(() => {}));
  const asked = get('/api/system/health');
  await clock.advance(5_000);
  assert.deepEqual((await asked).json().components[1], { name: 'state', status: 'failing', detail: 'did not answer within 5000 ms' });
  slow[Symbol.dispose]();
  health.register('outbox', () => {
    throw new Error('no such table');
  });
  const { status, components } = (await get('/api/health')).json() as { status: string; components: unknown[] };
  assert.deepEqual(
    [status, components.length, components[1]],
    ['failing', 2, { name: 'outbox', status: 'failing', detail: 'no such table' }],
  );
});

it('says in brief how it is and since when', async (t) => {
  const { clock, get } = await world(t);
  assert.deepEqual((await get('/api/status')).json(), {
    status: 'ok',
    ready: true,
    version: '1.2.3',
    started_at_ms: clock.now() - 5_000,
    uptime_ms: 5_000,
    counts: { services: { up: 2 } },
  });
});

it('shows the configuration in force without its secrets', async (t) => {
  const { get, http } = await world(t);
  assert.deepEqual((await get('/api/config')).json(), { state: { url: '[redacted]' } });
  assert.equal((await http.inject('/api/config')).statusCode, 401);
});

it('reads the configuration again on request and says what is wrong with it', async (t) => {
  const { http, state } = await world(t);
  const post = () => http.inject({ method: 'POST', url: '/-/reload', headers: { authorization: 'Bearer a' } });
  const good = await post();
  assert.deepEqual([good.statusCode, state.reloads], [200, 1]);
  assert.match(good.body, /no file matches/);
  state.bad = true;
  const bad = await post();
  assert.deepEqual([bad.statusCode, bad.json().code, bad.json().detail], [400, 'bad_configuration', 'nines.yml:3:1: unknown key "x"']);
});
