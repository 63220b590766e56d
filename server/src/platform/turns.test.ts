import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTurns } from './turns.ts';

test('tasks come one after the other in their order, and each failure is told to its own caller alone', async () => {
  const turn = createTurns();
  const seen: string[] = [];
  const first = Promise.withResolvers<void>();
  const tasks = [
    turn(async () => {
      seen.push('first begins');
      await first.promise;
      seen.push('first ends');
    }),
    turn(async () => {
      seen.push('second');
      throw new Error('of the second');
    }),
    turn(async () => seen.push('third')),
  ];
  const settled = Promise.allSettled(tasks);
  first.resolve();
  assert.deepEqual(
    (await settled).map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
  assert.deepEqual(seen, ['first begins', 'first ends', 'second', 'third']);
});
