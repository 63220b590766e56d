import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DAY_MS, HOUR_MS, MINUTE_MS, epochMs } from '@nines/base/units.ts';
import fc from 'fast-check';
import { type BusinessHours, outOfHours } from './hours.ts';
import { clockReader, zoneChanges } from './testing/zone-changes.ts';

const full = process.env['NINES_FULL'] === '1';
const stretch = (from: number, to: number) => ({ fromMs: from * HOUR_MS, toMs: to * HOUR_MS });
const weekdays = (zone: string, holidays: readonly number[] = []): BusinessHours => ({
  zone,
  weekly: [...Array.from({ length: 5 }, () => [stretch(9, 17)]), [], []],
  holidays: new Set(holidays),
});
const span = (from: string, to: string) => ({ fromMs: epochMs(Date.parse(from)), toMs: epochMs(Date.parse(to)) });
const length = (spans: readonly { fromMs: number; toMs: number }[]) => spans.reduce((sum, one) => sum + one.toMs - one.fromMs, 0);

test('a week of office hours has forty hours in it, one with a holiday thirty-two', () => {
  const week = span('2026-11-16T00:00:00+01:00', '2026-11-23T00:00:00+01:00');
  assert.equal(length(outOfHours(weekdays('Europe/Berlin'), week)), 7 * DAY_MS - 40 * HOUR_MS);
  const holiday = Math.floor(Date.UTC(2026, 10, 18) / DAY_MS);
  assert.equal(length(outOfHours(weekdays('Europe/Berlin', [holiday]), week)), 7 * DAY_MS - 32 * HOUR_MS);
});

test('an hour that comes twice counts twice, one that is skipped not at all', () => {
  const night = (zone: string): BusinessHours => ({ zone, weekly: Array.from({ length: 7 }, () => [stretch(1, 4)]), holidays: new Set() });
  const open = (day: string) => {
    const fromMs = Date.parse(day) - 4 * HOUR_MS;
    return 48 * HOUR_MS - length(outOfHours(night('Europe/Berlin'), { fromMs: epochMs(fromMs), toMs: epochMs(fromMs + 48 * HOUR_MS) }));
  };
  assert.equal(open('2026-06-01T00:00:00Z'), 6 * HOUR_MS);
  assert.equal(open('2026-10-25T00:00:00Z'), 7 * HOUR_MS);
  assert.equal(open('2026-03-29T00:00:00Z'), 5 * HOUR_MS);
});

/** Whether an instant is in hours, by what the clocks show then. */
function isOpen({ weekly, holidays }: BusinessHours, wallMs: number): boolean {
  const day = Math.floor(wallMs / DAY_MS);
  const weekday = (new Date(wallMs).getUTCDay() + 6) % 7;
  const timeMs = wallMs - day * DAY_MS;
  return !holidays.has(day) && (weekly[weekday] ?? []).some((one) => one.fromMs <= timeMs && timeMs < one.toMs);
}

test('in every zone, around every change of its clocks until 2037, hours equal what the clocks show quarter by quarter', () => {
  const zones = Intl.supportedValuesOf('timeZone').filter((_, i) => full || i % 23 === 0);
  const untilMs = full ? Date.UTC(2038, 0) : Date.UTC(2028, 0);
  const step = 15 * MINUTE_MS;
  let changes = 0;
  for (const zone of [...zones, 'Australia/Lord_Howe', 'Africa/Cairo', 'America/Havana', 'America/Nuuk', 'Atlantic/Azores']) {
    const read = clockReader(zone);
    const hours: BusinessHours = {
      zone,
      weekly: Array.from({ length: 7 }, () => [stretch(0, 0.25), stretch(0.75, 2.5), stretch(2.75, 17), stretch(23.5, 24)]),
      holidays: new Set(),
    };
    for (const changeMs of zoneChanges(zone, Date.UTC(2026, 0), untilMs)) {
      changes++;
      const fromMs = Math.floor((changeMs - 30 * HOUR_MS) / step) * step;
      const toMs = fromMs + 60 * HOUR_MS;
      const closed = outOfHours(hours, { fromMs: epochMs(fromMs), toMs: epochMs(toMs) });
      for (let at = fromMs; at < toMs; at += step) {
        const expected = !isOpen(hours, read(at));
        const found = closed.some((one) => one.fromMs <= at && at + step <= one.toMs);
        assert.equal(found, expected, `${zone} ${new Date(at).toISOString()}`);
      }
    }
  }
  assert.ok(changes > 20, `${changes} changes`);
});

test('the parts of a span add up, wherever it is cut', () => {
  fc.assert(
    fc.property(fc.constantFrom('UTC', 'Europe/Berlin', 'Asia/Kathmandu'), fc.nat(20_000), fc.nat(20_000), (zone, a, b) => {
      const hours = weekdays(zone);
      const fromMs = Date.UTC(2026, 9, 20);
      const [first, second] = [fromMs + Math.min(a, b) * MINUTE_MS, fromMs + Math.max(a, b) * MINUTE_MS];
      const out = (from: number, to: number) => length(outOfHours(hours, { fromMs: epochMs(from), toMs: epochMs(to) }));
      assert.equal(out(fromMs, first) + out(first, second), out(fromMs, second));
    }),
    { numRuns: full ? 5_000 : 100 },
  );
});
