import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lacksPast, withEarlier } from './earlier.ts';

test('figures from before anything was stored stand on the grid, end where the stored ones begin, and leave out what nobody knew', () => {
  const grid = { fromMs: 1_000, toMs: 2_000, stepMs: 100 };
  const earlier = [
    { atMs: 1_000, value: null },
    { atMs: 1_250, value: 0.9 },
    { atMs: 1_500, value: 0.8 },
    { atMs: 2_000, value: 0.5 },
  ];
  const stored = [[1_700, 0.7] as const];
  assert.equal(lacksPast(stored, grid), true);
  assert.deepEqual(withEarlier(stored, earlier, grid), [
    [1_300, 0.9],
    [1_400, 0.9],
    [1_500, 0.8],
    [1_600, 0.8],
    [1_700, 0.7],
  ]);
  assert.equal(lacksPast([[1_200, 1]], grid), false);
  assert.equal(withEarlier([], earlier, grid).at(-1)?.[1], 0.5, 'nothing stored at all: the whole stretch');
});
