import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openSqliteForTest } from '../../../../test/harness/databases.ts';
import { countingIds } from '../../../../test/harness/ids.ts';
import { silentLogger } from '../../../../test/harness/logs.ts';
import { manualClock } from '../../../../test/harness/manual-clock.ts';
import { createBus } from '../../platform/bus.ts';
import type { Db } from '../../platform/db/open.ts';
import type { OutboundOptions } from '../../platform/fetch/outbound.ts';
import { createTestSecrets } from '../../platform/secrets/testing/secrets.ts';
import { channelsConfig, routingConfig } from '../config.ts';
import type { ChannelDeps } from '../kind.ts';
import type { NotifySettings } from '../service.ts';
import { DraftChannel } from './draft.ts';
import { channelKinds } from './form.ts';
import { Channels, type FileChannels } from './service.ts';
import { readChannel, shownChannel } from './written.ts';

type Asked = { readonly url: string; readonly options: OutboundOptions };
const LABELS = { alertname: 'HighLatency', service: 'shop' };

/** Channels on this database; what they ask for is remembered and answered with 200. */
async function open(db: Db, secrets = createTestSecrets(), written: { channels?: unknown; routing?: unknown } = {}) {
  const asked: Asked[] = [];
  const put: NotifySettings[] = [];
  const shared = {
    clock: manualClock(),
    ids: countingIds(),
    logger: silentLogger,
    bus: createBus(() => {}),
    externalUrl: 'http://nines.example',
  };
  const request = async (url: string, options: OutboundOptions) => {
    asked.push({ url, options });
    return { status: 200, headers: {}, body: Buffer.from('ok') };
  };
  const ways = { ...shared, request } as unknown as ChannelDeps;
  const file = ({ channels = [], routing = {} }: typeof written): FileChannels => ({
    config: { channels: channelsConfig.parse(channels), routing: routingConfig.parse(routing) },
    place: ([section, index]) => `nines.yml:${String(section)}:${String(index)}`,
  });
  const book = new Channels({ ...shared, db: db.kysely, secrets, ways, onChange: (settings) => void put.push(settings) }, file(written));
  await book.load();
  return { book, asked, put, file, secrets };
}

const HOOK = {
  id: 'chat',
  kind: 'webhook',
  url: 'https://chat.example/hooks/canary-path',
  secret: 'canary-secret',
  headers: { 'x-key': 'canary-key' },
};
const draft = (written: object): DraftChannel => new DraftChannel({ ...written });
const refused = (message: RegExp) => (thrown: unknown) => thrown instanceof Error && message.test(thrown.message);
const signal = new AbortController().signal;

test('a channel that is made works at once, takes what no other route takes, and its secrets stand sealed and are never shown', async (t) => {
  const { db } = await openSqliteForTest(t);
  const { book, put, secrets } = await open(db);
  assert.deepEqual(book.settings().router(LABELS), []);
  const made = await book.create(draft(HOOK), true);
  assert.deepEqual(
    put
      .at(-1)
      ?.router(LABELS)
      .map(({ channel }) => channel),
    ['chat'],
  );
  assert.deepEqual(book.routed(LABELS).channels, [['chat']]);
  assert.ok(book.mailer('chat') !== undefined);
  assert.equal(made.origin, 'ui');
  assert.deepEqual(made.channel['headers'], { 'x-key': '[redacted]' });
  assert.equal(made.channel['url'], 'https://chat.example/[redacted]');
  assert.doesNotMatch(JSON.stringify(made), /canary/);
  const { spec } = await db.kysely.selectFrom('entities').select('spec').where('kind', '=', 'channel').executeTakeFirstOrThrow();
  assert.doesNotMatch(spec, /canary/);
  const again = await open(db, secrets);
  assert.deepEqual(
    again.book
      .settings()
      .router(LABELS)
      .map(({ channel }) => channel),
    ['chat'],
  );
  const other = await open(db);
  assert.match(
    other.book
      .listed([])
      .map(({ fault }) => fault)
      .join(),
    /cannot be read/,
  );
  assert.deepEqual(other.book.settings().router(LABELS), []);
});

test('what is sent as it was shown keeps its secrets, unless the address is another one', async (t) => {
  const { db } = await openSqliteForTest(t);
  const { book, asked } = await open(db);
  const { channel, revision } = await book.create(draft(HOOK), false);
  const saved = await book.update('chat', { draft: draft({ ...channel, max_alerts: 5 }), takesRest: false, revision });
  assert.equal(saved.revision, revision + 1);
  const delivery = await book.tryOut(draft(channel), 'chat', { by: 'anne', signal });
  assert.equal(delivery.kind, 'delivered');
  assert.equal(asked[0]?.url, HOOK.url);
  assert.equal(asked[0]?.options.headers?.['x-key'], 'canary-key');
  assert.equal(asked[0]?.options.trust, 'administrator');
  await assert.rejects(book.update('chat', { draft: draft(channel), takesRest: false, revision }), refused(/revision|changed/i));
  const elsewhere = { ...channel, url: 'https://evil.example/' };
  await assert.rejects(
    book.update('chat', { draft: draft(elsewhere), takesRest: false, revision: undefined }),
    refused(/the address has changed/),
  );
  await assert.rejects(book.tryOut(draft(elsewhere), 'chat', { by: 'anne', signal }), refused(/the address has changed/));
  await assert.rejects(book.create(draft({ ...channel, id: 'copy' }), false), refused(/write it anew/));
});

test('an address that lets somebody in stands sealed and is shown without that, whatever kind of channel it belongs to', async (t) => {
  const { db } = await openSqliteForTest(t);
  const { book, asked } = await open(db);
  const at = (path = '') => `https://canary-user:canary-password@gate.example${path}?token=canary-token`;
  const kinds: readonly (readonly [object, string, string])[] = [
    [{ kind: 'opsgenie', api_key: 'k', api_url: at() }, 'api_url', 'https://[redacted]@gate.example/?[redacted]'],
    [{ kind: 'slack', token: 'k', channel: '#a', api_url: at('/api') }, 'api_url', 'https://[redacted]@gate.example/api?[redacted]'],
    [{ kind: 'telegram', bot_token: 'k', chat_id: '1', api_url: at() }, 'api_url', 'https://[redacted]@gate.example/?[redacted]'],
    [{ kind: 'pagerduty', routing_key: 'k', url: at('/v2') }, 'url', 'https://[redacted]@gate.example/v2?[redacted]'],
    [{ kind: 'sms', from: 'A', to: '+4930123456', http: { url: at('/send') } }, 'http.url', 'https://gate.example/[redacted]'],
    [
      { kind: 'sms', from: 'A', to: '+4930123456', twilio: { account_sid: 'A', auth_token: 'k', api_url: at() } },
      'twilio.api_url',
      'https://[redacted]@gate.example/?[redacted]',
    ],
  ];
  for (const [index, [written, path, shown]] of kinds.entries()) {
    const { channel } = await book.create(draft({ id: `c${index}`, ...written }), false);
    const found = path.split('.').reduce<unknown>((inner, key) => (inner as Record<string, unknown>)[key], channel);
    assert.equal(found, shown, path);
    assert.doesNotMatch(JSON.stringify(channel), /canary/);
  }
  for (const { spec } of await db.kysely.selectFrom('entities').select('spec').where('kind', '=', 'channel').execute())
    assert.doesNotMatch(spec, /canary|gate\.example/);
  // What is sent as it was shown stays as it was, and goes to the same place.
  const { channel } = book.get('c0');
  await book.update('c0', { draft: draft({ ...channel, teams: ['night'] }), takesRest: false, revision: undefined });
  await book.tryOut(draft(book.get('c0').channel), 'c0', { by: 'anne', signal });
  assert.match(asked[0]?.url ?? '', /canary-user:canary-password@gate\.example/);
  const { channel: usual } = await book.create(draft({ id: 'usual', kind: 'slack', token: 'k', channel: '#a' }), false);
  assert.equal(usual['api_url'], 'https://slack.com/api', 'one that holds no secret is shown whole');
});

test('the file is the file’s: its channels are not changed here, and an id that it declares is its own', async (t) => {
  const { db } = await openSqliteForTest(t);
  const { book, file } = await open(db, createTestSecrets(), {
    channels: [{ id: 'mail', kind: 'log' }],
    routing: { tree: { receiver: 'mail' } },
  });
  await assert.rejects(book.create(draft({ id: 'mail', kind: 'log' }), false), refused(/there is a channel "mail" already/));
  await assert.rejects(book.remove('mail', []), refused(/declared in nines.yml:channels:0/));
  await book.create(draft({ id: 'own', kind: 'log' }), true);
  const channelsOf = () =>
    book
      .settings()
      .router(LABELS)
      .map(({ channel }) => channel);
  assert.deepEqual(channelsOf(), ['mail', 'own'], 'beside the receiver of the root');
  book.prepare(file({ channels: [{ id: 'own', kind: 'log' }], routing: { default: [] } }))();
  assert.equal(book.get('own').origin, 'nines.yml:channels:0');
  assert.deepEqual(channelsOf(), []);
  book.prepare(file({}))();
  assert.deepEqual(channelsOf(), ['own']);
  await assert.rejects(book.remove('own', ['the escalation policy Night']), refused(/in use: the escalation policy Night/));
  await book.remove('own', []);
  assert.throws(() => book.get('own'), refused(/there is no channel own/));
});

test('what a channel cannot be is refused at its field', async (t) => {
  const { db } = await openSqliteForTest(t);
  const { book } = await open(db);
  const made = (written: object) => book.create(draft(written), false);
  await assert.rejects(
    made({ id: 'run', kind: 'command', command: ['/bin/sh'] }),
    refused(/stands in the configuration file alone: it runs a program/),
  );
  await assert.rejects(made({ id: 'hook', kind: 'webhook' }), refused(/^url: is needed$/));
  await assert.rejects(made({ id: 'hook', kind: 'webhook', url: 'ftp://x' }), refused(/^url: write an http/));
  await assert.rejects(made({ id: 'a', kind: 'log', failover: 'b' }), refused(/^failover: no channel has the id "b"/));
  await assert.rejects(made({ id: 'a b', kind: 'log' }), refused(/^id: write letters/));
  assert.doesNotMatch(JSON.stringify({ body: draft(HOOK) }), /canary/);
});

test('each kind says which fields it takes, and a channel of those fields is shown and read as it was', () => {
  const kinds = new Map(channelKinds().map(({ kind, fields }) => [kind, fields]));
  assert.ok(!kinds.has('command') && !kinds.has('console'));
  const typeOf = (kind: string, path: string) => kinds.get(kind)?.find((field) => field.path === path)?.type;
  assert.equal(typeOf('email', 'password'), 'secret');
  assert.equal(typeOf('teams', 'webhook_url'), 'secret');
  assert.equal(typeOf('discord', 'webhook_url'), 'secret');
  assert.equal(typeOf('webhook', 'headers'), 'pairs');
  assert.equal(typeOf('email', 'tls'), 'choice');
  assert.equal(typeOf('sms', 'http.reply_token'), 'secret');
  const read = readChannel(
    { id: 'm', kind: 'email', host: 'smtp.example', password: 'x', from: 'a@b.example', to: 'c@d.example', timeout: '5s' },
    undefined,
  );
  assert.ok(read.ok);
  const again = readChannel(shownChannel(read.value), read.value);
  assert.deepEqual(again, read);
});
