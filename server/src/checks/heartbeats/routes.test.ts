import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FULL_SCOPE } from '@nines/model/storage.ts';
import { openSqliteForTest } from '../../../../test/harness/databases.ts';
import { said, specOf } from '../../../../test/harness/checks.ts';
import { manualClock } from '../../../../test/harness/manual-clock.ts';
import { createHttp } from '../../platform/http/server.ts';
import { createIds } from '../../platform/ids.ts';
import type { CheckResult } from '../contract.ts';
import { heartbeatRoutes } from './routes.ts';
import { Heartbeats } from './service.ts';
import { createBeatStore } from './store.ts';

const quiet = { debug() {}, info() {}, warn() {}, error() {}, child: () => quiet };

test('jobs signal with the addresses that clients of Healthchecks use, and what they said outlives a restart', async (t) => {
  const { db } = await openSqliteForTest(t);
  const clock = manualClock();
  const heard: CheckResult[] = [];
  const store = createBeatStore(db.kysely);
  const heartbeats = new Heartbeats({ clock, logger: quiet, store, report: async (result) => void heard.push(result) });
  await heartbeats.load();
  await heartbeats.configure([specOf({ kind: 'heartbeat', id: 'backup', period: '1d' })]);
  const actor = { kind: 'user', id: 'u', name: 'job', role: 'ingest', teamId: 'default', scope: FULL_SCOPE } as const;
  const asked: string[] = [];
  const gate = { authenticate: () => Promise.resolve(actor), allows: (_actor: unknown, permission: string) => asked.push(permission) > 0 };
  const http = await createHttp({ logger: quiet, ids: createIds(clock), gate, hosts: 'any', version: '0' });
  heartbeatRoutes(http, { heartbeats });
  t.after(() => http.close());
  const ask = async (method: 'GET' | 'POST', url: string, body?: string): Promise<string> => {
    await clock.advance(1000);
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const answer = await http.inject({ method, url, ...(body === undefined ? {} : { payload: body, headers }) });
    return `${answer.statusCode} ${answer.body.trim().slice(0, 300)}`;
  };
  assert.equal(await ask('GET', '/api/heartbeat/backup'), '200 OK');
  assert.equal(await ask('POST', '/api/heartbeat/backup/start'), '200 OK');
  assert.deepEqual(await store.load(), new Map([['backup', { sinceMs: clock.now() - 1000, runSinceMs: clock.now() }]]));
  assert.equal(await ask('POST', '/api/heartbeat/backup/2', 'no space left=1&'), '200 OK');
  assert.equal(await ask('POST', '/api/heartbeat/backup/fail'), '200 OK');
  assert.equal(await ask('GET', '/api/heartbeat/backup/0'), '200 OK');
  assert.deepEqual(heard.map(said), [
    'up',
    'down exit_code: the job ended with exit code 2',
    'down reported: the job reported a failure',
    'up',
  ]);
  assert.equal(heard[1]?.excerpt, 'no space left=1&');
  assert.match(await ask('GET', '/api/heartbeat/other'), /^404 .*there is no heartbeat \\"other\\"/);
  assert.match(await ask('GET', '/api/heartbeat/backup/256'), /^400 .*between 0 and 255/);
  assert.match(await ask('GET', '/api/heartbeat/backup/done'), /^400 /);
  assert.deepEqual([...new Set(asked)], ['ingest']);
});
