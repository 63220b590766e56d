import assert from 'node:assert/strict';
import { test } from 'node:test';
import { placeOf, shiftInstant, shownAround } from './range.ts';

const day = (atMs: number): string => new Date(atMs).toString().slice(0, 15);

test('a week is shown from Monday to Monday, a month from its first day to the next one’s', () => {
  const now = new Date(2026, 10, 22, 12).getTime();
  const week = shownAround('week', undefined, now);
  assert.deepEqual([day(week.fromMs), day(week.toMs), week.midnights.length], ['Mon Nov 16 2026', 'Mon Nov 23 2026', 8]);
  assert.deepEqual([week.earlier, week.later], ['2026-11-09', '2026-11-23']);
  const month = shownAround('month', '2026-02-14', now);
  assert.deepEqual([day(month.fromMs), day(month.toMs), month.midnights.length], ['Sun Feb 01 2026', 'Sun Mar 01 2026', 29]);
  assert.deepEqual([month.earlier, month.later], ['2026-01-01', '2026-03-01']);
  assert.deepEqual(shownAround('week', 'nonsense', now), week);
});

test('a bar that reaches beyond what is shown is cut at its ends', () => {
  const shown = { fromMs: 1000, toMs: 2000 };
  assert.deepEqual(placeOf({ from_at_ms: 0, to_at_ms: 1500 }, shown), { left: '0%', width: '50%' });
  assert.deepEqual(placeOf({ from_at_ms: 1250, to_at_ms: 9000 }, shown), { left: '25%', width: '75%' });
});

test('the beginning of a shift is told by its weekday and to the minute', () => {
  assert.equal(shiftInstant(new Date(2026, 10, 16, 9).getTime()), 'Mon 16 Nov 09:00');
});
