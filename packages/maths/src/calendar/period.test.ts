import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HOUR_MS, MINUTE_MS, epochMs } from '@nines/base/units.ts';
import fc from 'fast-check';
import { PERIOD_UNITS, type PeriodUnit, parsePeriod, periodAt, periodOfSpan, periodsBefore } from './period.ts';
import { clockReader, zoneChanges } from './testing/zone-changes.ts';
import { dayAt } from './zone.ts';

const period = (text: string, zone = 'UTC') => {
  const parsed = parsePeriod(text, zone);
  assert.ok(parsed.ok, parsed.ok ? '' : parsed.error);
  return [new Date(parsed.value.fromMs).toISOString(), new Date(parsed.value.toMs).toISOString()];
};
const refused = (text: string, zone = 'UTC'): string => {
  const parsed = parsePeriod(text, zone);
  return parsed.ok ? assert.fail(`${text} was taken`) : parsed.error;
};

test('days, weeks, months, quarters and years have names', () => {
  assert.deepEqual(period('2026-11-21'), ['2026-11-21T00:00:00.000Z', '2026-11-22T00:00:00.000Z']);
  assert.deepEqual(period('2026-W01'), ['2025-12-29T00:00:00.000Z', '2026-01-05T00:00:00.000Z']);
  assert.deepEqual(period('2026-W53'), ['2026-12-28T00:00:00.000Z', '2027-01-04T00:00:00.000Z']);
  assert.deepEqual(period('2024-02'), ['2024-02-01T00:00:00.000Z', '2024-03-01T00:00:00.000Z']);
  assert.deepEqual(period('2026-Q4'), ['2026-10-01T00:00:00.000Z', '2027-01-01T00:00:00.000Z']);
  assert.deepEqual(period('2026'), ['2026-01-01T00:00:00.000Z', '2027-01-01T00:00:00.000Z']);
});

test('what the calendar does not have is refused by name', () => {
  for (const text of ['2026-02-30', '2026-13', '2026-00', '2025-W53', '2026-W00']) assert.match(refused(text), /there is no period/);
  for (const text of ['november', '2026-Q5', '26-11', '', '2026-11-21T00']) assert.match(refused(text), /not a period/);
  assert.match(refused('2026-11', 'Mars/Olympus'), /no time zone "Mars\/Olympus"/);
});

test('a month has an hour more or less where the clocks change, and midnight may not exist', () => {
  assert.deepEqual(period('2026-03', 'Europe/Berlin'), ['2026-02-28T23:00:00.000Z', '2026-03-31T22:00:00.000Z']);
  assert.deepEqual(period('2026-10', 'Europe/Berlin'), ['2026-09-30T22:00:00.000Z', '2026-10-31T23:00:00.000Z']);
  assert.deepEqual(period('2018-11-04', 'America/Sao_Paulo'), ['2018-11-04T03:00:00.000Z', '2018-11-05T02:00:00.000Z']);
  assert.deepEqual(period('2026-04-01', 'Asia/Kathmandu'), ['2026-03-31T18:15:00.000Z', '2026-04-01T18:15:00.000Z']);
  // Samoa had no 30 December 2011.
  assert.deepEqual(period('2011-12-31', 'Pacific/Apia'), ['2011-12-30T10:00:00.000Z', '2011-12-31T10:00:00.000Z']);
});

test('in any zone the periods of a unit cover time without a gap, and each begins with its own day', () => {
  const zones = [...Intl.supportedValuesOf('timeZone'), 'UTC'];
  const instants = fc.integer({ min: Date.UTC(1975, 0), max: Date.UTC(2037, 11) });
  const runs = process.env['NINES_FULL'] === '1' ? 100_000 : 2_000;
  fc.assert(
    fc.property(fc.constantFrom(...zones), fc.constantFrom(...PERIOD_UNITS), instants, (zone, unit, atMs) => {
      const here = periodAt(atMs, unit, zone);
      assert.ok(here.fromMs <= atMs && atMs < here.toMs, `${zone} ${unit} ${atMs}`);
      const next = periodAt(here.toMs, unit, zone);
      assert.equal(next.fromMs, here.toMs);
      assert.notDeepEqual(dayAt(here.fromMs - 1, zone), dayAt(here.fromMs, zone));
      const longest: Record<PeriodUnit, number> = { day: 26, week: 24 * 8, month: 24 * 32, quarter: 24 * 93, year: 24 * 367 };
      assert.ok(here.toMs - here.fromMs <= longest[unit] * HOUR_MS);
      assert.equal(parsePeriod(here.name, zone).ok, true);
      assert.equal(periodOfSpan(here, zone)?.name, here.name);
    }),
    { numRuns: runs },
  );
});

/** The first quarter of an hour at which the clocks show the wall clock or later. Looks at every one of the days around. */
function firstAt(read: (atMs: number) => number, wallMs: number): number {
  for (let atMs = wallMs - 16 * HOUR_MS; atMs <= wallMs + 40 * HOUR_MS; atMs += 15 * MINUTE_MS) if (read(atMs) >= wallMs) return atMs;
  return assert.fail('the clocks never show it');
}

/** The first day of the period around a wall clock, as if it were UTC, and of the one after it. */
function daysAround(unit: PeriodUnit, wallMs: number): readonly [number, number] {
  const date = new Date(wallMs);
  const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()];
  const monday = day - ((date.getUTCDay() + 6) % 7);
  const quarter = month - (month % 3);
  const of: Record<PeriodUnit, readonly [number, number]> = {
    day: [Date.UTC(year, month, day), Date.UTC(year, month, day + 1)],
    week: [Date.UTC(year, month, monday), Date.UTC(year, month, monday + 7)],
    month: [Date.UTC(year, month), Date.UTC(year, month + 1)],
    quarter: [Date.UTC(year, quarter), Date.UTC(year, quarter + 3)],
    year: [Date.UTC(year, 0), Date.UTC(year + 1, 0)],
  };
  return of[unit];
}

test('in every zone, at every change of its clocks until 2037, day, week, month, quarter and year begin and end when the clocks say so', () => {
  const full = process.env['NINES_FULL'] === '1';
  const zones = Intl.supportedValuesOf('timeZone').filter((_, i) => full || i % 23 === 0);
  let changes = 0;
  for (const zone of [...zones, 'Australia/Lord_Howe', 'Africa/Cairo', 'America/Havana', 'America/Nuuk']) {
    const read = clockReader(zone);
    for (const changeMs of zoneChanges(zone, Date.UTC(2026, 0), full ? Date.UTC(2038, 0) : Date.UTC(2028, 0))) {
      changes++;
      for (const unit of PERIOD_UNITS) {
        const { fromMs, toMs } = periodAt(changeMs, unit, zone);
        const [first, next] = daysAround(unit, read(changeMs));
        assert.deepEqual(
          [fromMs, toMs],
          [firstAt(read, first), firstAt(read, next)],
          `${zone} ${unit} ${new Date(changeMs).toISOString()}`,
        );
      }
    }
  }
  assert.ok(changes > 20, `${changes} changes`);
});

test('the periods before one are those of its calendar, or as long as it is', () => {
  const november = parsePeriod('2026-11', 'Europe/Berlin');
  assert.ok(november.ok);
  const before = periodsBefore(november.value, 'Europe/Berlin', 2);
  assert.deepEqual(
    before.map(({ name }) => name),
    ['2026-09', '2026-10'],
  );
  assert.equal(before[1]?.toMs, november.value.fromMs);
  const odd = { fromMs: epochMs(1_000), toMs: epochMs(4_000) };
  assert.deepEqual(periodsBefore(odd, 'UTC', 1), [{ fromMs: -2_000, toMs: 1_000, name: null }]);
});
