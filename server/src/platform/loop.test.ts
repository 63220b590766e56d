import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manualClock } from '../../../test/harness/manual-clock.ts';
import { silentLogger } from '../../../test/harness/logs.ts';
import { startLoop } from './loop.ts';

const settle = async (): Promise<void> => {
  for (let i = 0; i < 10; i++) await Promise.resolve();
};

test('a loop steps at once and then at its interval', async () => {
  const clock = manualClock();
  const at: number[] = [];
  const from = clock.now();
  await using _loop = startLoop({
    clock,
    logger: silentLogger,
    name: 'test',
    everyMs: 1_000,
    step: async (nowMs) => void at.push(nowMs - from),
  });
  for (let i = 0; i < 4; i++) {
    await clock.advance(i === 0 ? 0 : 1_000);
    await settle();
  }
  assert.deepEqual(at, [0, 1_000, 2_000, 3_000]);
});

test('steps never overlap; a poke during a step makes exactly one more', async () => {
  const clock = manualClock();
  let running = 0;
  let most = 0;
  let steps = 0;
  const ends: (() => void)[] = [];
  const step = async (): Promise<void> => {
    most = Math.max(most, ++running);
    steps++;
    await new Promise<void>((resolve) => ends.push(resolve));
    running--;
  };
  const loop = startLoop({ clock, logger: silentLogger, name: 'test', everyMs: 60_000, step });
  await clock.advance(0);
  loop.poke();
  loop.poke();
  await clock.advance(1);
  assert.equal(steps, 1);
  ends.shift()?.();
  await settle();
  await clock.advance(0);
  assert.equal(steps, 2);
  ends.shift()?.();
  await settle();
  await clock.advance(1);
  assert.deepEqual({ steps, most }, { steps: 2, most: 1 });
  await loop[Symbol.asyncDispose]();
});

test('a step that throws is logged and the next one comes', async () => {
  const clock = manualClock();
  const logged: string[] = [];
  let steps = 0;
  const logger = {
    ...silentLogger,
    error: (message: string, fields?: Record<string, unknown>) => void logged.push(`${message} ${String(fields?.['loop'])}`),
  };
  await using _loop = startLoop({
    clock,
    logger,
    name: 'outbox',
    everyMs: 10,
    step: async () => {
      steps++;
      throw new Error('no');
    },
  });
  await clock.advance(0);
  await settle();
  await clock.advance(10);
  await settle();
  assert.equal(steps, 2);
  assert.equal(logged[0], 'a periodic step failed outbox');
});

test('stopping aborts the step under way, waits for it and starts no other', async () => {
  const clock = manualClock();
  let ended = false;
  let steps = 0;
  const loop = startLoop({
    clock,
    logger: silentLogger,
    name: 'test',
    everyMs: 1,
    step: async (_nowMs, signal) => {
      steps++;
      await clock.sleep(1_000_000, { signal }).catch(() => undefined);
      ended = true;
    },
  });
  await clock.advance(0);
  await loop[Symbol.asyncDispose]();
  assert.equal(ended, true);
  await clock.advance(10_000);
  assert.equal(steps, 1);
});
