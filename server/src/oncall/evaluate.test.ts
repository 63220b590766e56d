import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DAY_MS, HOUR_MS, epochMs } from '@nines/base/units.ts';
import { clockReader } from '@nines/maths/calendar/testing/zone-changes.ts';
import { shiftAt } from '@nines/maths/oncall/rotation.ts';
import fc from 'fast-check';
import { WEEKDAYS } from '../platform/config/hours.ts';
import { oncallConfig, scheduleSchema, unknownToOncall } from './contract.ts';
import { type Override, gapsWithin, turnAt, turnsWithin } from './evaluate.ts';
import { type Schedule, compileSchedule, turnsOfLayer } from './layers.ts';

const at = (text: string) => epochMs(Date.parse(text));
const iso = (atMs: number): string => new Date(atMs).toISOString().slice(0, 16);
const schedule = (...layers: object[]): Schedule =>
  compileSchedule(
    scheduleSchema.parse({
      id: 'platform',
      zone: 'Europe/Berlin',
      layers: layers.map((layer, i) => ({ name: `layer ${i}`, start: '2026-01-05 09:00', members: ['anne', 'ben'], ...layer })),
    }),
  );
const override = (fields: Partial<Override> & Pick<Override, 'fromMs' | 'toMs'>): Override => ({
  id: `o ${fields.fromMs}`,
  schedule: 'platform',
  person: 'cleo',
  note: '',
  by: 'anne',
  madeAtMs: at('2026-01-01T00:00Z'),
  ...fields,
});
const everybody = { isKnown: () => true };
const asked = (of: Schedule, overrides: readonly Override[] = []) => ({ schedule: of, overrides, ...everybody });
const who = (of: Schedule, when: string, overrides: readonly Override[] = []) => turnAt(asked(of, overrides), at(when)).turn.people;

test('a weekly shift hands over at nine of Berlin, also when the clocks went forward and back in it', () => {
  const weekly = schedule({});
  assert.deepEqual(who(weekly, '2026-03-30T06:59:59Z'), ['ben']);
  assert.deepEqual(who(weekly, '2026-03-30T07:00:00Z'), ['anne']);
  assert.deepEqual(who(weekly, '2026-10-26T07:59:59Z'), ['ben']);
  assert.deepEqual(who(weekly, '2026-10-26T08:00:00Z'), ['anne']);
  const { reason } = turnAt(asked(weekly), at('2026-03-28T00:00Z'));
  assert.equal(reason, 'layer "layer 0": shift from 2026-03-23 09:00 to 2026-03-30 09:00 (Europe/Berlin)');
});

test('the first shift begins at the first hand-over from the start on', () => {
  const first = (fields: object): string => iso(schedule(fields).layers[0]?.fromMs ?? 0);
  assert.equal(first({ start: '2026-01-07' }), '2026-01-06T23:00');
  assert.equal(first({ start: '2026-01-07', handover: 'Monday 09:00' }), '2026-01-12T08:00');
  assert.equal(first({ start: '2026-01-07', handover: '09:00' }), '2026-01-07T08:00');
  assert.equal(first({ start: '2026-01-07 10:00', handover: '09:00' }), '2026-01-14T08:00');
  assert.equal(first({ start: '2026-01-07 10:00', handover: '09:00', rotation: 'daily' }), '2026-01-08T08:00');
  assert.equal(first({ start: '2026-01-07 10:00', handover: '09:00', rotation: '12h' }), '2026-01-07T20:00');
});

test('an override wins over every layer, also across a hand-over, and the layers go on behind it', () => {
  const weekly = schedule({});
  const over = override({ fromMs: at('2026-01-12T06:00Z'), toMs: at('2026-01-12T12:00Z'), note: 'dentist' });
  const turns = turnsWithin(asked(weekly, [over]), { fromMs: at('2026-01-11T00:00Z'), toMs: at('2026-01-13T00:00Z') });
  assert.deepEqual(
    turns.map(({ fromMs, people }) => [iso(fromMs), ...people]),
    [
      ['2026-01-11T00:00', 'anne'],
      ['2026-01-12T06:00', 'cleo'],
      ['2026-01-12T12:00', 'ben'],
    ],
  );
  const { reason } = turnAt(asked(weekly, [over]), at('2026-01-12T08:00Z'));
  assert.equal(reason, 'override: cleo takes over from 2026-01-12 07:00 to 2026-01-12 13:00 (Europe/Berlin), said by anne ("dentist")');
});

test('out of the hours of one layer the next one decides, and without one nobody is on call and it is said why', () => {
  const office = { hours: { weekly: Object.fromEntries(WEEKDAYS.slice(0, 5).map((day) => [day, ['09:00-17:00']])) } };
  const both = schedule({ ...office, members: ['dora'] }, { members: ['anne'], start: '2026-02-01' });
  assert.deepEqual(who(both, '2026-02-02T10:00Z'), ['dora']);
  assert.deepEqual(who(both, '2026-02-02T17:00Z'), ['anne']);
  const gaps = gapsWithin(asked(both), { fromMs: at('2026-01-30T00:00Z'), toMs: at('2026-02-03T00:00Z') });
  assert.deepEqual(
    gaps.map(({ fromMs, toMs }) => [iso(fromMs), iso(toMs)]),
    [
      ['2026-01-30T00:00', '2026-01-30T08:00'],
      ['2026-01-30T16:00', '2026-01-31T23:00'],
    ],
  );
  assert.equal(
    gaps[1]?.reason,
    'nobody is on call: layer "layer 0" is out of its hours; layer "layer 1" begins 2026-02-01 00:00 (Europe/Berlin)',
  );
});

test('a member whom nobody declares any more leaves the shift to the next layer, and a shared shift to the other', () => {
  const isKnown = (person: string): boolean => person !== 'ben';
  const two = schedule({}, { members: ['dora'] });
  const inBensWeek = at('2026-01-14T00:00Z');
  assert.deepEqual(turnAt({ schedule: two, overrides: [], isKnown }, inBensWeek).turn.people, ['dora']);
  assert.deepEqual(turnAt({ schedule: schedule({ members: [['ben', 'cleo']] }), overrides: [], isKnown }, inBensWeek).turn.people, [
    'cleo',
  ]);
  const alone = turnAt({ schedule: schedule({}), overrides: [], isKnown }, inBensWeek);
  assert.equal(alone.reason, 'nobody is on call: layer "layer 0" names ben, whom nobody declared');
  const gone = override({ fromMs: epochMs(inBensWeek - 1), toMs: epochMs(inBensWeek + 1), person: 'ben' });
  const falling = turnAt({ schedule: two, overrides: [gone], isKnown }, inBensWeek);
  assert.deepEqual(falling.turn.people, ['dora'], 'an override to a stranger is none');
});

test('layers in zones of their own follow the sun', () => {
  const hours = { hours: { weekly: Object.fromEntries(WEEKDAYS.map((day) => [day, ['08:00-20:00']])) } };
  const sun = schedule({ ...hours, members: ['anne'], zone: 'Europe/Berlin' }, { ...hours, members: ['kai'], zone: 'Pacific/Honolulu' });
  assert.deepEqual(who(sun, '2026-06-01T10:00Z'), ['anne']);
  assert.deepEqual(who(sun, '2026-06-02T05:59:59Z'), ['kai']);
  assert.deepEqual(who(sun, '2026-06-02T06:00Z'), ['anne']);
  assert.deepEqual(gapsWithin(asked(sun), { fromMs: at('2026-06-01T00:00Z'), toMs: at('2026-07-01T00:00Z') }), []);
  // In winter Berlin's eight o'clock is an hour later for Honolulu, whose clocks never change.
  assert.deepEqual(who(sun, '2026-12-01T06:30Z'), []);
});

const NAMES = ['anne', 'ben', 'cleo', 'dora'];
const ZONES = ['UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu'];
const layers = fc.array(
  fc.record({
    rotation: fc.constantFrom('daily', 'weekly', '12h', '3d', '100h', '2w'),
    handover: fc.constantFrom('00:00', '02:30', '09:00'),
    members: fc.array(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 4 }),
    start: fc.constantFrom('2025-11-03', '2026-03-01 02:30', '2026-10-20 12:00'),
    zone: fc.constantFrom(...ZONES),
    hours: fc.option(fc.constantFrom(['09:00-17:00'], ['00:00-02:30', '22:00-24:00'], ['02:15-02:45']), { nil: undefined }),
  }),
  { minLength: 1, maxLength: 4 },
);

test('every instant of a year has one answer: the override, or the first layer that has somebody, or a gap', () => {
  const [fromMs, toMs] = [at('2026-01-01T00:00Z'), at('2027-01-01T00:00Z')];
  fc.assert(
    fc.property(
      layers,
      fc.array(fc.tuple(fc.integer({ min: fromMs, max: toMs }), fc.integer({ min: 1, max: 20 * DAY_MS })), { maxLength: 3 }),
      fc.array(fc.integer({ min: fromMs, max: toMs - 1 }), { minLength: 40, maxLength: 40 }),
      (written, taken, instants) => {
        const of = schedule(
          ...written.map(({ hours, ...layer }) => ({
            ...layer,
            ...(hours === undefined ? {} : { hours: { weekly: Object.fromEntries(WEEKDAYS.map((day) => [day, hours])) } }),
          })),
        );
        const overrides: Override[] = [];
        for (const [begin, length] of taken.toSorted((a, b) => a[0] - b[0])) {
          if (begin >= (overrides.at(-1)?.toMs ?? 0)) overrides.push(override({ fromMs: epochMs(begin), toMs: epochMs(begin + length) }));
        }
        const turns = turnsWithin(asked(of, overrides), { fromMs, toMs });
        assert.equal(turns[0]?.fromMs, fromMs);
        assert.equal(turns.at(-1)?.toMs, toMs);
        assert.ok(turns.every((turn, i) => turn.fromMs < turn.toMs && (i === 0 || turn.fromMs === turns[i - 1]?.toMs)));
        for (const layer of of.layers) {
          const own = turnsOfLayer(layer, { fromMs, toMs });
          assert.ok(own.every((turn, i) => turn.fromMs < turn.toMs && turn.fromMs >= (own[i - 1]?.toMs ?? fromMs)));
        }
        // The edges of turns are where mistakes would be.
        const edges = turns.slice(0, 40).flatMap((turn) => [turn.fromMs, turn.toMs - 1]);
        for (const instant of [...instants, ...edges]) {
          const said = turns.filter((turn) => turn.fromMs <= instant && instant < turn.toMs).map(({ people }) => people);
          assert.deepEqual(said, [expected(of, overrides, instant)], new Date(instant).toISOString());
          assert.deepEqual(turnAt(asked(of, overrides), epochMs(instant)).turn.people, said[0]);
        }
      },
    ),
    { numRuns: 25 },
  );
});

/** By reading the clocks at the one instant. */
function expected(of: Schedule, overrides: readonly Override[], instant: number): readonly string[] {
  const over = overrides.find((one) => one.fromMs <= instant && instant < one.toMs);
  if (over !== undefined) return [over.person];
  for (const { rotation, hours, fromMs, turns } of of.layers) {
    const wall = clockReader(rotation.zone)(instant);
    const weekday = (new Date(wall).getUTCDay() + 6) % 7;
    const timeMs = wall % DAY_MS;
    const isOpen = hours === undefined || (hours.weekly[weekday] ?? []).some((one) => one.fromMs <= timeMs && timeMs < one.toMs);
    if (instant >= fromMs && isOpen) return turns[shiftAt(rotation, instant).number % turns.length] ?? [];
  }
  return [];
}

test('of shifts of an hour the one that the clocks skip is none, and one lasts the hour that they show twice', () => {
  const hourly = schedule({ rotation: '1h', start: '2025-01-01' });
  const turns = turnsWithin(asked(hourly), { fromMs: at('2026-01-01T00:00Z'), toMs: at('2027-01-01T00:00Z') });
  assert.equal(turns.length, (365 * DAY_MS) / HOUR_MS - 1);
  assert.deepEqual(new Set(turns.map((turn) => (turn.toMs - turn.fromMs) / HOUR_MS)), new Set([1, 2]));
});

test('what cannot be is refused by name and place', () => {
  const refused = (fields: object, layer: object = {}): string => {
    const written = { id: 'platform', layers: [{ name: 'first', start: '2026-01-05', members: ['anne'], ...layer }], ...fields };
    const parsed = oncallConfig.safeParse({ schedules: [written] });
    if (parsed.success) return assert.fail('was taken');
    return parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('\n');
  };
  assert.match(refused({}, { rotation: 'monthly' }), /schedules\.0\.layers\.0\.rotation: not a rotation: "monthly"/);
  assert.match(refused({}, { rotation: '30m' }), /rotation: a shift of 30m is out of range/);
  assert.match(
    refused({}, { rotation: '3d', handover: 'monday 09:00' }),
    /handover: a weekday of hand-over belongs to shifts of whole weeks/,
  );
  assert.match(refused({}, { handover: 'noonish' }), /handover: not a time of hand-over: "noonish"/);
  assert.match(refused({}, { start: '2026-02-30' }), /start: not a wall clock: "2026-02-30"/);
  assert.match(refused({}, { end: '2026-01-01' }), /end: the layer ends before it starts/);
  assert.match(refused({}, { members: [] }), /members: a layer needs somebody/);
  assert.match(refused({ zone: 'Europe/Nowhere' }), /zone: there is no time zone "Europe\/Nowhere"/);
  assert.match(refused({ gap_alarm: 'never' }), /gap_alarm/);
  assert.match(refused({ layers: [] }), /layers: a schedule needs a layer/);
  const twins = ['anne', 'ben'].map((id) => ({ id, name: id, user: 'same' }));
  const issues = oncallConfig.safeParse({ people: twins }).error?.issues.map(({ path, message }) => [path.join('.'), message]);
  assert.deepEqual(issues, [['people.1.user', '"same" signs in as "anne" already']]);
  const declared = oncallConfig.parse({
    people: [{ id: 'anne', name: 'Anne', contacts: [{ channel: 'pager' }] }],
    schedules: [{ id: 'platform', layers: [{ name: 'first', start: '2026-01-05', members: ['anne', ['ben']] }] }],
  });
  assert.deepEqual(
    unknownToOncall(declared, ({ channel }) => (channel === 'mail' ? undefined : `there is no channel "${channel}"`)),
    [
      { path: ['people', 0, 'contacts', 0], message: 'a contact of "anne": there is no channel "pager"' },
      { path: ['schedules', 0, 'layers', 0, 'members', 1], message: 'the schedule "platform" names "ben", whom nobody declared' },
    ],
  );
});
