import assert from 'node:assert/strict';
import { it } from 'node:test';
import { mustMatcher } from '@nines/base/matcher.ts';
import { type EpochMs, epochMs } from '@nines/base/units.ts';
import { forEachDatabase, openSqliteForTest } from '../../../test/harness/databases.ts';
import { ANNE } from '../notify/testing/world.ts';
import { Crew, MINUTE, historyOf, ladderStory, openEscalationWorld } from './testing/world.ts';

const CONTACTS = { contacts: [[{ channel: 'hook' }], [{ person: 'anne' }], [{ person: 'bob' }], [{ channel: 'pager' }]] };
const crew = (): Crew => new Crew('anne', 'bob');
const ACKNOWLEDGE = { kind: 'acknowledge', comment: undefined } as const;
const at = (fromMs: number, minutes: number): EpochMs => epochMs(fromMs + minutes * MINUTE);

forEachDatabase((_name, open) => {
  it('a critical alert that nobody takes climbs at 0, 5, 10 and 15 minutes, also through a restart, and everybody told hears of its end', async (t) => {
    const { db } = await open(t);
    let world = await openEscalationWorld(t, { db, routing: {}, escalation: CONTACTS, directory: crew() });
    const t0 = world.clock.now();
    await world.evaluate(['a']);
    await world.advance(7 * MINUTE);
    world = await world.restart();
    await world.advance(9 * MINUTE);
    assert.deepEqual(ladderStory(world, t0), [
      '+0 hook firing',
      '+5 mail +15550000 firing',
      '+10 mail +15550001 firing',
      '+15 pager firing',
    ]);
    const [alert] = world.alerting.open();
    assert.ok(alert !== undefined);
    const standing = (await world.escalating.escalation.standing(alert.id)).ladders[0];
    assert.equal(standing?.status, 'climbing');
    assert.equal(standing?.next_at_ms, t0 + 45 * MINUTE, 'again half an hour after the last level');
    assert.deepEqual(standing?.by_hand, { level: 4, reaches: [{ channel: 'pager', to: null, who: 'pager' }] });
    await world.evaluate([]);
    const ends = ['+16 hook resolved', '+16 mail +15550000 resolved', '+16 mail +15550001 resolved', '+16 pager resolved'];
    assert.deepEqual(new Set(ladderStory(world, t0).slice(4)), new Set(ends));
    assert.deepEqual(await historyOf(world, alert.id), [
      'level 1 of 4 of critical told hook: critical alert fired',
      'level 2 of 4 of critical told anne by mail: nobody acknowledged for 5m',
      'level 3 of 4 of critical told bob by mail: nobody acknowledged for 10m',
      'level 4 of 4 of critical told pager: nobody acknowledged for 15m',
      'critical is over: the alert is resolved',
    ]);
    await world.advance(5 * MINUTE);
    assert.equal(ladderStory(world, t0).length, 8);
  });

  it('stops when it is acknowledged between levels, and tells the last level again when it is taken back', async (t) => {
    const { db } = await open(t);
    const world = await openEscalationWorld(t, { db, routing: {}, escalation: CONTACTS, directory: crew() });
    const t0 = world.clock.now();
    await world.evaluate(['a']);
    await world.advance(6 * MINUTE);
    const [alert] = world.alerting.open();
    assert.ok(alert !== undefined);
    await world.alerting.act(alert.id, ACKNOWLEDGE, ANNE);
    await world.advance(20 * MINUTE);
    assert.equal(world.sent.length, 2);
    const acknowledged = (await world.escalating.escalation.standing(alert.id)).ladders[0];
    assert.deepEqual([acknowledged?.why, acknowledged?.next_level, acknowledged?.by_hand?.level], ['acknowledged by anne', null, 3]);
    await world.alerting.act(alert.id, { kind: 'unacknowledge', comment: undefined }, ANNE);
    await world.evaluate(['a']);
    await world.advance(5 * MINUTE);
    assert.deepEqual(ladderStory(world, t0).slice(2), ['+26 mail +15550000 firing', '+31 mail +15550001 firing']);
    assert.deepEqual((await historyOf(world, alert.id)).slice(2, 5), [
      'critical waits: acknowledged by anne',
      'critical goes on: no longer acknowledged by anne',
      'level 2 of 4 of critical told anne by mail: no longer acknowledged by anne',
    ]);
  });
});

it('two levels that fell due while the server was down are both told at once, each person once, and the history says how late', async (t) => {
  const { db } = await openSqliteForTest(t);
  const escalation = {
    contacts: [[{ channel: 'hook' }], [{ person: 'anne' }], [{ person: 'anne' }, { person: 'bob' }], [{ channel: 'pager' }]],
  };
  let world = await openEscalationWorld(t, { db, routing: {}, escalation, directory: crew() });
  const t0 = world.clock.now();
  await world.evaluate(['a']);
  world.clock.jump(12 * MINUTE);
  world = await world.restart();
  await world.advance(1_000);
  assert.equal(world.sent.length, 3);
  assert.deepEqual(
    new Set(ladderStory(world, t0)),
    new Set(['+0 hook firing', '+12.02 mail +15550000 firing', '+12.02 mail +15550001 firing']),
  );
  const [alert] = world.alerting.open();
  const history = await historyOf(world, alert?.id ?? '');
  assert.match(history[1] ?? '', /^level 2 of 4 of critical told anne by mail: nobody acknowledged for 12m1s, 7m1s late$/);
  assert.match(history[2] ?? '', /^level 3 of 4 of critical told bob by mail: .*, 2m1s late$/);
  await world.advance(3 * MINUTE);
  assert.equal(ladderStory(world, t0).at(-1), '+15.02 pager firing', 'what is not due yet keeps its time');
});

it('an alert that cannot be escalated holds no other one up', async (t) => {
  const { db } = await openSqliteForTest(t);
  const world = await openEscalationWorld(t, { db, routing: {}, escalation: CONTACTS, directory: crew() });
  await world.evaluate(['a', 'b']);
  const [alert] = world.alerting.open();
  await db.kysely
    .updateTable('escalations')
    .set({ policy: '{', next_at_ms: 0 })
    .where('alert_id', '=', alert?.id ?? '')
    .execute();
  await world.advance(6 * MINUTE);
  assert.equal(world.sent.filter(({ attempt }) => attempt.to === '+15550000').length, 1);
});

it('a level with nobody on call is passed at once and says so', async (t) => {
  const { db } = await openSqliteForTest(t);
  const directory = crew();
  directory.onCall = [];
  const policies = [
    {
      id: 'critical',
      levels: [
        { after: '0s', targets: [{ schedule: 'platform' }] },
        { after: '10m', targets: [{ person: 'bob' }] },
        { after: '20m', targets: [{ channel: 'pager' }] },
      ],
    },
  ];
  const world = await openEscalationWorld(t, { db, routing: {}, escalation: { policies }, directory });
  const t0 = world.clock.now();
  await world.evaluate(['a']);
  await world.advance(11 * MINUTE);
  assert.deepEqual(ladderStory(world, t0), ['+0 mail +15550001 firing', '+10 pager firing'], 'the distance to the next level is kept');
  const [alert] = world.alerting.open();
  assert.equal(
    (await historyOf(world, alert?.id ?? ''))[0],
    'level 1 of 3 of critical was passed: nobody is on call in platform: the schedule has a gap',
  );
});

it('who is on call is asked when the level is due, not when the alert fired', async (t) => {
  const { db } = await openSqliteForTest(t);
  const directory = crew();
  const world = await openEscalationWorld(t, {
    db,
    routing: {},
    escalation: { contacts: [[{ channel: 'hook' }], [{ schedule: 'platform' }]] },
    directory,
  });
  const t0 = world.clock.now();
  await world.evaluate(['a']);
  await world.advance(4 * MINUTE);
  directory.onCall = ['bob'];
  await world.advance(2 * MINUTE);
  assert.deepEqual(ladderStory(world, t0), ['+0 hook firing', '+5 mail +15550001 firing']);
});

it('a snooze that ends tells the level again and goes on from there', async (t) => {
  const { db } = await openSqliteForTest(t);
  const world = await openEscalationWorld(t, { db, routing: {}, escalation: CONTACTS, directory: crew() });
  const t0 = world.clock.now();
  await world.evaluate(['a']);
  await world.advance(2 * MINUTE);
  const [alert] = world.alerting.open();
  assert.ok(alert !== undefined);
  await world.alerting.act(alert.id, { kind: 'snooze', until: at(t0, 30), comment: undefined }, ANNE);
  assert.equal((await world.escalating.escalation.standing(alert.id)).ladders[0]?.next_at_ms, t0 + 30 * MINUTE);
  await world.advance(34 * MINUTE);
  assert.deepEqual(ladderStory(world, t0), ['+0 hook firing', '+30 hook firing', '+35 mail +15550000 firing']);
});

it('a silence that covers a level holds it until the silence ends, early or not, and the history names it', async (t) => {
  const { db } = await openSqliteForTest(t);
  const world = await openEscalationWorld(t, { db, routing: {}, escalation: CONTACTS, directory: crew() });
  const t0 = world.clock.now();
  const draft = { id: undefined, matchers: [mustMatcher('instance', '=', 'a')], createdBy: 'anne', comment: 'disk', annotations: {} };
  await world.evaluate(['a']);
  await world.silences.put({ ...draft, startsAtMs: at(t0, 0), endsAtMs: at(t0, 20) }, ANNE);
  await world.advance(21 * MINUTE);
  assert.deepEqual(ladderStory(world, t0), ['+0 hook firing', '+20 mail +15550000 firing']);
  const second = await world.silences.put({ ...draft, startsAtMs: world.clock.now(), endsAtMs: at(t0, 120) }, ANNE);
  await world.advance(10 * MINUTE);
  assert.equal(world.sent.length, 2);
  await world.silences.expire(second.id, ANNE);
  await world.advance(2_000);
  assert.deepEqual(ladderStory(world, t0).slice(2), ['+31.02 mail +15550001 firing']);
  const [alert] = world.alerting.open();
  assert.match((await historyOf(world, alert?.id ?? ''))[1] ?? '', /^critical waits: silenced by anne until .*: disk \(silence /);
});

it('maintenance that ends while the alert fires tells the first level then', async (t) => {
  const { db } = await openSqliteForTest(t);
  let held: string | undefined = 'maintenance "disk"';
  const world = await openEscalationWorld(t, { db, routing: {}, escalation: CONTACTS, directory: crew(), holdBack: () => held });
  const t0 = world.clock.now();
  await world.evaluate(['a']);
  await world.advance(20 * MINUTE);
  assert.deepEqual(world.sent, []);
  held = undefined;
  await world.evaluate(['a']);
  await world.advance(5 * MINUTE);
  assert.deepEqual(ladderStory(world, t0), ['+20 hook firing', '+25 mail +15550000 firing']);
});

it('an alert that resolves within group_interval is ended for those whom a level told; routing that has told a channel is not repeated', async (t) => {
  const { db } = await openSqliteForTest(t);
  const routing = { tree: { receiver: 'pager', group_wait: '30s', group_interval: '5m', group_by: ['alertname'] } };
  const world = await openEscalationWorld(t, { db, routing, escalation: CONTACTS, directory: crew() });
  const t0 = world.clock.now();
  await world.evaluate(['a']);
  await world.advance(10_000);
  await world.evaluate([]);
  await world.advance(10 * MINUTE);
  assert.deepEqual(ladderStory(world, t0), ['+0 hook firing', '+0.17 hook resolved']);

  const beside = await openEscalationWorld(t, {
    db,
    routing: { default: ['hook'] },
    escalation: CONTACTS,
    directory: crew(),
    clock: world.clock,
  });
  const t1 = world.clock.now();
  await beside.evaluate(['b']);
  await beside.advance(1_000);
  assert.deepEqual(ladderStory(beside, t1), ['+0 hook firing'], 'one message, not two');
  const [alert] = beside.alerting.open();
  assert.deepEqual(await historyOf(beside, alert?.id ?? ''), [
    'level 1 of 4 of critical told hook (hook by routing): critical alert fired',
  ]);
  await beside.evaluate([]);
  assert.deepEqual(ladderStory(beside, t1), ['+0 hook firing', '+0.02 hook resolved']);
});

it('what fires again within its cooldown climbs when the cooldown ends', async (t) => {
  const { db } = await openSqliteForTest(t);
  const world = await openEscalationWorld(t, { db, routing: {}, escalation: CONTACTS, directory: crew() });
  const t0 = world.clock.now();
  for (const active of [['a'], [], ['a']]) {
    await world.evaluate(active);
    await world.advance(10_000);
  }
  await world.advance(5 * MINUTE);
  assert.deepEqual(ladderStory(world, t0), ['+0 hook firing', '+0.17 hook resolved', '+5 hook firing']);
});

it('a person asks for the next level now, also of an alert that is acknowledged, and names a policy where none applies', async (t) => {
  const { db } = await openSqliteForTest(t);
  const world = await openEscalationWorld(t, { db, routing: {}, escalation: CONTACTS, directory: crew() });
  const t0 = world.clock.now();
  const escalate = { kind: 'escalate', policy: undefined, comment: undefined } as const;
  await world.evaluate(['a']);
  await world.advance(MINUTE);
  const [alert] = world.alerting.open();
  assert.ok(alert !== undefined);
  await world.alerting.act(alert.id, escalate, ANNE);
  await world.advance(5 * MINUTE);
  assert.deepEqual(ladderStory(world, t0), ['+0 hook firing', '+1 mail +15550000 firing', '+6 mail +15550001 firing']);
  await world.alerting.act(alert.id, ACKNOWLEDGE, ANNE);
  await world.alerting.act(alert.id, escalate, ANNE);
  await world.advance(10 * MINUTE);
  assert.deepEqual(ladderStory(world, t0).slice(3), ['+6 pager firing'], 'and no further by itself');
  assert.ok((await historyOf(world, alert.id)).includes('level 2 of 4 of critical told anne by mail: asked for by anne'));

  await world.evaluate(['c'], { id: 'quiet', severity: 'info' });
  const quiet = world.alerting.open().find(({ severity }) => severity === 'info');
  assert.ok(quiet !== undefined);
  await assert.rejects(world.alerting.act(quiet.id, escalate, ANNE), {
    code: 'alert_action_refused',
    message: /no escalation policy takes this alert/,
  });
  await assert.rejects(world.alerting.act(quiet.id, { ...escalate, policy: 'x' }, ANNE), /there is no escalation policy "x"/);
  await world.alerting.act(quiet.id, { ...escalate, policy: 'critical' }, ANNE);
  await world.advance(1_000);
  assert.equal(world.sent.at(-1)?.message.alerts[0]?.id, quiet.id);
});

it('who asks for an emergency by hand is heard by everybody at once, also where routing has told a channel before', async (t) => {
  const { db } = await openSqliteForTest(t);
  const world = await openEscalationWorld(t, {
    db,
    routing: { default: ['hook', 'pager', 'mail'] },
    escalation: CONTACTS,
    directory: crew(),
  });
  await world.evaluate(['a'], { severity: 'emergency' });
  await world.advance(1_000);
  const t0 = world.clock.now();
  const before = world.sent.length;
  const [alert] = world.alerting.open();
  await world.alerting.act(alert?.id ?? '', { kind: 'escalate', policy: undefined, comment: undefined }, ANNE);
  await world.advance(1_000);
  const everybody = ['+0 hook firing', '+0 mail +15550000 firing', '+0 mail +15550001 firing', '+0 mail firing', '+0 pager firing'];
  assert.deepEqual(ladderStory({ sent: world.sent.slice(before) }, t0).toSorted(), everybody);
  await world.evaluate([]);
  await world.advance(1_000);
  const ends = world.sent.slice(before + 5).map(({ message, attempt }) => `${message.receiver} ${attempt.to ?? ''}`);
  assert.equal(ends.filter((one) => one === 'hook ').length, 1, 'who hears of the end by routing hears of it once');
});

it('a severity that rises leads to the more urgent policy; an emergency tells every channel and contact at once', async (t) => {
  const { db } = await openSqliteForTest(t);
  const world = await openEscalationWorld(t, { db, routing: {}, escalation: CONTACTS, directory: crew() });
  const t0 = world.clock.now();
  await world.evaluate(['a'], { severity: 'warning' });
  await world.advance(6 * MINUTE);
  assert.deepEqual(ladderStory(world, t0), ['+0 hook firing'], 'the second level of `default` is due after 15 minutes');
  await world.evaluate(['a'], { severity: 'warning' }, { severity: 'emergency' });
  await world.advance(1_000);
  const all = ['+6 hook firing', '+6 mail +15550000 firing', '+6 mail +15550001 firing', '+6 mail firing', '+6 pager firing'];
  assert.equal(world.sent.length, 6);
  assert.deepEqual(new Set(ladderStory(world, t0).slice(1)), new Set(all));
});

it('routes name policies, none among them; without contacts and policies nothing climbs', async (t) => {
  const { db } = await openSqliteForTest(t);
  const tree = {
    receiver: 'pager',
    routes: [
      { matchers: ['instance="slow"'], escalation: 'slow' },
      { matchers: ['instance="none"'], escalation: 'none' },
    ],
  };
  const policies = [{ id: 'slow', levels: [{ after: '2m', targets: [{ channel: 'mail', to: '+1' }] }] }];
  const world = await openEscalationWorld(t, { db, routing: { tree }, escalation: { ...CONTACTS, policies }, directory: crew() });
  const t0 = world.clock.now();
  await world.evaluate(['slow', 'none']);
  await world.advance(3 * MINUTE);
  assert.deepEqual(ladderStory(world, t0), ['+0.5 pager firing', '+0.5 pager firing', '+2 mail +1 firing'], 'two routes, two messages');
  const bare = await openEscalationWorld(t, { db: (await openSqliteForTest(t)).db, routing: { default: ['hook'] }, escalation: {} });
  await bare.evaluate(['a']);
  await bare.advance(20 * MINUTE);
  assert.equal(bare.sent.length, 1);
  assert.equal((await bare.db.kysely.selectFrom('escalations').selectAll().execute()).length, 0);
});

it('a ladder that is climbed and repeated in vain says that it is at its end', async (t) => {
  const { db } = await openSqliteForTest(t);
  const policies = [{ id: 'critical', levels: [{ after: '0s', targets: [{ channel: 'hook' }] }], repeat: { times: 1, every: '10m' } }];
  const world = await openEscalationWorld(t, { db, routing: {}, escalation: { policies } });
  const t0 = world.clock.now();
  await world.evaluate(['a']);
  await world.advance(30 * MINUTE);
  assert.deepEqual(ladderStory(world, t0), ['+0 hook firing', '+10 hook firing']);
  const [alert] = world.alerting.open();
  assert.deepEqual((await historyOf(world, alert?.id ?? '')).slice(1), [
    'level 1 of 1 of critical told hook: nobody acknowledged for 10m, round 2 of 2',
    'critical is at its end: every level of "critical" was told, 2 times',
  ]);
});

it('outside of its hours a policy waits for them, or another one takes the alert', async (t) => {
  const { db } = await openSqliteForTest(t);
  // The clock begins on a Thursday at 08:53:20 UTC.
  const hours = { zone: 'UTC', weekly: { thu: ['09:00-17:00'] } };
  const level = [{ after: '0s', targets: [{ channel: 'hook' }] }];
  const policies = [
    { id: 'critical', levels: level, hours, outside: 'wait' },
    { id: 'default', levels: level, hours, outside: { policy: 'night' } },
    { id: 'night', levels: [{ after: '0s', targets: [{ channel: 'pager' }] }] },
  ];
  const world = await openEscalationWorld(t, { db, routing: {}, escalation: { policies } });
  const t0 = world.clock.now();
  await world.evaluate(['a']);
  await world.evaluate(['b'], { id: 'W', severity: 'warning' });
  await world.advance(10 * MINUTE);
  assert.deepEqual(ladderStory(world, t0), ['+0 pager firing', '+6.67 hook firing']);
});

it('many alerts at once are told by the steps, so that nothing waits behind them', async (t) => {
  const { db } = await openSqliteForTest(t);
  const world = await openEscalationWorld(t, { db, routing: {}, escalation: CONTACTS, directory: crew() });
  await world.evaluate(Array.from({ length: 250 }, (_, index) => `i${index}`));
  assert.equal(world.sent.length, 0);
  await world.evaluate(['z'], { id: 'other' });
  assert.equal(world.sent.length, 1);
  await world.advance(3_000);
  assert.equal(world.sent.length, 251);
});
