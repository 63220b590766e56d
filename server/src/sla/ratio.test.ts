import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forEachDatabase } from '../../../test/harness/databases.ts';
import { type SlaWorld, openWorld } from './testing/world.ts';

const ratio = (over: object = {}): object => ({
  id: 'requests',
  service: 'shop',
  indicator: { kind: 'ratio', bad: 'errors_total', total: 'sum(rate(requests_total[1m]))', slice: '10s' },
  target: '90%',
  window: { rolling: '5m' },
  burn: [],
  ...over,
});

/** Plays seconds with so many requests and failures each. */
async function serve(world: SlaWorld, seconds: number, each: { readonly requests: number; readonly errors: number }): Promise<void> {
  for (let i = 0; i < seconds; i++) {
    for (const [name, more] of [
      ['requests_total', each.requests],
      ['errors_total', each.errors],
    ] as const) {
      const samples = world.counters.get(name) ?? [];
      world.counters.set(name, samples);
      samples.push({ atMs: world.clock.now(), value: (samples.at(-1)?.value ?? 1_000_000) + more });
    }
    await world.play('U');
  }
}

forEachDatabase((_name, open) => {
  test('a ratio budgets events: each one counts, exactly, beside the time of bad slices', async (t) => {
    const world = await openWorld(t, open, ratio());
    await serve(world, 40, { requests: 10, errors: 0 });
    await serve(world, 10, { requests: 30, errors: 5 });
    await serve(world, 13, { requests: 10, errors: 0 });
    const { budget, attained, status, status_reason: reason, buckets } = await world.view('requests');
    // The first second's samples say nothing. Slices until second 60: 39 + 10 s of 10, 10 s of 30.
    const [total, bad] = [39 * 10 + 10 * 30 + 10 * 10, 50];
    const counted = { unit: 'events', total: Math.floor(total / 10), spent: bad, remaining: Math.floor(total / 10) - bad };
    assert.deepEqual({ ...budget, total_ms: 0, spent_ms: 0, remaining_ms: 0 }, { ...counted, total_ms: 0, spent_ms: 0, remaining_ms: 0 });
    assert.equal(budget.spent_ms, 10_000);
    assert.equal(attained, (total - bad) / total);
    assert.deepEqual([status, reason], ['met', '29 events of the budget is left']);
    assert.equal(
      Object.values(buckets).reduce((sum, each) => sum + each, 0),
      300_000,
    );
  });

  test('counted slices outlive a restart, and a rolling window lets them go', async (t) => {
    const { db } = await open(t);
    const world = await openWorld(t, async () => ({ db }), ratio({ window: { rolling: '1m' } }));
    await serve(world, 10, { requests: 10, errors: 10 });
    await serve(world, 33, { requests: 10, errors: 0 });
    const before = await world.view('requests');
    assert.equal(before.status, 'breached');
    await world.declare(ratio({ window: { rolling: '1m' } }));
    assert.deepEqual((await world.view('requests')).budget, before.budget);
    await serve(world, 40, { requests: 10, errors: 0 });
    const after = await world.view('requests');
    assert.deepEqual([after.status, after.budget.spent_ms], ['met', 0]);
  });

  test('of slices that count alike, a busy one weighs no more than a quiet one', async (t) => {
    const indicator = { kind: 'ratio', bad: 'errors_total', total: 'requests_total', slice: '10s', budgeting: 'ratio_timeslices' };
    const world = await openWorld(t, open, ratio({ indicator }));
    await serve(world, 10, { requests: 1000, errors: 500 });
    await serve(world, 33, { requests: 1, errors: 0 });
    const { attained, budget } = await world.view('requests');
    assert.deepEqual([budget.unit, budget.spent_ms, attained], ['ms', 5_000, 35_000 / 40_000]);
  });

  test('error rate and throughput are judged in slices of exact counts', async (t) => {
    const rate = { kind: 'error_rate', bad: 'errors_total', total: 'requests_total', at_most: '10%', min_events: 20, slice: '10s' };
    const world = await openWorld(
      t,
      open,
      ratio({ id: 'errors', indicator: rate }),
      ratio({ id: 'flow', indicator: { kind: 'throughput', events: 'requests_total', at_least: 5, slice: '10s' } }),
    );
    await serve(world, 10, { requests: 10, errors: 0 });
    await serve(world, 10, { requests: 10, errors: 2 });
    await serve(world, 13, { requests: 1, errors: 1 });
    const [errors, flow] = [await world.view('errors'), await world.view('flow')];
    // Ten of ten failed in the last slice, but ten are too few to be judged.
    assert.deepEqual([errors.buckets.down_ms, errors.buckets.up_ms], [10_000, 20_000]);
    assert.deepEqual([flow.buckets.down_ms, flow.buckets.up_ms, flow.value], [10_000, 20_000, 1]);
    assert.deepEqual(flow.objective, { op: '>=', value: 5, unit: 'events/s', statistic: null });
  });

  test('a calendar window begins with its period, is young, and has the budget of all of it', async (t) => {
    const monthly = {
      id: 'monthly',
      service: 'shop',
      indicator: { kind: 'availability' },
      target: '99%',
      window: { calendar: 'day', zone: 'Asia/Kathmandu' },
    };
    const world = await openWorld(t, open, monthly);
    await world.play(`${'U'.repeat(20)}xxx${'U'.repeat(5)}`);
    const { window, young, observed_ms: observedMs, budget, calendar } = await world.view('monthly');
    // 2025-10-09 in Nepal, five hours and three quarters ahead of UTC.
    assert.equal(new Date(window.from_at_ms).toISOString(), '2025-10-08T18:15:00.000Z');
    assert.deepEqual([young, observedMs, budget.spent_ms], [true, 28_000, 3_000]);
    const untilMs = (calendar?.ends_at_ms ?? 0) - window.from_at_ms;
    assert.equal(untilMs, 86_400_000);
    // Unknown time earns budget too, and so does what is still to come.
    assert.equal(budget.total_ms, 864_000);
  });
});
