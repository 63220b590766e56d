import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backoffMs, staleRecords } from './live-state.ts';

test('a change of a service makes its time line and its outages stale as well', () => {
  assert.ok(staleRecords('services').includes('timeline'));
  assert.ok(staleRecords('services').includes('downtime'));
  assert.deepEqual(staleRecords('weather'), []);
});

test('waiting grows from one to thirty seconds and is spread', () => {
  assert.equal(backoffMs(0, 0.5), 1_000);
  assert.equal(backoffMs(3, 0.5), 8_000);
  assert.equal(backoffMs(50, 0.5), 30_000);
  assert.ok(backoffMs(3, 0) < backoffMs(3, 0.9));
});
