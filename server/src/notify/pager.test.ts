import assert from 'node:assert/strict';
import { it } from 'node:test';
import { openSqliteForTest } from '../../../test/harness/databases.ts';
import { silentLogger } from '../../../test/harness/logs.ts';
import { AcknowledgeLinks } from './acknowledge-links.ts';
import { Callbacks } from './callbacks.ts';
import { recipientFault } from './channels.ts';
import { channelsConfig } from './config.ts';
import { replyCodeOf } from './sms/sms.ts';
import { attemptOf, openOne, startProvider } from './testing/provider.ts';
import { type World, openWorld } from './testing/world.ts';

const SMS = { kind: 'sms', http: { url: 'http://127.0.0.1:1', reply_token: 't' }, from: 'Nines', to: '+4930123456', replies: true };

async function pageAll(world: World, pages: readonly { readonly channel: string; readonly to?: string }[]): Promise<void> {
  const [alert] = world.alerting.open();
  assert.ok(alert !== undefined);
  await world.db.kysely.transaction().execute(async (trx) => {
    for (const page of pages) {
      await world.notify.page(trx, { ...page, alert, thread: `escalation ${alert.id}`, reason: 'escalation', cause: 'level 2' });
    }
  });
  await world.advance(1_000);
}

it('a page reaches the one recipient where the kind takes an address, and its own recipients where it takes none', async (t) => {
  const world = await openWorld(t, { db: (await openSqliteForTest(t)).db, routing: {}, channels: { mail: SMS } });
  await world.evaluate(['a']);
  await pageAll(world, [
    { channel: 'mail', to: '+15550002' },
    { channel: 'mail' },
    { channel: 'hook', to: '+15550002' },
    { channel: 'gone' },
  ]);
  assert.deepEqual(
    world.sent.map(({ attempt, message }) => [message.receiver, attempt.to, attempt.reason, attempt.cause]),
    [
      ['mail', '+15550002', 'escalation', 'level 2'],
      ['mail', undefined, 'escalation', 'level 2'],
      ['hook', undefined, 'escalation', 'level 2'],
    ],
  );
});

it('what is too much for a channel is bundled for each recipient', async (t) => {
  const channels = { mail: { ...SMS, rate_limit: { messages: 1, per: '5m' } } };
  const world = await openWorld(t, { db: (await openSqliteForTest(t)).db, routing: {}, channels });
  await world.evaluate(['a']);
  const to = ['+15550001', '+15550002', '+15550001', '+15550002', '+15550001', '+15550002'];
  await pageAll(
    world,
    to.map((one) => ({ channel: 'mail', to: one })),
  );
  const bundles = await world.db.kysely.selectFrom('notify_bundles').select('recipient').orderBy('recipient').execute();
  assert.deepEqual(
    bundles.map(({ recipient }) => recipient),
    ['+15550001', '+15550002'],
  );
  await world.advance(1_200_000);
  const told = new Set(world.sent.map(({ attempt }) => attempt.to));
  assert.deepEqual(told, new Set(['+15550001', '+15550002']));
  assert.equal((await world.db.kysely.selectFrom('notifications').select('id').where('status', '=', 'queued').execute()).length, 0);
});

it('who was paged by an address of their own answers with the code; a stranger who knows it does not', async (t) => {
  const world = await openWorld(t, { db: (await openSqliteForTest(t)).db, routing: {}, channels: { mail: SMS } });
  await world.evaluate(['a']);
  await pageAll(world, [{ channel: 'mail', to: '+15550002' }]);
  const key = world.sent[0]?.key ?? '';
  const callbacks = new Callbacks({
    db: world.db.kysely,
    clock: world.clock,
    logger: silentLogger,
    links: new AcknowledgeLinks('secret', 'http://nines.example'),
    alerting: world.alerting,
    channels: () => world.notify.openChannels(),
  });
  // The world's channels only remember; the door is that of the real kind.
  const door = world.notify.openChannels().get('mail')?.channel;
  assert.ok(door !== undefined);
  const { called } = openOne(t, SMS);
  assert.ok(called !== undefined);
  door.called = called;
  const answer = async (from: string) => {
    const body = JSON.stringify({ from, text: `ok ${replyCodeOf(key)}` });
    return (await callbacks.called('mail', { headers: { authorization: 'Bearer t' }, body })).body;
  };
  assert.equal(await answer('+15559999'), '{"text":""}');
  assert.equal(world.alerting.open()[0]?.state, 'firing');
  assert.match(await answer('+15550002'), /Acknowledged 1 alert/);
  assert.equal(world.alerting.open()[0]?.acknowledged_by, '+15550002 (SMS)');
});

it('mail, text messages, Telegram and Slack are sent to the address that the attempt names', async (t) => {
  const provider = await startProvider(t);
  const said = async (config: Record<string, unknown>, to: string): Promise<string> => {
    provider.got.length = 0;
    await openOne(t, config).deliver({ ...attemptOf(), to });
    return provider.got[0]?.body ?? '';
  };
  assert.match(await said({ ...SMS, http: { url: provider.url, reply_token: 't' } }, '+15550002'), /"to":"\+15550002"/);
  assert.match(await said({ kind: 'telegram', bot_token: '1:x', chat_id: -100, api_url: provider.url }, '42'), /"chat_id":"42"/);
  assert.match(
    await said({ kind: 'slack', token: 'xoxb-1', channel: '#ops', api_url: provider.url }, 'U012AB3CD'),
    /"channel":"U012AB3CD"/,
  );
});

it('says what is wrong with an address for its channel', () => {
  const written = [
    { id: 'sms', ...SMS },
    { id: 'hook', kind: 'webhook', url: 'http://127.0.0.1:1' },
    { id: 'mail', kind: 'email', host: 'mx', from: 'a@b.example', to: 'c@d.example' },
  ];
  const [sms, hook, mail] = channelsConfig.parse(written);
  assert.ok(sms !== undefined && hook !== undefined && mail !== undefined);
  assert.equal(recipientFault(sms, '+15550002'), undefined);
  assert.match(recipientFault(sms, 'anne') ?? '', /write a number with its country/);
  assert.match(recipientFault(mail, 'anne') ?? '', /write a mail address/);
  assert.match(recipientFault(hook, 'anne') ?? '', /a channel of kind webhook takes no address of its own/);
});
