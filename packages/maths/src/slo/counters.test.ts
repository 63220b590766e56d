import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epochMs } from '@nines/base/units.ts';
import fc from 'fast-check';
import { type CounterSeries, countEvents, sumEvents } from './counters.ts';

const span = (fromMs: number, toMs: number) => ({ fromMs: epochMs(fromMs), toMs: epochMs(toMs) });
const series = (points: readonly (readonly [number, number])[], target = 'a'): CounterSeries => ({
  target,
  times: points.map(([time]) => time),
  values: points.map(([, value]) => value),
});
const rises = (all: readonly CounterSeries[], from = 60_000, to = 180_000): number[] => [
  ...countEvents(all, span(from, to), 60_000).events,
];

test('a counter rises in the slice of the later sample, and nothing is extrapolated', () => {
  assert.deepEqual(
    rises([
      series([
        [50_000, 100],
        [65_000, 103],
        [115_000, 110],
        [125_000, 111],
      ]),
    ]),
    [10, 1],
  );
});

test('a value below the one before it is a reset: all of it is new', () => {
  assert.deepEqual(
    rises([
      series([
        [50_000, 1_000],
        [70_000, 1_004],
        [90_000, 3],
        [100_000, 5],
      ]),
    ]),
    [9, 0],
  );
});

test('the first sample of a target says nothing, a later counter of the same target began at zero', () => {
  const requests = series([
    [50_000, 5_000],
    [110_000, 5_010],
  ]);
  assert.deepEqual(rises([requests, series([[110_000, 2]])]), [12, 0]);
  assert.deepEqual(rises([requests, series([[110_000, 2]], 'another')]), [10, 0]);
});

test('slices without samples are told from slices without events', () => {
  const counts = countEvents(
    [
      series([
        [50_000, 7],
        [65_000, 7],
      ]),
    ],
    span(60_000, 180_000),
    60_000,
  );
  assert.deepEqual(
    [[...counts.events], [...counts.isSampled]],
    [
      [0, 0],
      [1, 0],
    ],
  );
});

test('over any history with resets the slices add up to what was counted, one event at a time', () => {
  const step = fc.record({ afterMs: fc.integer({ min: 1, max: 40_000 }), events: fc.nat(50), restarts: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { minLength: 2, maxLength: 60 }), fc.integer({ min: 1, max: 10 }), (steps, slices) => {
      let [timeMs, value, counted] = [0, 10, 0];
      const points: [number, number][] = [[0, 10]];
      for (const { afterMs, events, restarts } of steps) {
        timeMs += afterMs;
        // A restart that counted as much again before it was sampled cannot be seen by anyone.
        const isReset = restarts && events < value;
        value = isReset ? events : value + events;
        counted += events;
        points.push([timeMs, value]);
      }
      const sliceMs = Math.ceil((timeMs + 1) / slices);
      const counts = countEvents([series(points)], span(0, sliceMs * slices), sliceMs);
      assert.equal(
        counts.events.reduce((sum, each) => sum + each, 0),
        counted,
      );
    }),
  );
});

test('a window sums the slices that begin in it, so windows that follow each other add up', () => {
  const slices = [0, 1, 2, 3].map((i) => ({ fromMs: i * 60_000, good: 10 * i, total: 10 * i + i }));
  assert.deepEqual(sumEvents(slices, span(60_000, 180_000)), { goodMs: 30, badMs: 3 });
  const [first, second, both] = [span(0, 90_000), span(90_000, 240_000), span(0, 240_000)].map((each) => sumEvents(slices, each));
  assert.equal((first?.badMs ?? 0) + (second?.badMs ?? 0), both?.badMs);
});
