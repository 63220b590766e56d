import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingMessage, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { AppError } from '@nines/base/errors.ts';
import Fastify, { type FastifyReply } from 'fastify';
import { poll } from '../../../../test/harness/poll.ts';
import { manualClock } from '../../../../test/harness/manual-clock.ts';
import { Exports } from './export.ts';

const PIECE = 'x'.repeat(64 * 1024);
/** 64 MB: more than any socket holds by itself. */
const PIECES = 1_000;

test('a large answer is made as fast as it is read, ends when its reader is gone, and gives its place back', async (t) => {
  const exports = new Exports(manualClock(), 2);
  const made: { pieces: number; ended: boolean; aborted: boolean }[] = [];
  const http = Fastify();
  http.get('/all', async (_request, reply) => {
    const one = { pieces: 0, ended: false, aborted: false };
    made.push(one);
    const textOf = async function* (signal: AbortSignal) {
      try {
        for (; one.pieces < PIECES; one.pieces++) yield PIECE;
      } finally {
        one.ended = true;
        one.aborted = signal.aborted;
      }
    };
    try {
      return await exports.send(reply as FastifyReply, 'text/plain', textOf);
    } catch (thrown) {
      assert.ok(thrown instanceof AppError);
      return reply.code(503).send(thrown.code);
    }
  });
  await http.listen({ host: '127.0.0.1', port: 0 });
  t.after(() => http.close());
  const { port } = http.server.address() as AddressInfo;
  const ask = async (): Promise<IncomingMessage> => {
    const [answer] = (await once(get({ host: '127.0.0.1', port, path: '/all', agent: false }), 'response')) as [IncomingMessage];
    return answer;
  };
  const lengthOf = async (answer: IncomingMessage): Promise<number> => {
    let length = 0;
    for await (const piece of answer) length += (piece as Buffer).length;
    return length;
  };
  const idle = await ask();
  assert.equal(await lengthOf(await ask()), PIECES * PIECE.length, 'another reader gets all of it meanwhile');
  const [first, second] = made;
  assert.deepEqual([second?.ended, second?.aborted, first?.ended], [true, false, false]);
  assert.ok((first?.pieces ?? PIECES) < PIECES / 2, `${first?.pieces} pieces were made for a reader that read nothing`);
  const other = await ask();
  const refused = await ask();
  assert.equal(refused.statusCode, 503);
  assert.equal(await lengthOf(refused), 'too_many_exports'.length);
  idle.destroy();
  other.destroy();
  await poll('both to end', () => made.slice(0, 3).every(({ ended }) => ended));
  assert.ok((first?.pieces ?? PIECES) < PIECES / 2);
  await poll('a place', async () => {
    const next = await ask();
    return next.statusCode === 200 && (await lengthOf(next)) === PIECES * PIECE.length;
  });
});
