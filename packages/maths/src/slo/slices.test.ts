import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epochMs } from '@nines/base/units.ts';
import fc from 'fast-check';
import { type SliceRun, extendRun, holds, reduceSlice, sliceStart, sliceTimeline } from './slices.ts';
import type { Span } from './types.ts';

const span = (fromMs: number, toMs: number): Span => ({ fromMs: epochMs(fromMs), toMs: epochMs(toMs) });
const run = (from: number, to: number, state: SliceRun['state']): SliceRun => ({
  ...span(from, to),
  state,
  samples: 1,
  worst: state === 'unknown' ? null : to,
  last: state === 'unknown' ? null : to,
});
const drawn = (intervals: ReturnType<typeof sliceTimeline>) =>
  intervals.map((each) => `${each.state === 'unknown' ? each.unknownReason : each.state} ${each.fromMs}-${each.toMs}`);

test('a slice is the mean of its samples unless another statistic is named', () => {
  const values = [4, 1, 3, 2];
  const reduced = (['mean', 'min', 'max', 'last', 'sum', 'p50', 'p90'] as const).map((reducer) => reduceSlice(values, reducer));
  assert.deepEqual(reduced, [2.5, 1, 4, 2, 10, 2.5, 3.7]);
  assert.equal(reduceSlice([], 'mean'), null);
});

test('a mean of huge values does not overflow and lies within them', () => {
  assert.equal(reduceSlice([1e308, 1e308], 'mean'), 1e308);
  fc.assert(
    fc.property(fc.array(fc.double({ min: -1e300, max: 1e300, noNaN: true }), { minLength: 1, maxLength: 20 }), (values) => {
      const mean = reduceSlice(values, 'mean') ?? assert.fail();
      const slack = Math.max(...values.map(Math.abs)) * 1e-12;
      assert.ok(mean >= Math.min(...values) - slack && mean <= Math.max(...values) + slack);
    }),
  );
});

test('each condition compares as it reads', () => {
  const at = (value: number) => (['<', '<=', '>', '>='] as const).map((condition) => holds(value, condition, 10));
  assert.deepEqual(at(9), [true, true, false, false]);
  assert.deepEqual(at(10), [false, true, false, true]);
  assert.deepEqual(at(11), [false, false, true, true]);
});

test('slices are aligned to the epoch', () => {
  assert.equal(sliceStart(119_999, 60_000), 60_000);
  assert.equal(sliceStart(120_000, 60_000), 120_000);
});

test('a run goes on while the verdict stays, and keeps its worst value', () => {
  const first = { ...run(0, 60, 'up'), worst: 0.05 };
  const joined = extendRun(first, { ...run(60, 120, 'up'), worst: 0.08, last: 0.08 }, '<');
  assert.deepEqual([joined?.toMs, joined?.worst, joined?.last, joined?.samples], [120, 0.08, 0.08, 2]);
  assert.equal(extendRun(first, run(60, 120, 'down'), '<'), undefined);
  assert.equal(extendRun(first, run(120, 180, 'up'), '<'), undefined);
});

test('time without a verdict is unknown, before monitoring began not yet monitored', () => {
  const runs = [run(0, 60, 'up'), run(60, 120, 'down'), run(180, 240, 'up')];
  const terms = { sinceMs: epochMs(30), outages: [], whileDown: 'exclude' as const };
  assert.deepEqual(drawn(sliceTimeline(runs, span(-10, 250), terms)), [
    'not_yet_monitored -10-30',
    'up 30-60',
    'down 60-120',
    'no_data 120-180',
    'up 180-240',
    'no_data 240-250',
  ]);
  assert.deepEqual(drawn(sliceTimeline(runs, span(0, 100), { ...terms, sinceMs: null })), ['not_yet_monitored 0-100']);
});

test('outages count as bad when the contract says so, whatever was measured', () => {
  const terms = { sinceMs: epochMs(0), outages: [span(50, 70), span(90, 95)], whileDown: 'bad' as const };
  assert.deepEqual(drawn(sliceTimeline([run(0, 120, 'up')], span(0, 120), terms)), [
    'up 0-50',
    'down 50-70',
    'up 70-90',
    'down 90-95',
    'up 95-120',
  ]);
});

test('a timeline of slices covers its window exactly, without gap or overlap', () => {
  const states = fc.constantFrom('up' as const, 'down' as const, 'unknown' as const);
  const runs = fc.array(fc.tuple(states, fc.integer({ min: 0, max: 3 }), fc.integer({ min: 1, max: 4 })), { maxLength: 8 });
  fc.assert(
    fc.property(runs, fc.nat(60), fc.integer({ min: 1, max: 60 }), fc.option(fc.nat(60)), (raw, from, length, since) => {
      let at = 0;
      const made = raw.map(([state, gap, size]) => {
        const start = at + gap * 5;
        at = start + size * 5;
        return run(start, at, state);
      });
      const window = span(from, from + length);
      const terms = { sinceMs: since === null ? null : epochMs(since), outages: [span(10, 20)], whileDown: 'bad' as const };
      const intervals = sliceTimeline(made, window, terms);
      assert.equal(intervals[0]?.fromMs, window.fromMs);
      assert.equal(intervals.at(-1)?.toMs, window.toMs);
      for (let i = 1; i < intervals.length; i++) assert.equal(intervals[i]?.fromMs, intervals[i - 1]?.toMs);
    }),
  );
});
