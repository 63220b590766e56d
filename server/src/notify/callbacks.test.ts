import assert from 'node:assert/strict';
import { it } from 'node:test';
import { DAY_MS } from '@nines/base/units.ts';
import { openSqliteForTest } from '../../../test/harness/databases.ts';
import { silentLogger } from '../../../test/harness/logs.ts';
import { AcknowledgeLinks } from './acknowledge-links.ts';
import { questionPage } from './answer-pages.ts';
import { Callbacks } from './callbacks.ts';
import { replyCodeOf } from './sms/sms.ts';
import { type World, openWorld } from './testing/world.ts';

const URL = 'http://nines.example';

const callbacksOf = (world: World): Callbacks =>
  new Callbacks({
    db: world.db.kysely,
    clock: world.clock,
    logger: silentLogger,
    links: new AcknowledgeLinks('secret', URL),
    alerting: world.alerting,
    channels: () => world.notify.openChannels(),
  });

/** The token of the link that the last message gave its first alert. */
function tokenOf(world: World): string {
  const { attempt } = world.sent.at(-1) ?? {};
  const alert = attempt?.message.alerts[0];
  assert.ok(attempt !== undefined && alert !== undefined);
  return (attempt.acknowledgeUrl?.(alert) ?? '').replace(`${URL}/acknowledge/`, '');
}

it('a link in a message acknowledges its alert, once a person says so, for a day, and nothing else', async (t) => {
  const world = await openWorld(t, { db: (await openSqliteForTest(t)).db, routing: { default: ['hook'] } });
  await world.evaluate(['a', 'b']);
  const callbacks = callbacksOf(world);
  const token = tokenOf(world);
  const { alert } = await callbacks.linked(token);
  assert.match(questionPage(alert).text, /<form method="post"><button>Acknowledge/);
  assert.equal(world.alerting.open().filter(({ state }) => state === 'acknowledged').length, 0, 'looking changes nothing');
  const acknowledged = await callbacks.follow(token);
  assert.equal(acknowledged.acknowledged_by, 'the link sent to hook');
  assert.equal(world.alerting.open().filter(({ state }) => state === 'acknowledged').length, 1);
  assert.deepEqual((await callbacks.follow(token)).acknowledged_at_ms, acknowledged.acknowledged_at_ms, 'twice is once');
  assert.doesNotMatch(questionPage(acknowledged).text, /<form/);
  for (const wrong of ['', 'x', `${token}x`, token.replace(/^./, 'Z'), token.split('.').reverse().join('.')])
    await assert.rejects(callbacks.linked(wrong), { code: 'link_unknown' }, wrong);
  assert.equal(new AcknowledgeLinks('other', URL).open(token, world.clock.now()), undefined);
  world.clock.jump(DAY_MS + 1);
  await assert.rejects(callbacks.follow(token), { code: 'link_expired' });
});

it('an answer by button, reply or code acknowledges the alerts of its message, in its own channel', async (t) => {
  const world = await openWorld(t, { db: (await openSqliteForTest(t)).db, routing: { default: ['hook'] } });
  world.answer = () => ({ kind: 'delivered', receipt: 'message 7' });
  const callbacks = callbacksOf(world);
  const call = async (channel: string, message: object): Promise<string> => {
    const called = { kind: 'acknowledge', message, by: 'anne (Slack)' };
    const door = world.notify.openChannels().get(channel)?.channel;
    assert.ok(door !== undefined);
    door.called = () => ({ ...called, answer: (said: string) => ({ type: 'text/plain', body: said }) }) as never;
    return (await callbacks.called(channel, { headers: {}, body: '' })).body;
  };
  const states = (): string =>
    world.alerting
      .open()
      .map(({ state }) => state)
      .join(' ');
  await world.evaluate(['a', 'b']);
  const id = world.sent[0]?.key ?? '';
  assert.equal(await call('mail', { id }), 'No alert was found for this answer.', 'another channel was not asked');
  assert.equal(await call('hook', { id: 'unknown' }), 'No alert was found for this answer.');
  assert.equal(await call('hook', { id }), 'Acknowledged 2 alerts.');
  assert.equal(states(), 'acknowledged acknowledged');
  await world.evaluate(['c'], { id: 'S', alertname: 'Other' });
  assert.equal(await call('hook', { code: replyCodeOf(world.sent.at(-1)?.key ?? '') }), 'Acknowledged 1 alert.');
  await world.evaluate([]);
  assert.equal(await call('hook', { id }), 'The alerts of this message are over already.');
  await assert.rejects(callbacks.called('nowhere', { headers: {}, body: '' }), { code: 'channel_not_found' });
});

it('a channel that can show it hears of the acknowledgement, in the thread of the first message, until the resolve', async (t) => {
  const world = await openWorld(t, { db: (await openSqliteForTest(t)).db, routing: { default: ['hook'] }, takesAcknowledgements: true });
  world.answer = () => ({ kind: 'delivered', receipt: 'ok', thread: 'T1' });
  const callbacks = callbacksOf(world);
  const told = () => world.sent.map(({ attempt }) => [attempt.reason, attempt.thread, attempt.cause]);
  await world.evaluate(['a', 'b']);
  const [first, second] = world.sent[0]?.message.alerts ?? [];
  const links = new AcknowledgeLinks('secret', URL);
  const follow = async (alertId = ''): Promise<void> => {
    await callbacks.follow(links.urlOf(alertId, 'hook', world.clock.now()).replace(`${URL}/acknowledge/`, ''));
    await world.advance(1_000);
  };
  await follow(first?.id);
  assert.equal(world.sent.length, 1, 'one of two is still unheard');
  await follow(second?.id);
  await follow(second?.id);
  await world.evaluate([]);
  world.clock.jump(600_000);
  await world.evaluate(['a']);
  assert.deepEqual(told(), [
    ['fired', undefined, 'first notification'],
    ['acknowledged', 'T1', 'acknowledged by the link sent to hook'],
    ['resolved', 'T1', 'all alerts resolved'],
    ['fired', undefined, 'first notification'],
  ]);
});
