import assert from 'node:assert/strict';
import { it } from 'node:test';
import { openSqliteForTest } from '../../../test/harness/databases.ts';
import { ANNE } from '../notify/testing/world.ts';
import { escalationConfig, unknownToEscalation } from './contract.ts';
import { Crew, MINUTE, ladderStory, openEscalationWorld } from './testing/world.ts';

const WATCHDOG = { watchdogs: [{ id: 'prometheus', matchers: ['alertname="Watchdog"'], within: '5m' }] };

it('an expected alert that is heard of no more alarms, is told to nobody itself, and the alarm ends when it is back', async (t) => {
  const { db } = await openSqliteForTest(t);
  let heardAtMs: number | undefined;
  const options = { db, routing: { default: ['hook'] }, escalation: WATCHDOG, signals: true, lastHeard: () => heardAtMs };
  const world = await openEscalationWorld(t, options);
  heardAtMs = world.clock.now();
  await world.evaluate(['a'], { id: 'alertmanager', kind: 'alertmanager', alertname: 'Watchdog', severity: 'info' });
  await world.advance(4 * MINUTE);
  assert.equal(world.sent.length, 0);
  await world.evaluate([], { id: 'alertmanager', kind: 'alertmanager', alertname: 'Watchdog', severity: 'info' });
  heardAtMs = undefined;
  await world.advance(2 * MINUTE);
  const [told] = world.sent;
  assert.equal(told?.message.alerts[0]?.labels['alertname'], 'WatchdogSilent');
  assert.match(told?.message.alerts[0]?.annotations['summary'] ?? '', /^Nothing was heard of prometheus for 5m/);
  assert.equal(world.sent.length, 1);
  // A start in between neither ends the alarm nor says again what was said.
  const again = await world.restart();
  await again.advance(MINUTE);
  assert.equal(again.sent.length, 1);
  heardAtMs = again.clock.now();
  await again.advance(10_000);
  assert.equal(again.sent.length, 2);
  assert.equal(again.sent[1]?.message.status, 'resolved');
});

it('heartbeats go out at their pace through the outbox, and are withheld while open alerts have no next step', async (t) => {
  const { db } = await openSqliteForTest(t);
  const asked: number[] = [];
  const escalation = {
    heartbeats: [
      { url: 'http://127.0.0.1:1/ping/secret', every: '1m' },
      { channel: 'pager', every: '5m' },
    ],
  };
  const world = await openEscalationWorld(t, {
    db,
    routing: {},
    escalation,
    signals: true,
    request: () => {
      asked.push(world.clock.now());
      return Promise.resolve({ status: 200, headers: {}, body: Buffer.alloc(0) });
    },
  });
  await world.advance(10 * MINUTE + 30_000);
  assert.ok(asked.length >= 10 && asked.length <= 11, `${asked.length} heartbeats in ten minutes and a half`);
  const gaps = asked.slice(1).map((atMs, index) => atMs - (asked[index] ?? 0));
  assert.ok(
    gaps.every((gapMs) => gapMs >= MINUTE && gapMs <= MINUTE + 10_000),
    gaps.join(' '),
  );
  assert.deepEqual(new Set(world.sent.map(({ attempt }) => attempt.words?.title)), new Set(['Nines is alive']));
  assert.ok(world.sent.length >= 2 && world.sent.length <= 3);
  assert.ok(!JSON.stringify(world.escalating.signals.view()).includes('secret'));
  assert.ok(!JSON.stringify(await db.kysely.selectFrom('outbox').selectAll().execute()).includes('secret'));
  const before = asked.length;
  await world.evaluate(['a']);
  await world.advance(10 * MINUTE);
  assert.ok(asked.length - before <= 3, 'no sign of life while nobody is told of an alert');
  assert.match(
    world.escalating.signals.view().heartbeats[0]?.error ?? '',
    /^withheld: 2 open alerts have no next step$|^withheld: 1 open alerts have/,
  );
});

it('the auditor alarms of an open alert whose ladder is at its end, and of none that has a next step or that nobody is meant to hear of', async (t) => {
  const { db } = await openSqliteForTest(t);
  const routes = [
    { matchers: ['instance="fine"'], receiver: 'hook', group_by: ['...'] },
    { matchers: ['instance="lost"'], receiver: 'nobody', escalation: 'short', continue: true },
    { matchers: ['instance="lost"'], receiver: 'gone' },
  ];
  // A receiver that the newest configuration lacks has a channel that is not there.
  const routing = { tree: { receiver: 'nobody', routes }, receivers: [{ name: 'nobody', channels: [] }] };
  const short = { id: 'short', levels: [{ after: '0s', targets: [{ channel: 'pager' }] }] };
  const escalation = { contacts: [[{ channel: 'mail', to: '+1' }]], policies: [short], severities: { warning: 'none' } };
  const world = await openEscalationWorld(t, { db, routing, escalation, signals: true });
  await world.evaluate(['fine', 'lost']);
  await world.evaluate(['null'], { id: 'W', severity: 'warning' });
  await world.advance(3 * MINUTE);
  const found = world.escalating.auditor.found.gaps;
  assert.deepEqual(
    found.map(({ alert }) => alert.labels['instance']),
    ['lost'],
  );
  const own = world.alerting.open().find(({ alertname }) => alertname === 'AlertWithoutNextStep');
  assert.match(own?.annotations['summary'] ?? '', /^1 alert has no next step: High \(shop\)$/);
  assert.ok(
    world.sent.some(({ message }) => message.commonLabels['alertname'] === 'AlertWithoutNextStep'),
    'it is told as every critical alert is',
  );
  await world.alerting.act(found[0]?.alert.id ?? '', { kind: 'acknowledge', comment: undefined }, ANNE);
  await world.advance(2 * MINUTE);
  assert.deepEqual(world.escalating.auditor.found.gaps, []);
  assert.equal(
    world.alerting.open().some(({ alertname }) => alertname === 'AlertWithoutNextStep'),
    false,
  );
});

it('stakeholders hear of what lasts, in their words, whoever acknowledged, and of its end', async (t) => {
  const { db } = await openSqliteForTest(t);
  const stakeholders = [
    { audience: 'executive', targets: [{ channel: 'mail', to: '+1' }] },
    { audience: 'technical', targets: [{ channel: 'hook' }] },
    { audience: 'business', matchers: ['instance="other"'], targets: [{ channel: 'hook' }] },
    { audience: 'operations', id: 'ops', after: '1m', title: 'Look at {{ .CommonLabels.service }}', targets: [{ channel: 'pager' }] },
  ];
  const world = await openEscalationWorld(t, { db, routing: {}, escalation: { stakeholders }, directory: new Crew() });
  const t0 = world.clock.now();
  await world.evaluate(['a']);
  await world.advance(5 * MINUTE);
  const [alert] = world.alerting.open();
  await world.alerting.act(alert?.id ?? '', { kind: 'acknowledge', comment: undefined }, ANNE);
  await world.advance(11 * MINUTE);
  assert.deepEqual(ladderStory(world, t0), ['+0 hook firing', '+1 pager firing', '+15 mail +1 firing']);
  const words = world.sent.map(({ attempt }) => attempt.words);
  assert.match(words[0]?.text ?? '', /^a is high, since .* UTC\.\nValue: 97\.2\nRule: R\nalertname=High\n/);
  assert.equal(words[1]?.title, 'Look at shop');
  assert.equal(words[2]?.title, 'Web shop has a problem of severity critical');
  assert.match(
    words[2]?.text ?? '',
    /^Web shop has had a problem since .* UTC: a is high\.\nanne has taken it\.\nYou hear when it is over\.$/,
  );
  await world.evaluate([]);
  assert.equal(world.sent.length, 6);
  const end = world.sent.find(({ attempt }) => attempt.to === '+1' && attempt.message.status === 'resolved')?.attempt.words;
  assert.equal(end?.title, 'Web shop is well again');
  assert.match(end?.text ?? '', /It lasted 16m, from /);
});

it('policies are made, changed and removed by people; the file’s and the shipped ones are not', async (t) => {
  const { db } = await openSqliteForTest(t);
  const fromFile = { id: 'night', levels: [{ after: '0s', targets: [{ channel: 'hook' }] }] };
  const world = await openEscalationWorld(t, { db, routing: {}, escalation: { policies: [fromFile] }, directory: new Crew('anne') });
  const { policies } = world.escalating;
  const parse = (written: object) => escalationConfig.parse({ policies: [written] }).policies[0] ?? assert.fail();
  const written = { id: 'day', levels: [{ after: '5m', targets: [{ person: 'anne' }, { channel: 'pager' }] }] };
  const made = await policies.create(parse(written), ANNE);
  assert.deepEqual([made.origin, made.revision, made.applies], ['ui', 1, true]);
  assert.deepEqual(
    made.levels[0]?.reaches.map(({ who }) => who),
    ['anne by mail', 'pager'],
  );
  await assert.rejects(policies.create(parse(written), ANNE), { code: 'escalation_policy_exists' });
  const changed = await policies.update('day', { spec: parse({ ...written, name: 'By day' }), revision: made.revision }, ANNE);
  assert.deepEqual([changed.name, changed.revision], ['By day', 2]);
  await assert.rejects(policies.update('day', { spec: parse(written), revision: made.revision }, ANNE), { code: 'revision_conflict' });
  await assert.rejects(policies.update('night', { spec: parse(fromFile), revision: undefined }, ANNE), {
    code: 'escalation_policy_owned_by_file',
  });
  await assert.rejects(policies.remove('critical', ANNE), { code: 'escalation_policy_shipped' });
  const stranger = { ...written, id: 'x', levels: [{ after: '0s', targets: [{ person: 'zoe' }] }] };
  await assert.rejects(policies.create(parse(stranger), ANNE), { code: 'escalation_policy_invalid', message: /there is no person "zoe"/ });
  await policies.create(parse({ ...written, id: 'critical' }), ANNE);
  assert.equal(policies.get('critical').origin, 'ui');
  const again = await world.restart();
  assert.equal(again.escalating.policies.get('day').name, 'By day', 'it outlives a restart');
  await again.escalating.policies.remove('critical', ANNE);
  assert.equal(again.escalating.policies.get('critical').origin, 'shipped');
});

it('says what is wrong with a configuration, and where', () => {
  const faultOf = (escalation: object): string => {
    const read = escalationConfig.safeParse(escalation);
    if (!read.success) return read.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('\n');
    const contactFault = ({ channel }: { readonly channel: string }) =>
      channel === 'hook' ? undefined : `there is no channel "${channel}"`;
    return unknownToEscalation(read.data, { contactFault })
      .map(({ path, message }) => `${path.join('.')}: ${message}`)
      .join('\n');
  };
  const policy = (over: object) => ({ policies: [{ id: 'p', levels: [{ after: '0s', targets: [{ channel: 'hook' }] }], ...over }] });
  assert.equal(faultOf(policy({})), '');
  assert.match(faultOf({ contacts: [[{ channel: 'x' }]] }), /^contacts\.0\.0\.channel: there is no channel "x"/);
  assert.match(faultOf({ contacts: [[{ channel: 'hook', person: 'anne' }]] }), /a target is one of channel, person, schedule, or all/);
  assert.match(faultOf({ contacts: [[{ person: 'anne', to: 'x' }]] }), /`to` is an address of a channel/);
  const level = (after: string) => ({ after, targets: [{ channel: 'hook' }] });
  assert.match(faultOf(policy({ levels: [level('5m'), level('1m')] })), /^policies\.0\.levels\.1\.after: a level is due no earlier/);
  assert.match(faultOf(policy({ hours: { zone: 'UTC', weekly: { mon: ['09:00-17:00'] } } })), /what happens outside of the hours/);
  assert.match(faultOf(policy({ id: 'none' })), /"none" means that no policy applies/);
  assert.match(faultOf({ severities: { info: 'nobody' } }), /^severities\.info: no escalation policy has the id "nobody"/);
  assert.match(faultOf({ heartbeats: [{ every: '1m' }] }), /a heartbeat goes to a url or to a channel/);
  assert.match(faultOf({ watchdogs: [{ id: 'w', matchers: ['{{'] }] }), /^watchdogs\.0\.matchers\.0: /);
  assert.match(
    faultOf({ stakeholders: [{ audience: 'executive', title: '{{', targets: [{ channel: 'hook' }] }] }),
    /^stakeholders\.0\.title: /,
  );
});
