import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cronOf, whenOf } from './often.ts';

test('what people choose is cron, and reads as it was chosen; what somebody wrote stays as it is', () => {
  const chosen = (['day', 'week', 'month'] as const).map((often) => cronOf({ often, weekday: 1, time: '07:05' }));
  assert.deepEqual(chosen, ['5 7 * * *', '5 7 * * 1', '5 7 1 * *']);
  assert.deepEqual(chosen.map(whenOf), ['Every day at 07:05', 'Mondays at 07:05', 'On the first of each month at 07:05']);
  for (const other of ['*/5 * * * *', '0 7 1 * 1', '0 7 2 * *', '@daily']) assert.equal(whenOf(other), other);
});
