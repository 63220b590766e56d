import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DayView } from '../api/wire.ts';
import { calendarDays, dayFigure, weeksOf } from './day-grid.ts';

const day = (name: string, badMs = 0): DayView => ({
  name,
  from_at_ms: 0,
  to_at_ms: 0,
  worst: badMs > 0 ? 'down' : 'up',
  attained: 1,
  bad_ms: badMs,
  buckets: { up_ms: 0, degraded_ms: 0, down_ms: badMs, unknown_ms: 0, excluded_ms: 0, out_of_hours_ms: 0 },
});

test('days stand below their weekday, across the end of a year', () => {
  const weeks = weeksOf(['2025-12-28', '2025-12-29', '2026-01-01', '2026-01-04', '2026-01-05'].map((name) => day(name)));
  assert.deepEqual(
    weeks.map(({ monday, days }) => [monday, days.map((one) => one?.name.slice(8) ?? '').join(' ')]),
    [
      ['2025-12-22', '      28'],
      ['2025-12-29', '29   01   04'],
      ['2026-01-05', '05      '],
    ],
  );
});

test('a bad day carries how long, and a calendar shows its window and a week more', () => {
  assert.deepEqual([dayFigure(day('2026-01-01')), dayFigure(day('2026-01-01', 250_000))], ['', '4\u00a0min']);
  assert.deepEqual([3_600_000, 30 * 86_400_000, 400 * 86_400_000].map(calendarDays), [35, 42, 91]);
});
