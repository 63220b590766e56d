import { createHash, randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { requestOver } from '../../../platform/fetch/dial.ts';
import { headersSeen, joined } from '../../answer-headers.ts';
import { type AttemptDeps, AttemptEnded, type AttemptRun, judgeRest, untilAborted } from '../../attempt.ts';
import { connectTo } from '../../connect.ts';
import type { Outcome, SpecOf } from '../../contract.ts';
import { down, matchesPart } from '../../evaluate.ts';
import { shakeHands } from '../../tls.ts';
import { Wire } from '../../wire.ts';
import { encodeFrame, MessageReader, OPCODES } from './frames.ts';
import { scrubbedStart } from '../../../platform/scrub.ts';

/** RFC 6455, 1.3. */
const ACCEPT_SALT = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const NORMAL_CLOSURE = Buffer.from([0x03, 0xe8]);
/** Characters of the last message kept when none fitted. */
const MAX_EXCERPT_CHARS = 1_024;

/** Up when the server agrees to speak WebSocket and, where that is expected, a message fits. */
export async function askWebsocket(spec: SpecOf<'websocket'>, run: AttemptRun, deps: AttemptDeps): Promise<Outcome> {
  const url = new URL(spec.url);
  const secure = url.protocol === 'wss:';
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = url.port === '' ? (secure ? 443 : 80) : Number(url.port);
  const plain = await connectTo(run, { spec, host, port }, deps);
  try {
    const socket = secure ? (await shakeHands(run, { socket: plain, host, tls: spec.tls, protocols: ['http/1.1'] })).socket : plain;
    run.enter('processing');
    await upgrade(spec, socket, run);
    const wire = new Wire(run, socket);
    if (spec.send !== undefined) wire.write(encodeFrame(OPCODES.text, Buffer.from(spec.send), randomBytes(4)));
    const { message_contains, message_matches } = spec.expect;
    if (message_contains !== undefined || message_matches !== undefined) await untilFits(spec, wire, run);
    run.leave();
    socket.end(encodeFrame(OPCODES.close, NORMAL_CLOSURE, randomBytes(4)));
    return judgeRest(spec, run, deps);
  } finally {
    plain.destroySoon();
  }
}

async function upgrade(spec: SpecOf<'websocket'>, socket: Socket, run: AttemptRun): Promise<void> {
  const key = randomBytes(16).toString('base64');
  const response = await untilAborted(sendUpgrade(spec, socket, key), run.signal);
  run.seen = { ...run.seen, statusCode: response.statusCode ?? 0 };
  if (response.statusCode !== 101) {
    run.seen = { ...run.seen, headers: headersSeen(joined(response)) };
    throw new AttemptEnded(down('status', `status ${response.statusCode}, expected 101`));
  }
  const accept = createHash('sha1').update(`${key}${ACCEPT_SALT}`).digest('base64');
  if (response.headers['sec-websocket-accept'] !== accept) {
    throw new AttemptEnded(down('bad_answer', 'the server switched protocols, but its Sec-WebSocket-Accept does not fit our key'));
  }
  const chosen = response.headers['sec-websocket-protocol'];
  if (chosen === spec.subprotocol) return;
  throw new AttemptEnded(down('subprotocol', `the server chose subprotocol ${chosen ?? 'none'}, expected ${spec.subprotocol ?? 'none'}`));
}

function sendUpgrade(spec: SpecOf<'websocket'>, socket: Socket, key: string): Promise<IncomingMessage> {
  const url = new URL(spec.url);
  const headers = new Map<string, string>([
    ['host', url.host],
    ['user-agent', 'Nines (availability check)'],
    ...Object.entries(spec.headers).map(([name, value]) => [name.toLowerCase(), value.reveal()] as const),
    ['connection', 'Upgrade'],
    ['upgrade', 'websocket'],
    ['sec-websocket-version', '13'],
    ['sec-websocket-key', key],
  ]);
  if (spec.subprotocol !== undefined) headers.set('sec-websocket-protocol', spec.subprotocol);
  return new Promise((resolve, reject) => {
    const outgoing = requestOver(socket, {
      path: url.pathname + url.search,
      setDefaultHeaders: false,
      headers: Object.fromEntries(headers),
    });
    outgoing.once('response', resolve);
    outgoing.once('upgrade', (response, _socket, head: Buffer) => {
      // What came right behind the answer is the first of the messages.
      if (head.length > 0) socket.unshift(head);
      resolve(response);
    });
    outgoing.on('error', reject);
    outgoing.end();
  });
}

/** Reads messages until one fits; what the server says meanwhile on its own account is passed over. */
async function untilFits(spec: SpecOf<'websocket'>, wire: Wire, run: AttemptRun): Promise<void> {
  const { message_contains, message_matches } = spec.expect;
  const reader = new MessageReader(wire);
  for (;;) {
    const message = await reader.next();
    if (message.kind === 'close') {
      throw new AttemptEnded(down('connection_closed', `the server closed the connection with ${message.code}${message.reason}`));
    }
    const contains = message_contains === undefined || message.text.includes(message_contains);
    if (contains && (message_matches === undefined || matchesPart(message_matches, message.text))) {
      const { excerpt: _, ...seen } = run.seen;
      run.seen = seen;
      return;
    }
    run.seen = { ...run.seen, excerpt: scrubbedStart(message.text, MAX_EXCERPT_CHARS) };
  }
}
