import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { createServer } from 'node:net';
import { test, type TestContext } from 'node:test';
import { listen } from '../../../../../test/harness/checks.ts';
import { judgeAddress } from '../../../platform/fetch/judge.ts';
import { Gate } from './gate.ts';

/** A site that answers every request with these bytes. */
const site = (t: TestContext, answer: string): Promise<number> =>
  listen(
    t,
    createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => socket.end(answer));
    }),
  );

/** What a browser behind the gate gets of a site: its status, or `cut off`. */
async function through(gate: Gate, port: number): Promise<number | string | undefined> {
  const { hostname, port: gatePort } = new URL(gate.url);
  const asked = request({ host: hostname, port: gatePort, path: `http://127.0.0.1:${port}/`, agent: false });
  asked.end();
  try {
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    answer.resume();
    return answer.statusCode;
  } catch {
    return 'cut off';
  }
}

test('answers that cannot be passed on end their own connection and nothing else', async (t) => {
  const deps = { resolve: () => Promise.reject(new Error('no name is asked for')), judge: judgeAddress };
  await using gate = await Gate.open({ trust: 'trusted' }, deps);
  const hostile = [
    'HTTP/1.1 000 Nothing\r\ncontent-length: 0\r\n\r\n',
    'HTTP/1.1 200 OK\r\ntrailer: x\r\ncontent-length: 0\r\n\r\n',
    'HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n',
    'not HTTP at all\r\n\r\n',
  ];
  for (const answer of hostile) {
    assert.equal(await through(gate, await site(t, answer)), 'cut off', answer);
    assert.match(JSON.stringify(gate.faultOf('127.0.0.1')), /"kind":"down"/, answer);
  }
  assert.equal(await through(gate, await site(t, 'HTTP/1.1 204 No Content\r\n\r\n')), 204);
  assert.equal(gate.faultOf('127.0.0.1'), undefined);
});
