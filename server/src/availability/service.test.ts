import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type EpochMs, epochMs } from '@nines/base/units.ts';
import { forEachDatabase, openSqliteForTest } from '../../../test/harness/databases.ts';
import { settle } from '../../../test/harness/manual-clock.ts';
import type { Downtime } from './contract.ts';
import { since, START_MS, timing, World, worldOn } from './testing/world.ts';

forEachDatabase((_name, open) => {
  test('an outage becomes one interval and one downtime with the same edges, and its listeners hear of it', async (t) => {
    const world = new World((await open(t)).db);
    const http = timing('shop-http');
    await world.begin(http);
    await world.second();
    await world.play(http, 'UUxxxUU');
    assert.equal(await world.timeline(), '0-1 not_yet_monitored, 1-3 up, 3-6 down, 6-8 up');
    assert.equal(await world.downtimes(), '3-6 shop-http');
    const [downtime] = await world.ledger.downtimes({});
    assert.deepEqual(
      [downtime?.fromBoundsAtMs, downtime?.toBoundsAtMs].map((bounds) => bounds?.map(since)),
      [
        [2, 3.01],
        [5, 6.01],
      ],
    );
    assert.equal(downtime?.reason, 'unplanned_outage');
    assert.equal(downtime?.revision, 1);
    assert.equal(downtime?.evidence[0]?.detail, 'connection refused by 127.0.0.1:1');
    assert.deepEqual(
      world.changes.map((change) => [change.previous, change.state, since(change.sinceMs)]),
      [
        ['unknown', 'up', 1],
        ['up', 'down', 3],
        ['down', 'up', 6],
      ],
    );
    assert.deepEqual(
      world.facts.map((fact) => fact.type),
      ['service.changed', 'downtime.opened', 'service.changed', 'downtime.closed', 'service.changed'],
    );
    assert.equal(since((await world.ledger.monitoredSinceMs('shop')) ?? 0), 1);
    assert.equal(world.ledger.current('shop').state, 'up');
    assert.equal(world.ledger.version('shop'), 3);
  });

  test('a monitor that was killed in an outage leaves unknown for exactly the gap, with what the samples still hold', async (t) => {
    const { db, openAgain } = await open(t);
    const world = new World(db);
    const http = timing('shop-http');
    await world.begin(http);
    await world.play(http, 'UUxxxxxxx');
    // Killed: no stop, so the tail in the database is older than the last result.
    await world.clock.advance(20_000);
    const second = await new World(await openAgain(), { clock: world.clock, samples: world.samples }).begin(http);
    assert.equal(await second.timeline(), '0-2 up, 2-9.5 down, 9.5-29 monitor_down');
    assert.equal(await second.downtimes(), '2-9.5 shop-http');
    await second.play(http, 'xxU');
    assert.equal(await second.timeline(), '0-2 up, 2-9.5 down, 9.5-29 monitor_down, 29-31 down, 31-32 up');
    assert.equal(await second.downtimes(), '2-9.5 shop-http, 29-31 shop-http');
    const [reopened, first] = await second.ledger.downtimes({});
    assert.deepEqual(first?.toBoundsAtMs?.map(since), [8, 9.5]);
    assert.deepEqual(reopened?.fromBoundsAtMs.map(since), [8, 29.01]);
  });

  test('results that only the samples saw are in the ledger after a restart, downtime and all', async (t) => {
    const { db, openAgain } = await open(t);
    const world = new World(db);
    const http = timing('shop-http');
    await world.begin(http);
    await world.play(http, 'UUUU');
    const list = world.samples.get('shop-http') ?? [];
    for (const [second, seen] of [
      [4, 'down'],
      [5, 'down'],
      [6, 'up'],
    ] as const) {
      list.push({ atMs: epochMs(START_MS + second * 1000), endMs: epochMs(START_MS + second * 1000 + 3), seen });
    }
    await world.clock.advance(2_600);
    const second = await new World(await openAgain(), { clock: world.clock, samples: world.samples }).begin(http);
    assert.equal(await second.timeline(), '0-4 up, 4-6 down, 6-6.6 up');
    assert.equal(await second.downtimes(), '4-6 shop-http');
    assert.deepEqual(
      second.changes.map((change) => change.state),
      [],
    );
  });

  test('a clean stop and a start without any samples answer the same for the past', async (t) => {
    const { db, openAgain } = await open(t);
    const world = new World(db);
    const http = timing('shop-http');
    await world.begin(http);
    await world.play(http, 'UUxUDU');
    await world.ledger.stop();
    const before = await world.ledger.timeline('shop', epochMs(START_MS - 5000), epochMs(START_MS + 6000));
    await world.clock.advance(60_000);
    const second = await new World(await openAgain(), { clock: world.clock }).begin(http);
    assert.deepEqual(await second.ledger.timeline('shop', epochMs(START_MS - 5000), epochMs(START_MS + 6000)), before);
    assert.equal(await second.timeline(4), '4-5 degraded, 5-6.5 up, 6.5-66 monitor_down');
  });

  test('an edit is a new revision, keeps the original, and survives the growth of its downtime', async (t) => {
    const { db } = await open(t);
    const world = new World(db);
    const [http, port] = [timing('shop-http'), timing('shop-port')];
    await world.begin(http, port);
    await world.result(port, 'U');
    await world.play(http, 'Ux');
    const [downtime] = await world.ledger.downtimes({});
    assert.ok(downtime !== undefined);
    const edited = await world.ledger.desk.edit({ id: downtime.id, said: { reason: 'network_issue', revision: 1 }, by: 'alice' });
    assert.deepEqual([edited.reason, edited.revision], ['network_issue', 2]);
    await assert.rejects(world.ledger.desk.edit({ id: downtime.id, said: { note: 'n', revision: 1 }, by: 'bob' }), {
      code: 'revision_conflict',
    });
    await assert.rejects(world.ledger.desk.edit({ id: 'none', said: {}, by: 'bob' }), { code: 'downtime_not_found' });
    await world.result(port, 'x');
    await world.result(port, 'U', epochMs(world.clock.now() + 10));
    await world.clock.advance(20);
    await world.result(http, 'U');
    const [closed] = await world.ledger.downtimes({});
    assert.deepEqual(
      [closed?.id, closed?.reason, closed?.revision, closed?.checks],
      [downtime.id, 'network_issue', 2, ['shop-http', 'shop-port']],
    );
    assert.notEqual(closed?.toAtMs, null);
    const kept = await db.kysely.selectFrom('downtime_revisions').selectAll().execute();
    assert.deepEqual(
      kept.map((row) => [row.revision, row.reason, row.replaced_by]),
      [[1, 'unplanned_outage', 'alice']],
    );
  });

  test('what was known at an instant can be read again after it was superseded', async (t) => {
    const world = new World((await open(t)).db);
    const http = timing('shop-http', { confirm: { n: 2, of: 3 } });
    await world.begin(http);
    await world.play(http, 'UUx');
    const thenMs = world.clock.now();
    assert.equal(await world.timeline(0, 3), '0-3 up');
    await world.clock.advance(1);
    await world.play(http, 'x');
    assert.equal(await world.timeline(0, 3), '0-2 up, 2-3 down');
    assert.equal(await world.timeline(0, 3, thenMs), '0-3 up');
    assert.equal(await world.timeline(0, 5, thenMs), '0-3 up, 3-5 no_data');
  });
});

test('silence turns the service unknown at the exact instant, and its open downtime ends there', async (t) => {
  const world = await worldOn(t);
  const http = timing('shop-http');
  await world.begin(http);
  await world.play(http, 'Ux....');
  assert.equal(await world.timeline(), '0-1 up, 1-2.5 down, 2.5-6 no_data');
  assert.equal(await world.downtimes(), '1-2.5 shop-http');
  assert.deepEqual(world.changes.at(-1)?.unknownReason, 'no_data');
  await world.play(http, 'x');
  assert.equal(await world.downtimes(), '1-2.5 shop-http, 6- shop-http');
});

test('a read sees the lapse at once, before it is written down', async (t) => {
  const world = await worldOn(t);
  const http = timing('shop-http');
  await world.begin(http);
  await world.result(http, 'U');
  await world.clock.advance(1_700);
  assert.equal(await world.timeline(), '0-1.5 up, 1.5-1.7 no_data');
  await world.result(http, 'x', epochMs(START_MS + 1_400));
  assert.equal(await world.timeline(), '0-1.4 up, 1.4-1.7 down');
});

test('a timed-out attempt that arrives after the result before it ran out leaves no unknown behind', async (t) => {
  const world = await worldOn(t);
  const http = timing('shop-http');
  await world.begin(http);
  await world.result(http, 'U');
  await world.clock.advance(1_505);
  await world.ledger.step(world.clock.now());
  await world.result(http, 'x', epochMs(START_MS + 1_000));
  await world.result(http, 'x');
  assert.equal(await world.timeline(0, 1.505), '0-1 up, 1-1.505 down');
  assert.deepEqual(
    world.changes.map((change) => change.state),
    ['up', 'down'],
  );
});

test('void results say nothing; an isolated probe names the gap', async (t) => {
  const world = await worldOn(t);
  const http = timing('shop-http');
  await world.begin(http);
  await world.play(http, 'Uv..Ui..U');
  assert.equal(await world.timeline(), '0-1.5 up, 1.5-4 no_data, 4-5.5 up, 5.5-8 probe_isolated, 8-9 up');
});

test('any failing check makes the service down, one downtime lists them all, in whatever order results arrive', async (t) => {
  const world = await worldOn(t);
  const [http, port] = [timing('shop-http'), timing('shop-port')];
  await world.begin(http, port);
  await world.result(http, 'U');
  await world.result(port, 'U');
  const at = (offset: number): EpochMs => epochMs(START_MS + offset);
  await world.clock.advance(1_000);
  await world.result(port, 'x', at(700));
  await world.result(http, 'x', at(400));
  assert.equal(await world.timeline(0, 1), '0-0.4 up, 0.4-1 down');
  assert.equal(await world.downtimes(), '0.4- shop-http+shop-port');
  await world.result(http, 'U', at(900));
  assert.equal(await world.timeline(0, 1), '0-0.4 up, 0.4-1 down');
  await world.result(port, 'U', at(950));
  assert.equal(await world.timeline(0, 1), '0-0.4 up, 0.4-0.95 down, 0.95-1 up');
  assert.equal(await world.downtimes(), '0.4-0.95 shop-http+shop-port');
  assert.deepEqual(
    world.changes.map((change) => change.state),
    ['up', 'down', 'up'],
  );
});

test('a check of impact degraded degrades and opens no downtime', async (t) => {
  const world = await worldOn(t);
  const [http, extra] = [timing('shop-http'), timing('extra', { impact: 'degraded' })];
  await world.begin(http, extra);
  await world.result(extra, 'x');
  await world.play(http, 'UU');
  assert.equal(await world.timeline(), '0-1.5 degraded, 1.5-2 up');
  assert.equal(await world.downtimes(), '');
});

test('a check that leaves the configuration has no voice from then on, a service without checks is paused', async (t) => {
  const { db, openAgain } = await openSqliteForTest(t);
  const world = new World(db);
  const [http, port] = [timing('shop-http'), timing('shop-port')];
  await world.begin(http, port);
  await world.result(port, 'x');
  await world.play(http, 'U');
  await world.ledger.configure([{ service: 'shop', checks: [http] }]);
  assert.equal(await world.downtimes(), '0-1 shop-port');
  await world.play(http, 'U');
  await world.ledger.configure([{ service: 'shop', checks: [] }]);
  await world.result(http, 'x');
  await world.second();
  assert.equal(await world.timeline(), '0-1 down, 1-2 up, 2-3 paused');
  const second = await new World(await openAgain(), { clock: world.clock, samples: world.samples }).begin(http);
  await second.play(http, 'U');
  assert.equal(await second.timeline(), '0-1 down, 1-2 up, 2-3 paused, 3-4 up');
});

test('a check that left while the monitor was away does not hold the service in its last state', async (t) => {
  const { db, openAgain } = await openSqliteForTest(t);
  const world = new World(db);
  const [http, port] = [timing('shop-http'), timing('shop-port')];
  await world.begin(http, port);
  await world.result(port, 'x');
  await world.result(http, 'U');
  await world.clock.advance(1_000);
  const second = await new World(await openAgain(), { clock: world.clock, samples: world.samples }).begin(http);
  await second.play(http, 'U');
  assert.equal(await second.timeline(), '0-1 down, 1-2 up');
  assert.equal(await second.downtimes(), '0-1 shop-port');
});

test('a wall clock that steps writes no time twice and names what it made unknown', async (t) => {
  const world = await worldOn(t);
  const http = timing('shop-http');
  await world.begin(http);
  await world.play(http, 'UU');
  world.clock.jump(3_600_000);
  await world.second();
  await world.play(http, 'UU');
  assert.equal(await world.timeline(), '0-2.5 up, 2.5-3603 clock_step, 3603-3605 up');
  world.clock.jump(-10_000);
  await world.second();
  assert.equal(world.ledger.current('shop').unknownReason, 'clock_step');
  await world.play(http, 'xxxxxxxxxxxx');
  await settle();
  assert.equal(await world.timeline(3603), '3603-3605 up, 3605-3608 down');
});

test('a process that stood still calls the gap its own absence', async (t) => {
  const world = await worldOn(t);
  const http = timing('shop-http');
  await world.begin(http);
  await world.play(http, 'UU');
  await world.clock.advance(60_000);
  await world.ledger.step(world.clock.now());
  await world.play(http, 'U');
  assert.equal(await world.timeline(), '0-2.5 up, 2.5-62 monitor_down, 62-63 up');
});

test('a long flapping history is answered from memory and database alike', async (t) => {
  const world = await worldOn(t);
  const http = timing('shop-http');
  await world.begin(http);
  await world.play(http, 'Ux'.repeat(60));
  const whole = await world.ledger.timeline('shop', epochMs(START_MS), world.clock.now());
  assert.equal(whole.intervals.length, 120);
  assert.equal((await world.ledger.downtimes({})).length, 60);
  const late = await world.ledger.timeline('shop', epochMs(START_MS + 100_000), world.clock.now());
  assert.deepEqual(late.intervals, whole.intervals.slice(100));
  const rows = await world.db.kysely.selectFrom('check_tails').selectAll().execute();
  assert.equal(rows.length, 1);
});

test('a state database that fails for a while delays the ledger and loses nothing', async (t) => {
  const { db, openAgain } = await openSqliteForTest(t);
  const world = new World(db);
  const http = timing('shop-http');
  await world.begin(http);
  await world.play(http, 'U');
  const other = await openAgain();
  await other.kysely.schema.alterTable('ledger_transitions').renameTo('away').execute();
  const errors: unknown[] = [];
  t.mock.method(assert, 'fail', (message: unknown) => void errors.push(message));
  const recorded: Promise<void> = world.result(http, 'x');
  await world.second();
  assert.equal(world.ledger.current('shop').state, 'unknown');
  await settle();
  assert.ok(errors.length > 0);
  await other.kysely.schema.alterTable('away').renameTo('ledger_transitions').execute();
  await world.ledger.step(world.clock.now());
  await recorded;
  assert.equal(world.ledger.current('shop').state, 'down');
  const downtimes: readonly Downtime[] = await world.ledger.downtimes({});
  assert.equal(since(downtimes[0]?.fromAtMs ?? 0), 1);
});

test('a check that changes its state again and again flaps: said once, also after a restart, until it is steady', async (t) => {
  const { db, openAgain } = await openSqliteForTest(t);
  const world = new World(db);
  const http = timing('shop-http', { flapping: { enter: 30, leave: 25 } });
  const port = timing('shop-port');
  await world.begin(http, port);
  const flapping = (of: World): string[] =>
    of.facts.flatMap(({ type, data }) =>
      type === 'check.flapping' || type === 'check.steady' ? `${type} ${(data as { id: string }).id}` : [],
    );
  await world.play(http, 'UUUUUxUxU');
  assert.equal(world.ledger.flapping('shop-http'), null);
  await world.play(http, 'xU');
  assert.deepEqual(flapping(world), ['check.flapping shop-http']);
  assert.equal(since(world.ledger.flapping('shop-http')?.sinceMs ?? 0), 10);
  assert.equal(world.ledger.whyFlapping('shop'), undefined, 'it is up');
  await world.play(http, 'x');
  assert.match(world.ledger.whyFlapping('shop') ?? '', /^flapping since 2025-10-09T08:53:30\.000Z \(shop-http\): told once/);
  await world.result(port, 'x');
  assert.equal(world.ledger.whyFlapping('shop'), undefined, 'a steady check is down as well');
  await world.result(port, 'U', epochMs(world.clock.now() + 1));
  assert.match(await world.downtimes(), /^5-6 shop-http, 7-8 shop-http, 9-10 shop-http, /, 'the ledger counts every outage all the same');

  await world.ledger.stop();
  const next = new World(await openAgain(), world);
  await next.begin(http, port);
  assert.equal(since(next.ledger.flapping('shop-http')?.sinceMs ?? 0), 10);
  await next.play(http, 'U'.repeat(20));
  assert.deepEqual([flapping(next), next.ledger.flapping('shop-http')], [['check.steady shop-http'], null]);
  await next.ledger.configure([{ service: 'shop', checks: [{ ...http, flapping: { enter: 5, leave: 1 } }] }]);
  await next.play(http, 'xUx');
  await next.ledger.configure([{ service: 'shop', checks: [{ ...http, flapping: false }] }]);
  assert.deepEqual(flapping(next).slice(1), ['check.flapping shop-http', 'check.steady shop-http'], 'nobody asks any more');
});
