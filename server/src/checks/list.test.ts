import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FULL_SCOPE } from '@nines/model/storage.ts';
import { scopeOfTeams } from '@nines/model/scope.ts';
import { specOf } from '../../../test/harness/checks.ts';
import { silentLogger } from '../../../test/harness/logs.ts';
import { manualClock } from '../../../test/harness/manual-clock.ts';
import { createBus } from '../platform/bus.ts';
import { judgeAddress } from '../platform/fetch/judge.ts';
import { createHttp } from '../platform/http/server.ts';
import { createIds } from '../platform/ids.ts';
import { runProgram } from '../platform/programs.ts';
import { realClock } from '../platform/clock.ts';
import type { CheckView } from './contract.ts';
import { checkRoutes } from './routes.ts';
import { CheckService } from './service.ts';

const CHECKS = 10_000;
const idOf = (at: number): string => `c-${String(at).padStart(5, '0')}`;
type Page = { readonly items: readonly CheckView[]; readonly next: string | null; readonly total: number; readonly by_state: object };

test('ten thousand checks are listed by page, from any place, and a search looks over all of them', async (t) => {
  const clock = manualClock();
  const [checks, ids] = [
    new CheckService({
      clock,
      logger: silentLogger,
      bus: createBus(() => {}),
      resolve: async (host) => host,
      run: runProgram,
      judge: judgeAddress,
      query: async () => [],
      commands: [],
      sink: async () => {},
    }),
    createIds(clock),
  ];
  checks.configure(
    Array.from({ length: CHECKS }, (_, at) =>
      specOf({ kind: 'heartbeat', id: idOf(at), period: '1h', grace: '1h' }, 'trusted', { team: at % 10 === 0 ? 'web' : 'shop' }),
    ),
  );
  const down = new Set([idOf(7_777), idOf(42)]);
  const ledger = {
    currentOfCheck: (id: string) => ({ state: down.has(id) ? 'down' : 'up', sinceMs: clock.now(), evidence: [] }) as const,
    flapping: () => null,
  };
  let scope = FULL_SCOPE;
  const who = () => ({ kind: 'user', id: 'u', name: 'alice', role: 'viewer', teamId: 'default', scope }) as const;
  const gate = { authenticate: async () => who(), allows: () => true };
  // Who sees a part may see all of it here: the list alone leaves out the rest.
  const inside = { labels: () => true, thing: async () => true };
  const http = await createHttp({ logger: silentLogger, ids, gate, hosts: 'any', version: '0', inside });
  checkRoutes(http, { failures: { list: async () => [] }, clock: realClock, checks, ledger });
  t.after(() => http.close());
  const page = async (query: string): Promise<Page> =>
    (await http.inject({ method: 'GET', url: `/api/checks?${query}`, headers: { authorization: 'Bearer x' } })).json() as Page;
  const idsOf = ({ items }: Page): readonly string[] => items.map(({ id }) => id);

  const first = await page('');
  assert.deepEqual([first.items.length, first.total, first.next], [1_000, CHECKS, idOf(999)], 'who asks for nothing gets pages as before');
  const all: string[] = [];
  for (let after: string | null = ''; after !== null; ) {
    const one: Page = await page(after === '' ? '' : `after=${after}`);
    all.push(...idsOf(one));
    after = one.next;
  }
  assert.deepEqual([all.length, new Set(all).size, all.at(-1)], [CHECKS, CHECKS, idOf(CHECKS - 1)]);

  const worst = await page('order=trouble&limit=3');
  assert.deepEqual(idsOf(worst), [idOf(42), idOf(7_777), idOf(0)]);
  assert.deepEqual(worst.by_state, { up: CHECKS - 2, degraded: 0, down: 2, unknown: 0 });
  const end = await page(`order=trouble&limit=100&offset=${CHECKS - 1}`);
  assert.deepEqual([idsOf(end), end.next], [[idOf(CHECKS - 1)], null]);
  assert.deepEqual(idsOf(await page(`order=trouble&offset=${CHECKS}`)), []);

  assert.deepEqual(idsOf(await page('q=09999')), [idOf(9_999)]);
  assert.deepEqual(idsOf(await page('q=DOWN+heartbeat&order=trouble')), [idOf(42), idOf(7_777)]);
  assert.deepEqual((await page('q=c-&team=web&limit=1')).total, CHECKS / 10);
  assert.deepEqual((await page('service=other')).total, 0);

  const lost = await http.inject({ method: 'GET', url: '/api/checks?after=nobody', headers: { authorization: 'Bearer x' } });
  assert.deepEqual([lost.statusCode, (lost.json() as { readonly code?: string }).code], [400, 'bad_cursor']);
  assert.match(lost.body, /nobody.* is not in this list.*read it from its beginning/);

  scope = scopeOfTeams(['web']);
  const part = await page('order=trouble&limit=1');
  assert.deepEqual([part.total, part.by_state], [CHECKS / 10, { up: CHECKS / 10, degraded: 0, down: 0, unknown: 0 }]);
});
