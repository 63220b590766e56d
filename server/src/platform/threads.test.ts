import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { AppError } from '@nines/base/errors.ts';
import { manualClock } from '../../../test/harness/manual-clock.ts';
import { ThreadPool } from './threads.ts';

type Job = { readonly do: 'say' | 'wait' | 'die' | 'fill'; readonly word?: string; readonly gate?: Int32Array };

const PROGRAM = new URL(
  `data:text/javascript,${encodeURIComponent(`
    import { parentPort } from 'node:worker_threads';
    parentPort.on('message', ({ job }) => {
      if (job.do === 'wait') Atomics.wait(job.gate, 0, 0);
      if (job.do === 'die') process.exit(3);
      if (job.do === 'fill') for (const all = []; ; ) all.push(new Array(1e6).fill(all.length));
      parentPort.postMessage({ result: job.word ?? '' });
    });`)}`,
);

function poolFor(t: TestContext, limits: { readonly maxWaiting: number; readonly maxWaitingOfOne: number }) {
  const clock = manualClock();
  const pool = new ThreadPool<Job, string>({ program: PROGRAM, clock, most: 1, timeLimitMs: 30_000, idleMs: 60_000, ...limits });
  const gate = new Int32Array(new SharedArrayBuffer(4));
  const open = (): void => {
    Atomics.store(gate, 0, 1);
    Atomics.notify(gate, 0);
  };
  t.after(async () => {
    open();
    await pool[Symbol.asyncDispose]();
  });
  return { clock, pool, open, hold: () => pool.run({ do: 'wait', gate, word: 'held' }, 'ada') };
}
const codeOf = (job: Promise<string>): Promise<string> =>
  job.then(
    () => 'done',
    (error: unknown) => (error instanceof AppError ? error.code : String(error)),
  );

test('who asks much holds up another by one job, and waits alone for a place', async (t) => {
  const { pool, hold, open } = poolFor(t, { maxWaiting: 8, maxWaitingOfOne: 6 });
  const order: string[] = [];
  const told = (job: Promise<string>): Promise<unknown> => job.then((word) => order.push(word));
  const held = hold();
  const jobs = Array.from({ length: 6 }, (_, i) => told(pool.run({ do: 'say', word: `ada ${i}` }, 'ada')));
  assert.equal(await codeOf(pool.run({ do: 'say' }, 'ada')), 'too_busy');
  jobs.push(told(pool.run({ do: 'say', word: 'bob 0' }, 'bob')), told(pool.run({ do: 'say', word: 'bob 1' }, 'bob')));
  assert.equal(await codeOf(pool.run({ do: 'say' }, 'bob')), 'too_busy', 'eight wait');
  jobs.push(told(pool.run({ do: 'say', word: 'eve 0' }, 'eve')));
  open();
  await Promise.all([held, ...jobs]);
  assert.deepEqual(order, ['ada 0', 'bob 0', 'eve 0', 'ada 1', 'bob 1', 'ada 2', 'ada 3', 'ada 4', 'ada 5']);
});

test('a thread that ends or runs out of memory in its work fails that job alone; one too slow is given up', async (t) => {
  const { pool, clock, hold } = poolFor(t, { maxWaiting: 8, maxWaitingOfOne: 6 });
  const [died, after] = [codeOf(pool.run({ do: 'die' }, 'ada')), pool.run({ do: 'say', word: 'on' }, 'ada')];
  assert.equal(await died, 'broke_off');
  assert.equal(await after, 'on');
  assert.equal(await codeOf(pool.run({ do: 'fill' }, 'ada')), 'broke_off');
  const [slow, next] = [codeOf(hold()), pool.run({ do: 'say', word: 'on' }, 'bob')];
  await clock.advance(30_000);
  assert.equal(await slow, 'too_slow');
  assert.equal(await next, 'on');
});
