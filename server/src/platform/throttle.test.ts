import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epochMs } from '@nines/base/units.ts';
import fc from 'fast-check';
import { createThrottle } from './throttle.ts';

const NOW = epochMs(1_760_000_000_000);
const after = (lengthMs: number) => epochMs(NOW + lengthMs);

test('five failures are free, then each doubles the wait up to fifteen minutes', () => {
  const throttle = createThrottle();
  const waits = Array.from({ length: 18 }, () => {
    const waitMs = throttle.waitMs('ann', '10.0.0.1', NOW);
    throttle.trying('ann', '10.0.0.1', NOW);
    return waitMs;
  });
  assert.deepEqual(waits.slice(0, 9), [0, 0, 0, 0, 0, 1_000, 2_000, 4_000, 8_000]);
  assert.equal(waits.at(-1), 900_000);
});

test('a stranger elsewhere cannot lock the owner out', () => {
  const throttle = createThrottle();
  for (let i = 0; i < 100; i++) throttle.trying('ann', '10.0.0.1', NOW);
  assert.ok(throttle.waitMs('ann', '10.0.0.1', NOW) > 0);
  assert.equal(throttle.waitMs('ann', '10.0.0.2', NOW), 0);
});

test('one address cannot walk through many accounts', () => {
  const throttle = createThrottle();
  for (let i = 0; i < 30; i++) throttle.trying(`user${i}`, '10.0.0.1', NOW);
  assert.ok(throttle.waitMs('another', '10.0.0.1', NOW) > 0);
});

test('a good sign-in clears the account and does not count against the address', () => {
  const throttle = createThrottle();
  for (let i = 0; i < 200; i++) {
    throttle.trying('ann', '10.0.0.1', NOW);
    throttle.succeeded('ann', '10.0.0.1');
  }
  assert.equal(throttle.waitMs('ann', '10.0.0.1', NOW), 0);
});

test('waits run out, failures are forgotten after a day, and a flood of names cannot fill the memory', () => {
  const throttle = createThrottle();
  for (let i = 0; i < 6; i++) throttle.trying('ann', '10.0.0.1', NOW);
  assert.equal(throttle.waitMs('ann', '10.0.0.1', after(1_999)), 1);
  assert.equal(throttle.waitMs('ann', '10.0.0.1', after(2_000)), 0);
  throttle.trying('ann', '10.0.0.1', after(90_000_000));
  assert.equal(throttle.waitMs('ann', '10.0.0.1', after(90_000_001)), 0);
  for (let i = 0; i < 30_000; i++) throttle.trying(`n${i}`, `a${i}`, NOW);
  assert.equal(throttle.waitMs('n1', 'a1', NOW), 0);
});

test('guessing: whoever has a network of IPv6 has one try in it, not one for each of its addresses', () => {
  const throttle = createThrottle();
  for (let i = 0; i < 30; i++) throttle.trying('ann', `2001:db8:1:2::${i.toString(16)}`, NOW);
  assert.ok(throttle.waitMs('ann', '2001:db8:1:2:ffff::1', NOW) > 0);
  assert.ok(throttle.waitMs('another', '2001:db8:1:2:ffff::1', NOW) > 0);
  assert.equal(throttle.waitMs('ann', '2001:db8:1:3::1', NOW), 0, 'a stranger elsewhere locks nobody out');
});

// Attack: a stranger fails on purpose, so that the owner has to wait.
test('no sequence of failures from other addresses changes how long the owner waits at their own', () => {
  const owner = '10.0.0.1';
  const step = fc.record({
    stranger: fc.boolean(),
    account: fc.constantFrom('ann', 'ANN', 'bob', owner, '', 'a\u0000nn'),
    address: fc.constantFrom('10.0.0.2', '10.0.0.3', '::1', '', 'ann'),
    good: fc.boolean(),
    laterMs: fc.integer({ min: 0, max: 2 * 86_400_000 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const [alone, among] = [createThrottle(), createThrottle()];
      let nowMs = NOW;
      for (const { stranger, account, address, good, laterMs } of steps) {
        nowMs = epochMs(nowMs + laterMs);
        for (const throttle of stranger ? [among] : [alone, among]) {
          const from = stranger ? address : owner;
          const name = stranger ? account : 'ann';
          throttle.trying(name, from, nowMs);
          if (good && !stranger) throttle.succeeded(name, from);
        }
        assert.equal(among.waitMs('ann', owner, nowMs), alone.waitMs('ann', owner, nowMs));
      }
    }),
  );
});
