import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DAY_MS, HOUR_MS, epochMs } from '@nines/base/units.ts';
import fc from 'fast-check';
import { clockReader } from '../calendar/testing/zone-changes.ts';
import { type Rotation, shiftAt, shiftsWithin } from './rotation.ts';

const rotation = (zone: string, anchor: string, lengthMs: number): Rotation => ({ zone, anchorMs: Date.parse(`${anchor}Z`), lengthMs });
const shift = (of: Rotation, at: string): readonly [number, string, string] => {
  const { number, fromMs, toMs } = shiftAt(of, Date.parse(at));
  return [number, new Date(fromMs).toISOString(), new Date(toMs).toISOString()];
};

test('a week of Berlin hands over at nine by its clocks, an hour earlier for the world in summer', () => {
  const weekly = rotation('Europe/Berlin', '2026-01-05T09:00', 7 * DAY_MS);
  assert.deepEqual(shift(weekly, '2026-03-28T00:00:00Z'), [11, '2026-03-23T08:00:00.000Z', '2026-03-30T07:00:00.000Z']);
  assert.deepEqual(shift(weekly, '2026-10-25T12:00:00Z'), [41, '2026-10-19T07:00:00.000Z', '2026-10-26T08:00:00.000Z']);
});

test('a hand-over at a time that the clocks skip is as long after the jump, one that they show twice is the first', () => {
  const daily = rotation('Europe/Berlin', '2026-01-01T02:30', DAY_MS);
  // 02:30 is what the clocks call 03:30 on the 29th of March.
  assert.deepEqual(shift(daily, '2026-03-29T01:29:59.999Z').slice(1), ['2026-03-28T01:30:00.000Z', '2026-03-29T01:30:00.000Z']);
  assert.deepEqual(shift(daily, '2026-03-29T01:30:00Z').slice(1), ['2026-03-29T01:30:00.000Z', '2026-03-30T00:30:00.000Z']);
  assert.deepEqual(shift(daily, '2026-10-25T00:30:00Z').slice(1), ['2026-10-25T00:30:00.000Z', '2026-10-26T01:30:00.000Z']);
});

test('of shifts in a day that a zone skipped nothing is left, and nobody else has their time twice', () => {
  // Samoa went from the 29th to the 31st of December 2011.
  const shifts = shiftsWithin(rotation('Pacific/Apia', '2011-12-28T00:00', 12 * HOUR_MS), {
    fromMs: epochMs(Date.parse('2011-12-29T12:00:00Z')),
    toMs: epochMs(Date.parse('2011-12-31T12:00:00Z')),
  });
  const read = clockReader('Pacific/Apia');
  assert.ok(shifts.every((one, i) => i === 0 || one.fromMs === shifts[i - 1]?.toMs));
  assert.ok(shifts.every(({ fromMs, toMs }) => toMs > fromMs));
  assert.ok(shifts.every(({ fromMs }) => read(fromMs) % (12 * HOUR_MS) === 0));
});

test('every instant lies in exactly one shift, whatever the zone, the length and the clocks do', () => {
  const zones = ['UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Africa/Casablanca', 'Pacific/Apia', 'Asia/Kathmandu'];
  fc.assert(
    fc.property(
      fc.constantFrom(...zones),
      fc.integer({ min: Date.UTC(2009, 0, 1), max: Date.UTC(2027, 0, 1) }),
      fc.integer({ min: 60, max: 20_000 }),
      fc.integer({ min: Date.UTC(2011, 0, 1), max: Date.UTC(2027, 0, 1) }),
      (zone, anchorMs, minutes, atMs) => {
        const turns: Rotation = { zone, anchorMs, lengthMs: minutes * 60_000 };
        const found = shiftAt(turns, atMs);
        assert.ok(found.fromMs <= atMs && atMs < found.toMs);
        const around = shiftsWithin(turns, { fromMs: epochMs(atMs - 4 * DAY_MS), toMs: epochMs(atMs + 4 * DAY_MS) });
        assert.deepEqual(
          around.filter(({ fromMs, toMs }) => fromMs <= atMs && atMs < toMs),
          [found],
        );
        assert.ok(around.every((one, i) => i === 0 || (one.fromMs === around[i - 1]?.toMs && one.number > (around[i - 1]?.number ?? 0))));
        // Where the clocks run evenly the hand-over is at the wall clock that was written.
        const read = clockReader(zone);
        const even = around.filter(
          ({ fromMs }) => read(fromMs - DAY_MS) + DAY_MS === read(fromMs) && read(fromMs + DAY_MS) === read(fromMs) + DAY_MS,
        );
        for (const one of even) assert.equal(read(one.fromMs), turns.anchorMs + one.number * turns.lengthMs);
      },
    ),
    { numRuns: 300 },
  );
});
