import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { after, test, type TestContext } from 'node:test';
import {
  type AnyCheck,
  attempt,
  Authority,
  babbler,
  closedPort,
  faultsOf,
  listen,
  said,
  silent,
} from '../../../../../test/harness/checks.ts';
import { poll } from '../../../../../test/harness/poll.ts';

const authority = new Authority();
after(() => authority[Symbol.dispose]());

/** What a server puts on the wire: frames of up to 125 bytes, unmasked. */
const frame = (opcode: number, text: string, last = true): Buffer =>
  Buffer.concat([Buffer.from([(last ? 0x80 : 0) | opcode, Buffer.byteLength(text)]), Buffer.from(text)]);

type Speak = (text: string, request: IncomingMessage) => readonly Buffer[];

/**
 * A server that speaks the protocol as far as these tests need it; the first test holds it against Node's own client. It says what
 * `speak` returns for '' at the beginning, and for each message of the client (of up to 125 bytes) after that.
 */
function chatty<S extends Server>(server: S, speak: Speak, accept = (key: string) => key): S {
  server.on('upgrade', (request: IncomingMessage, socket) => {
    socket.on('error', () => {});
    const key = accept(
      createHash('sha1').update(`${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64'),
    );
    const chosen = request.headers['sec-websocket-protocol'];
    const protocol = chosen === undefined || chosen === 'unknown' ? '' : `Sec-WebSocket-Protocol: ${chosen}\r\n`;
    const head = `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${key}\r\n${protocol}\r\n`;
    socket.write(Buffer.concat([Buffer.from(head), ...speak('', request)]));
    socket.on('data', (bytes: Buffer) => {
      if ((bytes.readUInt8(0) & 0x0f) === 8) return void socket.end(frame(8, ''));
      const mask = bytes.subarray(2, 6);
      const length = bytes.readUInt8(1) & 0x7f;
      const text = Buffer.from(bytes.subarray(6, 6 + length).map((byte, index) => byte ^ mask.readUInt8(index & 3))).toString();
      for (const one of speak(text, request)) socket.write(one);
    });
  });
  return server;
}

const room = (t: TestContext, speak: Speak, accept?: (key: string) => string): Promise<number> =>
  listen(
    t,
    chatty(
      createServer((_request, response) => response.writeHead(404).end()),
      speak,
      accept,
    ),
  );

type Websocket = Extract<AnyCheck, { kind: 'websocket' }>;
const check = (port: number, more: Partial<Websocket> = {}): Websocket => ({
  kind: 'websocket',
  url: `ws://127.0.0.1:${port}/live?x=1`,
  timeout: '5s',
  ...more,
});
const echo: Speak = (text) => (text === '' ? [] : [frame(1, `you said ${text}`)]);

test('the server of these tests is one to a client that is not ours', async (t) => {
  const port = await room(t, echo);
  const client = new WebSocket(`ws://127.0.0.1:${port}/`);
  const heard: string[] = [];
  client.onopen = () => client.send('hello');
  client.onmessage = ({ data }) => void heard.push(String(data));
  await poll('an echo', () => heard.includes('you said hello'));
  client.close();
});

test('a server that switches is up; a message is sent and its answer expected where the check says so', async (t) => {
  const port = await room(t, echo);
  const bare = await attempt(check(port));
  assert.deepEqual([said(bare), bare.statusCode], ['up', 101]);
  const answered = check(port, { send: 'hello', expect: { message_contains: 'hello', message_matches: '^you' } });
  assert.equal(said(await attempt(answered)), 'up');
  const secure = await listen(t, chatty(createSecureServer(authority.issue({ days: 5 })), echo));
  const over = (more: Partial<Websocket>): Websocket =>
    check(secure, { url: `wss://localhost:${secure}/`, tls: { ca: authority.cert }, ...more });
  assert.equal(said(await attempt(over({ send: 'a', expect: { message_contains: 'a' } }))), 'up');
  assert.match(said(await attempt(over({ certificate_valid_for: '14d' }))), /^degraded certificate_expiry/);
  assert.match(said(await attempt(over({ tls: {} }))), /^down certificate/);
});

test('fragments, pings and other messages on the way to the expected one are taken as they come', async (t) => {
  const seen: string[] = [];
  const port = await room(t, (text, request) => {
    seen.push(text, request.headers.authorization ?? '');
    if (text !== '') return [];
    return [frame(1, 'welcome'), frame(1, 'rea', false), frame(9, 'p'), frame(0, 'dy')];
  });
  const headers = { Authorization: 'Bearer t' };
  assert.equal(said(await attempt(check(port, { headers, expect: { message_matches: '^ready$' } }))), 'up');
  await poll('the answer to the ping', () => seen.includes('p'));
  assert.deepEqual(seen.slice(0, 4), ['', 'Bearer t', 'p', 'Bearer t']);
});

test('a server that does not switch, answers something else, closes or says nothing is down', async (t) => {
  const f = async (port: number, more: Partial<Websocket> = {}): Promise<string> => said(await attempt(check(port, more)));
  const expect = { message_contains: 'ready' };
  assert.match(await f(await closedPort()), /^down connection_refused/);
  assert.match(await f(await silent(t), { timeout: '300ms' }), /^down timeout/);
  assert.match(await f(await babbler(t, 'hello\r\n')), /^down bad_answer/);
  const site = await listen(
    t,
    createServer((_request, response) => response.writeHead(403).end()),
  );
  assert.equal(await f(site), 'down status: status 403, expected 101');
  assert.match(await f(await room(t, echo, (key) => key.toLowerCase())), /^down bad_answer: .*Sec-WebSocket-Accept/);
  const closes = await room(t, () => [Buffer.concat([Buffer.from([0x88, 4, 0x03, 0xf3]), Buffer.from('no')])]);
  assert.equal(await f(closes, { expect }), 'down connection_closed: the server closed the connection with 1011: no');
  const wrong = await attempt(check(await room(t, () => [frame(1, 'starting')]), { expect, timeout: '300ms' }));
  assert.match(said(wrong), /^down timeout/);
  assert.equal(wrong.excerpt, 'starting');
  const huge = await room(t, () => [Buffer.from([0x82, 127, 0, 0, 0, 1, 0, 0, 0, 0])]);
  assert.match(await f(huge, { expect }), /^down bad_answer: .* answered with more than/);
  const masked = await room(t, () => [Buffer.from([0x81, 0x81, 0, 0, 0, 0, 65])]);
  assert.equal(await f(masked, { expect }), 'down bad_answer: a frame of the server is masked');
  const port = await room(t, echo);
  assert.equal(await f(port, { subprotocol: 'chat' }), 'up');
  assert.equal(await f(port, { subprotocol: 'unknown' }), 'down subprotocol: the server chose subprotocol none, expected unknown');
});

test('a slow answer is degraded', async (t) => {
  const server = createServer();
  server.on('upgrade', (request, socket) => void setTimeout(() => slow.emit('upgrade', request, socket), 120));
  const slow = chatty(createServer(), echo);
  assert.match(said(await attempt(check(await listen(t, server), { degraded_after: '100ms' }))), /^degraded slow/);
});

test('addresses are checked when they are read', () => {
  assert.match(faultsOf({ kind: 'websocket', url: 'http://h/' }), /^url: not a ws or wss address/);
  assert.match(faultsOf({ kind: 'websocket', url: 'ws://u:p@h/' }), /^url: a password in the address/);
});
