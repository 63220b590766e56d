import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epochMs } from '@nines/base/units.ts';
import fc from 'fast-check';
import { assertPartition, buckets, mergeIntervals, timelineFrom } from './ledger.ts';
import { STATES, type Span, type State, type Timeline, type Transition, type UnknownReason } from './types.ts';

const at = (atMs: number, state: State, unknownReason?: UnknownReason): Transition => ({
  atMs: epochMs(atMs),
  state,
  ...(state === 'unknown' ? { unknownReason: unknownReason ?? 'no_data' } : {}),
  lowMs: epochMs(atMs - 1),
  highMs: epochMs(atMs + 1),
  evidence: [],
});
const window = (fromMs: number, toMs: number, knownUntilMs = toMs) => ({
  fromMs: epochMs(fromMs),
  toMs: epochMs(toMs),
  knownUntilMs: epochMs(knownUntilMs),
});
const words = (timeline: Timeline): string =>
  timeline.intervals
    .map((i) => `${i.fromMs}-${i.toMs} ${i.state}${i.unknownReason === undefined ? '' : `(${i.unknownReason})`}`)
    .join(', ');

test('a timeline covers the window from before monitoring to after what is known', () => {
  const f = (history: readonly Transition[], w: ReturnType<typeof window>, want: string): void =>
    assert.equal(words(timelineFrom(history, w)), want);
  f([], window(0, 10), '0-10 unknown(not_yet_monitored)');
  f([at(4, 'up')], window(0, 10), '0-4 unknown(not_yet_monitored), 4-10 up');
  f([at(4, 'up'), at(6, 'down')], window(0, 10, 8), '0-4 unknown(not_yet_monitored), 4-6 up, 6-8 down, 8-10 unknown(no_data)');
  f([at(-5, 'down'), at(6, 'up')], window(0, 10), '0-6 down, 6-10 up');
  f([at(-5, 'down'), at(-2, 'up')], window(0, 10), '0-10 up');
  f([at(-5, 'up')], window(0, 10, -1), '0-10 unknown(no_data)');
  f([at(20, 'up')], window(0, 10), '0-10 unknown(not_yet_monitored)');
  f(
    [at(4, 'unknown', 'monitor_down')],
    window(0, 10, 7),
    '0-4 unknown(not_yet_monitored), 4-7 unknown(monitor_down), 7-10 unknown(no_data)',
  );
  f([at(4, 'up')], window(5, 5), '');
});

test('bounds stand where a known state follows a known one, and nowhere else', () => {
  const { intervals } = timelineFrom([at(2, 'up'), at(4, 'down'), at(6, 'unknown'), at(8, 'up')], window(0, 10));
  assert.deepEqual(
    intervals.map((interval) => interval.fromBounds),
    [undefined, undefined, [3, 5], undefined, undefined],
  );
});

test('a cut interval keeps its bounds only when its start is its own', () => {
  const boundsIn = (fromMs: number) => timelineFrom([at(0, 'up'), at(4, 'down')], window(fromMs, 6)).intervals[0]?.fromBounds;
  assert.deepEqual(boundsIn(4), [3, 5]);
  assert.equal(boundsIn(5), undefined);
});

const history = fc
  .uniqueArray(fc.integer({ min: -20, max: 80 }), { maxLength: 12 })
  .chain((instants) =>
    fc.tuple(
      ...[...instants].sort((a, b) => a - b).map((instant) => fc.constantFrom(...STATES).map((state): Transition => at(instant, state))),
    ),
  );
const spans = fc.array(
  fc.tuple(fc.integer({ min: -10, max: 70 }), fc.integer({ min: 0, max: 20 })).map(
    ([from, length]): Span => ({
      fromMs: epochMs(from),
      toMs: epochMs(from + length),
    }),
  ),
  { maxLength: 6 },
);

/** The model: one millisecond at a time, written without any of the code under test. */
function stateAt(transitions: readonly Transition[], instant: number, knownUntil: number): State {
  const past = transitions.filter((transition) => transition.atMs <= instant);
  const inForce = past[past.length - 1];
  return inForce === undefined || instant >= knownUntil ? 'unknown' : inForce.state;
}
const within = (list: readonly Span[], instant: number): boolean => list.some((span) => span.fromMs <= instant && instant < span.toMs);

test('buckets equal a count of single milliseconds, for any history, window and overlays', () => {
  fc.assert(
    fc.property(
      history,
      fc.integer({ min: 0, max: 60 }),
      fc.integer({ min: -10, max: 80 }),
      fc.tuple(spans, spans),
      (h, length, known, [excluded, outOfHours]) => {
        const counts = { up: 0, degraded: 0, down: 0, unknown: 0, excluded: 0, outOfHours: 0 };
        for (let instant = 0; instant < length; instant++) {
          if (within(outOfHours, instant)) counts.outOfHours++;
          else if (within(excluded, instant)) counts.excluded++;
          else counts[stateAt(h, instant, known)]++;
        }
        assert.deepEqual(buckets(timelineFrom(h, window(0, length, known)), { excluded, outOfHours }), {
          upMs: counts.up,
          degradedMs: counts.degraded,
          downMs: counts.down,
          unknownMs: counts.unknown,
          excludedMs: counts.excluded,
          outOfHoursMs: counts.outOfHours,
        });
      },
    ),
    { numRuns: 2_000 },
  );
});

test('a window cut anywhere and joined again is the same window, and its parts add up', () => {
  fc.assert(
    fc.property(
      history,
      fc.integer({ min: 1, max: 60 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      spans,
      (h, length, share, excluded) => {
        const whole = timelineFrom(h, window(0, length));
        const cut = epochMs(length * share);
        const left = timelineFrom(h, window(0, cut, length));
        const right = timelineFrom(h, window(cut, length));
        assertPartition(left);
        assertPartition(right);
        assert.equal(words({ ...whole, intervals: mergeIntervals([...left.intervals, ...right.intervals]) }), words(whole));
        const sum = (a: number, b: number): number => a + b;
        const parts = [buckets(left, { excluded }), buckets(right, { excluded })];
        const total = buckets(whole, { excluded });
        for (const key of Object.keys(total) as (keyof typeof total)[])
          assert.equal(parts.map((part) => part[key] as number).reduce(sum), total[key]);
      },
    ),
    { numRuns: 1_000 },
  );
});
