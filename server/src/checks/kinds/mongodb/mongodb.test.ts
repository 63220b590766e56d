import assert from 'node:assert/strict';
import { createServer, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { after, test, type TestContext } from 'node:test';
import {
  type AnyCheck,
  attempt,
  Authority,
  babbler,
  closedPort,
  listen,
  said,
  silent,
  slowly,
  TOO_SLOW,
} from '../../../../../test/harness/checks.ts';
import { decodeDocument, encodeDocument } from './bson.ts';

const authority = new Authority();
after(() => authority[Symbol.dispose]());

type Mongodb = Extract<AnyCheck, { kind: 'mongodb' }>;
const check = (port: number, more: Partial<Mongodb> = {}): Mongodb => ({
  kind: 'mongodb',
  address: `127.0.0.1:${port}`,
  timeout: '5s',
  ...more,
});

const element = (type: number, name: string, value: Buffer): Buffer => Buffer.concat([Buffer.of(type), Buffer.from(`${name}\0`), value]);
const document = (...elements: readonly Buffer[]): Buffer => {
  const body = Buffer.concat(elements);
  const length = Buffer.alloc(4);
  length.writeInt32LE(body.length + 5);
  return Buffer.concat([length, body, Buffer.of(0)]);
};
const double = (value: number): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return bytes;
};
const string = (text: string): Buffer => encodeDocument({ a: text }).subarray(7, -1);
const flag = (name: string, value: boolean): Buffer => element(8, name, Buffer.of(value ? 1 : 0));

type Member = { readonly primary: boolean; readonly secondary: boolean; readonly set?: string; readonly errmsg?: string };

/** What mongod 7 answers to `hello`, with elements of every type that it uses. */
function helloOf({ primary, secondary, set, errmsg }: Member): Buffer {
  if (errmsg !== undefined) {
    return document(element(1, 'ok', double(0)), element(2, 'errmsg', string(errmsg)), element(16, 'code', Buffer.of(13, 0, 0, 0)));
  }
  return document(
    element(3, 'topologyVersion', document(element(7, 'processId', Buffer.alloc(12)), element(18, 'counter', Buffer.alloc(8)))),
    element(4, 'hosts', document(element(2, '0', string('a:27017')))),
    ...(set === undefined ? [] : [element(2, 'setName', string(set))]),
    flag('isWritablePrimary', primary),
    flag('secondary', secondary),
    element(9, 'localTime', Buffer.alloc(8)),
    element(17, 'operationTime', Buffer.alloc(8)),
    element(5, 'hash', Buffer.concat([Buffer.of(2, 0, 0, 0, 0), Buffer.alloc(2)])),
    element(1, 'ok', double(1)),
  );
}

/** Speaks OP_MSG as mongod does; Debian has no MongoDB server. Answers only a `hello` for the database `admin`. */
const answering =
  (member: Member) =>
  (socket: Socket): void => {
    socket.on('error', () => {});
    socket.on('data', (asked) => {
      const fields = decodeDocument(asked.subarray(21));
      if (asked.readInt32LE(12) !== 2013 || fields?.get('hello') !== 1 || fields.get('$db') !== 'admin') return void socket.destroy();
      const body = helloOf(member);
      const head = Buffer.alloc(21);
      head.writeInt32LE(21 + body.length, 0);
      head.writeInt32LE(99, 4);
      head.writeInt32LE(asked.readInt32LE(4), 8);
      head.writeInt32LE(2013, 12);
      const whole = Buffer.concat([head, body]);
      socket.write(whole.subarray(0, 30));
      setImmediate(() => socket.write(whole.subarray(30)));
    });
  };
const fakeMongod = (t: TestContext, member: Member): Promise<number> => listen(t, createServer(answering(member)));
const ALONE: Member = { primary: true, secondary: false };

test('a server that answers hello is up, in plain text and over TLS', async (t) => {
  const plain = await attempt(check(await fakeMongod(t, ALONE)));
  assert.deepEqual([said(plain), plain.tls], ['up', undefined]);
  assert.match(said(await attempt(check(await slowly(t, await fakeMongod(t, ALONE)), TOO_SLOW))), /^degraded slow: /);
  const secure = await listen(t, createTlsServer(authority.issue({ days: 10 }), answering(ALONE)));
  const more = { encryption: 'tls', tls: { ca: authority.cert } } as const;
  assert.equal(said(await attempt(check(secure, more))), 'up');
  assert.match(said(await attempt(check(secure, { ...more, certificate_valid_for: '14d' }))), /^degraded certificate_expiry/);
  assert.match(said(await attempt(check(secure, { encryption: 'tls' }))), /^down certificate: /);
});

test('a member that is not what it should be is down', async (t) => {
  const asked = async (member: Member, more: Partial<Mongodb>): Promise<string> =>
    said(await attempt(check(await fakeMongod(t, member), more)));
  const secondary: Member = { primary: false, secondary: true, set: 'rs0' };
  assert.equal(await asked(secondary, { role: 'secondary', replica_set: 'rs0' }), 'up');
  assert.equal(await asked(secondary, { role: 'primary' }), 'down role: the server is secondary, expected primary');
  assert.equal(await asked(secondary, { replica_set: 'rs1' }), 'down replica_set: in the replica set "rs0", expected "rs1"');
  assert.equal(await asked(ALONE, { replica_set: 'rs1' }), 'down replica_set: in no replica set, expected "rs1"');
  const starting: Member = { primary: false, secondary: false, set: 'rs0' };
  assert.equal(await asked(starting, {}), 'down role: the server is neither primary nor secondary, expected one of them');
  const refusing: Member = { ...ALONE, errmsg: 'not allowed here' };
  assert.equal(await asked(refusing, {}), 'down server_error: not allowed here (code 13)');
});

test('a server that is gone, silent or no MongoDB is down', async (t) => {
  assert.match(said(await attempt(check(await closedPort()))), /^down connection_refused/);
  assert.match(said(await attempt(check(await silent(t), { timeout: '300ms' }))), /^down timeout: .*waiting for the first byte$/);
  assert.match(
    said(await attempt(check(await babbler(t, 'HTTP/1.1 400 Bad Request\r\n')))),
    /^down bad_answer: .* did not answer as MongoDB/,
  );
  assert.match(said(await attempt(check(await babbler(t, 'short')))), /^down connection_closed/);
});

test('bytes that are no document are told from one', () => {
  const whole = helloOf(ALONE);
  assert.deepEqual(decodeDocument(whole)?.get('isWritablePrimary'), true);
  for (let cut = 0; cut < whole.length; cut++) assert.equal(decodeDocument(whole.subarray(0, cut)), undefined);
  assert.equal(decodeDocument(document(element(2, 'a', Buffer.of(255, 255, 255, 127, 0)))), undefined);
});
