import assert from 'node:assert/strict';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { describe, it, type TestContext } from 'node:test';
import { scopeOfTeams, visible } from '@nines/model/scope.ts';
import { FULL_SCOPE } from '@nines/model/storage.ts';
import { countingIds } from '../../../../test/harness/ids.ts';
import { recordingLogger } from '../../../../test/harness/logs.ts';
import { manualClock } from '../../../../test/harness/manual-clock.ts';
import { poll } from '../../../../test/harness/poll.ts';
import { createBus, type Fact } from '../bus.ts';
import type { Actor, Gate, Inside } from './contract.ts';
import { createHttp } from './server.ts';
import { serveStream } from './stream.ts';

const reader: Actor = { kind: 'token', id: '1', name: 'a', role: 'read-only', teamId: 'default', scope: FULL_SCOPE };
/** Services are named after their team. */
const inside: Inside = {
  labels: (scope, { service = '' }) => visible(scope, { team: service.replace(/-.*/, '') }),
  thing: async () => true,
};
type Message = { id: number; topic: string; type: string; at_ms: number; data: unknown };

async function make(t: TestContext, who = reader, limits?: { readonly all: number; readonly each: number }) {
  const clock = manualClock();
  const bus = createBus((thrown) => assert.fail(String(thrown)));
  const access = { open: true };
  const as = (id: unknown): Actor => (typeof id === 'string' ? { ...who, id } : who);
  const gate: Gate = { authenticate: async ({ headers }) => (access.open ? as(headers['x-as']) : undefined), allows: () => true };
  const http = await createHttp({ logger: recordingLogger(), ids: countingIds(), gate, hosts: 'any', version: '1', inside });
  const stream = serveStream(http, { bus, clock, gate, inside, ...(limits && { limits }) });
  await http.listen({ host: '127.0.0.1', port: 0 });
  t.after(async () => {
    await stream[Symbol.asyncDispose]();
    await http.close();
  });
  const { port } = http.server.address() as { port: number };
  const publish = (topic: Fact['topic'], data: unknown = {}): void =>
    bus.publish({ topic, type: 'thing.changed', atMs: clock.now(), data });
  const head = () => fetch(`http://127.0.0.1:${port}/api/stream`, { method: 'HEAD' });
  return { clock, access, stream, publish, head, open: (path = '', headers = {}) => openStream(t, port, { path, headers }) };
}

async function openStream(t: TestContext, port: number, ask: { path: string; headers: Record<string, string> }) {
  const state = { text: '', ended: false };
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const sent = httpRequest({ host: '127.0.0.1', port, path: `/api/stream${ask.path}`, headers: ask.headers }, resolve);
    sent.on('error', reject).end();
    t.after(() => sent.destroy());
  });
  response.on('data', (chunk: Buffer) => (state.text += chunk.toString()));
  response.on('close', () => (state.ended = true)).on('error', () => {});
  const messages = (): Message[] => [...state.text.matchAll(/^data: (.*)$/gm)].map(([, json]) => JSON.parse(json ?? '') as Message);
  return { state, response, messages, got: (count: number) => poll(`${count} messages`, () => messages().length >= count && messages()) };
}

describe('the live stream', () => {
  it('has places for many, and nobody takes all of them', async (t) => {
    const w = await make(t, reader, { all: 5, each: 2 });
    const as = (id: string) => w.open('', { 'x-as': id });
    const refusal = async (id: string) => {
      const { response, state } = await as(id);
      await poll('the whole answer', () => state.ended);
      return [response.statusCode, response.headers['retry-after'], (JSON.parse(state.text) as { detail: string }).detail];
    };
    const greedy = [await as('greedy'), await as('greedy')];
    await poll('both listen', () => w.stream.readers() === 2);
    assert.deepEqual(await refusal('greedy'), [429, '30', 'you have 2 live streams open; close some pages']);
    for (const id of ['ann', 'ben', 'cleo']) assert.equal((await as(id)).response.statusCode, 200, 'others are let in');
    assert.deepEqual(await refusal('dora'), [503, '30', '5 live streams are open, no more are taken; try again later']);
    greedy[0]?.response.destroy();
    await poll('the place is free', () => w.stream.readers() === 4);
    assert.equal((await as('dora')).response.statusCode, 200);
  });

  it('sends facts as messages with rising ids, to readers of their topic', async (t) => {
    const w = await make(t);
    const all = await w.open();
    const alerts = await w.open('?topics=alerts,slas');
    await poll('both listen', () => w.stream.readers() === 2);
    assert.equal(all.response.headers['content-type'], 'text/event-stream');
    assert.match(String(all.response.headers['content-security-policy']), /default-src/);
    w.publish('services', { id: 'shop' });
    w.publish('alerts');
    const [first, second] = await all.got(2);
    assert.deepEqual({ ...first, id: 0 }, { id: 0, topic: 'services', type: 'thing.changed', at_ms: w.clock.now(), data: { id: 'shop' } });
    assert.equal(second?.id, (first?.id ?? 0) + 1);
    assert.deepEqual(
      (await alerts.got(1)).map((message) => message.topic),
      ['alerts'],
    );
  });

  it('replays what a returning reader missed, and nothing when it missed nothing', async (t) => {
    const w = await make(t);
    const first = await w.open();
    await poll('it listens', () => w.stream.readers() === 1);
    for (let i = 0; i < 3; i++) w.publish('checks', i);
    const seen = await first.got(3);
    const back = await w.open('', { 'last-event-id': String(seen[0]?.id) });
    assert.deepEqual(
      (await back.got(2)).map((message) => message.data),
      [1, 2],
    );
    const current = await w.open('', { 'last-event-id': String(seen[2]?.id) });
    w.publish('checks', 3);
    assert.deepEqual(
      (await current.got(1)).map((message) => message.data),
      [3],
    );
  });

  it('says resync to a reader whose last id it no longer or not yet knows', async (t) => {
    const w = await make(t);
    for (const id of ['1', String(Number.MAX_SAFE_INTEGER), 'nonsense']) {
      const stream = await w.open('', { 'last-event-id': id });
      assert.deepEqual(
        (await stream.got(1)).map((message) => message.type),
        ['resync'],
        id,
      );
    }
    for (let i = 0; i < 2_001; i++) w.publish('checks', i);
    const [oldest] = await (await w.open('', { 'last-event-id': String(w.clock.now() * 1000) })).got(1);
    assert.equal(oldest?.type, 'resync');
    const [replayed] = await (await w.open('', { 'last-event-id': String(w.clock.now() * 1000 + 1) })).got(2_000);
    assert.equal(replayed?.data, 1);
  });

  it('keeps silent connections alive and ends those whose credential was revoked', async (t) => {
    const w = await make(t);
    const stream = await w.open();
    await poll('it listens', () => w.stream.readers() === 1);
    await w.clock.advance(15_000);
    await poll('the heartbeat came', () => stream.state.text.includes(': still here'));
    w.access.open = false;
    await w.clock.advance(15_000);
    await poll('the stream ended', () => stream.state.ended);
  });

  it('cuts off a reader that does not read', async (t) => {
    const w = await make(t);
    const stream = await w.open();
    await poll('it listens', () => w.stream.readers() === 1);
    stream.response.pause();
    const big = 'x'.repeat(256 * 1024);
    await poll('it is dropped', () => {
      w.publish('metrics', big);
      return w.stream.readers() === 0;
    });
  });

  it('attack: a problem that names the service of others as its cause is told to nobody who may not know of that service', async (t) => {
    const w = await make(t, { ...reader, scope: scopeOfTeams(['shop']) });
    const stream = await w.open();
    await poll('it listens', () => w.stream.readers() === 1);
    const problem = (subject: string) => ({
      services: ['shop-web'],
      causes: [{ kind: 'service', subject }],
      title: `${subject}: 2 alerts`,
    });
    w.publish('problems', problem('bank-database'));
    w.publish('problems', problem('shop-database'));
    const [first] = await stream.got(1);
    assert.deepEqual(first?.data, problem('shop-database'));
  });

  it('opens nothing for a HEAD', async (t) => {
    const w = await make(t);
    assert.equal((await w.head()).status, 404);
    assert.equal(w.stream.readers(), 0);
  });

  it('refuses unknown topics and names the known ones', async (t) => {
    const w = await make(t);
    const stream = await w.open('?topics=alerts,wether');
    await poll('the answer ended', () => stream.state.ended);
    assert.equal(stream.response.statusCode, 400);
    assert.match(stream.state.text, /unknown topic \\"wether\\"/);
  });
});
