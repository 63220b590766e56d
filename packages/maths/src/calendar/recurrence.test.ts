import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DAY_MS, HOUR_MS, MINUTE_MS, epochMs } from '@nines/base/units.ts';
import fc from 'fast-check';
import { parseCron } from './cron.ts';
import { type Recurrence, occurrencesWithin } from './recurrence.ts';
import { parseRrule } from './rrule.ts';
import { clockReader, zoneChanges } from './testing/zone-changes.ts';

const wall = (text: string): number => Date.parse(`${text}Z`);
const full = process.env['NINES_FULL'] === '1';

function rrule(text: string, start: string, zone = 'UTC', durationMs = HOUR_MS): Recurrence {
  const rule = parseRrule(text, wall(start));
  assert.ok(rule.ok, rule.ok ? '' : rule.error);
  return { when: { kind: 'rrule', rule: rule.value }, zone, durationMs };
}
function cron(text: string, zone = 'UTC', durationMs = HOUR_MS): Recurrence {
  const parsed = parseCron(text);
  assert.ok(parsed.ok, parsed.ok ? '' : parsed.error);
  return { when: { kind: 'cron', cron: parsed.value }, zone, durationMs };
}
const starts = (recurrence: Recurrence, from: string, to: string): readonly string[] =>
  occurrencesWithin(recurrence, { fromMs: epochMs(wall(from)), toMs: epochMs(wall(to)) }).map(({ fromMs }) =>
    new Date(fromMs).toISOString().slice(0, 16),
  );

test('rules come on the days that the calendar gives them', () => {
  assert.deepEqual(starts(rrule('FREQ=WEEKLY;BYDAY=SU', '2026-11-01T02:00:00'), '2026-11-01T00:00:00', '2026-11-16T00:00:00'), [
    '2026-11-01T02:00',
    '2026-11-08T02:00',
    '2026-11-15T02:00',
  ]);
  assert.deepEqual(starts(rrule('FREQ=MONTHLY;BYDAY=-1FR', '2026-01-01T22:00:00'), '2026-01-01T00:00:00', '2026-04-01T00:00:00'), [
    '2026-01-30T22:00',
    '2026-02-27T22:00',
    '2026-03-27T22:00',
  ]);
  assert.deepEqual(starts(rrule('FREQ=MONTHLY;BYMONTHDAY=31', '2026-01-31T00:00:00'), '2026-01-01T00:00:00', '2026-06-01T00:00:00'), [
    '2026-01-31T00:00',
    '2026-03-31T00:00',
    '2026-05-31T00:00',
  ]);
  assert.deepEqual(
    starts(rrule('FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,FR', '2026-11-04T08:00:00'), '2026-11-01T00:00:00', '2026-11-28T00:00:00'),
    ['2026-11-06T08:00', '2026-11-16T08:00', '2026-11-20T08:00'],
  );
  assert.deepEqual(starts(rrule('FREQ=DAILY;COUNT=2', '2026-11-04T08:00:00'), '2026-11-01T00:00:00', '2026-12-01T00:00:00'), [
    '2026-11-04T08:00',
    '2026-11-05T08:00',
  ]);
  assert.deepEqual(starts(rrule('FREQ=DAILY;UNTIL=20261105T080000', '2026-11-04T08:00:00'), '2026-11-01T00:00:00', '2026-12-01T00:00:00'), [
    '2026-11-04T08:00',
    '2026-11-05T08:00',
  ]);
  assert.deepEqual(starts(cron('30 2 * * sun'), '2026-11-01T00:00:00', '2026-11-10T00:00:00'), ['2026-11-01T02:30', '2026-11-08T02:30']);
  assert.deepEqual(starts(cron('0 0 13 * 5'), '2026-11-01T00:00:00', '2026-11-14T00:00:00'), ['2026-11-06T00:00', '2026-11-13T00:00']);
});

test('what can never come, or is no rule, is refused with the part that is wrong', () => {
  const refused = (text: string): string => {
    const parsed = parseRrule(text, wall('2026-01-01T00:00:00'));
    return parsed.ok ? assert.fail(`${text} was taken`) : parsed.error;
  };
  assert.match(refused('FREQ=HOURLY'), /FREQ must be one of DAILY/);
  assert.match(refused('FREQ=DAILY;BYSETPOS=1'), /no BYSETPOS/);
  assert.match(refused('FREQ=WEEKLY;BYDAY=2MO'), /needs FREQ=MONTHLY/);
  assert.match(refused('FREQ=DAILY;COUNT=2;UNTIL=20270101'), /exclude each other/);
  assert.match(refused('FREQ=DAILY;UNTIL=20251231'), /before the start/);
  assert.match(refused('FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30'), /never comes/);
  assert.match(refused('every sunday'), /not a recurrence rule/);
  for (const [text, fault] of [
    ['* * *', /five fields/],
    ['60 * * * *', /the minute/],
    ['0 0 30 2 *', /never comes/],
    ['5-1 * * * *', /the minute/],
    ['* * * foo *', /the month/],
  ] as const) {
    const parsed = parseCron(text);
    assert.match(parsed.ok ? 'taken' : parsed.error, fault);
  }
});

test('a window keeps its length when the clocks change within it, and none is lost or doubled', () => {
  const berlin = (text: string) => cron(text, 'Europe/Berlin', 4 * HOUR_MS);
  // 29 March 2026: 02:00 is 03:00. 25 October 2026: 03:00 is 02:00.
  assert.deepEqual(starts(berlin('30 2 * * *'), '2026-03-28T12:00:00', '2026-03-29T12:00:00'), ['2026-03-29T01:30']);
  assert.deepEqual(starts(berlin('30 2 * * *'), '2026-10-24T12:00:00', '2026-10-25T12:00:00'), ['2026-10-25T00:30']);
  for (const { fromMs, toMs } of occurrencesWithin(berlin('0 1 * * *'), {
    fromMs: epochMs(wall('2026-01-01T00:00:00')),
    toMs: epochMs(wall('2027-01-01T00:00:00')),
  })) {
    assert.equal(toMs - fromMs, 4 * HOUR_MS);
  }
});

/** The first minute of the days around at which the clocks show a time, else counted on from before the jump. Looks at every minute. */
function planned(zone: string, wallMs: number): number {
  const read = clockReader(zone);
  for (let atMs = wallMs - 15 * HOUR_MS; atMs <= wallMs + 15 * HOUR_MS; atMs += 15 * MINUTE_MS) if (read(atMs) === wallMs) return atMs;
  const before = read(wallMs - DAY_MS) - (wallMs - DAY_MS);
  return wallMs - before;
}

test('in every zone, at every change of its clocks until 2037, a window begins once and when it was said', () => {
  const zones = Intl.supportedValuesOf('timeZone').filter((_, i) => full || i % 23 === 0);
  const untilMs = full ? Date.UTC(2038, 0) : Date.UTC(2028, 0);
  let changes = 0;
  for (const zone of [...zones, 'Australia/Lord_Howe', 'Africa/Cairo', 'Europe/Berlin', 'Antarctica/Troll']) {
    const read = clockReader(zone);
    for (const changeMs of zoneChanges(zone, Date.UTC(2026, 0), untilMs)) {
      changes++;
      const clock = Math.floor(read(changeMs) / (15 * MINUTE_MS)) * 15 * MINUTE_MS;
      for (const minutes of [-150, -60, -45, -30, -15, 0, 15, 30, 60, 150]) {
        const wallMs = clock + minutes * MINUTE_MS;
        const date = new Date(wallMs);
        const once = rrule('FREQ=DAILY;COUNT=1', date.toISOString().slice(0, 19), zone, 2 * HOUR_MS);
        const found = occurrencesWithin(once, { fromMs: epochMs(changeMs - 2 * DAY_MS), toMs: epochMs(changeMs + 2 * DAY_MS) });
        assert.deepEqual(
          found.map(({ fromMs, toMs }) => [fromMs, toMs - fromMs]),
          [[planned(zone, wallMs), 2 * HOUR_MS]],
          `${zone} ${date.toISOString()}`,
        );
      }
    }
  }
  assert.ok(changes > 20, `${changes} changes`);
});

test('splitting a span finds the same occurrences', () => {
  const zones = ['UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe'];
  fc.assert(
    fc.property(fc.constantFrom(...zones), fc.nat(400), fc.nat(60 * 24 * 30), fc.integer({ min: 1, max: 72 }), (zone, day, cut, hours) => {
      const each = cron('30 1,2,3 * * *', zone, hours * HOUR_MS);
      const fromMs = Date.UTC(2026, 0, 1 + day);
      const [a, b, c] = [epochMs(fromMs), epochMs(fromMs + cut * MINUTE_MS), epochMs(fromMs + 30 * DAY_MS)];
      const halves = [...occurrencesWithin(each, { fromMs: a, toMs: b }), ...occurrencesWithin(each, { fromMs: b, toMs: c })];
      const distinct = new Map(halves.map((one) => [one.fromMs, one]));
      assert.deepEqual(
        [...distinct.values()].sort((x, y) => x.fromMs - y.fromMs),
        occurrencesWithin(each, { fromMs: a, toMs: c }),
      );
    }),
    { numRuns: full ? 2_000 : 60 },
  );
});
