import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epochMs } from '@nines/base/units.ts';
import type { CompositeRule } from '@nines/maths/slo/composite.ts';
import { forEachDatabase, openSqliteForTest } from '../../../test/harness/databases.ts';
import type { ServicePlan } from './contract.ts';
import { since, START_MS, timing, World, worldOn } from './testing/world.ts';

const a = timing('a-http', { service: 'a' });
const b = timing('b-http', { service: 'b' });
const MEMBERS: readonly ServicePlan[] = [
  { service: 'a', checks: [a] },
  { service: 'b', checks: [b] },
];
const rule = (atLeast: number, ...ids: string[]): CompositeRule => ({ members: ids.map((id) => ({ id, weight: 1 })), atLeast });
const consists = (service: string, composite: CompositeRule): ServicePlan => ({ service, checks: [], composite });

/** One letter per second for each of the two members. */
async function play(world: World, ofA: string, ofB: string): Promise<void> {
  for (let i = 0; i < ofA.length; i++) {
    if (ofA[i] !== '.') await world.result(a, ofA[i] ?? '');
    if (ofB[i] !== '.') await world.result(b, ofB[i] ?? '');
    await world.second();
  }
}

forEachDatabase((_name, open) => {
  test('series, parallel and a composite of composites follow their members at once and have outages of their own', async (t) => {
    const world = new World((await open(t)).db);
    await world.ledger.start();
    const plans = [
      ...MEMBERS,
      consists('series', rule(2, 'a', 'b')),
      consists('pair', rule(1, 'a', 'b')),
      consists('top', rule(2, 'series', 'pair')),
    ];
    await world.ledger.configure(plans);
    await play(world, 'UUxxxUUU', 'UUUxUUxU');
    assert.equal(await world.timelineOf('series'), '0-2 up, 2-5 down, 5-6 up, 6-7 down, 7-8 up');
    assert.equal(await world.timelineOf('pair'), '0-3 up, 3-4 down, 4-8 up');
    assert.equal(await world.timelineOf('top'), '0-2 up, 2-5 down, 5-6 up, 6-7 down, 7-8 up');
    assert.equal(await world.downtimes('series'), '2-5 a-http+b-http, 6-7 b-http');
    assert.equal(await world.downtimes('pair'), '3-4 a-http+b-http');
    const told = world.changes.filter(({ service }) => service === 'pair').map(({ state, sinceMs }) => [state, since(sinceMs)]);
    assert.deepEqual(told, [
      ['up', 0],
      ['down', 3],
      ['up', 4],
    ]);
    const [last] = await world.ledger.downtimes({ service: 'series' });
    assert.deepEqual(
      last?.evidence.map(({ check }) => check),
      ['b-http'],
    );
    assert.equal((await world.ledger.timeline('series', epochMs(START_MS), world.clock.now())).intervals[1]?.evidence?.[0]?.service, 'a');
    assert.equal(
      await world.timelineOf('pair', { toS: 4, knownAtMs: epochMs(START_MS + 2_500) }),
      '0-2.5 up, 2.5-4 no_data',
      'as known then',
    );
  });

  test('a monitor that was killed leaves the same gap in a composite as in its members', async (t) => {
    const { db, openAgain } = await open(t);
    const world = new World(db);
    const plans = [...MEMBERS, consists('series', rule(2, 'a', 'b')), consists('pair', rule(1, 'a', 'b'))];
    await world.ledger.start();
    await world.ledger.configure(plans);
    await play(world, 'UUUxx', 'UUUUU');
    await world.clock.advance(20_000);
    const second = new World(await openAgain(), { clock: world.clock, samples: world.samples });
    await second.ledger.start();
    assert.equal(await second.timelineOf('series'), '0-3 up, 3-5.5 down, 5.5-25 monitor_down', 'before the configuration is read');
    await second.ledger.configure(plans);
    await play(second, 'UU', 'Ux');
    assert.equal(await second.timelineOf('series'), '0-3 up, 3-5.5 down, 5.5-25 monitor_down, 25-26 up, 26-27 down');
    assert.equal(await second.timelineOf('pair'), '0-5.5 up, 5.5-25 monitor_down, 25-27 up');
    assert.equal(await second.downtimes('series'), '3-5.5 a-http, 26- b-http');
  });
});

test('a composite that is declared late is composed over all its members remember; another rule holds from then on', async (t) => {
  const world = await worldOn(t);
  await world.ledger.start();
  await world.ledger.configure(MEMBERS);
  await play(world, '.' + 'Ux'.repeat(40), 'U'.repeat(81));
  const declaredMs = world.clock.now();
  await world.ledger.configure([...MEMBERS, consists('top', rule(2, 'a', 'b'))]);
  const [ofA, ofTop] = [await world.timelineOf('a', { fromS: 1 }), await world.timelineOf('top', { fromS: 1 })];
  assert.equal(ofTop, ofA, 'its past is that of its members');
  assert.equal((await world.ledger.downtimes({ service: 'top' })).length, 40);
  assert.equal(since((await world.ledger.monitoredSinceMs('top')) ?? 0), 1, 'monitored since all its members are');
  assert.equal(await world.timelineOf('top', { fromS: 1, toS: 3, knownAtMs: epochMs(declaredMs - 1) }), '1-3 not_yet_monitored');
  await play(world, 'xx', 'UU');
  await world.ledger.configure([...MEMBERS, consists('top', rule(1, 'a', 'b'))]);
  await play(world, 'xx', 'UU');
  assert.equal(await world.timelineOf('top', { fromS: 79 }), '79-80 up, 80-83 down, 83-85 up');
  await world.ledger.configure(MEMBERS);
  await play(world, 'U', 'U');
  assert.equal(await world.timelineOf('top', { fromS: 79 }), '79-80 up, 80-83 down, 83-85 up, 85-86 paused');
});

test('what has lapsed shows in a composite before it is written down', async (t) => {
  const world = await worldOn(t);
  await world.ledger.start();
  await world.ledger.configure([...MEMBERS, consists('top', rule(2, 'a', 'b')), consists('pair', rule(1, 'a', 'b'))]);
  await play(world, 'UU.', 'UUU');
  assert.equal(since(world.clock.now()), 3);
  assert.equal(world.ledger.current('top').state, 'unknown');
  assert.equal(world.ledger.current('pair').state, 'up');
  assert.equal(await world.timelineOf('top'), '0-2.5 up, 2.5-3 no_data');
});

test('a service is down when so many of its checks are, also after a restart; another number holds from then on', async (t) => {
  const { db, openAgain } = await openSqliteForTest(t);
  const world = new World(db);
  const [one, two] = [timing('one', { service: 'shop' }), timing('two', { service: 'shop' })];
  await world.ledger.start();
  await world.ledger.configure([{ service: 'shop', checks: [one, two], downAt: 2 }]);
  const both = async (on: World, ofOne: string, ofTwo: string): Promise<void> => {
    for (let i = 0; i < ofOne.length; i++) {
      await on.result(one, ofOne[i] ?? '');
      await on.result(two, ofTwo[i] ?? '');
      await on.second();
    }
  };
  await both(world, 'UxxxU', 'UUxUU');
  assert.equal(await world.timeline(), '0-1 up, 1-2 degraded, 2-3 down, 3-4 degraded, 4-5 up');
  const second = new World(await openAgain(), { clock: world.clock, samples: world.samples });
  await second.ledger.start();
  await second.ledger.configure([{ service: 'shop', checks: [one, two], downAt: 2 }]);
  await both(second, 'xx', 'UU');
  assert.equal(await second.timeline(4), '4-5 up, 5-7 degraded');
  await second.ledger.configure([{ service: 'shop', checks: [one, two] }]);
  await both(second, 'x', 'U');
  assert.equal(await second.timeline(4), '4-5 up, 5-7 degraded, 7-8 down');
});
