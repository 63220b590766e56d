import assert from 'node:assert/strict';
import { type TestContext, describe, it } from 'node:test';
import { DAY_MS, HOUR_MS, epochMs } from '@nines/base/units.ts';
import { forEachDatabase, openSqliteForTest } from '../../../test/harness/databases.ts';
import { countingIds } from '../../../test/harness/ids.ts';
import { manualClock } from '../../../test/harness/manual-clock.ts';
import { type World, openWorld } from '../notify/testing/world.ts';
import { createBus } from '../platform/bus.ts';
import type { Db } from '../platform/db/open.ts';
import { Calendars } from './calendars.ts';
import { personSchema, scheduleSchema } from './contract.ts';
import { gapEvaluation } from './gap-alert.ts';
import { Handovers } from './handover.ts';
import { sendNotice } from './notice.ts';
import { Roster } from './service.ts';
import { turnsOf } from './store.ts';
import { personToWire } from './views.ts';

const at = (text: string) => epochMs(Date.parse(text));
const person = (id: string, fields: object = {}) =>
  personSchema.parse({ id, name: id.toUpperCase(), zone: 'Europe/Berlin', contacts: [{ channel: 'mail' }], ...fields });
const weekly = (fields: object = {}, layer: object = {}) =>
  scheduleSchema.parse({
    id: 'platform',
    name: 'Platform',
    zone: 'Europe/Berlin',
    layers: [{ name: 'primary', start: '2026-01-05 09:00', members: ['anne', 'ben'], ...layer }],
    ...fields,
  });
const refused = (code: string) => (thrown: unknown) => (thrown as { code?: string }).code === code;

type Story = {
  readonly world: World;
  readonly roster: Roster;
  /** It is this instant now, and everything periodic has run. */
  goTo(text: string): Promise<void>;
  /** What people were told since it was asked last: title and text. */
  told(): readonly string[];
  /** Another server on the same database. */
  restart(): Promise<Story>;
};

async function tell(t: TestContext, db: Db, startsAt: string, world?: World): Promise<Story> {
  const own = world ?? (await openWorld(t, { db, routing: { default: ['hook'] }, clock: manualClock(at(startsAt)) }));
  const roster = new Roster({
    db: db.kysely,
    clock: own.clock,
    ids: countingIds(),
    bus: createBus((thrown) => assert.fail(String(thrown))),
    contactFault: ({ channel }) => (own.notify.channelIds().includes(channel) ? undefined : `there is no channel "${channel}"`),
  });
  await roster.load();
  const handovers = new Handovers({
    db: db.kysely,
    bus: own.bus,
    roster,
    tell: async (trx, handover) => assert.ok(await sendNotice(trx, own.notify, handover)),
    afterCommit: () => {},
  });
  await handovers.load();
  let seen = own.sent.length;
  return {
    world: own,
    roster,
    async goTo(text) {
      own.clock.jump(at(text) - own.clock.now());
      await handovers.step(own.clock.now());
      await own.alerting.apply(gapEvaluation(roster, own.clock.now()));
      await own.advance(2_000);
    },
    told() {
      const fresh = own.sent.slice(seen);
      seen = own.sent.length;
      return fresh.map(
        ({ attempt, message }) =>
          `${message.commonLabels['person'] ?? ''}: ${attempt.words?.title ?? message.status} | ${attempt.words?.text ?? ''}`,
      );
    },
    restart: async () => tell(t, db, startsAt, own),
  };
}

forEachDatabase((_kind, open) => {
  it('those whose shifts begin and end are told at nine of Berlin through both changes of the clocks, once, also after a restart', async (t) => {
    const { db } = await open(t);
    let story = await tell(t, db, '2026-03-23T12:00:00Z');
    for (const id of ['anne', 'ben']) await story.roster.createPerson(person(id), 'root');
    await story.roster.createSchedule(weekly({ gap_alarm: 'off' }), 'root');
    await story.goTo('2026-03-29T00:00:00Z');
    await story.goTo('2026-03-30T06:59:50Z');
    assert.deepEqual(story.told(), [], 'nobody has just begun who was on call when the schedule was made');
    story = await story.restart();
    await story.goTo('2026-03-30T07:00:00Z');
    await story.goTo('2026-03-30T07:00:10Z');
    assert.deepEqual(story.told().toSorted(), [
      'anne: You are on call: Platform | From 2026-03-30 09:00 (Europe/Berlin) you are on call for Platform, until 2026-04-06 09:00 (Europe/Berlin). ' +
        'Before you it was BEN.\nWhy: layer "primary": shift from 2026-03-30 09:00 to 2026-04-06 09:00 (Europe/Berlin).',
      'ben: Your shift has ended: Platform | Since 2026-03-30 09:00 (Europe/Berlin) you are no longer on call for Platform. Now it is ANNE.',
    ]);
    await story.goTo('2026-10-26T07:59:50Z');
    story.told();
    await story.goTo('2026-10-26T08:00:00Z');
    assert.deepEqual(
      story
        .told()
        .map((text) => text.split(' | ')[0])
        .toSorted(),
      ['anne: You are on call: Platform', 'ben: Your shift has ended: Platform'],
    );
    const held = await turnsOf(db.kysely, 'platform', { fromMs: at('2026-10-26T07:59:55Z'), toMs: at('2026-11-01T00:00Z'), limit: 10 });
    assert.deepEqual(
      held.map(({ people }) => people),
      [['ben'], ['anne']],
    );
  });

  it('what was made stands after a restart as it was', async (t) => {
    const { db } = await open(t);
    const story = await tell(t, db, '2026-01-06T12:00:00Z');
    for (const id of ['anne', 'ben', 'cleo']) await story.roster.createPerson(person(id), 'root');
    const made = await story.roster.createSchedule(weekly(), 'root');
    await story.roster.updateSchedule('platform', weekly({ name: 'The platform' }), { by: 'root', revision: made.revision });
    const draft = { person: 'cleo', fromMs: at('2026-01-12T06:00Z'), toMs: at('2026-01-12T12:00Z'), note: '' };
    await story.roster.createOverride('platform', draft, 'anne');
    const again = await story.restart();
    const state = ({ roster }: Story): unknown => [roster.people.list(), roster.schedules.list(), roster.asked('platform').overrides];
    assert.deepEqual(state(again), state(story));
    assert.deepEqual(
      again.roster.whoAt('platform', at('2026-01-12T08:00Z')).people.map(({ id }) => id),
      ['cleo'],
    );
  });
});

describe('on call', () => {
  const open = async (t: TestContext, startsAt = '2026-01-06T12:00:00Z'): Promise<Story> => {
    const story = await tell(t, (await openSqliteForTest(t)).db, startsAt);
    for (const id of ['anne', 'ben', 'cleo']) await story.roster.createPerson(person(id), 'root');
    return story;
  };

  it('two overrides of the same time: the second is refused with what stands in its way, and taken when that was taken back', async (t) => {
    const { roster, goTo, world } = await open(t);
    await roster.createSchedule(weekly(), 'root');
    const first = { person: 'cleo', fromMs: at('2026-01-07T08:00Z'), toMs: at('2026-01-08T08:00Z'), note: 'dentist' };
    const made = await roster.createOverride('platform', first, 'anne');
    const second = { ...first, person: 'ben', fromMs: at('2026-01-08T07:59:59Z'), toMs: at('2026-01-09T08:00Z') };
    await assert.rejects(
      roster.createOverride('platform', second, 'ben'),
      (thrown: { code: string; message: string; details: unknown }) => {
        assert.equal(thrown.code, 'override_conflict');
        assert.match(thrown.message, /cleo from 2026-01-07 09:00 to 2026-01-08 09:00 \(Europe\/Berlin\), said by anne/);
        assert.deepEqual(thrown.details, [{ id: made.id, person: 'cleo', from_at_ms: made.fromMs, to_at_ms: made.toMs, by: 'anne' }]);
        return true;
      },
    );
    await roster.createOverride('platform', { ...second, fromMs: first.toMs }, 'ben');
    await goTo('2026-01-07T10:00:00Z');
    await roster.removeOverride('platform', made.id, 'anne');
    assert.deepEqual(
      roster.whoAt('platform', at('2026-01-07T09:00Z')).people.map(({ id }) => id),
      ['cleo'],
      'what was stays',
    );
    assert.deepEqual(
      roster.whoAt('platform', at('2026-01-07T11:00Z')).people.map(({ id }) => id),
      ['anne'],
    );
    await assert.rejects(roster.removeOverride('platform', made.id, 'anne'), refused('oncall_invalid'));
    const again = await roster.createOverride('platform', first, 'anne');
    assert.equal(again.fromMs, world.clock.now(), 'nobody takes over time that is over');
  });

  it('an override over a hand-over: three people are told, the one whose shift began under it when it ends', async (t) => {
    const story = await open(t);
    await story.roster.createSchedule(weekly(), 'root');
    await story.goTo('2026-01-11T00:00:00Z');
    const over = { person: 'cleo', fromMs: at('2026-01-12T06:00Z'), toMs: at('2026-01-12T12:00Z'), note: '' };
    await story.roster.createOverride('platform', over, 'anne');
    const titles = (): readonly string[] =>
      story
        .told()
        .map((text) => text.split(' | ')[0] ?? '')
        .toSorted();
    await story.goTo('2026-01-12T06:00:00Z');
    assert.deepEqual(titles(), ['anne: Your shift has ended: Platform', 'cleo: You are on call: Platform']);
    await story.goTo('2026-01-12T08:00:01Z');
    assert.deepEqual(titles(), []);
    await story.goTo('2026-01-12T12:00:00Z');
    assert.deepEqual(titles(), ['ben: You are on call: Platform', 'cleo: Your shift has ended: Platform']);
  });

  it('a person who is needed is not removed; taken out of the layers first, the shifts are those of the others', async (t) => {
    const { roster } = await open(t);
    const made = await roster.createSchedule(weekly(), 'root');
    await assert.rejects(roster.removePerson('ben'), (thrown: Error) => /is in the schedule "platform"/.test(thrown.message));
    await roster.updateSchedule('platform', weekly({}, { members: ['anne'] }), { by: 'root', revision: made.revision });
    await assert.rejects(
      roster.updateSchedule('platform', weekly(), { by: 'root', revision: made.revision }),
      refused('revision_conflict'),
    );
    await roster.removePerson('ben');
    assert.deepEqual(
      roster.whoAt('platform', at('2026-01-14T00:00Z')).people.map(({ id }) => id),
      ['anne'],
    );
    const override = { person: 'cleo', fromMs: at('2026-01-07T08:00Z'), toMs: at('2026-01-08T08:00Z'), note: '' };
    await roster.createOverride('platform', override, 'anne');
    await assert.rejects(roster.removePerson('cleo'), refused('person_used'));
    await roster.removeSchedule('platform');
    await roster.removePerson('cleo');
    assert.deepEqual(roster.whoAt('platform', at('2026-01-07T09:00Z')), { people: [], reason: 'there is no schedule "platform"' });
  });

  it('who may not change people does not see where they are reached', async (t) => {
    const { roster } = await open(t);
    await roster.updatePerson('anne', person('anne', { contacts: [{ channel: 'mail', to: '+4930123456' }] }), { by: 'root' });
    const shown = (mayChange: boolean) => personToWire(roster.people.find('anne'), mayChange).contacts;
    assert.deepEqual(shown(true), [{ channel: 'mail', to: '+4930123456' }]);
    assert.deepEqual(shown(false), [{ channel: 'mail', to: '[hidden]' }]);
  });

  it('a schedule that moves to another zone hands over at nine there', async (t) => {
    const { roster } = await open(t);
    await roster.createSchedule(weekly(), 'root');
    const who = (text: string): string | undefined => roster.whoAt('platform', at(text)).people[0]?.id;
    assert.equal(who('2026-01-12T08:00:00Z'), 'ben');
    await roster.updateSchedule('platform', weekly({ zone: 'America/New_York' }), { by: 'root' });
    assert.equal(who('2026-01-12T13:59:59Z'), 'anne');
    assert.equal(who('2026-01-12T14:00:00Z'), 'ben');
  });

  it('a gap alarms a day before, critically while nobody is on call, and no more when somebody takes over', async (t) => {
    const story = await open(t);
    await story.roster.createSchedule(weekly({}, { end: '2026-01-10 09:00' }), 'root');
    const open_ = (): readonly string[] =>
      story.world.alerting.open().map(({ severity, annotations }) => `${severity}: ${annotations['summary']}`);
    await story.goTo('2026-01-08T08:00:00Z');
    assert.deepEqual(open_(), []);
    await story.goTo('2026-01-09T08:00:01Z');
    assert.deepEqual(open_(), ['warning: Nobody will be on call for Platform from 2026-01-10 09:00 (Europe/Berlin) on']);
    await story.goTo('2026-01-10T08:00:00Z');
    assert.deepEqual(open_(), ['critical: Nobody is on call for Platform']);
    assert.deepEqual(story.told().filter((text) => text.includes('Your shift')).length, 1);
    const override = { person: 'cleo', fromMs: at('2026-01-10T08:00Z'), toMs: at('2026-01-20T08:00Z'), note: '' };
    await story.roster.createOverride('platform', override, 'cleo');
    await story.goTo('2026-01-10T08:01:00Z');
    assert.deepEqual(open_(), []);
    assert.ok(story.told().some((text) => text.startsWith('cleo: You are on call: Platform')));
  });

  it('what the file declares is changed there, wins over what was made here, and leaves it when it goes', async (t) => {
    const { roster } = await open(t);
    await roster.createSchedule(weekly({ name: 'made here' }), 'root');
    const declared = {
      people: [{ spec: person('dora'), place: 'nines.yml:3' }],
      schedules: [{ spec: weekly({}, { members: ['dora'] }), place: 'nines.yml:9' }],
    };
    await roster.declare(declared);
    assert.deepEqual(
      roster.whoAt('platform', at('2026-01-07T00:00Z')).people.map(({ id }) => id),
      ['dora'],
    );
    await assert.rejects(roster.removeSchedule('platform'), (thrown: Error) => /declared at nines\.yml:9/.test(thrown.message));
    await roster.declare({ people: [], schedules: [] });
    assert.equal(roster.schedules.find('platform').spec.name, 'made here');
    await assert.rejects(roster.createSchedule(weekly({ id: 'other' }, { members: ['dora'] }), 'root'), (thrown: Error) =>
      /no person "dora"/.test(thrown.message),
    );
    await assert.rejects(roster.createPerson(person('emil', { contacts: [{ channel: 'pigeon' }] }), 'root'), (thrown: Error) =>
      /no channel "pigeon"/.test(thrown.message),
    );
  });

  it('a calendar program reads the shifts of a schedule and of a person under the same names each time, until the link is revoked', async (t) => {
    const { roster, world } = await open(t);
    const hard = 'Anne; "the\nfirst", Bergström-Ångström of the long name that has to be folded ✂ and again ✂ and again';
    await roster.updatePerson('anne', person('anne', { name: hard }), { by: 'root' });
    await roster.createSchedule(weekly(), 'root');
    const over = { person: 'cleo', fromMs: at('2026-03-30T06:00Z'), toMs: at('2026-03-30T12:00Z'), note: 'dentist' };
    await roster.createOverride('platform', over, 'anne');
    const calendars = new Calendars({
      db: world.db.kysely,
      clock: world.clock,
      ids: countingIds(),
      roster,
      externalUrl: 'http://nines.example',
      yieldNow: () => undefined,
    });
    const tokenOf = (url: string): string => /\/feeds\/(.*)\.ics$/.exec(url)?.[1] ?? '';
    const ofSchedule = await calendars.make({ kind: 'schedule', subject: 'platform' }, 'anne');
    const ofCleo = await calendars.make({ kind: 'person', subject: 'cleo' }, 'anne');
    const text = await calendars.feed(tokenOf(ofSchedule.url));
    assert.ok(text.split('\r\n').every((line) => Buffer.byteLength(line) <= 75 && !line.includes('\n')));
    const events = await readEvents(text);
    const spring = events
      .filter(({ from }) => from >= '2026-03-23' && from < '2026-04-01')
      .map(({ from, to, summary }) => [from, to, summary]);
    assert.deepEqual(spring, [
      ['2026-03-23T08:00:00Z', '2026-03-30T06:00:00Z', 'BEN on call: Platform'],
      ['2026-03-30T06:00:00Z', '2026-03-30T12:00:00Z', 'CLEO on call: Platform'],
      ['2026-03-30T12:00:00Z', '2026-04-06T07:00:00Z', `${hard} on call: Platform`],
    ]);
    assert.equal(new Set(events.map(({ uid }) => uid)).size, events.length);
    world.clock.jump(DAY_MS + HOUR_MS);
    const later = await readEvents(await calendars.feed(tokenOf(ofSchedule.url)));
    const known = new Map(events.map((event) => [event.uid, event]));
    for (const event of later.filter(({ uid }) => known.has(uid))) assert.deepEqual(event, known.get(event.uid));
    assert.ok(later.filter(({ uid }) => !known.has(uid)).every(({ from }) => from > (events.at(-1)?.from ?? '')));
    const cleos = await readEvents(await calendars.feed(tokenOf(ofCleo.url)));
    assert.deepEqual(
      cleos.map(({ from, description }) => [from, description.includes('dentist')]),
      [['2026-03-30T06:00:00Z', true]],
    );
    assert.ok((await calendars.list()).every((row) => row.read_at_ms !== null && !ofSchedule.url.includes(row.token_hash)));
    await calendars.revoke(ofCleo.row.id);
    await assert.rejects(calendars.feed(tokenOf(ofCleo.url)), refused('calendar_not_found'));
    await assert.rejects(calendars.feed('x'), refused('calendar_not_found'));
    await roster.removeSchedule('platform');
    await assert.rejects(calendars.feed(tokenOf(ofSchedule.url)), refused('calendar_not_found'), 'what it showed is no more');
  });
});

type Read = { readonly uid: string; readonly from: string; readonly to: string; readonly summary: string; readonly description: string };

/** By Mozilla's reader of iCalendar, strictly. */
async function readEvents(text: string): Promise<readonly Read[]> {
  type Value = { toString(): string };
  type Event = { uid: string; startDate: Value; endDate: Value; summary: string; description: string };
  type Component = { getAllSubcomponents(name: string): object[] };
  type Reader = { parse(text: string): unknown; Component: new (parsed: unknown) => Component; Event: new (component: object) => Event };
  const name: string = 'ical.js';
  const { default: reader } = (await import(name)) as { readonly default: Reader };
  const component = new reader.Component(reader.parse(text));
  return component.getAllSubcomponents('vevent').map((one) => {
    const { uid, startDate, endDate, summary, description } = new reader.Event(one);
    return { uid, from: startDate.toString(), to: endDate.toString(), summary, description };
  });
}
