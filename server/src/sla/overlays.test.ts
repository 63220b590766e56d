import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openSqliteForTest } from '../../../test/harness/databases.ts';
import { maintenanceSchema } from '../maintenance/contract.ts';
import { slaDeclaration } from './config.ts';
import { at, openWorld, type SlaWorld } from './testing/world.ts';

const iso = (seconds: number): string => new Date(at(seconds)).toISOString();
const sla = (more: object = {}): object => ({
  id: 'shop-day',
  service: 'shop',
  indicator: { kind: 'availability' },
  target: '90%',
  window: { rolling: '100s' },
  ...more,
});
const declare = (world: SlaWorld, ...written: object[]) =>
  world.maintenance.declare(written.map((one, i) => ({ spec: maintenanceSchema.parse(one), place: `nines.yml:${30 + i}` })));
const work = (from: number, to: number) => ({ id: 'work', services: ['shop'], from: iso(from), to: iso(to) });

test('planned maintenance is excluded when the contract says so, and only lies on top when it does not', async (t) => {
  const world = await openWorld(t, openSqliteForTest, sla({ maintenance: 'exclude' }), sla({ id: 'hard' }));
  await declare(world, work(40, 60));
  await world.play(`${'U'.repeat(30)}${'x'.repeat(40)}${'U'.repeat(30)}`);
  const [soft, hard] = [await world.view('shop-day'), await world.view('hard')];
  assert.deepEqual([soft.buckets.excluded_ms, soft.buckets.down_ms, soft.budget.spent_ms], [20_000, 20_000, 20_000]);
  assert.deepEqual([hard.buckets.excluded_ms, hard.buckets.down_ms], [0, 40_000]);
  assert.equal(
    Object.values(soft.buckets).reduce((sum, part) => sum + part, 0),
    100_000,
  );
  assert.equal(soft.budget.total_ms, 8_000);

  const { payload } = JSON.parse(JSON.stringify({ payload: await world.statement('shop-day', { fromMs: at(0), toMs: at(100) }) })) as {
    payload: { exclusions: readonly unknown[] };
  };
  assert.deepEqual(payload.exclusions, [{ from_at_ms: at(40), to_at_ms: at(60), by: 'maintenance', exclusion: null }]);
});

test('what was announced too late, or exceeds the allowance, counts', async (t) => {
  const world = await openWorld(
    t,
    openSqliteForTest,
    sla({ id: 'notice', maintenance: { notice: '50s' } }),
    sla({ id: 'allowance', maintenance: { allowance: '1m', per: 'year' } }),
    sla({ id: 'late', maintenance: 'exclude' }),
  );
  await declare(world, work(40, 130));
  await world.play('x'.repeat(60));
  // Lengthened while it goes on: another plan, announced now.
  await declare(world, work(40, 150));
  await world.play('x'.repeat(60));
  const excluded = async (id: string) => (await world.view(id)).buckets.excluded_ms;
  assert.equal(await excluded('notice'), 0, 'announced 40 s before');
  assert.equal(await excluded('allowance'), 60_000);
  assert.equal(await excluded('late'), 80_000);
});

test('nothing is announced after the fact, and what had been announced can be asked again', async (t) => {
  const world = await openWorld(t, openSqliteForTest, sla({ maintenance: 'exclude' }));
  await world.play('x'.repeat(50));
  await declare(world, work(10, 70));
  await world.play('x'.repeat(10));
  await world.maintenance.declare([]);
  await world.play('x'.repeat(40));
  assert.equal((await world.view('shop-day')).buckets.excluded_ms, 10_000, 'from when it was said until it was called off');
  const known = (seconds: number) =>
    world.maintenance
      .occurrences({ service: 'shop', fromMs: at(0), toMs: at(100), knownAtMs: at(seconds) })
      .map(({ fromMs, toMs }) => [fromMs, toMs]);
  assert.deepEqual(known(40), []);
  assert.deepEqual(known(55), [[at(50), at(70)]]);
  assert.deepEqual(known(90), [[at(50), at(60)]]);
});

test('maintenance that is ended once the period is over changes no issued statement; that nobody worked is said by a correction, which restates it', async (t) => {
  const world = await openWorld(t, openSqliteForTest, sla({ maintenance: 'exclude' }));
  await declare(world, work(4, 40));
  await world.play(`UUUUUxxx${'U'.repeat(14)}`);
  const question = { sla: 'shop-day', period: { fromMs: at(0), toMs: at(20) }, zone: 'UTC' };
  const issued = await world.statements.issue(question, 'ann');
  assert.equal(JSON.parse(issued.document).buckets.excluded_ms, 16_000);
  await declare(world, work(4, 30));
  await world.play('UU');
  await declare(world);
  await world.statements.recheckService('shop', question.period);
  assert.equal((await world.statements.issue(question, 'ann')).document, issued.document);

  const beforeMs = world.clock.now();
  await world.clock.advance(1_000);
  const said = { note: 'the work was called off', by: 'ann' };
  await assert.rejects(world.maintenance.correct('work', { fromMs: at(45), toMs: at(50), ...said }), { code: 'maintenance_invalid' });
  await assert.rejects(world.maintenance.correct('none', { fromMs: at(4), toMs: at(8), ...said }), { code: 'maintenance_not_found' });
  await world.maintenance.correct('work', { fromMs: at(6), toMs: at(10), ...said });
  const restated = await world.statement('shop-day', question.period);
  assert.deepEqual(
    [restated.revision?.number, restated.buckets.excluded_ms, restated.buckets.down_ms, restated.revision?.why.join()],
    [2, 12_000, 2_000, '12 s of planned maintenance is excluded, it was 16 s'],
  );
  assert.ok(restated.revision?.changes.some(({ path, from, to }) => path === 'buckets.excluded_ms' && from === 16_000 && to === 12_000));
  assert.equal((await world.statement('shop-day', question.period, { knownAtMs: beforeMs })).buckets.excluded_ms, 16_000);
});

test('a contract says where an outage begins and ends between the attempts around it', async (t) => {
  const world = await openWorld(
    t,
    openSqliteForTest,
    sla(),
    sla({ id: 'early', edges: 'last_success' }),
    sla({ id: 'middle', edges: 'midpoint' }),
  );
  await world.play(`${'U'.repeat(40)}xxxxx${'U'.repeat(55)}`);
  const views = await Promise.all(['shop-day', 'early', 'middle'].map((id) => world.view(id)));
  assert.deepEqual(
    views.map(({ budget }) => budget.spent_ms),
    [5_000, 6_000, 5_000],
    'an attempt a second: from the first failure, from the last success, from half way to half way',
  );
  for (const { buckets } of views)
    assert.equal(
      Object.values(buckets).reduce((sum, part) => sum + part, 0),
      100_000,
    );
  const { intervals } = await world.ledger.timeline('shop', at(30), at(50));
  assert.deepEqual(
    intervals.map(({ fromMs }) => fromMs - at(0)),
    [30_000, 40_000, 45_000],
    'the ledger is the same for all',
  );
});

test('time out of hours is no part of the promise, whatever happened in it', async (t) => {
  // The world begins at 08:53:30 UTC on a Thursday.
  const hours = { zone: 'Europe/Berlin', weekly: { thu: ['10:54-18:00'] }, holidays: ['2026-12-25'] };
  const world = await openWorld(t, openSqliteForTest, sla({ hours, maintenance: 'exclude' }));
  await declare(world, work(10, 60));
  await world.play(`${'x'.repeat(70)}${'U'.repeat(30)}`);
  const { buckets, budget } = await world.view('shop-day');
  assert.deepEqual([buckets.out_of_hours_ms, buckets.excluded_ms, buckets.down_ms, buckets.up_ms], [30_000, 30_000, 10_000, 30_000]);
  assert.equal(budget.total_ms, 4_000);
  const statement = await world.statement('shop-day', { fromMs: at(0), toMs: at(100) });
  assert.equal(statement.buckets.out_of_hours_ms, 30_000);
});

test('hours and terms that cannot be are refused with what is wrong', () => {
  const refused = (more: object): string => {
    const parsed = slaDeclaration.safeParse(sla(more));
    return parsed.success
      ? assert.fail('was taken')
      : parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join();
  };
  const hours = { zone: 'UTC', weekly: { mon: ['09:00-17:00'] } };
  assert.match(refused({ hours: { ...hours, zone: 'Mars/Olympus' } }), /hours\.zone: there is no time zone "Mars\/Olympus"/);
  assert.match(refused({ hours: { ...hours, weekly: { mon: ['17:00-09:00'] } } }), /hours\.weekly\.mon\.0: not hours: "17:00-09:00"/);
  assert.match(refused({ hours: { ...hours, weekly: { mon: ['09:00-12:00', '11:00-13:00'] } } }), /"11:00-13:00" overlap/);
  assert.match(refused({ hours: { ...hours, weekly: {} } }), /no day of the week/);
  assert.match(refused({ hours: { ...hours, holidays: ['2026-02-30'] } }), /hours\.holidays\.0: there is no period "2026-02-30"/);
  assert.match(refused({ hours: { ...hours, holidays: ['2026-12'] } }), /not a day/);
});
