import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Examined } from '@nines/maths/insights/examined.ts';
import { findExhaustion } from '@nines/maths/insights/exhaustion.ts';
import { randomFrom } from '@nines/maths/stats/random.ts';
import { rightSizeOf } from '@nines/maths/stats/right-size.ts';
import { scopeOfTeams } from '@nines/model/scope.ts';
import { createEngine } from '@nines/promql/engine.ts';
import { MemoryQueryable } from '@nines/promql/memory-queryable.ts';
import { createAsk } from '@nines/server/ask.ts';
import { FULL_SCOPE } from '@nines/model/storage.ts';
import { labelsOf } from '@nines/model/labels.ts';
import { silentLogger } from '../../../test/harness/logs.ts';
import { manualClock } from '../../../test/harness/manual-clock.ts';
import type { SampleQuery } from '../collect/contract.ts';
import { capacityRow } from './capacity-row.ts';
import { CapacityTableService } from './capacity-table.ts';
import { QUESTIONS, type QuestionName } from './evaluate.ts';
import type { AskAnalytics } from './start.ts';
import { watchForTest } from './testing/watches.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const hourly = (count: number, make: (i: number) => number): [number, number][] =>
  Array.from({ length: count }, (_, i) => [1_700_000_000_000 + i * HOUR_MS, make(i)]);
const DISK = { limit: 100, side: 'above', leaks: false, sized: true } as const;
const rowOf = (points: [number, number][], more: Partial<Parameters<typeof capacityRow>[0]> = {}) => {
  const found = capacityRow({ ...DISK, points, ...more });
  assert.ok(found.ok);
  return found.value;
};

test('a line says when the limit is crossed, or why it does not say so', () => {
  const random = randomFrom(7);
  const noise = (): number => random.normal();
  const grows = rowOf(hourly(336, (i) => 60 + i / 24 + noise()));
  assert.equal(grows.state, 'grows');
  assert.ok(Math.abs((grows.days ?? 0) - 26) < 3 && (grows.days_lower ?? 99) < 26 && (grows.days_upper ?? 0) > 26, grows.reason);
  assert.ok((grows.confidence?.value ?? 0) > 0.99);
  const steady = rowOf(hourly(336, () => 30 + noise() / 2));
  assert.deepEqual([steady.state, steady.days], ['steady', null]);
  assert.equal(rowOf(hourly(336, (i) => 90 - i / 24 + noise())).state, 'shrinks');
  assert.equal(rowOf(hourly(40, () => 95 + 8 * noise())).state, 'unclear', 'a wide interval close to the limit is not steady');
  assert.equal(rowOf(hourly(336, (i) => 105 + i / 24)).days, 0);
  const few = rowOf(hourly(4, () => 1));
  assert.deepEqual([few.state, few.per_day, few.days], ['refused', null, null]);
  assert.match(few.reason, /4 of the 10 values/);
  assert.equal(
    rowOf(
      hourly(336, (i) => i + noise()),
      { limit: null },
    ).state,
    'grows',
    'growth is told without a limit',
  );
  for (const odd of [[], hourly(300, () => Number.NaN), hourly(300, () => 7), hourly(2, (i) => i)])
    assert.doesNotThrow(() => JSON.stringify(rowOf(odd, { leaks: true })));
});

test('an insight names the day that the table names', () => {
  const points = hourly(336, (i) => 60 + i / 24 + 2 * Math.sin((2 * Math.PI * i) / 24));
  const examined: Examined = {
    role: 'resource',
    startMs: 1_700_000_000_000,
    values: Float64Array.from(points, ([, one]) => one),
    limit: 100,
    side: 'above',
    leastChange: 0,
  };
  const told = findExhaustion(examined);
  const truth = 26 + 1 / 24;
  for (const one of [rowOf(points).days, told.found?.days?.expected ?? null])
    assert.ok(one !== null && Math.abs(one - truth) < 0.05, String(one));
});

test('a leak is told from what a garbage collector gives back', () => {
  const random = randomFrom(3);
  const minutely = (make: (i: number) => number): [number, number][] =>
    Array.from({ length: 576 }, (_, i) => [1_700_000_000_000 + i * 300_000, make(i)]);
  const sawtooth = (i: number): number => 20 + (i % 37) + random.normal();
  const leakOf = (points: [number, number][]) => rowOf(points, { leaks: true }).leak;
  assert.equal(leakOf(minutely(sawtooth))?.state, 'none');
  const leaks = leakOf(minutely((i) => sawtooth(i) + i / 8));
  assert.equal(leaks?.state, 'leaks', leaks?.reason);
  assert.equal(
    leakOf(minutely((i) => 30 + 10 * Math.sin((2 * Math.PI * i) / 288) + random.normal()))?.state,
    'none',
    'a season is no leak',
  );
  assert.equal(leakOf(minutely(sawtooth).slice(0, 60))?.state, 'refused', 'less than six hours');
});

test('the right size has headroom, and nothing is taken away from what was seen for less than a week', () => {
  const use = Float64Array.from({ length: 336 }, (_, i) => 10 + (i % 24 === 12 ? 8 : 0));
  const big = rightSizeOf(use, HOUR_MS, 100);
  assert.ok(big.ok && big.value.advice === 'too_big');
  assert.ok(Math.abs(big.value.suggested - 18 * 1.1) < 1e-9 && Math.abs(big.value.saves - (100 - 19.8)) < 1e-9);
  assert.match(big.value.reason, /30 %.*10 %/);
  const advice = (values: Float64Array, limit: number): string => {
    const found = rightSizeOf(values, HOUR_MS, limit);
    return found.ok ? found.value.advice : found.error.reason;
  };
  assert.equal(advice(use, 19), 'too_small');
  assert.equal(advice(use, 30), 'enough');
  assert.equal(advice(use.slice(0, 72), 100), 'enough');
  assert.equal(advice(use.slice(0, 10), 100), 'too_short');
  assert.equal(advice(use, 0), 'bad_limit');
});

const inThisThread = (async (name: QuestionName, body: never) => {
  const answer = QUESTIONS[name](body);
  if (!answer.ok) throw new Error(answer.error.message);
  return answer.value;
}) as AskAnalytics;

test('what is measured once an hour or four times a day fills up at whatever minute one looks', async () => {
  const clock = manualClock(1_760_000_400_000 + 37 * MINUTE_MS);
  const stored = new MemoryQueryable();
  const random = randomFrom(11);
  for (const [name, everyMs] of Object.entries({ hourly: HOUR_MS, rare: 6 * HOUR_MS })) {
    const lastMs = clock.now() - (clock.now() % HOUR_MS);
    const count = (14 * DAY_MS) / everyMs;
    stored.add(
      labelsOf({ __name__: name }),
      Array.from({ length: count }, (_, i) => {
        const atMs = lastMs - (count - 1 - i) * everyMs;
        return [atMs, 100 - (clock.now() - atMs) / DAY_MS + random.normal() / 10] as const;
      }),
    );
  }
  const samples = createAsk(createEngine(), stored);
  const watches = [watchForTest({ name: 'hourly', expr: 'hourly', limit: 110 }), watchForTest({ name: 'rare', expr: 'rare', limit: 120 })];
  const service = new CapacityTableService({
    ask: inThisThread,
    samples,
    aliases: { list: [] },
    watches: () => watches,
    clock,
    logger: silentLogger,
  });
  const { items } = await service.table(FULL_SCOPE);
  assert.deepEqual(
    items.map(({ name, state }) => [name, state]),
    [
      ['hourly', 'grows'],
      ['rare', 'grows'],
    ],
    JSON.stringify(items),
  );
  const [hourlyDays, rareDays] = items.map(({ days }) => days ?? 0);
  assert.ok(Math.abs((hourlyDays ?? 0) - 10) < 1.5 && Math.abs((rareDays ?? 0) - 20) < 3, `${hourlyDays} and ${rareDays} days`);
});

test('the table: the most urgent first, each with its name; who sees a part sees that part', async () => {
  const clock = manualClock();
  const random = randomFrom(5);
  let asked = 0;
  const samples: SampleQuery = {
    instant: () => Promise.reject(new Error('not asked')),
    range: async (expr, { fromMs, toMs, stepMs }) => {
      asked++;
      const times = Array.from({ length: (toMs - fromMs) / stepMs + 1 }, (_, i) => fromMs + i * stepMs);
      const series = (labels: Record<string, string>, make: (i: number) => number) => ({
        labels: labelsOf(labels),
        times,
        values: times.map((_, i) => make(i) + random.normal() / 4),
      });
      if (expr === 'broken') throw new Error('it cannot be read');
      if (expr === 'DISK')
        return [series({ mountpoint: '/', team: 'a' }, (i) => 50 + i / 24), series({ mountpoint: '/var' }, (i) => 85 + i / 48)];
      return expr === 'queue' ? [series({ __name__: 'queue', team: 'a' }, (i) => 10 + i / 400)] : [];
    },
  };
  const watches = [watchForTest({ name: 'queue', expr: 'queue', limit: 12 }), watchForTest({ name: 'broken', expr: 'broken', limit: 1 })];
  const aliases = { list: [{ name: 'system.disk.percent', unit: 'percent', help: '', expr: 'DISK' }] };
  const service = new CapacityTableService({ ask: inThisThread, samples, aliases, watches: () => watches, clock, logger: silentLogger });
  const [table] = await Promise.all([service.table(FULL_SCOPE), service.table(FULL_SCOPE)]);
  assert.deepEqual(
    table.items.map(({ name }) => name),
    ['disk /var', 'queue', 'disk /'],
  );
  assert.deepEqual(table.notes, ['broken: it cannot be read']);
  assert.equal(table.items[0]?.right_size?.advice, 'too_small');
  const [first] = table.items;
  assert.ok(first !== undefined && first.points.length > 20 && first.points.length <= 60);
  const before = asked;
  const seen = await service.table(scopeOfTeams(['a']));
  assert.deepEqual(
    seen.items.map(({ name }) => name),
    ['queue', 'disk /'],
  );
  assert.equal(asked, before, 'answers serve for ten minutes');
  service.forget();
  await service.table(FULL_SCOPE);
  assert.ok(asked > before);
});
