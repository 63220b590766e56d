import assert from 'node:assert/strict';
import { test } from 'node:test';
import { levels, nearest, pathOf, scalesOf } from './burn-down-scales.ts';

const data = {
  from_at_ms: 0,
  to_at_ms: 100,
  total: 60,
  points: [
    { at_ms: 0, remaining: 60 },
    { at_ms: 50, remaining: 0 },
    { at_ms: 80, remaining: -60 },
  ],
};

test('an overspent budget is drawn below the line of none, and the whole of it at the top', () => {
  const scales = scalesOf(data, { width: 392, height: 136 });
  assert.deepEqual([scales.y(60), scales.y(0), scales.y(-60)], [8, 58, 108]);
  assert.deepEqual([scales.x(0), scales.x(100), scales.atMs(238)], [88, 388, 50]);
  assert.equal(pathOf(data.points, scales), 'M88.0 8.0L238.0 58.0L328.0 108.0');
  assert.deepEqual(levels(data, scales), [0, 60, -60, 30]);
  assert.deepEqual(levels({ ...data, total: 6 }, scalesOf({ ...data, total: 6 }, { width: 392, height: 136 })), [0, -60]);
});

test('a budget of nothing has a scale, and the nearest point is found on either side', () => {
  const none = { ...data, total: 0, points: [{ at_ms: 0, remaining: 0 }] };
  assert.ok(Number.isFinite(scalesOf(none, { width: 300, height: 100 }).y(0)));
  assert.deepEqual([nearest(data.points, -5)?.at_ms, nearest(data.points, 60)?.at_ms, nearest(data.points, 1e9)?.at_ms], [0, 50, 80]);
  assert.equal(nearest([], 5), undefined);
});
