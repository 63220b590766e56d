import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { openSqliteForTest } from '../../../test/harness/databases.ts';
import { manualClock } from '../../../test/harness/manual-clock.ts';
import { routingConfig } from './config.ts';
import { createRouter } from './route.ts';
import { openWorld, storyOf } from './testing/world.ts';
import { isWithin, namedIntervals, timeInterval, writtenInterval } from './time-interval.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const within = (written: unknown, at: string): boolean => isWithin([timeInterval.parse(written)], Date.parse(at));
const faultOf = (written: unknown): string | undefined => timeInterval.safeParse(written).error?.issues[0]?.message;

describe('a time interval', () => {
  it('holds when each of its fields does', () => {
    const office = { times: [{ start_time: '09:00', end_time: '17:00' }], weekdays: ['Monday:friday'], location: 'Europe/Berlin' };
    assert.equal(within(office, '2026-11-20T08:00:00Z'), true);
    assert.equal(within(office, '2026-11-20T07:59:59Z'), false);
    assert.equal(within(office, '2026-11-20T15:59:59Z'), true);
    assert.equal(within(office, '2026-11-20T16:00:00Z'), false);
    assert.equal(within(office, '2026-11-21T10:00:00Z'), false);
    assert.equal(within({}, '2026-11-21T10:00:00Z'), true);
    assert.equal(within({ weekdays: [] }, '2026-11-21T10:00:00Z'), false);
    assert.equal(within({ weekdays: null }, '2026-11-21T10:00:00Z'), true);
    assert.equal(within({ months: ['11:december'], years: [2026] }, '2026-11-21T10:00:00Z'), true);
    assert.equal(within({ years: ['2027:2030'] }, '2026-11-21T10:00:00Z'), false);
    assert.equal(within({ times: [{ start_time: '23:00', end_time: '24:00' }] }, '2026-11-21T23:59:59.999Z'), true);
  });

  it('counts negative days from the end of the month, and leaves out days that a month does not have', () => {
    const last = { days_of_month: ['-1'] };
    assert.deepEqual(
      ['2028-02-28', '2028-02-29', '2026-02-28', '2026-04-30', '2026-12-30'].map((day) => within(last, `${day}T12:00:00Z`)),
      [false, true, true, true, false],
    );
    assert.equal(within({ days_of_month: ['31'] }, '2026-04-30T12:00:00Z'), false);
    assert.equal(within({ days_of_month: ['29:31'] }, '2028-02-29T12:00:00Z'), true);
    assert.equal(within({ days_of_month: ['-31:-28'] }, '2026-02-01T12:00:00Z'), true);
    assert.equal(within({ days_of_month: ['1:-8'] }, '2026-02-20T12:00:00Z'), true);
    assert.equal(within({ days_of_month: ['1:-8'] }, '2026-02-22T12:00:00Z'), false);
    // Also in the month whose clocks lose an hour.
    assert.equal(within({ ...last, location: 'Europe/Berlin' }, '2026-03-31T12:00:00Z'), true);
  });

  it('follows the clocks of its zone over their changes', () => {
    const night = { times: [{ start_time: '02:00', end_time: '03:00' }], location: 'Europe/Berlin' };
    const minutes = (from: string): number =>
      Array.from({ length: 24 * 60 }, (_, i) => isWithin([timeInterval.parse(night)], Date.parse(from) + i * MINUTE)).filter(Boolean)
        .length;
    assert.equal(minutes('2026-03-27T23:00:00Z'), 60);
    assert.equal(minutes('2026-03-28T23:00:00Z'), 0, 'the hour that the clocks skip');
    assert.equal(minutes('2026-10-24T22:00:00Z'), 120, 'the hour that comes twice');
  });

  it('is as another reading of the calendar has it, in every zone and minute', () => {
    const zones = ['UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu', 'Pacific/Apia'];
    const names = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
    const day = fc.integer({ min: 0, max: 6 });
    const property = fc.property(
      fc.constantFrom(...zones),
      fc.integer({ min: Date.parse('2010-01-01'), max: Date.parse('2035-01-01') }),
      fc.tuple(day, day),
      fc.tuple(fc.integer({ min: 0, max: 1_439 }), fc.integer({ min: 1, max: 1_440 })),
      (location, atMs, days, minutes) => {
        const [from, to] = days.toSorted((a, b) => a - b) as [number, number];
        const [start, end] = [Math.min(...minutes), Math.max(...minutes)];
        fc.pre(start < end);
        const options = { timeZone: location, weekday: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const;
        const shown = new Intl.DateTimeFormat('en-GB', options).format(atMs);
        const [, weekday = '', hour, minute] = /(\w{3}).*?(\d\d):(\d\d)/.exec(shown) ?? [];
        const [at, on] = [Number(hour) * 60 + Number(minute), names.indexOf(weekday)];
        const interval = { ...timeInterval.parse({ location }), times: [{ begin: start, end }], weekdays: [{ begin: from, end: to }] };
        assert.equal(isWithin([interval], atMs), at >= start && at < end && on >= from && on <= to, shown);
        const again = timeInterval.parse(writtenInterval(interval));
        assert.deepEqual(again, { ...again, times: interval.times, weekdays: interval.weekdays, location });
      },
    );
    fc.assert(property, { numRuns: 300 });
  });

  it('is refused with what to write instead', () => {
    assert.match(faultOf({ times: [{ start_time: '9:00', end_time: '17:00' }] }) ?? '', /as 09:30/);
    assert.match(faultOf({ times: [{ start_time: '22:00', end_time: '06:00' }] }) ?? '', /written as two/);
    assert.match(faultOf({ weekdays: ['funday'] }) ?? '', /"funday" is no weekday/);
    assert.match(faultOf({ years: ['2020:then'] }) ?? '', /"then" is no year/);
    assert.match(faultOf({ weekdays: ['friday:monday'] }) ?? '', /ends before it begins/);
    assert.match(faultOf({ days_of_month: ['0'] }) ?? '', /0 is no day/);
    assert.match(faultOf({ days_of_month: ['-3:5'] }) ?? '', /ends with one/);
    assert.match(faultOf({ days_of_month: ['20:-10'] }) ?? '', /always before/);
    assert.match(faultOf({ location: 'Europe/Nowhere' }) ?? '', /no such time zone/);
    assert.match(faultOf({ location: '+02:00' }) ?? '', /no such time zone/);
    assert.equal(namedIntervals.safeParse({ name: '' }).success, false);
  });
});

const TREE = {
  receiver: 'mail',
  group_wait: '0s',
  group_interval: '5m',
  routes: [{ receiver: 'hook', matchers: ['alertname="High"'], group_by: ['alertname'], group_wait: '0s' }],
};
/** 21 November 2026, a Saturday. */
const NIGHT = Date.parse('2026-11-21T21:50:00Z');
const NIGHTS = { name: 'nights', time_intervals: [{ times: [{ start_time: '22:00', end_time: '23:00' }] }] };

describe('a route with time intervals', () => {
  const routingOf = (intervals: object) => {
    const [child] = TREE.routes;
    return { tree: { ...TREE, routes: [{ ...child, ...intervals }] }, time_intervals: [NIGHTS] };
  };

  it('rests in its mute intervals, resolves included, and tells what still fires at its first tick afterwards', async (t) => {
    const { db } = await openSqliteForTest(t);
    const world = await openWorld(t, { db, clock: manualClock(NIGHT), routing: routingOf({ mute_time_intervals: ['nights'] }) });
    const t0 = world.clock.now();
    await world.evaluate(['a']);
    await world.advance(20 * MINUTE);
    await world.evaluate(['b']);
    await world.advance(20 * MINUTE);
    assert.deepEqual(storyOf(world, t0), ['+0 hook firing a']);
    const [held] = await world.notify.list({ status: 'suppressed', channel: undefined, alertId: undefined, after: undefined, limit: 10 });
    assert.equal(held?.cause, 'muted in the time interval "nights"');
    await world.advance(HOUR);
    assert.deepEqual(storyOf(world, t0).slice(1), ['+4200 hook firing a-,b']);
  });

  it('says nothing of what came and went while it rested', async (t) => {
    const { db } = await openSqliteForTest(t);
    const world = await openWorld(t, { db, clock: manualClock(NIGHT + HOUR / 2), routing: routingOf({ mute_time_intervals: ['nights'] }) });
    await world.evaluate(['a']);
    await world.advance(6 * MINUTE);
    await world.evaluate([]);
    await world.advance(2 * HOUR);
    assert.deepEqual(world.sent, []);
    assert.deepEqual(await db.kysely.selectFrom('notify_groups').select('id').execute(), []);
  });

  it('rests as the newest configuration says, also with what it told before', async (t) => {
    const { db } = await openSqliteForTest(t);
    const routing = { tree: { ...TREE, repeat_interval: '10m' } };
    const world = await openWorld(t, { db, clock: manualClock(NIGHT), routing });
    const t0 = world.clock.now();
    await world.evaluate(['a']);
    const always = { name: 'nights', time_intervals: [{}] };
    const next = routingConfig.parse({ ...routingOf({ mute_time_intervals: ['nights'] }), time_intervals: [always] });
    const settings = { channels: world.notify.openChannels(), externalUrl: 'http://nines.example', intervals: next.time_intervals };
    world.notify.configure({ ...settings, router: createRouter(next) });
    await world.advance(30 * MINUTE);
    assert.deepEqual(storyOf(world, t0), ['+0 hook firing a']);
  });

  it('speaks in its active intervals only', async (t) => {
    const { db } = await openSqliteForTest(t);
    const world = await openWorld(t, { db, clock: manualClock(NIGHT), routing: routingOf({ active_time_intervals: ['nights'] }) });
    const t0 = world.clock.now();
    await world.evaluate(['a']);
    await world.advance(5 * MINUTE);
    const [held] = await world.notify.list({ status: 'suppressed', channel: undefined, alertId: undefined, after: undefined, limit: 10 });
    assert.equal(held?.cause, 'outside of the time intervals "nights"');
    await world.advance(10 * MINUTE);
    assert.deepEqual(storyOf(world, t0), ['+600 hook firing a']);
  });
});
