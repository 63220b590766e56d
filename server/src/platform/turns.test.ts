import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createKeyedTurns, createTurns } from './turns.ts';

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

test('each key has turns of its own', async () => {
  const turn = createKeyedTurns();
  const seen: string[] = [];
  const first = Promise.withResolvers<void>();
  const tasks = [
    turn('a', async () => {
      await first.promise;
      seen.push('first of a');
      throw new Error('of the first');
    }),
    turn('a', async () => seen.push('second of a')),
  ];
  await turn('b', async () => seen.push('first of b'));
  first.resolve();
  await Promise.allSettled(tasks);
  await turn('a', async () => seen.push('third of a'));
  assert.deepEqual(seen, ['first of b', 'first of a', 'second of a', 'third of a']);
});
