import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openSqliteForTest } from '../../../../test/harness/databases.ts';
import { SlaWorld, at } from '../testing/world.ts';

const SLA = { id: 'shop-sla', service: 'shop', indicator: { kind: 'availability' }, target: '99%', window: { rolling: '2m' } };

test('the stretches of a period add up to the figures, each with what decided it', async (t) => {
  const { db } = await openSqliteForTest(t);
  const world = await new SlaWorld(db).begin({ ...SLA, unknown: 'down', maintenance: 'exclude' });
  await world.maintenance.create({
    id: 'upgrade',
    name: 'Upgrade',
    services: ['shop'],
    suppress_alerts: true,
    schedule: { kind: 'once', from_at_ms: at(14), to_at_ms: at(16) },
  });
  await world.play('UUUUUUxxxxUUUUUUUU....UUUU');
  const asked = await world.exclusions.request({
    sla: 'shop-sla',
    span: { fromMs: at(6), toMs: at(8) },
    reason: 'third_party',
    note: 'their line',
    by: 'ann',
  });
  await world.exclusions.decide({ sla: 'shop-sla', id: asked.id, decision: 'approved', note: '', by: 'bob' });
  const period = { fromMs: at(0), toMs: at(26) };
  const { segments } = await world.statements.account({ sla: 'shop-sla', period, zone: 'UTC' });
  const statement = await world.statement('shop-sla', period);
  const sum = (of: 'good_ms' | 'bad_ms') => segments.reduce((total, one) => total + one[of], 0);
  assert.equal(sum('bad_ms'), statement.budget.spent_ms);
  assert.equal(sum('good_ms') / (sum('good_ms') + sum('bad_ms')), statement.attained);
  assert.deepEqual(
    segments.map(({ from_at_ms }, i) => [from_at_ms, segments[i + 1]?.from_at_ms ?? period.toMs]),
    segments.map(({ from_at_ms, to_at_ms }) => [from_at_ms, to_at_ms]),
    'they follow one another without a gap',
  );
  const [excluded, counted] = segments.filter(({ state }) => state === 'down');
  assert.deepEqual(
    [excluded?.overlay, excluded?.excluded_by, excluded?.exclusion?.approved_by, excluded?.bad_ms],
    ['excluded', 'exclusion', 'bob', 0],
  );
  assert.deepEqual([counted?.overlay, counted?.bad_ms, counted?.downtime?.reason], [null, 2_000, 'unplanned_outage']);
  assert.equal(counted?.evidence?.[0]?.check, 'shop-http');
  const work = segments.find(({ excluded_by }) => excluded_by === 'maintenance');
  assert.deepEqual([work?.maintenance?.window, work?.from_at_ms, work?.to_at_ms], ['upgrade', at(14), at(16)]);
  const gap = segments.find(({ state }) => state === 'unknown');
  assert.equal(gap?.bad_ms, (gap?.to_at_ms ?? 0) - (gap?.from_at_ms ?? 0), 'the contract counts what nobody saw as bad');
});

test('days carry the worst that was counted, and the budget burns down to what is left', async (t) => {
  const { db } = await openSqliteForTest(t);
  const world = await new SlaWorld(db).begin(SLA);
  await world.play('UUUUUUxxxxUUUUUU');
  const asked = { sla: 'shop-sla', period: { fromMs: at(-86_400), toMs: at(16) }, zone: 'Asia/Kolkata' };
  const days = await world.statements.days(asked);
  assert.deepEqual([days.length, days[0]?.worst, days.at(-1)?.worst, days.at(-1)?.bad_ms], [2, 'unwatched', 'down', 4_000]);
  assert.equal(
    days.reduce((sum, { from_at_ms, to_at_ms }) => sum + to_at_ms - from_at_ms, 0),
    asked.period.toMs - asked.period.fromMs,
  );
  await world.declare(SLA, { ...SLA, id: 'never', hours: { zone: 'UTC', weekly: { mon: ['00:00-00:01'] } } });
  const before = await world.statements.days({ ...asked, sla: 'never' });
  assert.equal(before[0]?.worst, 'unwatched', 'a day before monitoring is not watched, whatever was promised');
  const period = world.slas.windowOf('shop-sla', world.clock.now());
  const { points, total } = await world.statements.burnDown({ sla: 'shop-sla', period, zone: 'UTC' });
  const view = await world.view('shop-sla');
  assert.deepEqual([total, points[0]?.remaining, points.at(-1)?.remaining], [view.budget.total_ms, total, view.budget.remaining_ms]);
  assert.ok(
    points.every(({ remaining }, i) => remaining <= (points[i - 1]?.remaining ?? total)),
    'it never rises',
  );
});

test('a trend holds the verdicts as they were, and nothing from before anybody watched', async (t) => {
  const { db } = await openSqliteForTest(t);
  const world = await new SlaWorld(db).begin(SLA);
  await world.play('UUUUUUxxxxUUUUUUUUUUUUUU');
  const stretch = { fromMs: at(-96), toMs: at(24) };
  const { points } = await world.statements.trend({ sla: 'shop-sla', period: stretch, zone: 'UTC' });
  assert.equal(points.length, 121);
  assert.deepEqual([points[0]?.at_ms, points.at(-1)?.at_ms], [stretch.fromMs, stretch.toMs]);
  assert.ok(points.filter(({ at_ms: atMs }) => atMs < at(0)).every(({ attained }) => attained === null));
  assert.equal(points.find(({ at_ms: atMs }) => atMs === at(6))?.attained, 1);
  const view = await world.view('shop-sla');
  assert.equal(points.at(-1)?.attained, view.attained, 'the last is what the contract says now');
  assert.equal(points.at(-1)?.budget_left, 1 - view.budget.spent_ms / view.budget.total_ms);
  await assert.rejects(world.statements.trend({ sla: 'none', period: stretch, zone: 'UTC' }), { code: 'sla_not_found' });
});
