import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instantOf, localTime } from './local-time.ts';

test('an instant comes back from the input to the second', () => {
  const atMs = Date.UTC(2026, 0, 4, 3, 5, 9);
  assert.match(localTime(atMs), /^2026-01-0[345]T\d\d:\d\d:09$/);
  assert.equal(instantOf(localTime(atMs)), atMs);
  assert.equal(instantOf('soon'), undefined);
});

test('an input to the minute and one to the millisecond hold what they can', () => {
  const atMs = Date.UTC(2026, 0, 4, 3, 5, 9, 7);
  assert.equal(instantOf(localTime(atMs, 'millisecond')), atMs);
  assert.match(localTime(atMs, 'millisecond'), /:09\.007$/);
  assert.equal(instantOf(localTime(atMs, 'minute')), atMs - 9_007);
});
