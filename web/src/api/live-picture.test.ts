import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LivePicture } from './live-picture.ts';

const A = { host: 'a' };
const B = { host: 'b' };

function begun(): LivePicture {
  const picture = new LivePicture();
  picture.apply(
    {
      key: 'k',
      start: true,
      query: 'q1',
      at_ms: 35,
      heard_at_ms: 34,
      every_ms: null,
      series: [
        [0, A],
        [1, B],
      ],
      order: [1, 0],
      now: [
        [0, 1],
        [1, 'NaN'],
      ],
      from_ms: 20,
      tail: [
        [20, [[0, 1]]],
        [
          30,
          [
            [0, 1],
            [1, '+Inf'],
          ],
        ],
      ],
    },
    1_000,
  );
  return picture;
}

describe('a followed query in the browser', () => {
  it('knows present values in the order of the query, and points by series', () => {
    const picture = begun();
    assert.deepEqual(picture.present(), [
      { labels: B, points: [[35, Number.NaN]] },
      { labels: A, points: [[35, 1]] },
    ]);
    assert.deepEqual(picture.points(), [
      {
        labels: A,
        points: [
          [20, 1],
          [30, 1],
        ],
      },
      { labels: B, points: [[30, Number.POSITIVE_INFINITY]] },
    ]);
    assert.equal(picture.sinceMs, 20);
  });

  it('adds what is new, corrects what was late, forgets who went, and keeps older points', () => {
    const picture = begun();
    picture.apply(
      {
        query: 'q1',
        at_ms: 45,
        order: [0],
        now: [[0, 2]],
        from_ms: 30,
        tail: [
          [
            30,
            [
              [0, 1.5],
              [1, null],
            ],
          ],
          [40, [[0, 2]]],
        ],
      },
      2_000,
    );
    assert.deepEqual(picture.present(), [{ labels: A, points: [[45, 2]] }]);
    assert.deepEqual(picture.points()[0]?.points, [
      [20, 1],
      [30, 1.5],
      [40, 2],
    ]);
    assert.equal(picture.sinceMs, 20, 'all since then are known');
    assert.equal(picture.receivedMs, 2_000);
  });

  it('keeps what it knew when the query fails, and says so until it does not', () => {
    const picture = begun();
    picture.apply({ query: 'q1', error: 'too many samples' }, 3_000);
    assert.deepEqual([picture.error, picture.present().length, picture.receivedMs], ['too many samples', 2, 1_000]);
    picture.apply({ query: 'q1', at_ms: 46 }, 4_000);
    assert.equal(picture.error, null);
  });

  it('is told whole to another page', () => {
    const picture = begun();
    const other = new LivePicture();
    other.apply(picture.whole(), 9_000);
    assert.deepEqual([other.present(), other.points(), other.sinceMs], [picture.present(), picture.points(), picture.sinceMs]);
  });
});
