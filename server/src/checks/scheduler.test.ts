import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { manualClock, settle } from '../../../test/harness/manual-clock.ts';
import { LoopDelay } from './loop-delay.ts';
import { fnv1a } from '@nines/base/fnv1a.ts';
import { Scheduler, slotAt, untilNext } from './scheduler.ts';

const START_MS = 1_760_000_000_000;

test('everything starts once within the first second, then on its own grid, spread by its id', async () => {
  const clock = manualClock(START_MS);
  const starts: { id: string; atMs: number }[] = [];
  const scheduler = new Scheduler({ clock, start: async (id) => void starts.push({ id, atMs: clock.now() }) });
  const items = Array.from({ length: 20 }, (_, i) => ({ id: `check-${i}`, intervalMs: 5_000 }));
  scheduler.set(items);
  await clock.advance(1_000);
  assert.equal(new Set(starts.map((start) => start.id)).size, 20);
  await clock.advance(20_000);
  for (const { id } of items) {
    const own = starts.filter((start) => start.id === id).slice(1);
    assert.ok(own.length >= 3 && own.length <= 5);
    for (const { atMs } of own) assert.equal((atMs - fnv1a(id)) % 5_000, 0);
  }
  assert.ok(new Set(starts.slice(20).map((start) => start.atMs % 5_000)).size > 15, 'spread over the interval');
  scheduler.stop();
  assert.equal(clock.pending(), 0);
});

test('a start that is due while the one before runs is skipped, and the next comes on the grid', async () => {
  const clock = manualClock(START_MS);
  const starts: number[] = [];
  let finish = (): void => {};
  const scheduler = new Scheduler({
    clock,
    start: () => {
      starts.push(clock.now());
      return new Promise((resolve) => (finish = resolve));
    },
  });
  scheduler.set([{ id: 'a', intervalMs: 1_000 }]);
  await clock.advance(4_000);
  assert.equal(starts.length, 1);
  assert.ok(scheduler.stats().skipped >= 2);
  finish();
  await settle();
  await clock.advance(1_000);
  assert.equal(starts.length, 2);
  finish();
  scheduler.stop();
});

test('after a standstill missed starts are skipped, not caught up, and the lateness is told', async () => {
  const clock = manualClock(START_MS);
  let late = 0;
  let started = 0;
  const stalling = { ...clock, monotonic: () => clock.monotonic() + late };
  const scheduler = new Scheduler({ clock: stalling, start: async () => void started++ });
  scheduler.set([{ id: 'a', intervalMs: 1_000 }]);
  await clock.advance(1_000);
  const before = started;
  late = 60_000;
  await clock.advance(1_001);
  assert.ok(started - before <= 2, `${started - before} starts after the standstill`);
  const stats = scheduler.stats();
  assert.ok(stats.skipped >= 59);
  assert.ok(stats.worstLatenessMs >= 59_000);
  scheduler.stop();
});

test('what changes its interval begins anew, what leaves stops, what stays keeps its place', async () => {
  const clock = manualClock(START_MS);
  const counts = new Map<string, number>();
  const scheduler = new Scheduler({ clock, start: async (id) => void counts.set(id, (counts.get(id) ?? 0) + 1) });
  scheduler.set([
    { id: 'a', intervalMs: 1_000 },
    { id: 'b', intervalMs: 1_000 },
  ]);
  await clock.advance(3_000);
  scheduler.set([{ id: 'b', intervalMs: 1_000 }]);
  const [a, b] = [counts.get('a'), counts.get('b') ?? 0];
  await clock.advance(5_000);
  assert.equal(counts.get('a'), a);
  assert.equal(counts.get('b'), b + 5);
  scheduler.stop();
});

test('the next instant on the grid is never the one just served', () => {
  const item = { id: 'a', intervalMs: 1_000 };
  const phase = fnv1a('a') % 1_000;
  assert.equal(untilNext(item, 5_000 + phase), 1_000);
  assert.equal(untilNext(item, 4_999 + phase), 1_001);
  assert.equal(untilNext(item, 5_001 + phase), 999);
  assert.equal(untilNext(item, 5_900 + phase), 100);
});

test('loop delay is the worst lateness within the attempt, and nothing is measured while nothing runs', async () => {
  const clock = manualClock(START_MS);
  let late = 0;
  const delay = new LoopDelay({ ...clock, monotonic: () => clock.monotonic() + late });
  assert.equal(clock.pending(), 0);
  const end = delay.begin();
  await clock.advance(200);
  late = 300;
  await clock.advance(60);
  const inner = delay.begin();
  await clock.advance(200);
  assert.ok(inner() < 10);
  const worst = end();
  assert.ok(worst >= 300 && worst < 360, String(worst));
  await clock.advance(100);
  assert.equal(clock.pending(), 0);
});

test('an attempt that starts on time serves the instant it was started for, one that starts late the last that was due', () => {
  const item = fc.record({ id: fc.string({ minLength: 1 }), intervalMs: fc.integer({ min: 1_000, max: 86_400_000 }) });
  fc.assert(
    fc.property(item, fc.integer({ min: 0, max: 2 ** 42 }), fc.integer({ min: 0, max: 900 }), (one, nowMs, lateMs) => {
      const dueMs = nowMs + untilNext(one, nowMs);
      assert.equal(slotAt(one, dueMs), dueMs);
      assert.equal(slotAt(one, dueMs + lateMs), dueMs);
      assert.equal(slotAt(one, dueMs - 1), dueMs, 'a timer may fire a millisecond early');
      assert.equal(slotAt(one, dueMs + one.intervalMs + lateMs), dueMs + one.intervalMs);
    }),
  );
});
