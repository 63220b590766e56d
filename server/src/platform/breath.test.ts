import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Clock } from '@nines/base/clock.ts';
import { manualClock } from '../../../test/harness/manual-clock.ts';
import { SLICE_MS, createBreath } from './breath.ts';

/** A clock whose turns are taken one by one. */
function steppedClock(): { readonly clock: Clock; turn(lengthMs: number): Promise<void>; readonly turns: (() => void)[] } {
  const manual = manualClock();
  const turns: (() => void)[] = [];
  const clock: Clock = {
    now: () => manual.now(),
    monotonic: () => manual.monotonic(),
    sleep: (delayMs, options) => manual.sleep(delayMs, options),
    after(_delayMs, run) {
      turns.push(run);
      return { [Symbol.dispose]: () => {} };
    },
  };
  const turn = async (lengthMs: number): Promise<void> => {
    await manual.advance(lengthMs);
    turns.shift()?.();
    await manual.advance(0);
  };
  return { clock, turn, turns };
}

test('within a slice nobody waits', async () => {
  const { clock, turn, turns } = steppedClock();
  const breath = createBreath(clock);
  const begun = breath();
  assert.notEqual(begun, undefined);
  await turn(0);
  await begun;
  assert.equal(breath(), undefined);
  assert.equal(turns.length, 0);
});

test('after it all wait in line, and each turn lets one go on', async () => {
  const { clock, turn, turns } = steppedClock();
  const breath = createBreath(clock);
  const order: string[] = [];
  for (const name of ['a', 'b', 'c']) void breath()?.then(() => order.push(name));
  assert.equal(turns.length, 1);
  await turn(SLICE_MS);
  assert.deepEqual(order, ['a']);
  // Whoever comes while others wait stands behind them, however short the slice has been.
  void breath()?.then(() => order.push('late'));
  await turn(0);
  await turn(0);
  await turn(0);
  assert.deepEqual(order, ['a', 'b', 'c', 'late']);
  assert.equal(turns.length, 0);
});
