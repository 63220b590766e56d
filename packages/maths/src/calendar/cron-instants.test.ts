import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Cron, cronMatchesDay, parseCron } from './cron.ts';
import { longestCronGapMs, nextCronMs } from './cron-instants.ts';
import { wallClockMs } from './zone.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const parse = (text: string): Cron => {
  const parsed = parseCron(text);
  return parsed.ok ? parsed.value : assert.fail(parsed.error);
};
const next = (text: string, after: string, zone = 'UTC'): string =>
  new Date(nextCronMs(parse(text), Date.parse(after), zone)).toISOString().slice(0, 16);

test('the next instant is after, never at', () => {
  assert.equal(next('30 2 * * *', '2026-03-01T02:30:00Z'), '2026-03-02T02:30');
  assert.equal(next('30 2 * * *', '2026-03-01T02:29:59Z'), '2026-03-01T02:30');
  assert.equal(next('0 0 1 jan *', '2026-01-01T00:00:00Z'), '2027-01-01T00:00');
  assert.equal(next('0 12 29 2 *', '2097-01-01T00:00:00Z'), '2104-02-29T12:00', 'the year 2100 has none');
  assert.equal(next('*/15 8-18 * * 1-5', '2026-11-20T18:45:00Z'), '2026-11-23T08:00', 'from Friday to Monday');
});

test('a wall time that the clocks skip comes when they have, one that they repeat comes once', () => {
  const zone = 'Europe/Zurich';
  assert.equal(next('30 2 * * *', '2026-03-28T12:00:00Z', zone), '2026-03-29T01:30', 'an hour later by the clock');
  assert.equal(next('30 2 * * *', '2026-10-24T12:00:00Z', zone), '2026-10-25T00:30');
  assert.equal(next('30 2 * * *', '2026-10-25T00:30:00Z', zone), '2026-10-26T01:30', 'not again when the clock shows it again');
  assert.equal(next('0 9 * * *', '2026-01-01T00:00:00Z', 'America/New_York'), '2026-01-01T14:00');
});

test('away from changes of the clock it is the minute that the five fields say, and none before it', () => {
  const texts = ['* * * * *', '*/7 3 * * *', '0 0 1,15 * 5', '5 4 * 2-3 *', '@weekly'];
  fc.assert(
    fc.property(fc.constantFrom(...texts), fc.integer({ min: 0, max: 4e12 }), (text, afterMs) => {
      const cron = parse(text);
      const found = nextCronMs(cron, afterMs, 'UTC');
      const fits = (atMs: number): boolean => cronMatchesDay(cron, Math.floor(atMs / DAY)) && cron.timesMs.includes(atMs % DAY);
      assert.ok(found > afterMs && fits(found));
      const from = Math.floor(afterMs / 60_000) * 60_000 + 60_000;
      for (let atMs = from; atMs < Math.min(found, from + DAY); atMs += 60_000) assert.equal(fits(atMs), false);
    }),
    { numRuns: 60 },
  );
});

test('the longest gap covers every gap, in every zone', () => {
  assert.equal(longestCronGapMs(parse('*/5 * * * *'), 'UTC'), 300_000);
  assert.equal(longestCronGapMs(parse('0 9 * * 1-5'), 'UTC'), 3 * DAY);
  assert.equal(longestCronGapMs(parse('0 0 29 2 *'), 'UTC'), 1461 * DAY);
  const texts = ['*/30 * * * *', '0 2 * * *', '15 3 1 * *', '0 4 * * 0'];
  const zones = ['UTC', 'Europe/Zurich', 'America/St_Johns', 'Australia/Lord_Howe', 'Asia/Kolkata'];
  fc.assert(
    fc.property(fc.constantFrom(...texts), fc.constantFrom(...zones), fc.integer({ min: 1.7e12, max: 1.9e12 }), (text, zone, afterMs) => {
      const cron = parse(text);
      const one = nextCronMs(cron, afterMs, zone);
      assert.ok(
        nextCronMs(cron, one, zone) - one <= longestCronGapMs(cron, zone),
        `${text} ${zone} ${new Date(wallClockMs(one, zone)).toISOString()}`,
      );
    }),
    { numRuns: 150 },
  );
});
