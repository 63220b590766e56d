import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DAY_MS, HOUR_MS, epochMs } from '@nines/base/units.ts';
import { windowAt } from '../slo/window.ts';
import { anchoredPeriodAt, parseWallClock } from './anchored.ts';
import { PERIOD_UNITS, type PeriodUnit, periodAt } from './period.ts';

const anchor = (text: string): number => {
  const parsed = parseWallClock(text);
  return parsed.ok ? parsed.value : assert.fail(parsed.error);
};
const period = (at: string, unit: PeriodUnit, zone: string, anchored: string): string[] => {
  const every = unit === 'week' ? 2 : 1;
  const found = anchoredPeriodAt(Date.parse(at), { unit, every, zone, anchorMs: anchor(anchored) });
  return [new Date(found.fromMs).toISOString(), new Date(found.toMs).toISOString()];
};

test('a month of New York that turns at noon keeps to noon when the clocks change', () => {
  const month = period('2022-03-20T00:00:00Z', 'month', 'America/New_York', '2022-01-01 12:00:00');
  assert.deepEqual(month, ['2022-03-01T17:00:00.000Z', '2022-04-01T16:00:00.000Z']);
});

test('a period begins exactly at its start and has ended exactly at its end', () => {
  assert.deepEqual(period('2022-04-01T16:00:00Z', 'month', 'America/New_York', '2022-01-01 12:00:00')[0], '2022-04-01T16:00:00.000Z');
  assert.deepEqual(period('2022-04-01T15:59:59.999Z', 'month', 'America/New_York', '2022-01-01 12:00:00')[1], '2022-04-01T16:00:00.000Z');
});

test('the 31st of a month is the last day of a shorter one, and the 31st again afterwards', () => {
  assert.deepEqual(period('2026-03-10T00:00:00Z', 'month', 'UTC', '2026-01-31'), ['2026-02-28T00:00:00.000Z', '2026-03-31T00:00:00.000Z']);
});

test('two weeks are counted from the anchor, also before it', () => {
  assert.deepEqual(period('2026-01-20T00:00:00Z', 'week', 'UTC', '2026-01-07'), ['2026-01-07T00:00:00.000Z', '2026-01-21T00:00:00.000Z']);
  assert.deepEqual(period('2026-01-06T00:00:00Z', 'week', 'UTC', '2026-01-07'), ['2025-12-24T00:00:00.000Z', '2026-01-07T00:00:00.000Z']);
});

test('with the calendar’s own anchors periods are those of the calendar, through every change of the clocks of ten years', () => {
  const anchors: Readonly<Record<PeriodUnit, string>> = {
    day: '1970-01-01',
    week: '1970-01-05',
    month: '1970-01-01',
    quarter: '1970-01-01',
    year: '1970-01-01',
  };
  for (const zone of ['Europe/Berlin', 'America/Sao_Paulo', 'Australia/Lord_Howe', 'Asia/Kathmandu', 'UTC']) {
    for (let at = Date.UTC(2014, 0, 1); at < Date.UTC(2024, 0, 1); at += 9 * DAY_MS + 5 * HOUR_MS) {
      for (const unit of PERIOD_UNITS) {
        const { fromMs, toMs } = periodAt(at, unit, zone);
        const found = anchoredPeriodAt(at, { unit, every: 1, zone, anchorMs: anchor(anchors[unit]) });
        assert.deepEqual(found, { fromMs, toMs }, `${unit} of ${zone} at ${new Date(at).toISOString()}`);
      }
    }
  }
});

test('the day on which Berlin loses an hour is a window of 23 hours, what is behind and ahead together', () => {
  const calendar = { unit: 'day', every: 1, zone: 'Europe/Berlin', anchorMs: 0 } as const;
  const { window, aheadMs } = windowAt({ kind: 'calendar', calendar }, epochMs(Date.parse('2026-03-29T10:00:00Z')));
  assert.equal(window.toMs - window.fromMs + aheadMs, 23 * HOUR_MS);
});

test('what the calendar does not have is no wall clock', () => {
  for (const text of ['2026-02-30', '2026-01-01 25:00:00', 'noon', '2026-01-01T00:00:00Z'])
    assert.equal(parseWallClock(text).ok, false, text);
});
