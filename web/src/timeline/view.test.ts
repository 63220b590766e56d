import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { clampView, intervalAt, panView, queryStepMs, segments, ticksOf, zoomView } from './view.ts';

const DAY = 86_400_000;
const limit = { fromMs: 0, toMs: 90 * DAY };

test('a view stays within its limits and never below one second', () => {
  assert.deepEqual(clampView({ fromMs: -5, toMs: 5 }, limit), { fromMs: 0, toMs: 1_000 });
  assert.deepEqual(clampView({ fromMs: 89 * DAY, toMs: 99 * DAY }, limit), { fromMs: 80 * DAY, toMs: 90 * DAY });
  assert.deepEqual(panView({ fromMs: 0, toMs: DAY }, -1, limit), { fromMs: 0, toMs: DAY });
});

test('zooming keeps the instant under the pointer in place', () => {
  const view = zoomView({ fromMs: 0, toMs: 10 * DAY }, { factor: 0.5, centreMs: 4 * DAY, limit });
  assert.deepEqual(view, { fromMs: 2 * DAY, toMs: 7 * DAY });
});

test('any zoom or pan gives a view inside the limits', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 80 * DAY }),
      fc.integer({ min: 1, max: 10 * DAY }),
      fc.double({ min: 0.001, max: 100, noNaN: true }),
      (from, length, factor) => {
        const view = zoomView({ fromMs: from, toMs: from + length }, { factor, centreMs: from + length / 3, limit });
        assert.ok(view.fromMs >= limit.fromMs && view.toMs <= limit.toMs && view.toMs - view.fromMs >= 1_000);
      },
    ),
  );
});

const intervals = [
  { from_at_ms: 0, to_at_ms: 50 * DAY, state: 'up' },
  { from_at_ms: 50 * DAY, to_at_ms: 50 * DAY + 1_000, state: 'down' },
  { from_at_ms: 50 * DAY + 1_000, to_at_ms: 90 * DAY, state: 'up' },
];

test('one second of outage in ninety days is still drawn, on top', () => {
  const drawn = segments(intervals, limit, 900);
  const last = drawn[drawn.length - 1];
  assert.equal(last?.index, 1);
  assert.equal(last?.width, 2);
  assert.equal(Math.round(last?.x ?? 0), 500);
});

test('intervals outside of the view are left out and the rest is clipped', () => {
  const drawn = segments(intervals, { fromMs: 10 * DAY, toMs: 20 * DAY }, 100);
  assert.deepEqual(drawn, [{ index: 0, x: 0, width: 100 }]);
});

test('the interval at an instant is found, half-open', () => {
  assert.equal(intervalAt(intervals, 50 * DAY), 1);
  assert.equal(intervalAt(intervals, 50 * DAY + 1_000), 2);
  assert.equal(intervalAt(intervals, 90 * DAY), -1);
  assert.equal(intervalAt([], 5), -1);
});

test('ticks are round in the clock of the reader and few', () => {
  const ticks = ticksOf({ fromMs: 1_000, toMs: DAY }, 8, 3_600_000);
  assert.equal(ticks.stepMs, 14_400_000);
  assert.equal(ticks.atMs[0], 10_800_000);
  assert.ok(ticks.atMs.length <= 8);
});

test('a query asks for no more points than the screen shows', () => {
  assert.equal(queryStepMs({ fromMs: 0, toMs: 3_600_000 }, 240, 15_000), 30_000);
  assert.equal(queryStepMs({ fromMs: 0, toMs: 60_000 }, 240, 1_000), 1_000);
});
