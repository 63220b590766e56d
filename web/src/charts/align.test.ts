import assert from 'node:assert/strict';
import { test } from 'node:test';
import { alignSeries, lonelyPoints, summarise } from './align.ts';

test('series on different instants share one grid and keep their gaps', () => {
  const columns = alignSeries(
    [
      {
        name: 'a',
        points: [
          [0, 1],
          [10, 2],
        ],
      },
      {
        name: 'b',
        points: [
          [10, 5],
          [20, Number.NaN],
        ],
      },
    ],
    15,
  );
  assert.deepEqual(columns, [
    [0, 10, 20],
    [1, 2, null],
    [null, 5, null],
  ]);
});

test('series that begin later, or whose points are in no order, stand where they belong', () => {
  const columns = alignSeries(
    [
      { name: 'late', points: [[20, 3]] },
      {
        name: 'whole',
        points: [
          [0, 1],
          [10, 2],
          [20, 4],
        ],
      },
      {
        name: 'unordered',
        points: [
          [20, 7],
          [0, 5],
        ],
      },
    ],
    15,
  );
  assert.deepEqual(columns, [
    [0, 10, 20],
    [null, null, 3],
    [1, 2, 4],
    [5, null, 7],
  ]);
});

test('a pause of all series is a gap, not a line', () => {
  const [grid, values] = alignSeries(
    [
      {
        name: 'a',
        points: [
          [0, 1],
          [10, 2],
          [100, 3],
        ],
      },
    ],
    25,
  );
  assert.deepEqual(grid, [0, 10, 55, 100]);
  assert.deepEqual(values, [1, 2, null, 3]);
});

test('a value between two gaps is drawn as a point', () => {
  assert.deepEqual(lonelyPoints([1, null, 2, null, 3, 4]), [0, 2]);
});

test('a summary skips what is no number', () => {
  assert.deepEqual(
    summarise([
      [0, 3],
      [1, Number.NaN],
      [2, 1],
    ]),
    { last: 1, low: 1, high: 3 },
  );
  assert.equal(summarise([]), undefined);
});
