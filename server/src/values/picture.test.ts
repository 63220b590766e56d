import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { labelsOf } from '@nines/model/labels.ts';
import { Picture, type Seen } from './picture.ts';

const host = (name: string) => labelsOf({ host: name });
const now = (values: Record<string, number>): Seen['now'] => Object.entries(values).map(([name, value]) => ({ labels: host(name), value }));
const column = (name: string, points: Record<number, number>) => ({
  labels: host(name),
  times: Object.keys(points).map(Number),
  values: Object.values(points),
});
const fields = (text: string) => JSON.parse(`{"at_ms":0${text}}`) as Record<string, unknown>;

describe('the picture of a followed query', () => {
  it('names a series once, and then tells only of values that changed', () => {
    const picture = new Picture();
    const first = fields(picture.take({ atMs: 1, now: now({ a: 1, b: Number.NaN }), tail: null }));
    assert.deepEqual(first, {
      at_ms: 0,
      series: [
        [0, { host: 'a' }],
        [1, { host: 'b' }],
      ],
      order: [0, 1],
      now: [
        [0, 1],
        [1, 'NaN'],
      ],
    });
    assert.deepEqual(fields(picture.take({ atMs: 2, now: now({ a: 2, b: Number.NaN }), tail: null })), { at_ms: 0, now: [[0, 2]] });
    assert.deepEqual(fields(picture.take({ atMs: 3, now: now({ a: 2, b: Number.NaN }), tail: null })), { at_ms: 0 }, 'nothing changed');
  });

  it('tells the order when it changes, and forgets who went', () => {
    const picture = new Picture();
    picture.take({ atMs: 1, now: now({ a: 1, b: 2 }), tail: null });
    assert.deepEqual(fields(picture.take({ atMs: 2, now: now({ b: 2, a: 1 }), tail: null }))['order'], [1, 0]);
    assert.deepEqual(fields(picture.take({ atMs: 3, now: now({ a: 1 }), tail: null }))['order'], [0]);
    assert.equal(picture.size, 1);
    const back = fields(picture.take({ atMs: 4, now: now({ a: 1, b: 2 }), tail: null }));
    assert.deepEqual([back['series'], back['order']], [[[2, { host: 'b' }]], [0, 2]], 'under a number that nobody knew for another');
  });

  it('tells points that are new, corrected or gone, and drops those before the tail in silence', () => {
    const picture = new Picture();
    const tail = (fromMs: number, points: Record<number, number>) => ({
      atMs: 9,
      now: [],
      tail: { fromMs, series: [column('a', points)] },
    });
    const first = fields(picture.take(tail(10, { 10: 1, 20: 2 })));
    assert.deepEqual(first['tail'], [
      [10, [[0, 1]]],
      [20, [[0, 2]]],
    ]);
    assert.equal(first['from_ms'], 10);
    const second = fields(picture.take(tail(20, { 20: 2.5, 30: 3 })));
    assert.deepEqual(second['tail'], [
      [20, [[0, 2.5]]],
      [30, [[0, 3]]],
    ]);
    assert.equal(second['from_ms'], 20);
    assert.deepEqual(fields(picture.take(tail(20, { 30: 3 }))), { at_ms: 0, tail: [[20, [[0, null]]]] });
  });

  it('is told whole to whoever comes later', () => {
    const picture = new Picture();
    const seen = (value: number): Seen => ({
      atMs: 5,
      now: now({ a: value, b: Number.POSITIVE_INFINITY }),
      tail: { fromMs: 10, series: [column('a', { 10: value }), column('b', { 10: 0, 20: -1 })] },
    });
    picture.take(seen(1));
    picture.take(seen(2));
    assert.deepEqual(fields(picture.whole()), {
      at_ms: 0,
      series: [
        [0, { host: 'a' }],
        [1, { host: 'b' }],
      ],
      order: [0, 1],
      now: [
        [0, 2],
        [1, '+Inf'],
      ],
      from_ms: 10,
      tail: [
        [
          10,
          [
            [0, 2],
            [1, 0],
          ],
        ],
        [20, [[1, -1]]],
      ],
    });
  });
});
