import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FULL_SCOPE } from '@nines/model/storage.ts';
import { openSqliteForTest } from '../../../test/harness/databases.ts';
import { manualClock } from '../../../test/harness/manual-clock.ts';
import type { LocalTarget } from '../collect/contract.ts';
import { localJobs } from '../collect/scrape/local-jobs.ts';
import type { Actor } from '../platform/http/contract.ts';
import { type Standing, firstRun } from './first-run.ts';
import { listeningPorts } from './listening.ts';
import { LocalTargets } from './local-targets.ts';
import { Preferences } from './preferences.ts';

const ANN: Actor = { kind: 'user', id: 'u-ann', name: 'Ann', role: 'operator', teamId: 'default', scope: FULL_SCOPE };
const EMPTY: Standing = { services: [], slas: [], statusPages: [], channels: [], arrivals: [], targets: [], local: [] };

test("what listens is read from the kernel's table: at any address or the loopback one, and nothing that is only connected", () => {
  const tcp = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:238C 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0
   1: 00000000:2382 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 2 1 0 100 0 0 10 0
   2: 0100007F:2384 0100007F:CA80 01 00000000:00000000 00:00000000 00000000     0        0 3 1 0 20 4 30 10 -1
   3: 0A00000A:2385 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4 1 0 100 0 0 10 0`;
  const tcp6 = `  sl  local_address                         remote_address                        st
   0: 00000000000000000000000000000000:23F0 00000000000000000000000000000000:0000 0A 00000000:00000000`;
  assert.deepEqual([...listeningPorts(tcp, tcp6)], [9100, 9090, 9200]);
  assert.deepEqual([...listeningPorts('', 'nonsense\n')], []);
});

test('a step is done when there is one of its kind; a channel only when something arrived through it, samples when they came', () => {
  const done = (standing: Partial<Standing>) => firstRun({ ...EMPTY, ...standing }).steps.flatMap(({ id, done: is }) => (is ? [id] : []));
  assert.deepEqual(done({}), []);
  assert.deepEqual(done({ services: ['shop'], channels: [{ id: 'hook', delivered: false }] }), ['service']);
  assert.deepEqual(done({ channels: [{ id: 'hook', delivered: true }], slas: ['a'], statusPages: ['p'] }), [
    'channel',
    'sla',
    'status_page',
  ]);
  assert.deepEqual(done({ targets: [{ job: 'node', state: 'down', lastAtMs: 5, samples: 0 }] }), []);
  const { arrivals, steps } = firstRun({
    ...EMPTY,
    arrivals: [{ way: 'otlp', firstAtMs: 7, metric: 'orders_total', samples: 3 }],
    targets: ['a', 'b'].map(() => ({ job: 'node', state: 'up', lastAtMs: 9, samples: 100 })),
  });
  assert.deepEqual(arrivals, [
    { way: 'otlp', first_at_ms: 7, what: 'orders_total', samples: 3 },
    { way: 'scrape', first_at_ms: 9, what: 'node', samples: 200 },
  ]);
  assert.deepEqual(steps[1], { id: 'metrics', done: true, count: 2, example: 'orders_total' });
});

test('a program of this host is offered while it listens, scraped once somebody said so, also after a restart, and no longer when they say so', async (t) => {
  const { db } = await openSqliteForTest(t);
  const scraped: (readonly LocalTarget[])[] = [];
  const open = async (listening: ReadonlySet<number>) => {
    const targets = new LocalTargets({
      sql: db.kysely,
      clock: manualClock(),
      listening: () => listening,
      scrape: async (all) => void scraped.push(all.map(({ port, program }) => ({ port, program }))),
    });
    await targets.load();
    return targets;
  };
  const targets = await open(new Set([22, 9100, 9187]));
  const offered = () => targets.programs(new Set(['localhost:9187'])).map(({ program, scraped: is }) => [program, is]);
  assert.deepEqual(offered(), [
    ['node_exporter', false],
    ['postgres_exporter', true],
  ]);
  assert.deepEqual(scraped.at(-1), [], 'nothing is scraped that nobody chose');
  await targets.add(9100, ANN);
  assert.deepEqual(scraped.at(-1), [{ port: 9100, program: 'node_exporter' }]);
  for (const port of [22, 9104]) await assert.rejects(targets.add(port, ANN), { code: 'local_program_not_found' });
  const later = await open(new Set());
  assert.deepEqual(scraped.at(-1), [{ port: 9100, program: 'node_exporter' }]);
  assert.deepEqual(later.programs(new Set()), [
    { port: 9100, program: 'node_exporter', url: 'http://127.0.0.1:9100/metrics', scraped: true },
  ]);
  await later.remove(9100);
  assert.deepEqual(scraped.at(-1), []);
  await assert.rejects(later.remove(9100), { code: 'local_program_not_found' });
});

test('the job of a local program keeps clear of a name that a file uses', () => {
  const target = { port: 9100, program: 'node_exporter' };
  assert.deepEqual(
    [new Set<string>(), new Set(['node_exporter'])].map((taken) => localJobs([target], taken)[0]?.name),
    ['node_exporter', 'node_exporter-9100'],
  );
});

test('a preference that is not named stays, and all end with the person', async (t) => {
  const { db } = await openSqliteForTest(t);
  const preferences = new Preferences(db.kysely);
  assert.deepEqual(await preferences.of('u-ann'), { landing: null, checklist_hidden: false });
  await preferences.change('u-ann', { landing: '/dashboards/executive' });
  assert.deepEqual(await preferences.change('u-ann', { checklist_hidden: true }), {
    landing: '/dashboards/executive',
    checklist_hidden: true,
  });
  assert.equal(await preferences.landingOf('u-ann'), '/dashboards/executive');
  await preferences.forget(db.kysely, 'u-ann');
  assert.deepEqual(await preferences.of('u-ann'), { landing: null, checklist_hidden: false });
});
