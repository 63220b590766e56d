import assert from 'node:assert/strict';
import { test } from 'node:test';
import { periodsTouched, recentPeriods } from './periods.ts';

const at = (text: string): number => Date.parse(text);
const week = { calendar: { calendar: 'week', every: 1, zone: 'Europe/Berlin', anchor: '1970-01-05T00:00:00', ends_at_ms: 0 } } as const;

test('a rolling contract is stated by the month, one of the calendar by its period in its zone', () => {
  const night = { fromMs: at('2026-10-31T23:00:00Z'), toMs: at('2026-11-01T01:00:00Z') };
  assert.deepEqual(
    periodsTouched({ calendar: null }, night).map(({ name }) => name),
    ['2026-10', '2026-11'],
  );
  const monday = { fromMs: at('2026-11-15T22:30:00Z'), toMs: at('2026-11-15T23:30:00Z') };
  assert.deepEqual(
    periodsTouched(week, monday).map(({ name, zone }) => [name, zone]),
    [
      ['2026-W46', 'Europe/Berlin'],
      ['2026-W47', 'Europe/Berlin'],
    ],
  );
  assert.deepEqual(
    recentPeriods({ calendar: null }, at('2026-01-05T00:00:00Z'), 3).map(({ name }) => name),
    ['2026-01', '2025-12', '2025-11'],
  );
});
