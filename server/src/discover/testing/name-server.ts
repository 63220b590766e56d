import { createSocket } from 'node:dgram';
import { once } from 'node:events';

const TYPES: Readonly<Record<number, string>> = { 1: 'A', 2: 'NS', 15: 'MX', 28: 'AAAA', 33: 'SRV' };
const RCODES = { ok: 0, serverFailure: 2, noSuchName: 3 };

export type Records = Readonly<Record<string, readonly (string | { readonly port: number; readonly target: string })[]>>;
export type NameServer = AsyncDisposable & {
  readonly address: string;
  /** Answers every question with SERVFAIL. */
  fail(failing: boolean): void;
};

/** A name server on UDP (RFC 1035) that answers from `records`, whose keys are `TYPE name` and which may be changed meanwhile. */
export async function startNameServer(records: Records): Promise<NameServer> {
  const socket = createSocket('udp4');
  let failing = false;
  socket.on('message', (query, from) => socket.send(answerTo(query, records, failing), from.port, from.address));
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return {
    address: `127.0.0.1:${socket.address().port}`,
    fail: (now) => {
      failing = now;
    },
    [Symbol.asyncDispose]: async () => {
      const closed = once(socket, 'close');
      socket.close();
      await closed;
    },
  };
}

function answerTo(query: Buffer, records: Records, failing: boolean): Buffer {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  const question = query.subarray(12, at + 5);
  const type = query.readUInt16BE(at + 1);
  const name = labels.join('.').toLowerCase();
  const found = failing ? [] : (records[`${TYPES[type]} ${name}`] ?? []);
  const exists = Object.keys(records).some((key) => key.endsWith(` ${name}`));
  const header = Buffer.alloc(12);
  query.copy(header, 0, 0, 2);
  header.writeUInt16BE(0x8180 | (failing ? RCODES.serverFailure : exists ? RCODES.ok : RCODES.noSuchName), 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(found.length, 6);
  return Buffer.concat([header, question, ...found.map((one) => record(type, dataOf(type, one)))]);
}

/** The name of the question (by reference), its type, class IN, a minute to live. */
function record(type: number, data: Buffer): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt16BE(0xc00c, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt32BE(60, 6);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}

function dataOf(type: number, value: Records[string][number]): Buffer {
  const text = typeof value === 'string' ? value : value.target;
  if (type === 1) return Buffer.from(text.split('.').map(Number));
  if (type === 28) return addressOf(text);
  const name = Buffer.concat([
    ...text.split('.').map((label) => Buffer.from(`${String.fromCharCode(label.length)}${label}`)),
    Buffer.of(0),
  ]);
  if (type === 15) return Buffer.concat([Buffer.of(0, 10), name]);
  if (typeof value === 'string') return name;
  const front = Buffer.alloc(6);
  front.writeUInt16BE(value.port, 4);
  return Buffer.concat([front, name]);
}

/** Only `x::y`, which is all the tests write. */
function addressOf(text: string): Buffer {
  const [first = '0', last = '0'] = text.split('::');
  const bytes = Buffer.alloc(16);
  bytes.writeUInt16BE(Number.parseInt(first, 16), 0);
  bytes.writeUInt16BE(Number.parseInt(last, 16), 14);
  return bytes;
}
